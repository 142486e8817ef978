import type { TypedArray } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import { exactly, hull, type Interval } from "../graph/interval.js";
import { onHost } from "../graph/lowering.js";
import { kept } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { reduce } from "../kernel/loops.js";
import type { NDArray } from "../kernel/ndarray.js";
import { divide, times } from "./contract.js";
import { dropAxes } from "./fit.js";
import { broadcastTo, reshapeTo, sumOver } from "./linear.js";
import { convert, equals } from "./pointwise.js";

/** Reductions that choose: the largest, and where it is. Sums are linear and live there. */

export interface AxesParams {
  readonly axes: readonly number[];
}

function dropped(name: string, { shape }: Type, { axes }: AxesParams): number[] {
  const left = dropAxes(name, shape, axes);
  const empty = axes.find((axis) => shape[axis] === 0);
  if (empty !== undefined)
    fail({
      where: name,
      got: `${show(shape)}, empty on axis ${empty}`,
      expected: "at least one element to choose from",
    });
  return left;
}

function extreme(name: "max" | "min", better: (a: number, b: number) => boolean): Primitive<AxesParams> {
  const pick = (x: TypedArray, from: number, count: number): number => {
    let best = x[from] as number;
    for (let i = from; i < from + count; i++) {
      const v = x[i] as number;
      if (Number.isNaN(v)) return v;
      if (better(v, best)) best = v;
    }
    return best;
  };
  const input = (shape: readonly number[]): LawInput => ({ shape, distinct: true });
  const self: Primitive<AxesParams> = {
    name,
    type: ([a], params) => ({ shape: dropped(name, a as Type, params), dtype: (a as Type).dtype }),
    run: ([a], { axes }, out) => reduce(a as NDArray, axes, out.dtype, pick),
    needs: "all",
    jvp: ([t], [a], params, out) => (t ? shareOfTies(t, a as Tensor, params, out) : null),
    transpose: null,
    linear: [],
    batch: ([a], _batched, { axes }) => apply(self, [a as Tensor], { axes: axes.map((axis) => axis + 1) }),
    reads: ({ axes }, [a]) => [kept((a as Type).shape, axes)],
    smooth: "kink",
    range: ([a]) => a as Interval,
    lower: { kind: "reduce", op: name, axes: ({ axes }) => axes },
    laws: [
      { inputs: [input([2, 4])], params: { axes: [1] } },
      { inputs: [input([3])], params: { axes: [0] } },
    ],
  };
  return self;
}

/** The tangent of an extremum: the mean over the elements that reach it. */
function shareOfTies(t: Tensor, a: Tensor, { axes }: AxesParams, out: Tensor): Tensor {
  const keep = a.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const reached = apply(equals, [a, broadcastTo(reshapeTo(out, keep), a.shape)], null);
  const mask = apply(convert, [reached], { dtype: a.dtype });
  return apply(divide, [sumOver(times(t, mask), axes), sumOver(mask, axes)], null);
}

export const max: Primitive<AxesParams> = extreme("max", (a, b) => a > b);
export const min: Primitive<AxesParams> = extreme("min", (a, b) => a < b);

/** The first place of the largest element along one axis, int32. */
export const argmax: Primitive<{ readonly axis: number }> = place("argmax", (a, b) => a > b);
export const argmin: Primitive<{ readonly axis: number }> = place("argmin", (a, b) => a < b);

function place(name: string, better: (a: number, b: number) => boolean): Primitive<{ readonly axis: number }> {
  const find = (x: TypedArray, from: number, count: number): number => {
    let best = from;
    for (let i = from; i < from + count; i++) {
      // As the extremum itself: the first NaN wins.
      if (Number.isNaN(x[i] as number)) return i - from;
      if (better(x[i] as number, x[best] as number)) best = i;
    }
    return best - from;
  };
  const self: Primitive<{ readonly axis: number }> = {
    name,
    type: ([a], { axis }) => ({ shape: dropped(name, a as Type, { axes: [axis] }), dtype: "int32" }),
    run: ([a], { axis }, out) => reduce(a as NDArray, [axis], out.dtype, find),
    needs: "all",
    jvp: () => null,
    transpose: null,
    linear: [],
    batch: ([a], _batched, { axis }) => apply(self, [a as Tensor], { axis: axis + 1 }),
    reads: ({ axis }, [a]) => [kept((a as Type).shape, [axis])],
    smooth: "jump",
    range: (_inputs, { axis }, { inputs: [a] }) => hull(exactly(0), exactly((a?.shape[axis] as number) - 1)),
    lower: onHost,
    laws: [{ inputs: [{ shape: [2, 4], distinct: true }], params: { axis: 1 } }],
  };
  return self;
}
