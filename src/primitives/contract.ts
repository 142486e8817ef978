import type { DType } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { range, sameShape, show } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import * as intervals from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { letters, pointwise } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { matmulLoop } from "../kernel/contract.js";
import type { Builder, Value } from "../kernel/expr/block.js";
import { divLoop, mulLoop } from "../kernel/loops.js";
import type { NDArray } from "../kernel/ndarray.js";
import { pair } from "./fit.js";
import { allBatched, broadcastTo, negate, permute, plus, reshapeTo } from "./linear.js";

/** Products: linear in one operand at a time. */

export const mul: Primitive<null> = {
  name: "mul",
  type: ([a, b]) => pair("mul", a as Type, b as Type),
  run: ([a, b], _params, out) => mulLoop(a as NDArray, b as NDArray, out.dtype),
  needs: "all",
  jvp: ([s, t], [a, b]) => {
    const first = s && times(s, b as Tensor);
    const second = t && times(a as Tensor, t);
    return first && second ? plus(first, second) : (first ?? second ?? null);
  },
  transpose: (ct, [first], [a, b]) => (first ? [times(ct, b as Tensor), null] : [null, times(ct, a as Tensor)]),
  linear: "one",
  batch: (inputs, batched, _params, size) => apply(mul, allBatched(inputs, batched, size), null),
  reads: (_params, _inputs, out) => [pointwise(out.shape), pointwise(out.shape)],
  smooth: "smooth",
  range: ([a, b], _params, { inputs: [x, y] }) =>
    x === y ? intervals.squared(a as Interval) : intervals.times(a as Interval, b as Interval),
  lower: { kind: "map", build: (b, [x, y]) => b.mul(x as Value, y as Value) },
  laws: [
    { inputs: [{ shape: [2, 3] }, { shape: [2, 3] }], params: null },
    { inputs: [{ shape: [] }, { shape: [] }], params: null },
  ],
};

/** a / b, linear in the numerator. */
export const divide: Primitive<null> = {
  ...mul,
  name: "div",
  type: ([a, b]) => pair("div", a as Type, b as Type),
  run: ([a, b], _params, out) => divLoop(a as NDArray, b as NDArray, out.dtype),
  jvp: ([s, t], [, b], _params, out) => {
    const first = s && over(s, b as Tensor);
    const second = t && negate(times(out, over(t, b as Tensor)));
    return first && second ? plus(first, second) : (first ?? second ?? null);
  },
  transpose: (ct, _linear, [, b]) => [over(ct, b as Tensor), null],
  linear: [0],
  // Across 0 the quotient changes sign.
  smoothOn: ([, b]) => ["smooth", b?.zero ? "jump" : "smooth"],
  range: ([a, b]) => intervals.over(a as Interval, b as Interval),
  batch: (inputs, batched, _params, size) => apply(divide, allBatched(inputs, batched, size), null),
  lower: { kind: "map", build: (b, [x, y], _params, { out }) => quotientOf(b, x as Value, y as Value, out.dtype) },
  laws: [
    { inputs: [{ shape: [2, 3] }, { shape: [2, 3], from: [0.3, 2] }], params: null },
    { inputs: [{ shape: [] }, { shape: [], from: [-2, -0.3] }], params: null },
  ],
};

/** Whole numbers divide as float64 numbers that are stored again. */
function quotientOf(b: Builder, x: Value, y: Value, dtype: DType): Value {
  if (dtype === "float32" || dtype === "float64") return b.div(x, y);
  return b.convert(b.div(b.convert(x, "float64"), b.convert(y, "float64")), dtype);
}

/** Batched matrix product: [...b, n, k] × [...b, k, m] -> [...b, n, m], with equal batch axes. */
export const matmul: Primitive<null> = {
  name: "matmul",
  type: ([left, right]) => {
    const [a, b] = [(left as Type).shape, (right as Type).shape];
    const rank = a.length;
    const fits =
      rank >= 2 && b.length === rank && a[rank - 1] === b[rank - 2] && sameShape(a.slice(0, -2), b.slice(0, -2));
    if (!fits || (left as Type).dtype !== (right as Type).dtype) {
      fail({
        where: "matmul",
        got: `${(left as Type).dtype}${show(a)} and ${(right as Type).dtype}${show(b)}`,
        expected: "[..., n, k] and [..., k, m] of one dtype",
      });
    }
    return { shape: [...a.slice(0, -1), b[rank - 1] as number], dtype: (left as Type).dtype };
  },
  run: ([a, b], _params, out) => matmulLoop(a as NDArray, b as NDArray, out.dtype),
  needs: "all",
  jvp: ([s, t], [a, b]) => {
    const first = s && product(s, b as Tensor);
    const second = t && product(a as Tensor, t);
    return first && second ? plus(first, second) : (first ?? second ?? null);
  },
  transpose: (ct, [first], [a, b]) =>
    first ? [product(ct, swap(b as Tensor)), null] : [null, product(swap(a as Tensor), ct)],
  linear: "one",
  batch: ([a, b], batched, _params, size) => batchProduct(a as Tensor, b as Tensor, batched, size),
  reads: (_params, inputs, out) => {
    const rank = out.shape.length;
    const rows = range(rank - 1).map((axis): readonly [number, number] => [axis, axis]);
    const columns = [...range(rank - 2), rank - 1].map((axis): readonly [number, number] => [axis, axis]);
    return [letters((inputs[0] as Type).shape, rows), letters((inputs[1] as Type).shape, columns)];
  },
  smooth: "smooth",
  range: ([a, b], _params, { inputs: [left] }) =>
    intervals.summed(intervals.times(a as Interval, b as Interval), left?.shape.at(-1) as number),
  lower: { kind: "matmul" },
  laws: [
    { inputs: [{ shape: [2, 3] }, { shape: [3, 4] }], params: null },
    { inputs: [{ shape: [2, 1, 3] }, { shape: [2, 3, 2] }], params: null },
  ],
};

/** A batch of one operand becomes rows (or columns) of one larger product: weights are not repeated. */
function batchProduct(a: Tensor, b: Tensor, batched: readonly boolean[], size: number): Tensor {
  if (batched[0] && !batched[1] && b.rank === 2) {
    const [, n, k] = a.shape as [number, number, number];
    return reshapeTo(product(reshapeTo(a, [size * n, k]), b), [size, n, b.shape[1] as number]);
  }
  if (!batched[0] && batched[1] && a.rank === 2) {
    const [, k, m] = b.shape as [number, number, number];
    const wide = reshapeTo(permute(b, [1, 0, 2]), [k, size * m]);
    return permute(reshapeTo(product(a, wide), [a.shape[0] as number, size, m]), [1, 0, 2]);
  }
  const [x, y] = allBatched([a, b], batched, size) as [Tensor, Tensor];
  return product(x, y);
}

function product(a: Tensor, b: Tensor): Tensor {
  return apply(matmul, [a, b], null);
}

function swap(a: Tensor): Tensor {
  return permute(a, [...range(a.rank - 2), a.rank - 1, a.rank - 2]);
}

export function times(a: Tensor, b: Tensor): Tensor {
  return apply(mul, [a, b], null);
}

function over(a: Tensor, b: Tensor): Tensor {
  return apply(divide, [a, b], null);
}

/** One half, of the shape of `a`. */
export function half(a: Tensor): Tensor {
  return broadcastTo(constant(0.5, a.dtype), a.shape);
}
