import { arange, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { broadcastTo, reshapeTo } from "../primitives/linear.js";
import { floatType, uniform } from "../random/uniform.js";
import {
  add,
  equal,
  greater,
  less,
  logicalOr,
  mul,
  neg,
  sigmoid,
  softplus,
  sub,
  toDType,
  where,
  xlog1py,
  xlogy,
} from "../tensor/elementwise.js";
import { extended, probability, whole } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { scorable, unitInterval, weighted, within } from "./edges.js";

/**
 * Bernoulli(probs p), or Bernoulli(logits l) with p = 1/(1 + e^−l): 1 with probability p, else 0. Values are 0 and 1 in the dtype
 * of the parameter. A draw is u < p for a uniform u. Johnson, Kemp, Kotz 2005, ch. 3.
 */
export type BernoulliParams =
  | {
      /** [...batch] in [0, 1], both ends exact */
      readonly probs: TensorLike;
      readonly logits?: undefined;
    }
  | {
      /** [...batch], infinite for a certain outcome */
      readonly logits: TensorLike;
      readonly probs?: undefined;
    };

const given = ({ probs, logits }: Params): Tensor => (probs ?? logits) as Tensor;
/** P(1) and P(0) */
const p1 = ({ probs, logits }: Params): Tensor => probs ?? sigmoid(logits as Tensor);
const p0 = ({ probs, logits }: Params): Tensor => (probs ? sub(1, probs) : sigmoid(neg(logits as Tensor)));

export const bernoulliFamily: Family<"logProb" | "enumerate"> = {
  name: "Bernoulli",
  forms: [[{ name: "probs", constraint: probability }], [{ name: "logits", constraint: extended }]],
  discrete: true,
  support: () => whole(0, 1),
  supportDepends: [],
  eventShape: () => [],
  dtype: (p) => given(p).dtype,
  sample: (stream, p) => {
    const { shape, dtype } = given(p);
    return toDType(less(uniform(stream, shape, floatType("Bernoulli", given(p))), p1(p)), dtype);
  },
  gives: {
    logProb: (x, p, edge) =>
      within(logicalOr(equal(x, 0), equal(x, 1)), x, 0, (k) => logMean(k, sub(1, k), p), -Infinity, edge),
    enumerate: {
      size: () => 2,
      values: (p) => {
        const { shape, dtype } = given(p);
        const both = arange(2, { dtype });
        return broadcastTo(reshapeTo(both, [2, ...shape.map(() => 1)]), [2, ...shape]);
      },
      prob: (x, p) => add(mul(x, p1(p)), mul(sub(1, x), p0(p))),
    },
  },
  scored: (p) => (p.probs ? { probs: scorable(p.probs, open) } : p),
  mean: p1,
  variance: (p) => mul(p1(p), p0(p)),
  mode: (p) => toDType(greater(p1(p), 0.5), given(p).dtype),
  entropy: (p) => neg(logMean(p1(p), p0(p), p)),
  cdf: (x, p) => where(less(x, 0), 0, where(less(x, 1), p0(p), 1)),
  icdf: (q, p) => where(equal(q, unitInterval(q)), toDType(greater(q, p0(p)), q.dtype), NaN),
  cases: [{ probs: 0.3 }, { probs: 0.5 }, { probs: 0.95 }, { logits: -1.2 }, { logits: 3 }],
};

const open = {
  where: "Bernoulli",
  name: "probs",
  expected: "a probability strictly between 0 and 1",
  write: "enumerate(), or logits",
  holds: (x: number): boolean => x > 0 && x < 1,
  interval: [0, 1] as const,
};

/** a·log p + b·log(1 − p): log P(k) at (k, 1 − k), minus the entropy at (p, 1 − p). Exact where p is 0 or 1. */
function logMean(a: Tensor, b: Tensor, { probs, logits }: Params): Tensor {
  if (probs) return add(xlogy(a, probs), xlog1py(b, neg(probs)));
  const l = logits as Tensor;
  return neg(add(weighted(a, softplus(neg(l))), weighted(b, softplus(l))));
}

export const Bernoulli: (params: BernoulliParams) => Distribution<"logProb" | "enumerate"> = define(bernoulliFamily);
