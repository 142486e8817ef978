import { fail, NoGradientError } from "../base/errors.js";
import { normalAxes, sizeOf } from "../base/shape.js";
import { exactly, type Interval } from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { asIs } from "../graph/lowering.js";
import { kept, pointwise } from "../graph/reads.js";
import { type AxisName, apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { map1, map2, reduce, sumRun } from "../kernel/loops.js";
import { broadcast, reshape } from "../kernel/move.js";
import type { NDArray } from "../kernel/ndarray.js";
import { divide, times } from "./contract.js";
import { pair } from "./fit.js";
import { allBatched, broadcastTo, minus, reshapeTo, sumOver, zerosLike } from "./linear.js";
import { cast, where } from "./pointwise.js";

/** What steers derivatives instead of numbers, and the one collective over runs. */

const same = (a: Type): Type => ({ shape: a.shape, dtype: a.dtype });

/** The identity, without a derivative. Influence still passes: a stopped sample is still a sample. */
export const stopGradient: Primitive<null> = {
  name: "stopGradient",
  type: ([a]) => same(a as Type),
  run: ([a]) => a as NDArray,
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: ([a]) => apply(stopGradient, [a as Tensor], null),
  reads: (_params, _inputs, out) => [pointwise(out.shape)],
  smooth: "jump",
  range: ([a]) => a as Interval,
  lower: asIs,
  laws: [{ inputs: [{ shape: [2, 3] }], params: null }],
};

/**
 * The identity without derivative where that is known to be right: the constant draw of a score-function site, a shift that
 * cancels. Unlike `stopGradient` it is no obstacle to a pathwise sample.
 */
export const detach: Primitive<null> = {
  ...stopGradient,
  name: "detach",
  smooth: "smooth",
  batch: ([a]) => apply(detach, [a as Tensor], null),
};

/**
 * The magic box of DiCE (Foerster et al. 2018): value 1, even at τ = −∞, derivative box(τ)·dτ, so that C·box(τ) has the
 * score-function derivative of any order.
 */
export const box: Primitive<null> = {
  name: "box",
  type: ([a]) => same(a as Type),
  run: (_inputs, _params, out) => map1(() => 1, broadcast(oneOf(out), out.shape), out.dtype),
  needs: [],
  jvp: ([t], _inputs, _params, out) => (t ? times(t, out) : null),
  transpose: null,
  linear: [],
  batch: ([a]) => apply(box, [a as Tensor], null),
  reads: (_params, _inputs, out) => [pointwise(out.shape)],
  smooth: "smooth",
  range: () => exactly(1),
  lower: { kind: "fill", value: 1 },
  laws: [{ inputs: [{ shape: [2, 3] }], params: null }],
};

function oneOf({ dtype }: Type): NDArray {
  const data = dtype === "float64" ? new Float64Array([1]) : new Float32Array([1]);
  return { data, dtype, shape: [], strides: [], offset: 0 };
}

export interface LimitParams {
  /** How many more derivatives are right. */
  readonly orders: number;
  readonly where: string;
  readonly what: string;
  readonly write: string;
}

/**
 * The identity that may be differentiated `orders` times more; the next derivative throws. The second input is a witness: the
 * throw must come even where the tangent itself no longer depends on anything (the second derivative of relu looks like 0).
 */
export const limit: Primitive<LimitParams> = {
  name: "limit",
  type: ([a, witness]) => pair("limit", a as Type, witness as Type),
  run: ([a]) => a as NDArray,
  needs: [0],
  jvp: ([t, w], [, witness], params) => {
    if (!t && !w) return null;
    if (params.orders === 0) throw new NoGradientError(params);
    // What comes through the witness alone is zero and counts: in reverse mode the value is a cotangent, constant from then on.
    const tangent = t ?? nothingOf(w as Tensor);
    return apply(limit, [tangent, witness as Tensor], { ...params, orders: params.orders - 1 });
  },
  transpose: (ct, _linear, [, witness], params) => [apply(limit, [ct, witness as Tensor], params), null],
  linear: [0],
  batch: (inputs, batched, params, size) => apply(limit, allBatched(inputs, batched, size), params),
  reads: (_params, _inputs, out) => [pointwise(out.shape), null],
  smooth: "smooth",
  range: ([a]) => a as Interval,
  lower: asIs,
  laws: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
      params: { orders: 4, where: "law", what: "too many derivatives", write: "fewer" },
    },
  ],
};

/** Zeros that depend on `a` linearly, without a product that could be 0 · ∞. */
function nothingOf(a: Tensor): Tensor {
  const never = broadcastTo(constant(0, "bool"), a.shape);
  return apply(where, [never, a, zerosLike(a)], null);
}

/** `limit` at 0 orders: a first-order estimate, whose own derivative would be wrong. */
export function once(estimate: Tensor, witness: Tensor, why: Omit<LimitParams, "orders">): Tensor {
  return apply(limit, [estimate, witness], { ...why, orders: 0 });
}

