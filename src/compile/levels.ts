import { isFloat } from "../base/dtype.js";
import { type Shape, sizeOf } from "../base/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { unread } from "../graph/unread.js";
import { identityMap, isFlat, readAxes } from "../kernel/affine.js";
import { Builder, type ValueType } from "../kernel/expr/block.js";
import { streamOf } from "./bits.js";
import type { Layout } from "./plan.js";
import { knownNumber, loweringOf, neededInputs, sameOrder } from "./program.js";

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

/** How a reduction walks its input: which axes lead the domain, and the layout over it. */
export interface Walk {
  readonly axes: readonly number[];
  readonly layout: Layout;
}

/** Operations per element above which a node is computed once and stored rather than again in each loop that uses it. */
const worthStoring = 12;
/** Nodes that follow each other without a buffer: bounds the depth of what is built from them. */
const longest = 150;

/** The reduced axes last if they end with the last axis, else first: then the innermost loop runs over neighbours. */
export function walkOf(node: Tensor): Walk {
  const lower = loweringOf(node);
  if (lower.kind !== "reduce") throw new Error("compile: only reductions have a walk");
  const [input] = node.inputs as [Tensor];
  const axes = lower.axes(node.params);
  const all = input.shape.map((_, axis) => axis);
  const long = (list: readonly number[]): number[] => list.filter((axis) => input.shape[axis] !== 1);
  const kept = all.filter((axis) => !axes.includes(axis));
  const length = (list: readonly number[]): number => sizeOf(list.map((axis) => input.shape[axis] as number));
  if (length(kept) === 1) return { axes: all, layout: { kind: "flat" } };
  const last = long(all).at(-1);
  if (last === undefined || axes.includes(last))
    return {
      axes: [...kept, ...axes.slice().sort((a, b) => a - b)],
      layout: { kind: "rows", length: length([...axes]) },
    };
  return { axes: [...axes.slice().sort((a, b) => a - b), ...kept], layout: { kind: "columns", length: length(kept) } };
}

export function inOrder(walk: Walk, input: Tensor): boolean {
  const long = walk.axes.filter((axis) => input.shape[axis] !== 1);
  return long.every((axis, i) => i === 0 || axis > (long[i - 1] as number));
}

function layoutKey(layout: Layout): string {
  return layout.kind === "flat" ? "flat" : `${layout.kind} ${layout.length}`;
}

const weights = new Map<string, number>();

/** Operations per element of a node alone. */
function weightOf(node: Tensor): number {
  const lower = loweringOf(node);
  if (lower.kind === "bits" || lower.kind === "block") return 60;
  if (lower.kind !== "map") return 0;
  const key = `${node.primitive?.name} ${node.inputs.map((x) => x.dtype)} ${node.dtype}`;
  const known = weights.get(key);
  if (known !== undefined) return known;
  const b = new Builder();
  const args = node.inputs.map((x) => b.input(x.dtype as ValueType));
  lower.build(b, args, node.params, { inputs: node.inputs, out: node });
  const weight = b.ops.reduce((sum, op) => sum + (op.op === "call" || op.op === "loop" ? 60 : 1), 0) - args.length;
  weights.set(key, weight);
  return weight;
}

/** Nodes that are computed inside other loops unless they are stored. */
export function isSoft(node: Tensor): boolean {
  if (node.value !== null || node.primitive === null) return false;
  const { kind } = loweringOf(node);
  if (kind === "bits") return streamOf(node) !== null;
  // Zeros between elements have no place in a walk over rows.
  if (kind === "pad") return spaces(node).every((n) => n === 0);
  return ["map", "same", "fill", "view", "reshape", "pad", "block"].includes(kind);
}

function spaces(node: Tensor): readonly number[] {
  const lower = loweringOf(node);
  return lower.kind === "pad" ? lower.interior(node.params) : [];
}

/** Whether a soft node shows or computes elements in the order of its first input. */
export function keepsOrder(node: Tensor): boolean {
  const lower = loweringOf(node);
  if (lower.kind === "map" || lower.kind === "same") return true;
  const [input] = node.inputs as [Tensor];
  if (lower.kind === "reshape") return sameOrder(input.shape, node.shape);
  if (lower.kind !== "view" || !sameOrder(input.shape, node.shape)) return false;
  const map = readAxes(identityMap(node.shape), lower.axes(node.params, input.shape, node.shape), node.rank);
  return isFlat(map, input.shape, node.shape);
}

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
  for (;;) {
    const found = rounds(order, stored, given);
    const more = worthIt(order, stored, given, found.loop);
    if (more.length === 0) return { order, stored, ...found };
    for (const node of more) stored.add(node);
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

/** Shapes alike but for axes of length 1 walk together. */
function extent(shape: Shape): string {
  return shape.filter((n) => n !== 1).join("·");
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

/** Soft nodes that would be computed again and again, and cost more than reading them back. */
function worthIt(
  order: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  given: ReadonlySet<Tensor>,
  loop: ReadonlyMap<Tensor, string>,
): Tensor[] {
  const uses = new Map<Tensor, Use>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Tensor;
    const own: Use =
      stored.has(node) || !isSoft(node)
        ? { places: new Set([loop.get(node) ?? `${node.id}`]), largest: loopSize(node) }
        : (uses.get(node) as Use);
    const same = (!isSoft(node) && loweringOf(node).kind !== "reduce") || keepsOrder(node) || walksInOrder(node);
    for (const input of neededInputs(node)) {
      if (!isSoft(input) || given.has(input)) continue;
      const use = uses.get(input) ?? { places: new Set<string>(), largest: 0 };
      uses.set(input, use);
      for (const place of own.places) use.places.add(same ? place : `${place}~${node.id}`);
      use.largest = Math.max(use.largest, own.largest);
    }
  }
  const weight = totals(order, stored, given);
  return order.filter((node) => {
    if (!isSoft(node) || stored.has(node)) return false;
    const { places, largest } = uses.get(node) as Use;
    const elsewhere = [...places].some((place) => place.includes("~"));
    const w = weight.get(node) as number;
    if (containsBits(node) && (elsewhere || places.size > 1)) return true;
    if (places.size > 1 && w > worthStoring) return true;
    return elsewhere && largest > 2 * node.size && w > 3;
  });
}

interface Use {
  /** The loops that compute it, and through which views. */
  readonly places: Set<string>;
  /** Elements of the largest. */
  largest: number;
}

function loopSize(node: Tensor): number {
  return loweringOf(node).kind === "reduce" ? (node.inputs[0] as Tensor).size : node.size;
}

function walksInOrder(node: Tensor): boolean {
  return loweringOf(node).kind === "reduce" && inOrder(walkOf(node), node.inputs[0] as Tensor);
}

function containsBits(node: Tensor): boolean {
  const { kind } = loweringOf(node);
  return kind === "bits" || kind === "block";
}

/** Operations per element of each node with what is computed for it on the way. */
function totals(
  order: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  given: ReadonlySet<Tensor>,
): Map<Tensor, number> {
  const total = new Map<Tensor, number>();
  for (const node of order) {
    const own = isSoft(node) ? weightOf(node) : 0;
    const below = neededInputs(node).reduce(
      (sum, x) => sum + (stored.has(x) || given.has(x) || knownNumber(x) !== null ? 0 : (total.get(x) ?? 0)),
      0,
    );
    total.set(node, Math.min(own + below, 1e6));
  }
  return total;
}
