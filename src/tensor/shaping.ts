import { promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes, normalAxis, range, type Shape, show, sizeOf } from "../base/shape.js";
import { arange, asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { concat as concatPrimitive } from "../primitives/concat.js";
import * as cumulative from "../primitives/cumulative.js";
import { gather as gatherPrimitive } from "../primitives/indexing.js";
import * as linear from "../primitives/linear.js";
import { equal, toDType } from "./elementwise.js";
import { asIndex, together } from "./operands.js";

/** Rearranging, cutting and joining. */

/** One axis may be -1: whatever is left. */
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const a = asTensor(x);
  const known = shape.filter((n) => n !== -1);
  if (shape.length - known.length > 1) fail({ where: "reshape", got: show(shape), expected: "at most one -1" });
  return linear.reshapeTo(
    a,
    shape.map((n) => (n === -1 ? a.size / Math.max(1, sizeOf(known)) : n)),
  );
}

/** Axis i of the result is axis order[i]; without an order the axes are reversed. */
export function transpose(x: TensorLike, order?: readonly number[]): Tensor {
  const a = asTensor(x);
  const axes = (order ?? range(a.rank).reverse()).map((axis) => normalAxis("transpose", axis, a.rank));
  if (axes.length !== a.rank || new Set(axes).size !== a.rank)
    fail({ where: "transpose", got: `order ${show(axes)}`, expected: `each of ${a.rank} axes once` });
  return linear.permute(a, axes);
}

export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  const a = asTensor(x);
  const out = broadcastShapes("broadcastTo", a.shape, shape);
  if (show(out) !== show(shape))
    fail({ where: "broadcastTo", got: `${show(a.shape)} to ${show(shape)}`, expected: "a shape it repeats into" });
  return linear.broadcastTo(a, shape);
}

export function expandDims(x: TensorLike, axis: number): Tensor {
  const a = asTensor(x);
  const at = normalAxis("expandDims", axis, a.rank + 1);
  return linear.reshapeTo(a, [...a.shape.slice(0, at), 1, ...a.shape.slice(at)]);
}

/** Drops axes of size 1: the given one, or all. */
export function squeeze(x: TensorLike, axis?: number): Tensor {
  const a = asTensor(x);
  if (axis === undefined)
    return linear.reshapeTo(
      a,
      a.shape.filter((n) => n !== 1),
    );
  const at = normalAxis("squeeze", axis, a.rank);
  if (a.shape[at] !== 1)
    fail({ where: "squeeze", got: `axis ${axis} of ${show(a.shape)}`, expected: "an axis of size 1" });
  return linear.reshapeTo(
    a,
    a.shape.filter((_, i) => i !== at),
  );
}

/** x[start:stop] along one axis; negative ends count from the back. */
export function slice(
  x: TensorLike,
  start: number,
  stop?: number,
  { axis = 0, step = 1 }: { axis?: number; step?: number } = {},
): Tensor {
  const a = asTensor(x);
  const at = normalAxis("slice", axis, a.rank);
  const n = a.shape[at] as number;
  const end = (i: number): number => Math.min(n, Math.max(0, i < 0 ? i + n : i));
  if (!Number.isInteger(step) || step < 1)
    fail({
      where: "slice",
      got: `step ${step}`,
      expected: "a positive whole number",
      write: "flip(x, axis) for the other direction",
    });
  const pick = (value: number, rest: (n: number) => number): number[] =>
    a.shape.map((m, i) => (i === at ? value : rest(m)));
  return apply(linear.slice, [a], {
    start: pick(end(start), () => 0),
    stop: pick(end(stop ?? n), (m) => m),
    step: pick(step, () => 1),
  });
}

/** The i-th slice along an axis, which disappears. */
export function at(x: TensorLike, index: number, axis = 0): Tensor {
  const a = asTensor(x);
  const where = normalAxis("at", axis, a.rank);
  const n = a.shape[where] as number;
  const i = index < 0 ? index + n : index;
  if (!Number.isInteger(index) || i < 0 || i >= n)
    fail({
      where: "at",
      got: `index ${index} on axis ${axis} of ${show(a.shape)}`,
      expected: `an index in [${-n}, ${n - 1}]`,
    });
  return squeeze(linear.sliceAxis(a, where, i, i + 1), where);
}

export function flip(x: TensorLike, axis: number | readonly number[]): Tensor {
  const a = asTensor(x);
  const axes = (typeof axis === "number" ? [axis] : axis).map((i) => normalAxis("flip", i, a.rank));
  return apply(linear.flip, [a], { axes });
}

export function concat(parts: readonly TensorLike[], axis = 0): Tensor {
  const list = together(...parts);
  const [first] = list;
  if (first === undefined) return fail({ where: "concat", got: "no tensors", expected: "at least one" });
  const dtype = list.map((part) => part.dtype).reduce(promote);
  const same = list.map((part) => toDType(part, dtype));
  return apply(concatPrimitive, same, { axis: normalAxis("concat", axis, first.rank) });
}

/** Joins along a new axis. */
export function stack(parts: readonly TensorLike[], axis = 0): Tensor {
  return concat(
    together(...parts).map((part) => expandDims(part, axis)),
    axis,
  );
}

export function cumsum(x: TensorLike, axis = -1, { reverse = false }: { reverse?: boolean } = {}): Tensor {
  const a = asTensor(x);
  return apply(cumulative.cumsum, [a], { axis: normalAxis("cumsum", axis, a.rank), reverse });
}

/** Slices of x at `indices` along `axis`: shape x[:axis] + indices + x[axis+1:]. @throws on reading, where an index is outside */
export function take(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
  const a = asTensor(x);
  const where = normalAxis("take", axis, a.rank);
  const index = asIndex("take", indices);
  const front = linear.axisToFront(a, where);
  const rows = apply(gatherPrimitive, [front, linear.reshapeTo(index, [index.size])], { batch: 0 });
  const rest = front.shape.slice(1);
  const split = linear.reshapeTo(rows, [...index.shape, ...rest]);
  const k = index.rank;
  const order = [
    ...range(where).map((i) => k + i),
    ...range(k),
    ...range(rest.length - where).map((i) => k + where + i),
  ];
  return linear.permute(split, order);
}

/** out[..., j] = x[..., indices[..., j]] along the last axis. x [...b, n], indices [...b, m] -> [...b, m] */
export function takeAlong(x: TensorLike, indices: TensorLike): Tensor {
  const a = asTensor(x);
  return apply(gatherPrimitive, [a, asIndex("takeAlong", indices)], { batch: a.rank - 1 });
}

/** A new last axis of `size` places, 1 at the index. */
export function oneHot(
  indices: TensorLike,
  size: number,
  { dtype = "float32" }: { dtype?: "float32" | "float64" } = {},
): Tensor {
  const index = asIndex("oneHot", indices);
  return toDType(equal(expandDims(index, -1), arange(size, { dtype: index.dtype })), dtype);
}
