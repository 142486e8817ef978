import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { detach } from "../primitives/control.js";
import { floatType, type Stream, uniform } from "../random/uniform.js";
import { abs, add, div, exp, less, log, mul, neg, square, sub, where } from "../tensor/elementwise.js";
import { positive, real } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { unitInterval } from "./edges.js";

/**
 * Laplace(loc μ, scale b): density e^(−|x−μ|/b) / 2b on the real line. x = μ + b·g(u), with g the inverse cdf of the standard law
 * at a uniform u, each half in its own tail. Johnson, Kotz, Balakrishnan 1995, ch. 24.
 */
export interface LaplaceParams {
  /** [...batch], default 0 */
  readonly loc?: TensorLike;
  /** [...batch], default 1 */
  readonly scale?: TensorLike;
}

const z = (x: Tensor, { loc, scale }: Params): Tensor => div(sub(x, loc as Tensor), scale as Tensor);

export const laplaceFamily: Family<"logProb" | "reparam"> = {
  name: "Laplace",
  forms: [
    [
      { name: "loc", constraint: real, default: 0 },
      { name: "scale", constraint: positive, default: 1 },
    ],
  ],
  discrete: false,
  support: () => real,
  supportDepends: [],
  densityKinks: ["loc"],
  eventShape: () => [],
  dtype: ({ loc }) => (loc as Tensor).dtype,
  sample: (stream, p) => value(noise(stream, (p.loc as Tensor).shape, p), p),
  gives: {
    logProb: (x, p) => sub(neg(abs(z(x, p))), log(mul(p.scale as Tensor, 2))),
    reparam: { noise, value, params: ["loc", "scale"], orders: "any" },
  },
  mean: ({ loc }) => loc as Tensor,
  variance: ({ scale }) => mul(square(scale as Tensor), 2),
  mode: ({ loc }) => loc as Tensor,
  entropy: ({ scale }) => add(log(mul(scale as Tensor, 2)), 1),
  cdf: (x, p) => standardCdf(z(x, p)),
  icdf: (q, p) => value(unitInterval(q), p),
  cases: [
    { loc: 0, scale: 1 },
    { loc: 1.5, scale: 0.3 },
  ],
};

/** Both halves meet with equal slope, so the mask is detached: differentiable once everywhere, twice but at 0. */
function standardCdf(t: Tensor): Tensor {
  const lower = apply(detach, [less(t, 0)], null);
  const tail = mul(exp(where(lower, t, neg(t))), 0.5);
  return where(lower, tail, sub(1, tail));
}

/** g(u) = log 2u up to the median, −log 2(1 − u) above it. */
function standardQuantile(u: Tensor): Tensor {
  const lower = apply(detach, [less(u, 0.5)], null);
  const tail = log(mul(where(lower, u, sub(1, u)), 2));
  return where(lower, tail, neg(tail));
}

function noise(stream: Stream, shape: readonly number[], { loc }: Params): Tensor {
  return uniform(stream, shape, floatType("Laplace", loc as Tensor));
}

function value(u: Tensor, { loc, scale }: Params): Tensor {
  return add(loc as Tensor, mul(scale as Tensor, standardQuantile(u)));
}

export const Laplace: (params: LaplaceParams) => Distribution<"logProb" | "reparam"> = define(laplaceFamily);
