import { range } from "../base/shape.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { gather, scatterAdd } from "./indexing.js";
import { permute } from "./linear.js";

/** Reading and adding element by element along one axis: `gather` and `scatterAdd` with every other axis shared. */

/** Moves `axis` last. */
export function axisToBack(a: Tensor, axis: number): Tensor {
  return permute(a, [...range(a.rank).filter((i) => i !== axis), axis]);
}

/** Undoes `axisToBack`. */
export function axisFromBack(a: Tensor, axis: number): Tensor {
  const others = range(a.rank - 1);
  return permute(a, [...others.slice(0, axis), a.rank - 1, ...others.slice(axis)]);
}

/** out[.., j, ..] = a[.., index[.., j, ..], ..]: a and index differ on `axis` only. */
export function takeAlong(a: Tensor, index: Tensor, axis: number): Tensor {
  const batch = a.rank - 1;
  return axisFromBack(apply(gather, [axisToBack(a, axis), axisToBack(index, axis)], { batch }), axis);
}

/** The transpose of `takeAlong`: adds updates at their places into zeros with `size` places on the axis. */
export function addAlong(updates: Tensor, index: Tensor, axis: number, size: number): Tensor {
  const params = { batch: updates.rank - 1, size };
  return axisFromBack(apply(scatterAdd, [axisToBack(updates, axis), axisToBack(index, axis)], params), axis);
}
