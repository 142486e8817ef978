import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import { exactly, hull, type Interval, summed } from "../graph/interval.js";
import { onHost } from "../graph/lowering.js";
import { gathered, scattered } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as move from "../kernel/move.js";
import type { NDArray } from "../kernel/ndarray.js";
import { places } from "./fit.js";
import { allBatched, reshapeTo } from "./linear.js";

/** Reading and adding at computed places. The two are each other's transpose. */

/** `batch` leading axes are shared by operand and index; the axis after them is indexed. */
export interface IndexParams {
  readonly batch: number;
}

/** out[b, j, rest] = operand[b, index[b, j], rest]: operand [...b, n, ...rest], index [...b, m] -> [...b, m, ...rest]. */
export const gather: Primitive<IndexParams> = {
  name: "gather",
  type: ([a, index], { batch }) => {
    const { shape, dtype } = a as Type;
    const at = places("gather", index as Type);
    if (at.shape.length !== batch + 1 || at.shape.slice(0, batch).some((n, i) => n !== shape[i])) {
      fail({
        where: "gather",
        got: `operand ${show(shape)} and index ${show(at.shape)}`,
        expected: `equal first ${batch} axes and one more in the index`,
      });
    }
    return { shape: [...at.shape, ...shape.slice(batch + 1)], dtype };
  },
  run: ([a, index], { batch }) => move.gather(a as NDArray, index as NDArray, batch),
  needs: "all",
  jvp: ([t], [, index], params) => (t ? apply(gather, [t, index as Tensor], params) : null),
  transpose: (ct, _linear, [a, index], { batch }) => [
    apply(scatterAdd, [ct, index as Tensor], { batch, size: (a as Tensor).shape[batch] as number }),
    null,
  ],
  linear: [0],
  batch: (inputs, batched, { batch }, size) => {
    const [a, index] = inputs as [Tensor, Tensor];
    if (!batched[0] && batch === 0) {
      // One table, many indices: look all of them up at once instead of repeating the table.
      const out = apply(gather, [a, reshapeTo(index, [index.size])], { batch });
      return reshapeTo(out, [...index.shape, ...a.shape.slice(1)]);
    }
    return apply(gather, allBatched(inputs, batched, size), { batch: batch + 1 });
  },
  reads: ({ batch }, [a, index]) => gathered((a as Type).shape, (index as Type).shape, batch),
  smooth: ["smooth", "jump"],
  range: ([a]) => a as Interval,
  lower: onHost,
  laws: [
    { inputs: [{ shape: [4, 2] }, { shape: [3], dtype: "int32", from: [0, 3] }], params: { batch: 0 } },
    { inputs: [{ shape: [2, 3] }, { shape: [2, 4], dtype: "int32", from: [0, 2] }], params: { batch: 1 } },
  ],
};

export interface ScatterParams extends IndexParams {
  readonly size: number;
}

/** Adds updates [...b, m, ...rest] into zeros [...b, size, ...rest] at index [...b, m]; repeated places add up. */
export const scatterAdd: Primitive<ScatterParams> = {
  name: "scatterAdd",
  type: ([updates, index], { batch, size }) => {
    const { shape, dtype } = updates as Type;
    const at = places("scatterAdd", index as Type).shape;
    if (at.length !== batch + 1 || at.some((n, i) => n !== shape[i])) {
      fail({
        where: "scatterAdd",
        got: `updates ${show(shape)} and index ${show(at)}`,
        expected: `equal first ${batch + 1} axes`,
      });
    }
    return { shape: [...shape.slice(0, batch), size, ...shape.slice(batch + 1)], dtype };
  },
  run: ([updates, index], { batch, size }) => move.scatterAdd(updates as NDArray, index as NDArray, batch, size),
  needs: "all",
  jvp: ([t], [, index], params) => (t ? apply(scatterAdd, [t, index as Tensor], params) : null),
  transpose: (ct, _linear, [, index], { batch }) => [apply(gather, [ct, index as Tensor], { batch }), null],
  linear: [0],
  batch: (inputs, batched, { batch, size: places }, size) =>
    apply(scatterAdd, allBatched(inputs, batched, size), { batch: batch + 1, size: places }),
  reads: ({ batch }, [updates, index]) => scattered((updates as Type).shape, (index as Type).shape, batch),
  smooth: ["smooth", "jump"],
  range: ([updates], { batch }, { inputs: [, index] }) =>
    hull(exactly(0), summed(hull(exactly(0), updates as Interval), index?.shape[batch] as number)),
  lower: onHost,
  laws: [
    { inputs: [{ shape: [3, 2] }, { shape: [3], dtype: "int32", from: [0, 3] }], params: { batch: 0, size: 4 } },
    { inputs: [{ shape: [2, 4] }, { shape: [2, 4], dtype: "int32", from: [0, 2] }], params: { batch: 1, size: 3 } },
  ],
};
