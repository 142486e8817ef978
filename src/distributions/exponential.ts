import type { TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { zerosLike } from "../primitives/linear.js";
import { floatType, type Stream, uniform } from "../random/uniform.js";
import {
  div,
  expm1,
  greaterEqual,
  less,
  log,
  log1p,
  maximum,
  mul,
  neg,
  reciprocal,
  square,
  sub,
} from "../tensor/elementwise.js";
import { nonNegative, positive } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { unitInterval, within } from "./edges.js";

/**
 * Exponential(rate λ): density λe^(−λx) on [0, ∞), mean 1/λ. x = −log(1 − u)/λ, the inverse cdf of a uniform u. Johnson, Kotz,
 * Balakrishnan 1994, ch. 19.
 */
export interface ExponentialParams {
  /** [...batch] */
  readonly rate: TensorLike;
}

export const exponentialFamily: Family<"logProb" | "reparam"> = {
  name: "Exponential",
  forms: [[{ name: "rate", constraint: positive }]],
  discrete: false,
  support: () => nonNegative,
  supportDepends: [],
  eventShape: () => [],
  dtype: ({ rate }) => (rate as Tensor).dtype,
  sample: (stream, p) => value(noise(stream, (p.rate as Tensor).shape, p), p),
  gives: {
    logProb: (x, { rate }, edge) =>
      within(greaterEqual(x, 0), x, 0, (y) => sub(log(rate as Tensor), mul(rate as Tensor, y)), -Infinity, edge),
    reparam: { noise, value, params: ["rate"], orders: "any" },
  },
  mean: ({ rate }) => reciprocal(rate as Tensor),
  variance: ({ rate }) => square(reciprocal(rate as Tensor)),
  mode: ({ rate }) => zerosLike(rate as Tensor),
  entropy: ({ rate }) => sub(1, log(rate as Tensor)),
  // The kink at 0 is honest: a value of another law may cross it.
  cdf: (x, { rate }) => within(less(x, Infinity), x, 0, (y) => neg(expm1(mul(neg(rate as Tensor), maximum(y, 0)))), 1),
  icdf: (q, p) => value(unitInterval(q), p),
  cases: [{ rate: 1 }, { rate: 0.2 }, { rate: 15 }],
};

function noise(stream: Stream, shape: readonly number[], { rate }: Params): Tensor {
  return uniform(stream, shape, floatType("Exponential", rate as Tensor));
}

function value(u: Tensor, { rate }: Params): Tensor {
  return div(neg(log1p(neg(u))), rate as Tensor);
}

export const Exponential: (params: ExponentialParams) => Distribution<"logProb" | "reparam"> =
  define(exponentialFamily);
