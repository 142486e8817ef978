import { type Shape, sizeOf } from "../base/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { identityMap, isFlat, readAxes } from "../kernel/affine.js";
import { Builder, type ValueType } from "../kernel/expr/block.js";
import { streamOf } from "./bits.js";
import type { Layout } from "./plan.js";
import { loweringOf, sameOrder } from "./program.js";

/** How a reduction walks its input: which axes lead the domain, and the layout over it. */
export interface Walk {
  readonly axes: readonly number[];
  readonly layout: Layout;
}

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

/** Shapes alike but for axes of length 1 walk together. */
export function extent(shape: Shape): string {
  return shape.filter((n) => n !== 1).join("·");
}

const weights = new Map<string, number>();

/** Operations per element of a node alone. */
export function weightOf(node: Tensor): number {
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

export function containsBits(node: Tensor): boolean {
  const { kind } = loweringOf(node);
  return kind === "bits" || kind === "block";
}
