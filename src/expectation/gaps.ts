import { isFloat } from "../base/dtype.js";
import { smoothnessAt } from "../graph/smooth.js";
import type { Smoothness, Tensor } from "../graph/tensor.js";
import { ancestors, between } from "../graph/walk.js";
import { unitUniform } from "../primitives/bits.js";
import type { LimitParams } from "../primitives/control.js";
import { dependents, nameOf, siteParams } from "./differentiability.js";
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
  for (const node of ancestors([program.loss, ...program.sites])) {
    if (!needed.has(node) || cuts(node)) continue;
    const levels = node.inputs.map((_, k) => smoothnessAt(node, k));
    // Where the jump is must be random: x / θ is singular at θ = 0, wherever x is.
    const source = node.inputs
      .map((input, k) => (levels[k] === "smooth" ? undefined : random.get(input)))
      .find((found) => found);
    if (source === undefined) continue;
    node.inputs.forEach((input, k) => {
      const level = levels[k] as Smoothness;
      if (level === "smooth" || !live.has(input) || sites.has(input) || !isFloat(input.dtype)) return;
      const here = gaps.get(node) ?? new Map<number, LimitParams>();
      gaps.set(node, here.set(k, words(node, input, source, level === "kink" ? 1 : 0, sources)));
    });
  }
  return gaps;
}

/** Nodes whose derivative anybody asks for: from the costs and the laws of the sites backwards, up to where it is stopped. */
function differentiated(program: Program): Set<Tensor> {
  const needed = new Set<Tensor>([program.loss, ...program.sites]);
  const nodes = ancestors([...needed]);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Tensor;
    if (needed.has(node) && !cuts(node)) for (const input of node.inputs) needed.add(input);
  }
  return needed;
}

function cuts(node: Tensor): boolean {
  return node.primitive === null || ["stopGradient", "detach"].includes(node.primitive.name);
}

/** Float nodes whose value moves continuously with a random one, with that one: a continuous site, or a uniform made of the run's key. */
function continuous(program: Program): Map<Tensor, Tensor> {
  const keyed = new Set(between([program.key, program.run], [program.loss, ...program.sites]));
  const found = new Map<Tensor, Tensor>();
  for (const node of ancestors([program.loss, ...program.sites])) {
    if (node.primitive === sampleNode) {
      if (!siteParams(node).family.discrete) found.set(node, node);
      continue;
    }
    if (node.primitive === unitUniform && keyed.has(node)) found.set(node, node);
    const from = node.inputs.map((input) => found.get(input)).find((source) => source !== undefined);
    // Comparisons and whole numbers take values one at a time: what is built on them alone no longer moves continuously.
    if (from && isFloat(node.dtype)) found.set(node, from);
  }
  return found;
}

function words(node: Tensor, input: Tensor, source: Tensor, orders: 0 | 1, sources: readonly Tensor[]): LimitParams {
  const way = [...route(input, new Set(sources)), node].map(nameOf);
  const path = [...new Set(way)].join(" → ");
  return {
    orders,
    where: source.primitive === sampleNode ? `sample "${siteParams(source).name}"` : "noise",
    what: `a derivative meets it at a ${orders === 1 ? "kink" : "jump"} (${path}), so its ${orders === 1 ? "second" : "first"} derivative would miss part`,
    write:
      "put the parameter into the law of the sample, as in sample(Normal({ loc: mu.sub(threshold) })), or stopGradient it where its derivative is not wanted",
  };
}

/** A way from a source to the node. */
function route(node: Tensor, sources: ReadonlySet<Tensor>): Tensor[] {
  const onWay = new Set(between([...sources], [node]));
  const back = [node];
  for (let at = node; !sources.has(at); ) {
    const next = at.inputs.find((input) => onWay.has(input));
    if (!next) break;
    back.push(next);
    at = next;
  }
  return back.reverse();
}
