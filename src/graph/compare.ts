import { elements } from "../kernel/ndarray.js";
import { Body, bodiesOf } from "./body.js";
import type { Tensor } from "./tensor.js";
import { insideTransform } from "./trace.js";

export interface TracedGraph {
  readonly holes: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** The first difference between two traces of one program, in words; null when they are the same graph with the same constants. */
export function compareGraphs(before: TracedGraph, after: TracedGraph): string | null {
  if (before.outputs.length !== after.outputs.length)
    return `the program returned ${before.outputs.length} results, then ${after.outputs.length}`;
  const paired = new Map<Tensor, Tensor>();
  let captured: string | null = null;
  before.holes.forEach((hole, i) => {
    paired.set(hole, after.holes[i] as Tensor);
  });
  const stack: [Tensor, Tensor, Tensor | null][] = before.outputs.map((node, i) => [
    node,
    after.outputs[i] as Tensor,
    null,
  ]);
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [a, b, user] = pair;
    const known = paired.get(a);
    if (known !== undefined) {
      if (known !== b) return `${describe(a)} stood where ${describe(b)} stands now`;
      continue;
    }
    // Captured nodes of the outside are the same object in both traces.
    if (a === b) continue;
    paired.set(a, b);
    if (insideTransform() && older(a, before) && older(b, after)) captured ??= capture(a, b);
    const difference = compareNodes(a, b, user);
    if (difference !== null) return difference;
    a.inputs.forEach((input, i) => {
      stack.push([input, b.inputs[i] as Tensor, a]);
    });
    const others = bodiesOf(b);
    for (const [i, body] of bodiesOf(a).entries()) stack.push(...bodyPairs(body, others[i] as Body, a));
  }
  return captured;
}

/** What must agree in two bodies of one loop; differentiating one of them may have asked it for more. */
function bodyPairs(a: Body, b: Body, user: Tensor): [Tensor, Tensor, Tensor | null][] {
  const pairs = (x: readonly Tensor[], y: readonly Tensor[]): [Tensor, Tensor, Tensor | null][] =>
    x.slice(0, y.length).map((node, i) => [node, y[i] as Tensor, user]);
  return [...pairs(a.outputs, b.outputs), ...pairs(a.inputs, b.inputs)];
}

/** Whether a node is older than the trace it is found in, that is, captured. Holes come first in a trace. */
function older(node: Tensor, { holes }: TracedGraph): boolean {
  return holes.length > 0 && holes.every((hole) => node.id < hole.id);
}

/** Equal numbers do not make a captured unknown of `grad` or `vmap` the same: its derivative would go to the one before. */
function capture(a: Tensor, b: Tensor): string | null {
  if (a.value !== null && a.primitive === null && b.value !== null && b.primitive === null) return null;
  return `the program captured ${describe(a)} of an outer transform, and now captures another one`;
}

function compareNodes(a: Tensor, b: Tensor, user: Tensor | null): string | null {
  if (a.value !== null && b.value !== null && a.primitive === null && b.primitive === null)
    return compareConstants(a, b, user);
  const differs =
    a.primitive !== b.primitive ||
    a.dtype !== b.dtype ||
    String(a.shape) !== String(b.shape) ||
    a.inputs.length !== b.inputs.length;
  if (differs || !sameParams(a.params, b.params))
    return `the program took another path: ${describe(a)} stood where ${describe(b)} stands now`;
  return null;
}

function compareConstants(a: Tensor, b: Tensor, user: Tensor | null): string | null {
  const place = user?.primitive ? `captured constant of ${user.primitive.name}` : "captured constant";
  if (a.dtype !== b.dtype || String(a.shape) !== String(b.shape))
    return `the ${place} was ${describe(a)} and is now ${describe(b)}`;
  const [x, y] = [elements(a.value as NonNullable<Tensor["value"]>), elements(b.value as NonNullable<Tensor["value"]>)];
  const at = x.findIndex((value, i) => !Object.is(value, y[i]));
  if (at < 0) return null;
  const where = x.length === 1 ? "" : `[${at}]`;
  return `the ${place} was ${x[at]}${where === "" ? "" : ` at ${where}`} and is now ${y[at]}`;
}

function describe(t: Tensor): string {
  const kind = t.primitive?.name ?? (t.label === null ? "constant" : `"${t.label}"`);
  return `${kind} ${t.dtype}[${t.shape.join(", ")}]`;
}

/** Parameters are plain data; functions in them (of an external) are compared by identity of their source. */
function sameParams(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a === "function" && typeof b === "function") return a.toString() === b.toString();
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Body) return true; // compared node by node
  if (Object.getPrototypeOf(a) !== Object.prototype && !Array.isArray(a)) return true;
  // The parts of a loop grow with what is asked of it.
  const keys = Object.keys(a).filter((key) => key !== "parts");
  return (
    keys.length === Object.keys(b).filter((key) => key !== "parts").length &&
    keys.every((key) => sameParams((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}
