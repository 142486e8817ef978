import { allocate, type DType, isFloat, promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes, normalAxis, range, type Shape, show } from "../base/shape.js";
import { asTensor, type TensorLike, tensor } from "../graph/leaves.js";
import { apply, isTensor, type Tensor } from "../graph/tensor.js";
import { addAlong, axisFromBack, axisToBack, takeAlong as takeAlongPrimitive } from "../primitives/along.js";
import { gather, scatterAdd as scatterAddPrimitive } from "../primitives/indexing.js";
import * as linear from "../primitives/linear.js";
import * as place from "../primitives/place.js";
import { add, greaterEqual, maximum, mul, where } from "./elementwise.js";
import { asIndex, asLike, meet, noBool, toDType } from "./operands.js";
import { concat, reshape, stack } from "./shaping.js";

/** Reading and writing at computed places. Nothing is written into: each answers with a new tensor. Places have no derivative. */

/** Both with their own size on `axis` and repeated to one shape elsewhere. */
function beside(name: string, x: Tensor, index: Tensor, axis: number): [Tensor, Tensor] {
  if (x.rank !== index.rank)
    fail({
      where: name,
      got: `${show(x.shape)} and indices ${show(index.shape)}`,
      expected: "as many axes in both",
      write: "take(x, indices, axis) for whole slices",
    });
  const without = (shape: Shape): number[] => shape.map((n, i) => (i === axis ? 1 : n));
  const common = broadcastShapes(name, without(x.shape), without(index.shape));
  const spread = (a: Tensor): Tensor =>
    linear.broadcastTo(
      a,
      common.map((n, i) => (i === axis ? (a.shape[axis] as number) : n)),
    );
  return [spread(x), spread(index)];
}

/** out[.., j, ..] = x[.., indices[.., j, ..], ..] along an axis; the others broadcast. @throws on reading, where an index is outside */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis = -1): Tensor {
  const a = asTensor(x);
  const at = normalAxis("takeAlongAxis", axis, a.rank);
  const [operand, index] = beside("takeAlongAxis", a, asIndex("takeAlongAxis", indices), at);
  return takeAlongPrimitive(operand, index, at);
}

export interface PutOptions {
  /** Add to what is there instead of replacing it; repeated places add up. Default false. */
  readonly accumulate?: boolean;
}

/**
 * x with values [.., j, ..] at [.., indices[.., j, ..], ..] along an axis; of several values for one place the last stays.
 * @throws on reading, where an index is outside
 */
export function putAlongAxis(
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  axis = -1,
  { accumulate = false }: PutOptions = {},
): Tensor {
  const [a, v] = operands(x, values);
  const at = normalAxis("putAlongAxis", axis, a.rank);
  const [operand, index] = beside("putAlongAxis", a, asIndex("putAlongAxis", indices), at);
  const updates = linear.broadcastTo(v, broadcastShapes("putAlongAxis", v.shape, index.shape));
  if (accumulate) return linear.plus(operand, addAlong(updates, index, at, operand.shape[at] as number));
  const batch = a.rank - 1;
  return axisFromBack(written(axisToBack(operand, at), axisToBack(index, at), axisToBack(updates, at), batch), at);
}

/** Operand and updates of one dtype. */
function operands(x: TensorLike, updates: TensorLike): [Tensor, Tensor] {
  const a = noBool(x);
  const u = asLike(updates, a);
  const dtype = promote(a.dtype, u.dtype);
  return [toDType(a, dtype), toDType(u, dtype)];
}

/** x [...b, n, ...rest] with updates [...b, m, ...rest] at index [...b, m]. */
function written(x: Tensor, index: Tensor, updates: Tensor, batch: number): Tensor {
  if (index.shape[batch] === 0) return x;
  const writer = apply(place.lastWriter, [index], { size: x.shape[batch] as number });
  const rows = apply(gather, [updates, maximum(writer, 0)], { batch });
  const aligned = reshape(writer, [...writer.shape, ...x.shape.slice(batch + 1).map(() => 1)]);
  return where(greaterEqual(aligned, 0), rows, x);
}

