import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import { exactly, hull, type Interval, summed } from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { gathered, scattered } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as move from "../kernel/move.js";
import type { NDArray } from "../kernel/ndarray.js";
import { type Demand, validate } from "./check.js";
import { places } from "./fit.js";
import { allBatched, broadcastTo, reshapeTo, sliceAxis, sumOver } from "./linear.js";
import { placesAlong } from "./places.js";
import { convert, equals, where } from "./pointwise.js";

/** Reading and adding at computed places. The two are each other's transpose. */

/** `batch` leading axes are shared by operand and index; the axis after them is indexed. */
export interface IndexParams {
  readonly batch: number;
}

/** The longest axis that compiled code indexes by comparing with each of its places. */
const longest = 16;

/** The index, with a look at whether it lies in [0, n): compiled code computes on, the kernel says what is wrong. */
function inside(name: string, index: Tensor, n: number): Tensor {
  const demand: Demand = {
    where: name,
    name: "index",
    expected: `an index in [0, ${n - 1}]`,
    holds: (i) => i >= 0 && i < n,
    interval: [0, n - 1],
  };
  const checked = apply(validate, [index], demand);
  return index.dtype === "int32" ? checked : apply(convert, [checked], { dtype: "int32" as const });
}

/** Of few places: the one whose number the index is. */
function pickedByPlace({ inputs: [a, index], params, shape }: Tensor): Tensor | null {
  const { batch } = params as IndexParams;
  const table = a as Tensor;
  const n = table.shape[batch] as number;
  if (n === 0 || n > longest) return null;
  const at = inside("gather", index as Tensor, n);
  const wide = broadcastTo(reshapeTo(at, [...at.shape, ...shape.slice(batch + 1).map(() => 1)]), shape);
  const row = (i: number): Tensor => broadcastTo(sliceAxis(table, batch, i, i + 1), shape);
  let out = row(0);
  for (let i = 1; i < n; i++) {
    const here = apply(equals, [wide, broadcastTo(constant(i, "int32"), shape)], null);
    out = apply(where, [here, row(i), out], null);
  }
  return out;
}

/** To few places: to each the sum of the updates whose index it is. */
function summedByPlace({ inputs: [u, index], params, dtype }: Tensor): Tensor | null {
  const { batch, size } = params as ScatterParams;
  const updates = u as Tensor;
  if (size === 0 || size > longest || dtype === "bool" || updates.size === 0) return null;
  const at = inside("scatterAdd", index as Tensor, size);
  const [lead, rest] = [updates.shape.slice(0, batch), updates.shape.slice(batch + 1)];
  const m = updates.shape[batch] as number;
  const shape = [...lead, size, m, ...rest];
  const spread = (x: Tensor, tail: readonly number[]): Tensor =>
    broadcastTo(reshapeTo(x, [...lead, 1, m, ...tail]), shape);
  const here = apply(
    equals,
    [
      spread(
        at,
        rest.map(() => 1),
      ),
      placesAlong(shape, batch),
    ],
    null,
  );
  const zero = broadcastTo(constant(0, dtype), shape);
  return sumOver(apply(where, [here, spread(updates, rest), zero], null), [batch + 1]);
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
  lower: { kind: "compose", of: pickedByPlace },
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
  lower: { kind: "compose", of: summedByPlace },
  laws: [
    { inputs: [{ shape: [3, 2] }, { shape: [3], dtype: "int32", from: [0, 3] }], params: { batch: 0, size: 4 } },
    { inputs: [{ shape: [2, 4] }, { shape: [2, 4], dtype: "int32", from: [0, 2] }], params: { batch: 1, size: 3 } },
  ],
};
