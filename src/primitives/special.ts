import { fail } from "../base/errors.js";
import type { Interval } from "../graph/interval.js";
import * as on from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { pointwise } from "../graph/reads.js";
import { apply, type Primitive, type Smoothness, type Tensor, type Type } from "../graph/tensor.js";
import type { Outside, Value } from "../kernel/expr/block.js";
import { erfc as erfcExpr, erf as erfExpr } from "../kernel/expr/math/erf.js";
import { digamma as digammaExpr, lgamma as lgammaExpr } from "../kernel/expr/math/gamma.js";
import { erfinv as erfinvExpr, ndtri as ndtriExpr } from "../kernel/expr/math/ndtri.js";
import { map1, map2 } from "../kernel/loops.js";
import { digamma as digammaOf } from "../kernel/math/digamma.js";
import { erf as erfOf } from "../kernel/math/erf.js";
import { erfc as erfcOf } from "../kernel/math/erfc.js";
import { erfinv as erfinvOf } from "../kernel/math/erfinv.js";
import { igammac as igammacOf } from "../kernel/math/igamma.js";
import { lgamma as lgammaOf } from "../kernel/math/lgamma.js";
import { ndtri as ndtriOf } from "../kernel/math/ndtri.js";
import { poissonInverse as poissonInverseOf } from "../kernel/math/poisson.js";
import { polygamma as polygammaOf } from "../kernel/math/polygamma.js";
import type { NDArray } from "../kernel/ndarray.js";
import { calling } from "./build.js";
import { times } from "./contract.js";
import { exp, log, unary } from "./elementary.js";
import { floats, pair } from "./fit.js";
import { allBatched, broadcastTo, minus, negate, onesLike } from "./linear.js";
import { equals, where } from "./pointwise.js";

/** Special functions, computed in float64 by kernel/math (its files name sources and errors) and rounded. */

const like = (value: number, a: Tensor): Tensor => broadcastTo(constant(value, a.dtype), a.shape);
const scale = (factor: number, a: Tensor): Tensor => times(like(factor, a), a);

/** 2/√π e^(−x²) */
const bell = (x: Tensor): Tensor => scale(2 / Math.sqrt(Math.PI), apply(exp, [negate(times(x, x))], null));

export const erf: Primitive<null> = unary("erf", { f: erfOf, build: erfExpr, d: bell, range: on.rising(erfOf) });
export const erfc: Primitive<null> = unary("erfc", {
  f: erfcOf,
  build: erfcExpr,
  d: (x) => negate(bell(x)),
  range: on.falling(erfcOf),
});
/** Between two ends at which it is infinite; NaN outside is loud. */
function between(low: number, high: number): (x: Interval) => Smoothness {
  return (x) =>
    on.isAbove(x, low) && on.isBelow(x, high) ? "smooth" : on.atLeast(x, low) && x.hi <= high ? "jump" : "kink";
}

/** Poles at 0 and at the negative whole numbers. */
function withPoles(x: Interval): Smoothness {
  return on.isAbove(x, 0) ? "smooth" : "jump";
}

/** d erfinv = √π/2 e^(erfinv²) */
export const erfinv: Primitive<null> = unary("erfinv", {
  f: erfinvOf,
  build: erfinvExpr,
  d: (_x, out) => scale(Math.sqrt(Math.PI) / 2, apply(exp, [times(out, out)], null)),
  from: [-0.95, 0.95],
  smoothOn: between(-1, 1),
  range: on.rising((x) => erfinvOf(Math.max(-1, Math.min(1, x)))),
});
/** The inverse normal cdf; d ndtri = √(2π) e^(ndtri²/2) */
export const ndtri: Primitive<null> = unary("ndtri", {
  f: ndtriOf,
  build: ndtriExpr,
  d: (_x, out) => scale(Math.sqrt(2 * Math.PI), apply(exp, [scale(0.5, times(out, out))], null)),
  from: [0.02, 0.98],
  smoothOn: between(0, 1),
});
export const lgamma: Primitive<null> = unary("lgamma", {
  f: lgammaOf,
  build: lgammaExpr,
  d: (x) => apply(digamma, [x], null),
  from: [0.3, 5],
  smoothOn: withPoles,
});
export const digamma: Primitive<null> = unary("digamma", {
  f: digammaOf,
  build: digammaExpr,
  d: (x) => apply(polygamma, [x], { n: 1 }),
  from: [0.3, 5],
  smoothOn: withPoles,
});

