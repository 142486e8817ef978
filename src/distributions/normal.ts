import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { ndtri } from "../primitives/special.js";
import { floatType, normal } from "../random/uniform.js";
import { add, div, log, mul, square, sub } from "../tensor/elementwise.js";
import { positive, real } from "./constraint.js";
import { type Distribution, define, type Family, type Params } from "./distribution.js";
import { normalCdf } from "./edges.js";

/**
 * Normal(loc μ, scale σ): density e^(−(x−μ)²/2σ²) / (σ√(2π)) on the real line. x = μ + σε with ε standard normal, the talk's
 * equation (6). Johnson, Kotz, Balakrishnan 1994, ch. 13.
 */
export interface NormalParams {
  readonly loc?: TensorLike;
  readonly scale?: TensorLike;
}

const z = (x: Tensor, { loc, scale }: Params): Tensor => div(sub(x, loc as Tensor), scale as Tensor);
const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);

export const normalFamily: Family<"logProb" | "reparam"> = {
  name: "Normal",
  forms: [
    [
      { name: "loc", constraint: real, default: 0 },
      { name: "scale", constraint: positive, default: 1 },
    ],
  ],
  discrete: false,
  support: () => real,
  supportDepends: [],
  eventShape: () => [],
  dtype: ({ loc }) => (loc as Tensor).dtype,
  sample: (stream, p) => value(noise(stream, (p.loc as Tensor).shape, p), p),
  gives: {
    logProb: (x, p) => sub(sub(mul(square(z(x, p)), -0.5), log(p.scale as Tensor)), halfLog2Pi),
    reparam: { noise, value, params: ["loc", "scale"], orders: "any" },
  },
  mean: ({ loc }) => loc as Tensor,
  variance: ({ scale }) => square(scale as Tensor),
  mode: ({ loc }) => loc as Tensor,
  entropy: ({ scale }) => add(log(scale as Tensor), halfLog2Pi + 0.5),
  cdf: (x, p) => normalCdf(z(x, p)),
  icdf: (q, { loc, scale }) => add(loc as Tensor, mul(scale as Tensor, apply(ndtri, [q], null))),
  cases: [
    { loc: 0, scale: 1 },
    { loc: -2, scale: 0.3 },
  ],
};

function noise(stream: Parameters<typeof normal>[0], shape: readonly number[], { loc }: Params): Tensor {
  return normal(stream, shape, floatType("Normal", loc as Tensor));
}

function value(epsilon: Tensor, { loc, scale }: Params): Tensor {
  return add(loc as Tensor, mul(scale as Tensor, epsilon));
}

export const Normal: (params: NormalParams) => Distribution<"logProb" | "reparam"> = define(normalFamily);
