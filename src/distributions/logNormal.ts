import type { TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { floatType, normal, type Stream } from "../random/uniform.js";
import {
  add,
  div,
  exp,
  expm1,
  greater,
  greaterEqual,
  less,
  log,
  logicalAnd,
  mul,
  ndtri,
  notEqual,
  square,
  sub,
} from "../tensor/elementwise.js";
import { positive, real } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { type Edge, normalCdf, within } from "./edges.js";

/**
 * LogNormal(loc μ, scale σ): the law of e^Y with Y ~ Normal(μ, σ); density e^(−(log x−μ)²/2σ²) / (xσ√(2π)) on (0, ∞).
 * x = e^(μ + σε) with ε standard normal. Johnson, Kotz, Balakrishnan 1994, ch. 14.
 */
export interface LogNormalParams {
  /** [...batch], default 0 */
  readonly loc?: TensorLike;
  /** [...batch], default 1 */
  readonly scale?: TensorLike;
}

const z = (y: Tensor, { loc, scale }: Params): Tensor => div(sub(y, loc as Tensor), scale as Tensor);
const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);

export const logNormalFamily: Family<"logProb" | "reparam"> = {
  name: "LogNormal",
  forms: [
    [
      { name: "loc", constraint: real, default: 0 },
      { name: "scale", constraint: positive, default: 1 },
    ],
  ],
  discrete: false,
  support: () => positive,
  supportDepends: [],
  eventShape: () => [],
  dtype: ({ loc }) => (loc as Tensor).dtype,
  sample: (stream, p) => value(noise(stream, (p.loc as Tensor).shape, p), p),
  gives: {
    logProb,
    reparam: { noise, value, params: ["loc", "scale"], orders: "any" },
  },
  mean: ({ loc, scale }) => exp(add(loc as Tensor, mul(square(scale as Tensor), 0.5))),
  variance: ({ loc, scale }) => {
    const spread = square(scale as Tensor);
    return mul(expm1(spread), exp(add(mul(loc as Tensor, 2), spread)));
  },
  mode: ({ loc, scale }) => exp(sub(loc as Tensor, square(scale as Tensor))),
  entropy: ({ loc, scale }) => add(add(loc as Tensor, log(scale as Tensor)), halfLog2Pi + 0.5),
  cdf: (x, p) => within(greater(x, 0), x, 1, (y) => normalCdf(z(log(y), p)), 0),
  // At q = 0 the value is 0 whatever the parameters are.
  icdf: (q, p) => within(notEqual(q, 0), q, 0.5, (u) => value(ndtri(u), p), 0),
  cases: [
    { loc: 0, scale: 1 },
    { loc: -2, scale: 0.3 },
  ],
};

/** At 0 the density vanishes faster than any power; −z²/2 alone says so there, and its derivatives are the limits. */
function logProb(x: Tensor, p: Params, edge?: Edge): Tensor {
  const density = (y: Tensor): Tensor => {
    const square2 = mul(square(z(log(y), p)), -0.5);
    const jacobian = within(greater(y, 0), y, 1, log, 0, edge);
    return sub(sub(square2, jacobian), add(log(p.scale as Tensor), halfLog2Pi));
  };
  return within(logicalAnd(greaterEqual(x, 0), less(x, Infinity)), x, 1, density, -Infinity, edge);
}

function noise(stream: Stream, shape: readonly number[], { loc }: Params): Tensor {
  return normal(stream, shape, floatType("LogNormal", loc as Tensor));
}

function value(epsilon: Tensor, { loc, scale }: Params): Tensor {
  return exp(add(loc as Tensor, mul(scale as Tensor, epsilon)));
}

export const LogNormal: (params: LogNormalParams) => Distribution<"logProb" | "reparam"> = define(logNormalFamily);
