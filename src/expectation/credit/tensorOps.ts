import { range, sizeOf } from "../../base/shape.js";
import { leaf, type Tensor } from "../../graph/tensor.js";
import { dense } from "../../kernel/ndarray.js";
import { add, toDType } from "../../tensor/elementwise.js";
import { pad } from "../../tensor/padding.js";
import { matmul, sum } from "../../tensor/reducing.js";
import { cumsum, flip, reshape, slice, transpose } from "../../tensor/shaping.js";
import type { PushOps } from "./push.js";

/** `push` on tensors. */
export const tensorOps: PushOps<Tensor> = {
  shapeOf: (x) => x.shape,
  reshape,
  transpose,
  add,
  sum: (x, axis, keepDims) => sum(x, { axis, keepDims }),
  slice: (x, axis, start, end) => slice(x, start, end, { axis }),
  pad: (x, axis, before, after) =>
    pad(
      x,
      x.shape.map((_, i): readonly [number, number] => (i === axis ? [before, after] : [0, 0])),
    ),
  flip: (x, axis) => flip(x, axis),
  cumsum: (x, axis, reverse) => cumsum(x, axis, { reverse }),
  contract: (x, axis, matrix) => {
    const sites = x.shape[axis] as number;
    const nodes = sites === 0 ? 0 : matrix.length / sites;
    const weights = toDType(leaf(dense(matrix, "float64", [nodes, sites])), x.dtype);
    const order = [axis, ...range(x.rank).filter((i) => i !== axis)];
    const front = transpose(x, order);
    const rest = front.shape.slice(1);
    const flat = matmul(weights, reshape(front, [sites, sizeOf(rest)]));
    return transpose(
      reshape(flat, [nodes, ...rest]),
      range(x.rank).map((i) => order.indexOf(i)),
    );
  },
};