/** The n-th derivative of digamma; n ≥ 1. */
export const polygamma: Primitive<{ readonly n: number }> = {
  name: "polygamma",
  type: ([a]) => floats("polygamma", a as Type),
  run: ([a], { n }, out) => map1((x) => polygammaOf(n, x), a as NDArray, out.dtype),
  needs: "all",
  jvp: ([t], [x], { n }) => (t ? times(t, apply(polygamma, [x as Tensor], { n: n + 1 })) : null),
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(polygamma, [a as Tensor], params),
  reads: (_params, [a]) => [pointwise((a as Type).shape)],
  smooth: "smooth",
  smoothOn: ([x]) => [withPoles(x as Interval)],
  lower: {
    kind: "map",
    build: (b, [x], { n }, { out }) =>
      b.call(`polygamma ${n}`, (v) => polygammaOf(n, v as number), [x as Value], out.dtype),
  },
  laws: [
    { inputs: [{ shape: [2, 3], from: [0.5, 5] }], params: { n: 1 } },
    { inputs: [{ shape: [3], from: [0.5, 5] }], params: { n: 2 } },
  ],
};

/**
 * The regularised upper incomplete gamma function Q(a, x). Differentiable in x; a derivative in a throws by name
 * (the Poisson cdf, which needs this function, has a whole a).
 */
export const igammac: Primitive<null> = {
  name: "igammac",
  type: ([a, x]) => floats("igammac", pair("igammac", a as Type, x as Type)),
  run: ([a, x], _params, out) => map2(igammacOf, a as NDArray, x as NDArray, out.dtype),
  needs: "all",
  jvp: ([da, dx], inputs) => {
    if (da)
      fail({
        where: "igammac",
        what: "the derivative in a does not exist yet",
        write: "stopGradient(a), or differentiate in x",
      });
    if (!dx) return null;
    const [a, x] = inputs as [Tensor, Tensor];
    const power = minus(a, onesLike(a));
    // x⁰ is 1 at x = 0 too, where 0 · log x would be NaN.
    const base = apply(where, [apply(equals, [a, onesLike(a)], null), onesLike(x), x], null);
    const logDensity = minus(minus(times(power, apply(log, [base], null)), x), apply(lgamma, [a], null));
    return negate(times(dx, apply(exp, [logDensity], null)));
  },
  transpose: null,
  linear: [],
  batch: (inputs, batched, _params, size) => apply(igammac, allBatched(inputs, batched, size), null),
  reads: (_params, _inputs, out) => [pointwise(out.shape), pointwise(out.shape)],
  smooth: ["jump", "smooth"],
  // Near 0 it is 1 − xᵃ/Γ(a + 1).
  smoothOn: ([a, x]) => ["jump", !x?.zero ? "smooth" : on.atLeast(a as Interval, 1) ? "kink" : "jump"],
  range: () => on.interval(0, 1),
  lower: { kind: "map", build: calling("igammac", igammacOf as Outside) },
  laws: [
    {
      inputs: [
        { shape: [2, 3], from: [0.5, 6] },
        { shape: [2, 3], from: [0.2, 8] },
      ],
      params: null,
    },
  ],
};

/** The smallest whole k with P(X ≤ k) ≥ u for X ~ Poisson(rate): piecewise constant in both. */
export const poissonInverse: Primitive<null> = {
  name: "poissonInverse",
  type: ([u, rate]) => floats("poissonInverse", pair("poissonInverse", u as Type, rate as Type)),
  run: ([u, rate], _params, out) => map2(poissonInverseOf, u as NDArray, rate as NDArray, out.dtype),
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: (inputs, batched, _params, size) => apply(poissonInverse, allBatched(inputs, batched, size), null),
  reads: (_params, _inputs, out) => [pointwise(out.shape), pointwise(out.shape)],
  smooth: "jump",
  range: () => on.interval(0, Infinity),
  lower: { kind: "map", build: calling("poissonInverse", poissonInverseOf as Outside) },
  laws: [
    {
      inputs: [
        { shape: [2, 3], from: [0.1, 0.9] },
        { shape: [2, 3], from: [1, 5] },
      ],
      params: null,
    },
  ],
};
