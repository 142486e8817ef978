import { polynomial } from "./horner.js";

/** B₂ₖ/(2k(2k − 1)), k = 1 … 8. */
const COEFFICIENTS: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
];

/** ½ log 2π. */
export const HALF_LOG_TWO_PI: number = 0.9189385332046728;

/**
 * log Γ(x) − ((x − ½) log x − x + ½ log 2π) for x ≥ 10: the rest of Stirling's formula.
 *
 * Source: DLMF 5.11.1, eight terms; the next is below 2e-18 at x = 10.
 */
export function stirlingError(x: number): number {
  return polynomial(1 / (x * x), COEFFICIENTS) / x;
}
