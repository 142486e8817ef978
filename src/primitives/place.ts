import { fail } from "../base/errors.js";
import { range, type Shape, sameShape, show } from "../base/shape.js";
import { hull, type Interval, interval } from "../graph/interval.js";
import { onHost } from "../graph/lowering.js";
import { leading, linked, pointwise, type ReadLink } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";
import * as kernel from "../kernel/place.js";
import { places } from "./fit.js";
import { allBatched, zerosLike } from "./linear.js";

/** Windows whose place is computed, and which of several writers wins. */

/**
 * For each place the number of the last update that goes there, −1 where none does: index [...b, m] -> int32 [...b, size]. Writing
 * becomes reading with it: where(writer >= 0, updates[writer], x), which has every rule already.
 */
export const lastWriter: Primitive<{ readonly size: number }> = {
  name: "lastWriter",
  type: ([index], { size }) => {
    const { shape } = places("scatter", index as Type);
    if (shape.length === 0) fail({ where: "scatter", got: "an index []", expected: "[..., m]" });
    return { shape: [...shape.slice(0, -1), size], dtype: "int32" };
  },
  run: ([index], { size }) => kernel.lastWriter(index as NDArray, size),
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: ([index], _batched, params) => apply(lastWriter, [index as Tensor], params),
  reads: (_params, [index]) => [leading((index as Type).shape, (index as Type).shape.length - 1)],
  smooth: "jump",
  range: (_inputs, _params, { inputs: [index] }) => interval(-1, (index?.shape.at(-1) as number) - 1),
  lower: onHost,
  laws: [
    { inputs: [{ shape: [3], dtype: "int32", from: [0, 3] }], params: { size: 4 } },
    { inputs: [{ shape: [2, 4], dtype: "uint32", from: [0, 1] }], params: { size: 2 } },
  ],
};

/** The axes of the batch, and that a window of `sizes` fits. */
function batchOf(where: string, shape: Shape, sizes: Shape, start: Type): number {
  const lead = places(where, start).shape.slice(0, -1);
  const own = shape.slice(lead.length);
  const fits =
    start.shape.length > 0 &&
    sameShape(shape.slice(0, lead.length), lead) &&
    start.shape.at(-1) === own.length &&
    sizes.length === own.length;
  if (!fits)
    fail({
      where,
      got: `${show(shape)}, a window ${show(sizes)} and starts ${show(start.shape)}`,
      expected: "a size and a start for every axis",
    });
  const axis = sizes.findIndex((m, k) => !Number.isInteger(m) || m < 0 || m > (own[k] as number));
  if (axis >= 0)
    fail({
      where,
      got: `a window of ${sizes[axis]} on axis ${axis} of ${show(own)}`,
      expected: `a whole number in [0, ${own[axis]}]`,
    });
  return lead.length;
}

/** in − out ∈ [lo, hi] on the axes of a window that starts anywhere; on an axis it fills it starts at 0. */
function slack(from: Shape, out: Shape, batch: number, sign: 1 | -1): readonly ReadLink[] {
  const windows = range(from.length - batch).map((k) => {
    const axis = batch + k;
    const room = sign * ((from[axis] as number) - (out[axis] as number));
    const [lo, hi] = sign === 1 ? [0, room] : [-room, 0];
    return linked(from, axis, out, axis, 1, lo, hi);
  });
  return [...leading(from, batch), ...windows];
}

const starts = (shape: Shape): LawInput => ({ shape, dtype: "int32", from: [-4, 4] });

/** x [...b, ...shape], start [...b, rank] -> the window [...b, ...sizes]. */
export const dynamicSlice: Primitive<{ readonly sizes: Shape }> = {
  name: "dynamicSlice",
  type: ([x, start], { sizes }) => {
    const { shape, dtype } = x as Type;
    const batch = batchOf("dynamicSlice", shape, sizes, start as Type);
    return { shape: [...shape.slice(0, batch), ...sizes], dtype };
  },
  run: ([x, start], { sizes }) => kernel.dynamicSlice(x as NDArray, start as NDArray, sizes),
  needs: "all",
  jvp: ([t], [, start], params) => (t ? apply(dynamicSlice, [t, start as Tensor], params) : null),
  transpose: (ct, _linear, [x, start]) => [
    apply(dynamicUpdateSlice, [zerosLike(x as Tensor), ct, start as Tensor], null),
    null,
  ],
  linear: [0],
  batch: (inputs, batched, params, size) => apply(dynamicSlice, allBatched(inputs, batched, size), params),
  reads: (_params, [x, start], out) => {
    const batch = (start as Type).shape.length - 1;
    return [slack((x as Type).shape, out.shape, batch, 1), leading((start as Type).shape, batch)];
  },
  smooth: ["smooth", "jump"],
  range: ([x]) => x as Interval,
  lower: onHost,
  laws: [
    { inputs: [{ shape: [4, 3] }, starts([2])], params: { sizes: [2, 3] } },
    { inputs: [{ shape: [2, 4] }, starts([2, 1])], params: { sizes: [3] } },
  ],
};

/** x [...b, ...shape] with update [...b, ...sizes] in place of the window at start [...b, rank]. */
export const dynamicUpdateSlice: Primitive<null> = {
  name: "dynamicUpdateSlice",
  type: ([x, update, start]) => {
    const [a, b] = [x as Type, update as Type];
    const lead = (start as Type).shape.length - 1;
    const batch = batchOf("dynamicUpdateSlice", a.shape, b.shape.slice(Math.max(lead, 0)), start as Type);
    if (a.dtype !== b.dtype || !sameShape(a.shape.slice(0, batch), b.shape.slice(0, batch)))
      fail({
        where: "dynamicUpdateSlice",
        got: `${a.dtype}${show(a.shape)} and an update ${b.dtype}${show(b.shape)}`,
        expected: "one dtype, and equal leading axes",
      });
    return { shape: a.shape, dtype: a.dtype };
  },
  run: ([x, update, start]) => kernel.dynamicUpdateSlice(x as NDArray, update as NDArray, start as NDArray),
  needs: "all",
  jvp: ([s, t], [x, update, start]) =>
    s || t
      ? apply(
          dynamicUpdateSlice,
          [s ?? zerosLike(x as Tensor), t ?? zerosLike(update as Tensor), start as Tensor],
          null,
        )
      : null,
  transpose: (ct, [first, second], [, update, start]) => {
    const batch = (start as Tensor).rank - 1;
    const { shape } = update as Tensor;
    return [
      first ? apply(dynamicUpdateSlice, [ct, zerosLike(update as Tensor), start as Tensor], null) : null,
      second ? apply(dynamicSlice, [ct, start as Tensor], { sizes: shape.slice(batch) }) : null,
      null,
    ];
  },
  linear: [0, 1],
  batch: (inputs, batched, params, size) => apply(dynamicUpdateSlice, allBatched(inputs, batched, size), params),
  reads: (_params, [, update, start], out) => {
    const batch = (start as Type).shape.length - 1;
    return [
      pointwise(out.shape),
      slack((update as Type).shape, out.shape, batch, -1),
      leading((start as Type).shape, batch),
    ];
  },
  smooth: ["smooth", "smooth", "jump"],
  range: ([x, update]) => hull(x as Interval, update as Interval),
  lower: onHost,
  laws: [
    { inputs: [{ shape: [4, 3] }, { shape: [2, 3] }, starts([2])], params: null },
    { inputs: [{ shape: [2, 4] }, { shape: [2, 3] }, starts([2, 1])], params: null },
  ],
};
