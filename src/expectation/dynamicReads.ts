import { fail, NoGradientError } from "../base/errors.js";
import { accessOf } from "../graph/access.js";
import { type AnyPrimitive, idMark, type Tensor } from "../graph/tensor.js";
import { currentRuntime } from "../graph/trace.js";
import { ancestors } from "../graph/walk.js";
import type { NDArray } from "../kernel/ndarray.js";
import { alias } from "../primitives/linear.js";
import { siteParams } from "./differentiability.js";
import { sampleNode } from "./site.js";

/** Reads of numbers in a dynamic program: what they steer, what they would cut, and where there is no number to read. */
export interface Reading {
  /** In the order they were met. */
  readonly sites: readonly Tensor[];
  readonly reads: { site: Tensor; from: number }[];
  /** Parameters with their names. */
  readonly parameters: ReadonlyMap<Tensor, string>;
  /** The number of the run: noise that is no site comes from it. */
  readonly number: Tensor;
  /** Nodes with a smaller id are older than the program. */
  readonly from: number;
  /** Whether it runs inside another transform, whose variables it may have captured. */
  readonly inside: boolean;
}

/** A read of a node: the sites it depends on steer whatever is built from now on. @throws where it would cut a derivative */
export function noteRead(node: Tensor, reading: Reading): void {
  const { sites, reads, number } = reading;
  const unknown = unknownIn([node]);
  if (unknown && unknown.id < reading.from) noNumbers(unknown);
  const before = new Set(ancestors([node], (n) => n.id >= number.id));
  const random = before.has(number) || [...before].some((n) => n.primitive === sampleNode);
  if (!random) return;
  const cut = cutBy(node, reading);
  if (cut) cuts(cut);
  const from = idMark();
  for (const site of sites)
    if (before.has(site) && !reads.some((read) => read.site === site)) reads.push({ site, from });
}

/**
 * What has a derivative of its own in the number, not through the law of a sample: a parameter, or a variable of the transform around. The
 * score function would not see it, and after the read the graph does not either.
 */
function cutBy(read: Tensor, { parameters, from, inside }: Reading): string | null {
  const seen = new Set<Tensor>();
  const stack = [read];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const name = parameters.get(node);
    if (name !== undefined) return name;
    const older = node.id < from;
    if (inside && older && node.primitive === alias) return "a variable of the transform around";
    const { primitive } = node;
    if (primitive === null || (older && !inside) || stops(primitive)) continue;
    const { inputs, reads: links } = accessOf(node);
    inputs.forEach((input, k) => {
      if (links[k] !== null) stack.push(input);
    });
  }
  return null;
}

function stops(primitive: AnyPrimitive): boolean {
  return primitive === sampleNode || primitive.name === "stopGradient" || primitive.name === "detach";
}

function cuts(name: string): never {
  const short = name.startsWith("params") ? name : "it";
  throw new NoGradientError({
    where: "read",
    what: `the number depends on a sample and on ${name}, whose own derivative the read would cut`,
    write: `read the sample itself and compute with tensors, or stopGradient(${short}) if that is meant`,
  });
}

/** A node without a number that the numbers of `nodes` need: an argument of a trace, or a sample in one. */
function unknownIn(nodes: readonly Tensor[]): Tensor | null {
  const seen = new Set<Tensor>();
  const stack = [...nodes];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.value !== null || seen.has(node)) continue;
    seen.add(node);
    const { primitive, inputs } = node;
    if (primitive === null || primitive === sampleNode) return node;
    stack.push(...(primitive.needs === "all" ? inputs : primitive.needs.map((i) => inputs[i] as Tensor)));
  }
  return null;
}

function nameOf(unknown: Tensor): string {
  return unknown.primitive === null ? `"${unknown.label}"` : `sample "${siteParams(unknown).name}"`;
}

function noNumbers(unknown: Tensor): never {
  return fail({
    where: "expectation",
    what: `a dynamic program computes with numbers, and ${nameOf(unknown)} of the vmap, compile or traced expectation around it has none yet`,
    write:
      "call the dynamic expectation outside of it, make an outer expectation dynamic too, or leave dynamic out and branch with where(mask, a, b)",
  });
}

/**
 * Numbers by the runtime directly: what the library itself computes is not a read by the program.
 * @param drawn the site whose value they are, in a program whose nodes begin at `from`
 */
export function numbersOf(
  nodes: readonly Tensor[],
  drawn?: { readonly name: string; readonly from: number },
): NDArray[] {
  const unknown = unknownIn(nodes);
  if (unknown && drawn && unknown.id >= drawn.from)
    fail({
      where: `sample "${drawn.name}"`,
      what: `a dynamic program draws at once, and ${nameOf(unknown)} of a vmap, compile or traced expectation inside it has no number`,
      write: "sample outside of it, with a batch shape",
    });
  if (unknown) noNumbers(unknown);
  return currentRuntime().run(nodes, new Map());
}
