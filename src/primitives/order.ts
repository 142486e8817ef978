import { fail } from "../base/errors.js";
import { normalAxis, sameShape, show } from "../base/shape.js";
import { type Interval, interval } from "../graph/interval.js";
import { onHost } from "../graph/lowering.js";
import { kept, leading, pointwise } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";
import * as kernel from "../kernel/order.js";
import { takeAlong } from "./along.js";
import { allBatched } from "./linear.js";

/** Order along one axis: the numbers sorted, where they came from, and where others would go. */

export interface OrderParams {
  readonly axis: number;
  readonly descending: boolean;
}

/** The places of the sorted elements, int32. Stable in both directions; NaN counts as the largest number. */
export const argsort: Primitive<OrderParams> = {
  name: "argsort",
  type: ([a], { axis }) => {
    const { shape } = a as Type;
    normalAxis("argsort", axis, shape.length);
    return { shape, dtype: "int32" };
  },
  run: ([a], { axis, descending }) => kernel.argsort(a as NDArray, axis, descending),
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: ([a], _batched, { axis, descending }) => apply(argsort, [a as Tensor], { axis: axis + 1, descending }),
  reads: ({ axis }, [a]) => [kept((a as Type).shape, [axis], true)],
  smooth: "jump",
  range: (_inputs, { axis }, node) => interval(0, (node.shape[axis] as number) - 1),
  lower: onHost,
  laws: [
    { inputs: [{ shape: [2, 4], distinct: true }], params: { axis: 1, descending: false } },
    { inputs: [{ shape: [3, 2], distinct: true }], params: { axis: 0, descending: true } },
  ],
};

/**
 * The sorted elements. They are continuous in the input, unlike their places: a primitive of its own, so that a sample that goes
 * through it meets a kink and no jump. Of equal elements each sorted place is the derivative of the one it came from.
 */
export const sort: Primitive<OrderParams> = {
  name: "sort",
  type: ([a], { axis }) => {
    const { shape, dtype } = a as Type;
    normalAxis("sort", axis, shape.length);
    return { shape, dtype };
  },
  run: ([a], { axis, descending }) => kernel.sort(a as NDArray, axis, descending),
  needs: "all",
  jvp: ([t], [a], params) => (t ? takeAlong(t, apply(argsort, [a as Tensor], params), params.axis) : null),
  transpose: null,
  linear: [],
  batch: ([a], _batched, { axis, descending }) => apply(sort, [a as Tensor], { axis: axis + 1, descending }),
  reads: ({ axis }, [a]) => [kept((a as Type).shape, [axis], true)],
  smooth: "kink",
  range: ([a]) => a as Interval,
  lower: onHost,
  laws: [
    { inputs: [{ shape: [2, 4], distinct: true }], params: { axis: 1, descending: false } },
    { inputs: [{ shape: [3, 2], distinct: true }], params: { axis: 0, descending: true } },
  ],
};

export interface SearchParams {
  /** Behind equal elements instead of before them. */
  readonly right: boolean;
}

/** Where values [...b, m] go in rising numbers [...b, n]: the count of those before them, int32 [...b, m]. */
export const searchsorted: Primitive<SearchParams> = {
  name: "searchsorted",
  type: ([sorted, values]) => {
    const [x, v] = [sorted as Type, values as Type];
    const fits = x.shape.length >= 1 && x.shape.length === v.shape.length && x.dtype === v.dtype;
    if (!fits || !sameShape(x.shape.slice(0, -1), v.shape.slice(0, -1)))
      fail({
        where: "searchsorted",
        got: `${x.dtype}${show(x.shape)} and ${v.dtype}${show(v.shape)}`,
        expected: "[..., n] and [..., m] of one dtype",
      });
    return { shape: v.shape, dtype: "int32" };
  },
  run: ([sorted, values], { right }) => kernel.searchsorted(sorted as NDArray, values as NDArray, right),
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: (inputs, batched, params, size) => apply(searchsorted, allBatched(inputs, batched, size), params),
  reads: (_params, [sorted], out) => [
    leading((sorted as Type).shape, (sorted as Type).shape.length - 1),
    pointwise(out.shape),
  ],
  smooth: "jump",
  range: (_inputs, _params, { inputs: [sorted] }) => interval(0, sorted?.shape.at(-1) as number),
  lower: onHost,
  laws: [
    { inputs: [{ shape: [4], distinct: true }, { shape: [3] }], params: { right: false } },
    { inputs: [{ shape: [2, 3], distinct: true }, { shape: [2, 5] }], params: { right: true } },
  ],
};
