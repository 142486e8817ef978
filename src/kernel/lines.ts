import type { DType, TypedArray } from "../base/dtype.js";
import { range, type Shape } from "../base/shape.js";
import { dense, elements, type NDArray } from "./ndarray.js";

/** An array as its lines along one axis, one after another: what an operation along an axis loops over. */

/** Every axis but `axis`, then `axis`. */
function lastOrder(rank: number, axis: number): number[] {
  return [...range(rank).filter((i) => i !== axis), axis];
}

/** The elements of `a`, line by line; may be the array's own memory. */
export function toLines(a: NDArray, axis: number): TypedArray {
  const order = lastOrder(a.shape.length, axis);
  return elements({
    ...a,
    shape: order.map((i) => a.shape[i] as number),
    strides: order.map((i) => a.strides[i] as number),
  });
}

/** The array of this shape whose lines along `axis` are `data`: a view of it. */
export function fromLines(data: TypedArray, dtype: DType, shape: Shape, axis: number): NDArray {
  const order = lastOrder(shape.length, axis);
  const { strides } = dense(
    data,
    dtype,
    order.map((i) => shape[i] as number),
  );
  return {
    data,
    dtype,
    shape,
    strides: range(shape.length).map((i) => strides[order.indexOf(i)] as number),
    offset: 0,
  };
}
