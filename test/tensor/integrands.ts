import type { Tensor } from "../../src/index.js";
import * as sg from "../../src/index.js";
import type { Distance } from "../../src/tensor/integral.js";

/** Classic integrals, whose values stand under the same names in test/reference/tensor.json. */
export interface Classic {
  readonly f: (x: Tensor, distance: Distance) => Tensor;
  readonly from: number;
  readonly to: number;
}

const { add, cos, div, exp, log, log1p, mul, neg, pow, reciprocal, sin, sqrt, square, sub } = sg;
const gauss = (x: Tensor): Tensor => exp(neg(square(x)));
const times = (distance: Distance, p: number, q: number): Tensor => mul(pow(distance.toA, p), pow(distance.toB, q));

export const classics: Readonly<Record<string, Classic>> = {
  "gaussian bump": { f: (x: Tensor) => gauss(x), from: 0, to: 1 },
  "inverse root at 0": { f: (x: Tensor) => pow(x, -0.5), from: 0, to: 1 },
  "power -0.9 at 0": { f: (x: Tensor) => pow(x, -0.9), from: 0, to: 1 },
  logarithm: { f: (x: Tensor) => log(x), from: 0, to: 1 },
  "product of logarithms": { f: (x: Tensor) => mul(log(x), log1p(neg(x))), from: 0, to: 1 },
  "squared logarithm over root": { f: (x: Tensor) => div(square(log(x)), sqrt(x)), from: 0, to: 1 },
  semicircle: { f: (x: Tensor) => sqrt(sub(1, square(x))), from: -1, to: 1 },
  "inverse root at 1, by distance": { f: (_x, distance) => pow(distance.toB, -0.5), from: 0, to: 1 },
  "arcsine, by distance": { f: (_x, distance) => times(distance, -0.5, -0.5), from: -1, to: 1 },
  "Beta(0.3, 0.2), by distance": { f: (_x, distance) => times(distance, -0.7, -0.8), from: 0, to: 1 },
  "root of the tangent": {
    f: (_x, { toB }) => sqrt(div(cos(toB), sin(toB))),
    from: 0,
    to: Math.PI / 2,
  },
  Runge: { f: (x: Tensor) => reciprocal(add(1, mul(25, square(x)))), from: -1, to: 1 },
  "sine of 50 x": { f: (x: Tensor) => sin(mul(50, x)), from: 0, to: 1 },
  chirp: {
    f: (x: Tensor) => add(1, mul(exp(neg(x)), sin(mul(8, exp(mul(2 / 3, x)))))),
    from: 0,
    to: 2,
  },
  "Gaussian over the line": { f: (x: Tensor) => gauss(x), from: -Infinity, to: Infinity },
  "Cauchy over the line": { f: (x: Tensor) => reciprocal(add(1, square(x))), from: -Infinity, to: Infinity },
  "logistic density, naively": {
    f: (x: Tensor) => div(exp(x), square(add(1, exp(x)))),
    from: -Infinity,
    to: Infinity,
  },
  exponential: { f: (x: Tensor) => exp(neg(x)), from: 0, to: Infinity },
  "Gamma(1/2)": { f: (x: Tensor) => div(exp(neg(x)), sqrt(x)), from: 0, to: Infinity },
  Bose: { f: (x: Tensor) => div(pow(x, 3), sub(exp(x), 1)), from: 0, to: Infinity },
  Fermi: { f: (x: Tensor) => div(x, add(exp(x), 1)), from: 0, to: Infinity },
  "slow power": { f: (x: Tensor) => pow(add(1, x), -1.1), from: 0, to: Infinity },
  "Bessel K0(1)": { f: (x: Tensor) => exp(div(add(exp(x), exp(neg(x))), -2)), from: 0, to: Infinity },
  "exponential, up to 0": { f: (x: Tensor) => exp(x), from: -Infinity, to: 0 },
};
