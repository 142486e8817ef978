import { fail } from "../base/errors.js";
import { tensor } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { type GaussFamily, type GaussRule, gaussRule } from "../kernel/quadrature/gauss.js";

/** Nodes and weights of the rules of Gauss. An integral with an error estimate is `integrate`. */
export interface QuadratureRule {
  /** [n], ascending. */
  readonly nodes: Tensor;
  /** [n] */
  readonly weights: Tensor;
}

export interface QuadratureOptions {
  /** Default float32. */
  readonly dtype?: "float32" | "float64";
}

export interface LegendreOptions extends QuadratureOptions {
  /** The ends, −1 and 1 by default. */
  readonly interval?: readonly [number, number];
}

export interface HermiteOptions extends QuadratureOptions {
  /** "physicists": exp(−x²), whose weights sum to √π (default). "probabilists": exp(−x²/2), whose weights sum to √(2π). */
  readonly weight?: "physicists" | "probabilists";
}

/**
 * Gauss–Legendre: ∫ f(x) dx over the interval is Σ weights · f(nodes), exactly for polynomials up to degree 2n − 1.
 * @throws where n is not a whole number from 1 to 1,000, or an end is infinite
 */
export function gaussLegendre(
  n: number,
  { interval: [a, b] = [-1, 1], dtype = "float32" }: LegendreOptions = {},
): QuadratureRule {
  const { nodes, weights } = known("gaussLegendre", "legendre", n);
  const half = b / 2 - a / 2;
  const middle = b / 2 + a / 2;
  if (!Number.isFinite(half))
    fail({
      where: "gaussLegendre",
      got: `the interval [${a}, ${b}]`,
      expected: "finite ends",
      write: "gaussHermite, gaussLaguerre or integrate",
    });
  return asTensors({ nodes: nodes.map((x) => middle + half * x), weights: weights.map((w) => half * w) }, dtype);
}

/**
 * Gauss–Hermite: ∫ f(x) exp(−x²) dx over the line is Σ weights · f(nodes), exactly for polynomials up to degree 2n − 1. With
 * probabilists' weights divided by √(2π) it is the expectation under the standard normal.
 * @throws where n is not a whole number from 1 to 1,000
 */
export function gaussHermite(
  n: number,
  { weight = "physicists", dtype = "float32" }: HermiteOptions = {},
): QuadratureRule {
  if (weight !== "physicists" && weight !== "probabilists")
    fail({ where: "gaussHermite", got: `weight "${weight}"`, expected: '"physicists" or "probabilists"' });
  return asTensors(known("gaussHermite", weight === "physicists" ? "hermite" : "hermiteE", n), dtype);
}

/**
 * Gauss–Laguerre: ∫ f(x) exp(−x) dx over [0, ∞) is Σ weights · f(nodes), exactly for polynomials up to degree 2n − 1.
 * @throws where n is not a whole number from 1 to 1,000
 */
export function gaussLaguerre(n: number, { dtype = "float32" }: QuadratureOptions = {}): QuadratureRule {
  return asTensors(known("gaussLaguerre", "laguerre", n), dtype);
}

function known(where: string, family: GaussFamily, n: number): GaussRule {
  if (!Number.isInteger(n) || n < 1 || n > 1000)
    fail({ where, got: `n = ${n}`, expected: "a whole number from 1 to 1000" });
  return gaussRule(family, n);
}

function asTensors({ nodes, weights }: GaussRule, dtype: "float32" | "float64"): QuadratureRule {
  return { nodes: tensor(nodes, { dtype }), weights: tensor(weights, { dtype }) };
}
