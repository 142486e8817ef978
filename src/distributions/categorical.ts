import { broadcastShapes, sizeOf as countOf, range } from "../base/shape.js";
import { arange, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { relate } from "../primitives/check.js";
import { detach } from "../primitives/control.js";
import { broadcastTo, permute, reshapeTo } from "../primitives/linear.js";
import { categorical, countBefore } from "../random/categorical.js";
import {
  div,
  equal,
  exp,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  mul,
  neg,
  sub,
  toDType,
  where,
  xlogy,
} from "../tensor/elementwise.js";
import { argmax, logSoftmax, logsumexp, max, sum } from "../tensor/reducing.js";
import { expandDims, takeAlong } from "../tensor/shaping.js";
import { logit, nonNegative, whole } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { type Edge, fixed, scorable, within } from "./edges.js";

/**
 * Categorical(probs p) or Categorical(logits l): index k with probability p_k / Σp, or e^(l_k) / Σe^l. Values are int32. A draw
 * counts the running sums up to u · Σp for a uniform u. Johnson, Kotz, Balakrishnan 1997, ch. 35 (one trial).
 */
export type CategoricalParams =
  | {
      /** [...batch, size], not negative; need not sum to 1 */
      readonly probs: TensorLike;
      readonly logits?: undefined;
    }
  | {
      /** [...batch, size]; −∞ for an index that never comes */
      readonly logits: TensorLike;
      readonly probs?: undefined;
    };

const given = ({ probs, logits }: Params): Tensor => (probs ?? logits) as Tensor;
const sizeOf = (p: Params): number => given(p).shape[given(p).rank - 1] as number;

export const categoricalFamily: Family<"logProb" | "enumerate"> = {
  name: "Categorical",
  forms: [
    [{ name: "probs", constraint: nonNegative, eventRank: 1 }],
    [{ name: "logits", constraint: logit, eventRank: 1 }],
  ],
  check: possible,
  discrete: true,
  support: (p) => whole(0, sizeOf(p) - 1),
  supportDepends: [],
  eventShape: () => [],
  dtype: () => "int32",
  sample: (stream, p) => categorical(stream, weights(p)),
  gives: {
    logProb,
    enumerate: {
      size: sizeOf,
      values: (p) => {
        const [size, batch] = [sizeOf(p), given(p).shape.slice(0, -1)];
        return broadcastTo(reshapeTo(arange(size), [size, ...batch.map(() => 1)]), [size, ...batch]);
      },
      prob: (x, p) => div(pick(weights(p), x), sum(weights(p), -1)),
    },
  },
  scored: (p) => (p.probs ? { probs: scorable(p.probs, open) } : p),
  mode: (p) => argmax(given(p), -1),
  entropy: (p) => {
    if (p.probs) {
      const normal = div(p.probs, sum(p.probs, { axis: -1, keepDims: true }));
      return neg(sum(xlogy(normal, normal), -1));
    }
    const logs = logSoftmax(p.logits as Tensor, -1);
    return neg(
      sum(
        within(less(-Infinity, logs), logs, 0, (l) => mul(exp(l), l), 0),
        -1,
      ),
    );
  },
  cdf: (x, p) => {
    const reached = lessEqual(arange(sizeOf(p)), expandDims(x, -1));
    return div(sum(where(reached, weights(p), 0), -1), sum(weights(p), -1));
  },
  icdf: (q, p) => countBefore(q, weights(p), less),
  cases: [
    { probs: [0.2, 0.5, 0.3] },
    { probs: [1, 2, 0.5, 4] },
    { logits: [0, 1, -1] },
    { logits: [2, -0.5, 0.3, 0, 1] },
  ],
};

const open = {
  where: "Categorical",
  name: "probs",
  expected: "positive numbers",
  write: "enumerate(), or logits",
  holds: (x: number): boolean => x > 0,
  interval: [0, Infinity] as const,
};

/** Proportional to the probabilities; e^l is scaled by its largest, which cancels. */
function weights({ probs, logits }: Params): Tensor {
  if (probs) return probs;
  const l = logits as Tensor;
  return exp(sub(l, apply(detach, [max(l, { axis: -1, keepDims: true })], null)));
}

/** @param x [...batch], any dtype: a fraction has probability 0 */
function logProb(x: Tensor, p: Params, edge: Edge = fixed): Tensor {
  const shape = broadcastShapes("Categorical.logProb", x.shape, given(p).shape.slice(0, -1));
  const index = toDType(x, "int32");
  const known = logicalAnd(equal(index, x), logicalAnd(greaterEqual(index, 0), less(index, sizeOf(p))));
  const inside = broadcastTo(edge(known), shape);
  const chosen = pick(given(p), where(inside, index, 0));
  if (!p.probs) return where(inside, sub(chosen, logsumexp(given(p), -1)), -Infinity);
  return where(inside, sub(log(where(inside, chosen, 1)), log(sum(p.probs, -1))), -Infinity);
}

/** rows[..., index], element by element; what index has in front of the batch of rows is looked up in the same rows. */
function pick(rows: Tensor, index: Tensor): Tensor {
  const depth = rows.rank - 1;
  const batch = index.shape.slice(index.rank - depth);
  const axes = range(depth);
  const runs = reshapeTo(index, [countOf(index.shape.slice(0, index.rank - depth)), ...batch]);
  const row = broadcastTo(rows, [...batch, rows.shape[depth] as number]);
  const found = takeAlong(row, permute(runs, [...axes.map((axis) => axis + 1), 0]));
  return reshapeTo(permute(found, [depth, ...axes]), index.shape);
}

/** Not all of the weights may be 0. */
function possible(p: Params): Params {
  const name = p.probs ? "probs" : "logits";
  const total = p.probs ? sum(p.probs, { axis: -1, keepDims: true }) : max(given(p), { axis: -1, keepDims: true });
  const [aggregate, expected] = p.probs ? ["their sum", "a positive, finite sum"] : ["their largest", "a finite logit"];
  const holds = (_x: number, y: number): boolean => (p.probs ? y > 0 && y < Infinity : y > -Infinity);
  const broken = (_x: Tensor, y: Tensor): Tensor =>
    logicalNot(p.probs ? logicalAnd(greater(y, 0), less(y, Infinity)) : greater(y, -Infinity));
  const relation = { where: "Categorical", names: [name, aggregate] as const, expected, holds, broken };
  return { [name]: apply(relate, [given(p), broadcastTo(total, given(p).shape)], relation) };
}

export const Categorical: (params: CategoricalParams) => Distribution<"logProb" | "enumerate"> =
  define(categoricalFamily);