/**
 * A custom stochastic derivative: value 0, tangent ⟨ĝ, φ̇⟩ element by element, for an estimate ĝ of ∂φ. ĝ is used once: a second
 * derivative throws.
 */
export const attach: Primitive<Omit<LimitParams, "orders">> = {
  name: "attach",
  type: ([phi, estimate]) => pair("attach", phi as Type, estimate as Type),
  run: (_inputs, _params, out) => map1(() => 0, broadcast(oneOf(out), out.shape), out.dtype),
  needs: [],
  jvp: ([t], [phi, estimate], why) => (t ? times(once(estimate as Tensor, phi as Tensor, why), t) : null),
  transpose: null,
  linear: [],
  batch: (inputs, batched, params, size) => apply(attach, allBatched(inputs, batched, size), params),
  reads: (_params, inputs, out) => inputs.map(() => pointwise(out.shape)),
  smooth: "smooth",
  range: () => exactly(0),
  lower: { kind: "fill", value: 0 },
  laws: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
      params: { where: "law", what: "a second derivative of an estimate", write: "grad" },
    },
  ],
};

/** Value 0, derivative that of its input: baselines and other terms of mean zero cost nothing until somebody differentiates. */
export const shadow: Primitive<null> = {
  name: "shadow",
  type: ([a]) => same(a as Type),
  run: (_inputs, _params, out) => map1(() => 0, broadcast(oneOf(out), out.shape), out.dtype),
  needs: [],
  jvp: ([t]) => t as Tensor | null,
  transpose: null,
  linear: [],
  batch: ([a]) => apply(shadow, [a as Tensor], null),
  reads: (_params, _inputs, out) => [pointwise(out.shape)],
  smooth: "smooth",
  range: () => exactly(0),
  lower: { kind: "fill", value: 0 },
  laws: [{ inputs: [{ shape: [2, 3] }], params: null }],
};

/** (Σ − own)/(n − 1), the sum in float64. */
function othersByTotal({ inputs: [a], params, dtype, shape }: Tensor): Tensor | null {
  const { axes } = params as OthersParams;
  const n = sizeOf(axes.map((axis) => shape[axis] as number));
  if (n < 2) return null;
  const own = dtype === "float64" ? (a as Tensor) : apply(cast, [a as Tensor], { dtype: "float64" as const });
  const total = reshapeTo(
    sumOver(own, axes),
    shape.map((m, axis) => (axes.includes(axis) ? 1 : m)),
  );
  const left = minus(broadcastTo(total, shape), own);
  const mean = apply(divide, [left, broadcastTo(constant(n - 1, "float64"), shape)], null);
  return dtype === "float64" ? mean : apply(cast, [mean], { dtype });
}

export interface OthersParams {
  /** The axes of the population; empty until `vmap` over the axis `name` adds them. */
  readonly axes: readonly number[];
  readonly name: AxisName;
}

/** The mean over all other elements along `axes`: the leave-one-out baseline. Symmetric, so its own transpose. */
export const others: Primitive<OthersParams> = {
  name: "others",
  type: ([a], { axes }) => {
    normalAxes("others", axes, (a as Type).shape.length);
    return same(a as Type);
  },
  run: ([a], { axes, name }, out) => {
    const x = a as NDArray;
    const n = sizeOf(axes.map((axis) => x.shape[axis] as number));
    if (n < 2) fail({ where: "others", got: `${n} element over the axis "${name.label}"`, expected: "at least two" });
    const total = reduce(x, axes, "float64", sumRun);
    const repeated = broadcast(
      reshape(
        total,
        x.shape.map((m, axis) => (axes.includes(axis) ? 1 : m)),
      ),
      x.shape,
    );
    return map2((sum, own) => (sum - own) / (n - 1), repeated, x, out.dtype);
  },
  needs: "all",
  jvp: ([t], _inputs, params) => (t ? apply(others, [t], params) : null),
  transpose: (ct, _linear, _inputs, params) => [apply(others, [ct], params)],
  linear: "any",
  batch: ([a], _batched, { axes, name }, _size, axisName) => {
    const shifted = axes.map((axis) => axis + 1);
    return apply(others, [a as Tensor], { axes: axisName === name ? [0, ...shifted] : shifted, name });
  },
  reads: ({ axes }, [a]) => [kept((a as Type).shape, axes, true)],
  smooth: "smooth",
  range: ([a]) => a as Interval,
  lower: { kind: "compose", of: othersByTotal },
  laws: [
    { inputs: [{ shape: [3, 2] }], params: { axes: [0], name: { label: "runs" } } },
    { inputs: [{ shape: [2, 3, 2] }], params: { axes: [0, 2], name: { label: "runs" } } },
  ],
};
