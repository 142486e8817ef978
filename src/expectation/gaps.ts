import { isFloat } from "../base/dtype.js";
import type { Smoothness, Tensor } from "../graph/tensor.js";
import { unitUniform } from "../primitives/bits.js";
import type { LimitParams } from "../primitives/control.js";
import { dependents, nameOf, siteParams, wayFrom } from "./differentiability.js";
import type { Program } from "./program.js";
import { sampleNode } from "./site.js";

/**
 * Gaps: places where a derivative comes into a jump or kink in which a continuous random value takes part. The expectation moves with the
 * parameter there (E[x > θ] does), and the derivative of the composition does not say so. At a pathwise sample this is why the score
 * function is chosen; for a parameter that meets the sample on the way there is no such choice, so the gap lets values through, one
 * derivative at a kink, none at a jump, and then throws.
 */
export type Gaps = ReadonlyMap<Tensor, ReadonlyMap<number, LimitParams>>;

/** @param sources nodes a derivative comes from */
export function gapsOf(program: Program, sources: readonly Tensor[]): Gaps {
  // What comes through a sample is that sample's own affair.
  const sites = new Set(program.sites);
  const live = dependents(program, sources, sites);
  const random = continuous(program);
  const needed = differentiated(program);
  const gaps = new Map<Tensor, Map<number, LimitParams>>();
  const { flow } = program;
  for (const node of flow.ancestors([program.loss, ...program.sites])) {
    const role = flow.role(node);
    if (!needed.has(node) || cuts(node) || (role !== "plain" && role !== "part")) continue;
    const { inputs } = flow.access(node);
    const levels = inputs.map((_, k) => flow.smoothness(node, k));
    // Parts of a tuple get their derivative through the operation behind them.
    const at = role === "part" ? (node.inputs[0] as Tensor) : node;
    // Where the jump is must be random: x / θ is singular at θ = 0, wherever x is.
    const source = inputs
      .map((input, k) => (levels[k] === "smooth" ? undefined : random.get(input)))
      .find((found) => found);
    if (source === undefined) continue;
    inputs.forEach((input, k) => {
      const level = levels[k] as Smoothness;
      if (level === "smooth" || !live.has(input) || sites.has(input) || !isFloat(input.dtype)) return;
      const here = gaps.get(at) ?? new Map<number, LimitParams>();
      gaps.set(
        node,
        here.set(k, words(node, wayFrom(flow, new Set(sources), input), source, level === "kink" ? 1 : 0)),
      );
    });
  }
  return gaps;
}

/** Nodes whose derivative anybody asks for: from the costs and the laws of the sites backwards, up to where it is stopped. */
function differentiated(program: Program): Set<Tensor> {
  const needed = new Set<Tensor>([program.loss, ...program.sites]);
  for (const node of needed) if (!cuts(node)) for (const input of program.flow.access(node).inputs) needed.add(input);
  return needed;
}

function cuts(node: Tensor): boolean {
  return ["stopGradient", "detach"].includes(node.primitive?.name ?? "");
}

/** Float nodes whose value moves continuously with a random one, with that one: a continuous site, or a uniform made of the run's key. */
function continuous(program: Program): Map<Tensor, Tensor> {
  const { flow } = program;
  const ends = [program.loss, ...program.sites];
  const keyed = new Set(flow.between([program.key, program.run], ends));
  const found = new Map<Tensor, Tensor>();
  flow.settle(flow.ancestors(ends), (node) => {
    if (found.has(node) || (node.primitive === sampleNode && siteParams(node).family.discrete)) return false;
    const own = node.primitive === sampleNode || (node.primitive === unitUniform && keyed.has(node));
    const { inputs } = flow.access(node);
    const from = own ? node : inputs.map((input) => found.get(input)).find((source) => source !== undefined);
    // Comparisons and whole numbers take values one at a time: what is built on them alone no longer moves continuously.
    if (!from || !isFloat(node.dtype)) return false;
    found.set(node, from);
    return true;
  });
  return found;
}

function words(node: Tensor, from: readonly Tensor[], source: Tensor, orders: 0 | 1): LimitParams {
  const way = [...from, node].map(nameOf);
  const path = [...new Set(way)].join(" → ");
  return {
    orders,
    where: source.primitive === sampleNode ? `sample "${siteParams(source).name}"` : "noise",
    what: `a derivative meets it at a ${orders === 1 ? "kink" : "jump"} (${path}), so its ${orders === 1 ? "second" : "first"} derivative would miss part`,
    write:
      "put the parameter into the law of the sample, as in sample(Normal({ loc: mu.sub(threshold) })), or stopGradient it where its derivative is not wanted",
  };
}
