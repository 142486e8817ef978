import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { relate } from "../primitives/check.js";
import { detach } from "../primitives/control.js";
import { floatType, type Stream, uniform } from "../random/uniform.js";
import {
  add,
  clamp,
  div,
  greaterEqual,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  minimum,
  mul,
  neg,
  square,
  sub,
} from "../tensor/elementwise.js";
import { between, real } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { unitInterval, within } from "./edges.js";

/**
 * Uniform(low a, high b): density 1/(b − a) on [a, b], both ends included. x = a + (b − a)u with u uniform on (0, 1). The support
 * moves with both parameters, so only pathwise gradients are right. Johnson, Kotz, Balakrishnan 1995, ch. 26.
 */
export interface UniformParams {
  /** [...batch], default 0 */
  readonly low?: TensorLike;
  /** [...batch], default 1 */
  readonly high?: TensorLike;
}

const width = ({ low, high }: Params): Tensor => sub(high as Tensor, low as Tensor);

export const uniformFamily: Family<"logProb" | "reparam"> = {
  name: "Uniform",
  forms: [
    [
      { name: "low", constraint: real, default: 0 },
      { name: "high", constraint: real, default: 1 },
    ],
  ],
  check: ({ low, high }) => ({ low: apply(relate, [low as Tensor, high as Tensor], ordered), high: high as Tensor }),
  discrete: false,
  support: () => between("low", "high"),
  supportDepends: ["low", "high"],
  eventShape: () => [],
  dtype: ({ low }) => (low as Tensor).dtype,
  sample: (stream, p) => value(noise(stream, (p.low as Tensor).shape, p), p),
  gives: {
    logProb: (x, p, edge) => {
      const { low, high } = p as { low: Tensor; high: Tensor };
      const inside = logicalAnd(greaterEqual(x, low), lessEqual(x, high));
      return within(inside, x, low, () => neg(log(width(p))), -Infinity, edge);
    },
    reparam: { noise, value, params: ["low", "high"], orders: "any" },
  },
  mean: ({ low, high }) => mul(add(low as Tensor, high as Tensor), 0.5),
  variance: (p) => mul(square(width(p)), 1 / 12),
  entropy: (p) => log(width(p)),
  cdf: (x, p) => div(sub(clamp(x, p.low as Tensor, p.high as Tensor), p.low as Tensor), width(p)),
  icdf: (q, p) => value(unitInterval(q), p),
  cases: [
    { low: 0, high: 1 },
    { low: -2, high: 0.5 },
  ],
};

const ordered = {
  where: "Uniform",
  names: ["low", "high"] as const,
  expected: "low < high",
  holds: (low: number, high: number): boolean => low < high,
  broken: (low: Tensor, high: Tensor): Tensor => logicalNot(less(low, high)),
};

function noise(stream: Stream, shape: readonly number[], { low }: Params): Tensor {
  return uniform(stream, shape, floatType("Uniform", low as Tensor));
}

function value(u: Tensor, p: Params): Tensor {
  const x = add(p.low as Tensor, mul(width(p), u));
  // Rounding may step over the upper end, where a sample would have density 0; the step back has no derivative.
  return add(x, apply(detach, [sub(minimum(x, p.high as Tensor), x)], null));
}

export const Uniform: (params: UniformParams) => Distribution<"logProb" | "reparam"> = define(uniformFamily);