/** Updates of shape x[:axis] + indices + x[axis+1:] (or broadcast to it), with the axes of the indices as one in front; and x likewise. */
function scattering(name: string, x: TensorLike, indices: TensorLike, updates: TensorLike, axis: number) {
  const [a, u] = operands(x, updates);
  const at = normalAxis(name, axis, a.rank);
  const index = asIndex(name, indices);
  const shape = [...a.shape.slice(0, at), ...index.shape, ...a.shape.slice(at + 1)];
  const full = broadcastShapes(name, u.shape, shape);
  if (show(full) !== show(shape))
    fail({
      where: name,
      got: `updates ${show(u.shape)} at indices ${show(index.shape)} on axis ${axis} of ${show(a.shape)}`,
      expected: show(shape),
    });
  const k = index.rank;
  const order = [...range(k).map((i) => at + i), ...range(at), ...range(shape.length - at - k).map((i) => at + k + i)];
  const front = linear.permute(linear.broadcastTo(u, shape), order);
  return {
    x: linear.axisToFront(a, at),
    index: linear.reshapeTo(index, [index.size]),
    updates: linear.reshapeTo(front, [index.size, ...front.shape.slice(k)]),
    back: (out: Tensor): Tensor =>
      linear.permute(out, [...range(at).map((i) => i + 1), 0, ...range(a.rank - at - 1).map((i) => at + 1 + i)]),
  };
}

/**
 * x with updates added at `indices` along an axis; repeated places add up. The updates have the shape of take(x, indices, axis), whose
 * transpose this is, or broadcast to it.
 * @throws on reading, where an index is outside
 */
export function scatterAdd(x: TensorLike, indices: TensorLike, updates: TensorLike, axis = 0): Tensor {
  const all = scattering("scatterAdd", x, indices, updates, axis);
  const size = all.x.shape[0] as number;
  return all.back(linear.plus(all.x, apply(scatterAddPrimitive, [all.updates, all.index], { batch: 0, size })));
}

/** x with updates in place of take(x, indices, axis); of several for one place the last stays. */
export function scatterSet(x: TensorLike, indices: TensorLike, updates: TensorLike, axis = 0): Tensor {
  const all = scattering("scatterSet", x, indices, updates, axis);
  return all.back(written(all.x, all.index, all.updates, 0));
}

/** Places of a window: one whole number per axis, as one vector or one by one. */
export type Starts = TensorLike | readonly TensorLike[];

function startsOf(name: string, start: Starts, rank: number): Tensor {
  const parts = Array.isArray(start) && start.some(isTensor) ? (start as readonly TensorLike[]) : null;
  const index = parts
    ? stack(parts.map((one) => toDType(asIndex(name, one), "int32")))
    : toDType(asIndex(name, start as TensorLike), "int32");
  if (index.rank !== 1 || index.shape[0] !== rank)
    fail({ where: name, got: `starts ${show(index.shape)}`, expected: show([rank]) });
  return index;
}

/**
 * The window of `sizes` that starts at computed places. As in JAX a negative start counts from the back, and a window that would stick
 * out is moved inside.
 */
export function dynamicSlice(x: TensorLike, start: Starts, sizes: Shape): Tensor {
  const a = asTensor(x);
  return apply(place.dynamicSlice, [a, startsOf("dynamicSlice", start, a.rank)], { sizes });
}

/** x with `update` in place of the window of its shape that starts at computed places, as in `dynamicSlice`. */
export function dynamicUpdateSlice(x: TensorLike, update: TensorLike, start: Starts): Tensor {
  const [a, u] = operands(x, update);
  if (u.rank !== a.rank)
    fail({
      where: "dynamicUpdateSlice",
      got: `an update ${show(u.shape)}`,
      expected: `as many axes as ${show(a.shape)}`,
    });
  return apply(place.dynamicUpdateSlice, [a, u, startsOf("dynamicUpdateSlice", start, a.rank)], null);
}

