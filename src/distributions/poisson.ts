import { broadcastShapes } from "../base/shape.js";
import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { broadcastTo } from "../primitives/linear.js";
import { poissonInverse } from "../primitives/special.js";
import { poisson } from "../random/poisson.js";
import {
  add,
  equal,
  floor,
  greater,
  greaterEqual,
  igammac,
  less,
  lgamma,
  logicalAnd,
  sub,
  toDType,
  xlogy,
} from "../tensor/elementwise.js";
import { nonNegative, whole } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { scorable, within } from "./edges.js";

/**
 * Poisson(rate λ): P(k) = λ^k e^−λ / k! on 0, 1, 2, …; at rate 0 always 0. Values have the dtype of the parameter. A draw is the
 * inverse cdf of a uniform. Johnson, Kemp, Kotz 2005, ch. 4.
 */
export interface PoissonParams {
  /** [...batch], not negative */
  readonly rate: TensorLike;
}

export const poissonFamily: Family<"logProb"> = {
  name: "Poisson",
  forms: [[{ name: "rate", constraint: nonNegative }]],
  discrete: true,
  support: () => whole(0, Infinity),
  supportDepends: [],
  eventShape: () => [],
  dtype: ({ rate }) => (rate as Tensor).dtype,
  sample: (stream, { rate }) => poisson(stream, rate as Tensor),
  gives: {
    logProb: (x, p, edge) =>
      within(logicalAnd(equal(floor(x), x), finite(x)), x, 0, (k) => logMass(k, p), -Infinity, edge),
  },
  scored: ({ rate }) => ({ rate: scorable(rate as Tensor, open) }),
  mean: ({ rate }) => rate as Tensor,
  variance: ({ rate }) => rate as Tensor,
  mode: ({ rate }) => floor(rate as Tensor),
  // P(X ≤ k) = Q(⌊k⌋ + 1, λ), DLMF 8.4.10
  cdf: (x, { rate }) =>
    within(finite(x), x, 0, (k) => igammac(add(floor(k), 1), rate as Tensor), toDType(greater(x, 0), x.dtype)),
  icdf: (q, { rate }) => {
    const shape = broadcastShapes("Poisson.icdf", q.shape, (rate as Tensor).shape);
    return apply(poissonInverse, [broadcastTo(q, shape), broadcastTo(rate as Tensor, shape)], null);
  },
  cases: [{ rate: 1 }, { rate: 0.3 }, { rate: 12.5 }],
};

const open = {
  where: "Poisson",
  name: "rate",
  expected: "a positive number",
  write: "make the rate with exp or softplus",
  holds: (x: number): boolean => x > 0,
  interval: [0, Infinity] as const,
};

const finite = (x: Tensor): Tensor => logicalAnd(greaterEqual(x, 0), less(x, Infinity));

/** In float64: the three terms of a large count are thousands of times as large as their sum. */
function logMass(k: Tensor, { rate }: Params): Tensor {
  const [count, lambda] = [toDType(k, "float64"), toDType(rate as Tensor, "float64")];
  return toDType(sub(sub(xlogy(count, lambda), lambda), lgamma(add(count, 1))), k.dtype);
}

export const Poisson: (params: PoissonParams) => Distribution<"logProb"> = define(poissonFamily);
