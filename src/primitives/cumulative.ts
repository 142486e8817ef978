import { normalAxis, range, sizeOf } from "../base/shape.js";
import { above, everything, hull, type Interval, interval, isAbove, summed } from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { onHost } from "../graph/lowering.js";
import { causal, kept } from "../graph/reads.js";
import { apply, type LawCase, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as kernel from "../kernel/cumulative.js";
import { reduce } from "../kernel/loops.js";
import * as move from "../kernel/move.js";
import type { NDArray } from "../kernel/ndarray.js";
import { takeAlong } from "./along.js";
import { concat } from "./concat.js";
import { times } from "./contract.js";
import { detach } from "./control.js";
import { exp } from "./elementary.js";
import { dropAxes, floats, pair } from "./fit.js";
import { allBatched, broadcastTo, minus, permute, plus, reshapeTo, sliceAxis } from "./linear.js";
import { placesAlong } from "./places.js";
import { cast, equals, lessEqual, where } from "./pointwise.js";
import type { AxesParams } from "./reduce.js";
import { structural } from "./structural.js";

/**
 * Running products, extrema and log-sums. Their derivatives are linear recurrences d[i] = a[i]·d[i−1] + b[i], one more primitive here,
 * which is closed under differentiation and transposition: no quotient appears, so zeros and −∞ in the input do no harm at any order.
 */

export interface CumulativeParams {
  readonly axis: number;
  readonly reverse: boolean;
}

const directions: readonly { readonly shape: readonly number[]; readonly params: CumulativeParams }[] = [
  { shape: [2, 4], params: { axis: 1, reverse: false } },
  { shape: [3, 2], params: { axis: 0, reverse: true } },
];

function cases(inputs: (shape: readonly number[]) => LawCase<unknown>["inputs"]): readonly LawCase<CumulativeParams>[] {
  return directions.map(({ shape, params }) => ({ inputs: inputs(shape), params }));
}

function numberLike(value: number, a: Tensor): Tensor {
  return broadcastTo(constant(value, a.dtype), a.shape);
}

/** The longest axis whose running sums are written out, number by number. */
const longest = 16;

/** Σ of those up to each place, from the first on, in float64 as the kernel does. */
function shortSums({ inputs: [a], params, shape, dtype }: Tensor): Tensor | null {
  const { axis, reverse } = params as CumulativeParams;
  const n = shape[axis] as number;
  if (n > longest || dtype === "bool") return null;
  const wide = dtype === "float32" ? apply(cast, [a as Tensor], { dtype: "float64" as const }) : (a as Tensor);
  const zero = numberLike(0, wide);
  const at = placesAlong(shape, axis);
  let total = zero;
  for (let i = 0; i < n; i++) {
    const j = reverse ? n - 1 - i : i;
    const own = broadcastTo(sliceAxis(wide, axis, j, j + 1), shape);
    const end = broadcastTo(constant(j, "int32"), shape);
    const counts = apply(lessEqual, reverse ? [at, end] : [end, at], null);
    total = plus(total, apply(where, [counts, own, zero], null));
  }
  return dtype === "float32" ? apply(cast, [total], { dtype }) : total;
}

/** Sums of all elements up to each. */
export const cumsum: Primitive<{ readonly axis: number; readonly reverse: boolean }> = structural<{
  readonly axis: number;
  readonly reverse: boolean;
}>({
  name: "cumsum",
  shape: (shape, { axis }) => {
    normalAxis("cumsum", axis, shape.length);
    return shape;
  },
  run: (a, { axis, reverse }) => move.cumsum(a, axis, reverse),
  transpose: (ct, _a, { axis, reverse }) => apply(cumsum, [ct], { axis, reverse: !reverse }),
  batch: (a, { axis, reverse }) => apply(cumsum, [a], { axis: axis + 1, reverse }),
  range: (a, { axis }, node) => hull(a, summed(a, node.shape[axis] as number)),
  reads: ({ axis, reverse }, input) => causal(input, axis, reverse),
  lower: { kind: "compose", of: shortSums },
  laws: [
    { inputs: [{ shape: [2, 4] }], params: { axis: 1, reverse: false } },
    { inputs: [{ shape: [3, 2] }], params: { axis: 0, reverse: true } },
  ],
});

/** The element before each along the axis, in the direction of the run; `first` before the first. */
function previous(a: Tensor, { axis, reverse }: CumulativeParams, first: number): Tensor {
  const n = a.shape[axis] as number;
  if (n === 0) return a;
  const rest = reverse ? sliceAxis(a, axis, 1, n) : sliceAxis(a, axis, 0, n - 1);
  const end = broadcastTo(
    constant(first, a.dtype),
    a.shape.map((m, i) => (i === axis ? 1 : m)),
  );
  return apply(concat, reverse ? [rest, end] : [end, rest], { axis });
}

/** y[i] = a[i]·y[i−1] + b[i], from y[−1] = 0: linear in b. */
export const recurrence: Primitive<CumulativeParams> = {
  name: "recurrence",
  type: ([a, b], { axis }) => {
    const type = floats("recurrence", pair("recurrence", a as Type, b as Type));
    normalAxis("recurrence", axis, type.shape.length);
    return type;
  },
  run: ([a, b], { axis, reverse }) => kernel.recurrence(a as NDArray, b as NDArray, axis, reverse),
  needs: "all",
  jvp: ([s, t], [a], params, out) => {
    const own = s && times(s, previous(out, params, 0));
    const drive = own && t ? plus(own, t) : (own ?? t);
    return drive ? apply(recurrence, [a as Tensor, drive], params) : null;
  },
  transpose: (ct, _linear, [a], { axis, reverse }) => {
    const back = { axis, reverse: !reverse };
    return [null, apply(recurrence, [previous(a as Tensor, back, 0), ct], back)];
  },
  linear: [1],
  batch: (inputs, batched, { axis, reverse }, size) =>
    apply(recurrence, allBatched(inputs, batched, size), { axis: axis + 1, reverse }),
  reads: ({ axis, reverse }, inputs) => inputs.map(({ shape }) => causal(shape, axis, reverse)),
  smooth: "smooth",
  lower: onHost,
  laws: cases((shape) => [{ shape }, { shape }]),
};

interface Running {
  readonly run: (a: NDArray, axis: number, reverse: boolean) => NDArray;
  readonly jvp: (t: Tensor, a: Tensor, params: CumulativeParams, out: Tensor) => Tensor;
  readonly type?: (a: Type) => Type;
  readonly smooth: Primitive<null>["smooth"];
  readonly range: (a: Interval, count: number) => Interval;
  readonly distinct?: boolean;
}

/** A running operation on one tensor; `jvp` null: it answers with places. */
function running(
  name: string,
  { run, jvp, type, smooth, range: rangeOf, distinct }: Omit<Running, "jvp"> & { readonly jvp: Running["jvp"] | null },
): Primitive<CumulativeParams> {
  const self: Primitive<CumulativeParams> = {
    name,
    type: ([a], { axis }) => {
      const { shape, dtype } = a as Type;
      normalAxis(name, axis, shape.length);
      return type?.(a as Type) ?? { shape, dtype };
    },
    run: ([a], { axis, reverse }) => run(a as NDArray, axis, reverse),
    needs: "all",
    jvp: ([t], [a], params, out) => (t && jvp ? jvp(t, a as Tensor, params, out) : null),
    transpose: null,
    linear: [],
    batch: ([a], _batched, { axis, reverse }) => apply(self, [a as Tensor], { axis: axis + 1, reverse }),
    reads: ({ axis, reverse }, [a]) => [causal((a as Type).shape, axis, reverse)],
    smooth,
    range: ([a], { axis }, node) => rangeOf(a as Interval, node.shape[axis] as number),
    lower: onHost,
    laws: cases((shape) => [{ shape, distinct }]),
  };
  return self;
}

/** Of any number of factors. */
function productRange(a: Interval): Interval {
  return isAbove(a, 0) ? above(0) : a.lo >= 0 ? interval(0, Infinity) : everything;
}

/** p[i] = p[i−1]·x[i], so dp[i] = x[i]·dp[i−1] + p[i−1]·dx[i]. */
function productTangent(t: Tensor, a: Tensor, params: CumulativeParams, out: Tensor): Tensor {
  return apply(recurrence, [a, times(previous(out, params, 1), t)], params);
}

export const cumprod: Primitive<CumulativeParams> = running("cumprod", {
  run: kernel.cumprod,
  jvp: productTangent,
  smooth: "smooth",
  range: productRange,
});

function bestPlaces(name: string, better: kernel.Better): Primitive<CumulativeParams> {
  return running(name, {
    run: (a, axis, reverse) => kernel.cumbest(a, axis, reverse, better, true),
    jvp: null,
    type: ({ shape }) => ({ shape, dtype: "int32" }),
    smooth: "jump",
    range: (_a, count) => interval(0, count - 1),
    distinct: true,
  });
}

/** The derivative goes to the element that was first to reach the running extremum. */
function best(name: string, better: kernel.Better, places: Primitive<CumulativeParams>): Primitive<CumulativeParams> {
  return running(name, {
    run: (a, axis, reverse) => kernel.cumbest(a, axis, reverse, better, false),
    jvp: (t, a, params) => takeAlong(t, apply(places, [a], params), params.axis),
    smooth: "kink",
    range: (a) => a,
    distinct: true,
  });
}

const larger: kernel.Better = (a, b) => a > b;
const smaller: kernel.Better = (a, b) => a < b;

export const cummaxPlaces: Primitive<CumulativeParams> = bestPlaces("cummaxPlaces", larger);
export const cumminPlaces: Primitive<CumulativeParams> = bestPlaces("cumminPlaces", smaller);
export const cummax: Primitive<CumulativeParams> = best("cummax", larger, cummaxPlaces);
export const cummin: Primitive<CumulativeParams> = best("cummin", smaller, cumminPlaces);

/**
 * log Σ e^x of all elements so far. With s[i] the result, ds[i] = e^(s[i−1] − s[i])·ds[i−1] + e^(x[i] − s[i])·dx[i]: every exponent is
 * at most 0. Where all elements so far are −∞ the derivative is 0.
 */
export const cumlogsumexp: Primitive<CumulativeParams> = running("cumlogsumexp", {
  run: kernel.cumlogsumexp,
  type: (a) => floats("cumlogsumexp", a),
  jvp: (t, a, params, out) => {
    const nothing = apply(detach, [apply(equals, [out, numberLike(-Infinity, out)], null)], null);
    // −∞ − (−∞) is NaN in a branch that is not taken; the difference is linear, so no derivative sees it.
    const share = (of: Tensor): Tensor =>
      apply(exp, [apply(where, [nothing, numberLike(-Infinity, out), minus(of, out)], null)], null);
    return apply(recurrence, [share(previous(out, params, -Infinity)), times(share(a), t)], params);
  },
  smooth: "smooth",
  range: (a, count) => interval(a.lo, a.hi + Math.log(Math.max(count, 1)), a.open),
});

/** The product over `axes`, which disappear: the last of the running products, and so is its tangent. */
export const prod: Primitive<AxesParams> = {
  name: "prod",
  type: ([a], { axes }) => {
    const { shape, dtype } = a as Type;
    return { shape: dropAxes("prod", shape, axes), dtype };
  },
  run: ([a], { axes }, out) => reduce(a as NDArray, axes, out.dtype, kernel.prodRun(out.dtype)),
  needs: "all",
  jvp: ([t], [a], { axes }, out) => {
    const { shape } = a as Tensor;
    const count = sizeOf(axes.map((axis) => shape[axis] as number));
    if (!t || count === 0) return null;
    const order = [...range(shape.length).filter((axis) => !axes.includes(axis)), ...axes];
    const line = (x: Tensor): Tensor => reshapeTo(permute(x, order), [...out.shape, count]);
    const params = { axis: out.rank, reverse: false };
    const x = line(a as Tensor);
    const tangents = productTangent(line(t), x, params, apply(cumprod, [x], params));
    return reshapeTo(sliceAxis(tangents, out.rank, count - 1, count), out.shape);
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, { axes }) => apply(prod, [a as Tensor], { axes: axes.map((axis) => axis + 1) }),
  reads: ({ axes }, [a]) => [kept((a as Type).shape, axes)],
  smooth: "smooth",
  range: ([a]) => productRange(a as Interval),
  lower: onHost,
  laws: [
    { inputs: [{ shape: [2, 4] }], params: { axes: [1] } },
    { inputs: [{ shape: [2, 3, 2] }], params: { axes: [0, 2] } },
    { inputs: [{ shape: [2, 0] }], params: { axes: [1] } },
  ],
};