/** Moves elements forward along the axes; what leaves at the end comes back at the start. Without an axis x is one long row. */
export function roll(x: TensorLike, shift: number | readonly number[], axis?: number | readonly number[]): Tensor {
  const a = asTensor(x);
  if (axis === undefined) return reshape(roll(reshape(a, [a.size]), shift, 0), a.shape);
  const axes = typeof axis === "number" ? [axis] : axis;
  const shifts = typeof shift === "number" ? axes.map(() => shift) : shift;
  if (shifts.length !== axes.length || !shifts.every(Number.isInteger))
    fail({ where: "roll", got: `shifts ${show(shifts)} of axes ${show(axes)}`, expected: "a whole number per axis" });
  return axes.reduce((out, one, i) => rollAxis(out, shifts[i] as number, normalAxis("roll", one, a.rank)), a);
}

function rollAxis(a: Tensor, shift: number, axis: number): Tensor {
  const n = a.shape[axis] as number;
  const cut = n === 0 ? 0 : (((n - shift) % n) + n) % n;
  return cut === 0 ? a : concat([linear.sliceAxis(a, axis, cut, n), linear.sliceAxis(a, axis, 0, cut)], axis);
}

/** Element by element the choice of the first condition that holds, `otherwise` where none does. All broadcast. */
export function select(
  conditions: readonly TensorLike[],
  choices: readonly TensorLike[],
  otherwise: TensorLike = 0,
): Tensor {
  if (conditions.length !== choices.length || conditions.length === 0)
    fail({
      where: "select",
      got: `${conditions.length} conditions and ${choices.length} choices`,
      expected: "as many of both, and at least one",
    });
  return conditions.reduceRight<TensorLike>(
    (rest, condition, i) => where(condition, choices[i] as TensorLike, rest),
    otherwise,
  ) as Tensor;
}

/**
 * Each of several vectors as a tensor over the grid of all: axis k belongs to vector k with indexing "ij", and with "xy" (the default, as
 * in NumPy) the first two axes are exchanged.
 */
export function meshgrid(
  vectors: readonly TensorLike[],
  { indexing = "xy" }: { readonly indexing?: "xy" | "ij" } = {},
): Tensor[] {
  const list = vectors.map((v) => asTensor(v));
  const bad = list.find((v) => v.rank !== 1);
  if (bad) fail({ where: "meshgrid", got: `a tensor ${show(bad.shape)}`, expected: "vectors" });
  const axes = range(list.length).map((k) => (indexing === "xy" && k < 2 && list.length > 1 ? 1 - k : k));
  const shape = range(list.length).map((axis) => (list[axes.indexOf(axis)] as Tensor).size);
  return list.map((v, k) => {
    const own = shape.map((_, axis) => (axis === axes[k] ? v.size : 1));
    return linear.broadcastTo(linear.reshapeTo(v, own), shape);
  });
}

/** `count` numbers from start to stop, both included unless `endpoint` is false; of tensors along a new first axis. */
export function linspace(
  start: TensorLike,
  stop: TensorLike,
  count: number,
  { endpoint = true, dtype = "float32" }: { readonly endpoint?: boolean; readonly dtype?: DType } = {},
): Tensor {
  if (!Number.isInteger(count) || count < 0)
    fail({ where: "linspace", got: `${count} numbers`, expected: "a whole number of at least 0" });
  const steps = endpoint ? Math.max(count - 1, 1) : count;
  const share = range(count).map((i) => i / steps);
  if (typeof start === "number" && typeof stop === "number") {
    const data = allocate(dtype, count);
    share.forEach((f, i) => {
      data[i] = start * (1 - f) + stop * f;
    });
    return tensor(data);
  }
  const [a, b] = meet("linspace", start, stop).map((end) => (isFloat(end.dtype) ? end : toDType(end, dtype))) as [
    Tensor,
    Tensor,
  ];
  const weights = (list: number[]): Tensor => tensor(list, { dtype: a.dtype, shape: [count, ...a.shape.map(() => 1)] });
  return add(mul(a, weights(share.map((f) => 1 - f))), mul(b, weights(share)));
}
