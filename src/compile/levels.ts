import { isFloat } from "../base/dtype.js";
import type { Tensor } from "../graph/tensor.js";
import { unread } from "../graph/unread.js";
import { streamOf } from "./bits.js";
import { extent, inOrder, isSoft, keepsOrder, walkOf } from "./nodes.js";
import type { Layout } from "./plan.js";
import { loweringOf, neededInputs } from "./program.js";
import { needless, worthIt } from "./storing.js";

/**
 * Which nodes get a buffer, and when each is computed. A node without one ("soft") is computed inside the loops that use it. Nodes of
 * one round and one domain become one loop; a round begins when everything before it is done.
 */
export interface Schedule {
  readonly order: readonly Tensor[];
  readonly stored: ReadonlySet<Tensor>;
  /** The round in which a stored node is computed. */
  readonly round: ReadonlyMap<Tensor, number>;
  /** Which loop of its round computes a node: for maps and reductions. */
  readonly loop: ReadonlyMap<Tensor, string>;
}

/** Nodes that follow each other without a buffer: bounds the depth of what is built from them. */
const longest = 150;

function layoutKey(layout: Layout): string {
  return layout.kind === "flat" ? "flat" : `${layout.kind} ${layout.length}`;
}

/** Passes in which the best nodes to store are looked for; a graph of many layers is then stored layer by layer at once. */
const patience = 20;

/** @param forced what must be stored for reasons of its own */
export function schedule(
  outputs: readonly Tensor[],
  given: ReadonlySet<Tensor>,
  forced: ReadonlySet<Tensor>,
): Schedule {
  const order = reachable(outputs, given);
  const stored = new Set<Tensor>(forced);
  for (const node of outputs) if (!given.has(node) && node.value === null) stored.add(node);
  for (const node of order) for (const input of demanded(node, stored)) if (isSoft(input)) stored.add(input);
  for (const node of order) if (!isSoft(node)) stored.add(node);
  cutChains(order, stored, given);
  const chosen = new Set<Tensor>();
  for (let pass = 0; ; pass++) {
    const found = rounds(order, stored, given);
    const more = worthIt(order, stored, given, found.loop, pass < patience);
    for (const node of more) stored.add(node);
    for (const node of more) chosen.add(node);
    if (more.length > 0) continue;
    // What was stored before what it is computed from may be cheap by now.
    const idle = needless(order, stored, given, found.loop, chosen);
    if (idle.length === 0) return { order, stored, ...found };
    for (const node of idle) stored.delete(node);
    return { order, stored, ...rounds(order, stored, given) };
  }
}

/** Inputs that have to lie in memory for a node to be computed. */
function demanded(node: Tensor, stored: ReadonlySet<Tensor>): readonly Tensor[] {
  const { kind } = loweringOf(node);
  if (kind === "pad") return node.inputs;
  if (kind === "bits") {
    const stream = streamOf(node);
    if (stream === null) return node.inputs;
    return typeof stream.start === "number" ? [stream.key] : [stream.key, stream.start];
  }
  if (kind === "matmul" && isFloat(node.dtype)) return node.inputs.map((x) => shownBy(x, stored));
  return kind === "reduce" || kind === "concat" || isSoft(node) ? [] : neededInputs(node);
}

/** What a chain of views shows: the operand of a product is read through them. */
export function shownBy(node: Tensor, stored: ReadonlySet<Tensor>): Tensor {
  let at = node;
  while (
    !stored.has(at) &&
    at.value === null &&
    at.primitive !== null &&
    ["same", "view", "reshape"].includes(loweringOf(at).kind)
  )
    at = at.inputs[0] as Tensor;
  return at;
}

function reachable(outputs: readonly Tensor[], given: ReadonlySet<Tensor>): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || given.has(node) || node.value !== null) continue;
    if (node.primitive === null) unread(node);
    seen.add(node);
    stack.push(...neededInputs(node));
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

function cutChains(order: readonly Tensor[], stored: Set<Tensor>, given: ReadonlySet<Tensor>): void {
  const depth = new Map<Tensor, number>();
  for (const node of order) {
    const deepest = neededInputs(node).reduce(
      (most, x) => Math.max(most, stored.has(x) || given.has(x) ? 0 : (depth.get(x) ?? 0)),
      0,
    );
    depth.set(node, deepest + 1);
    if (deepest + 1 > longest && isSoft(node)) stored.add(node);
  }
}

function rounds(
  order: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  given: ReadonlySet<Tensor>,
): Pick<Schedule, "round" | "loop"> {
  const home = homes(order);
  const round = new Map<Tensor, number>();
  const loop = new Map<Tensor, string>();
  // The earliest round in which a loop over the node's own elements can compute it, and any other.
  const inside = new Map<Tensor, number>();
  const outside = new Map<Tensor, number>();
  const most = (nodes: readonly Tensor[], of: ReadonlyMap<Tensor, number>): number =>
    nodes.reduce((n, x) => Math.max(n, of.get(x) ?? 0), 0);
  for (const node of order) {
    const inputs = neededInputs(node).filter((x) => !given.has(x) && x.value === null);
    const lower = loweringOf(node);
    const soft = isSoft(node);
    let own = most(inputs, soft && keepsOrder(node) ? inside : outside);
    if (lower.kind === "reduce") {
      const walk = walkOf(node);
      const [input] = node.inputs as [Tensor];
      const key = layoutKey(walk.layout);
      const joins = inOrder(walk, input) && key === (home.get(extent(input.shape)) ?? "flat");
      own = most(inputs, joins ? inside : outside);
      loop.set(node, `${own} ${extent(input.shape)} ${key}${joins ? "" : ` ${walk.axes}`}`);
    } else if (soft && stored.has(node))
      loop.set(node, `${own} ${extent(node.shape)} ${home.get(extent(node.shape)) ?? "flat"}`);
    if (lower.kind === "part") {
      // Ready as soon as the whole is.
      inside.set(node, own);
      outside.set(node, own);
      continue;
    }
    if (stored.has(node)) round.set(node, own);
    inside.set(node, soft || !stored.has(node) ? own : own + 1);
    outside.set(node, stored.has(node) ? own + 1 : most(inputs, outside));
  }
  return { round, loop };
}

/** For each shape the layout that most reductions over it take: what else is computed there goes with it. */
function homes(order: readonly Tensor[]): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const node of order) {
    if (loweringOf(node).kind !== "reduce") continue;
    const walk = walkOf(node);
    const [input] = node.inputs as [Tensor];
    if (!inOrder(walk, input)) continue;
    const of = counts.get(extent(input.shape)) ?? new Map<string, number>();
    counts.set(extent(input.shape), of);
    const key = layoutKey(walk.layout);
    of.set(key, (of.get(key) ?? 0) + 1);
  }
  return new Map(
    [...counts].map(([shape, of]) => [shape, [...of].reduce((best, next) => (next[1] > best[1] ? next : best))[0]]),
  );
}
