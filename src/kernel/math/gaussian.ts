/** 2^27 + 1: splits a double into two halves of 26 bits whose products are exact. */
const SPLITTER = 134217729;

/**
 * y · exp(−scale·x²) without the loss of exp(−(x²)): the rounding error of x² is found exactly and applied as a
 * first-order factor, since exp turns an absolute error of its argument into a relative one.
 *
 * Source: Dekker, "A floating-point technique for extending the available precision", Numer. Math. 18 (1971), §5.
 *
 * @param scale ±1 or ±½ (a power of two, so that the product is exact)
 */
export function timesGaussian(y: number, x: number, scale: number): number {
  const square = x * x;
  const exponent = scale * square;
  if (exponent > 800) return y * 0;
  if (exponent < -800) return y * Infinity;
  const scaled = SPLITTER * x;
  const top = scaled - (scaled - x);
  const bottom = x - top;
  const rest = scale * (top * top - square + 2 * top * bottom + bottom * bottom);
  const factor = y - y * rest;
  if (Math.abs(exponent) < 690) return Math.exp(-exponent) * factor;
  // Near the ends of the range the exponential alone would be subnormal or infinite while the product is not.
  const half = exponent > 0 ? 345 : -345;
  return factor * Math.exp(half - exponent) * Math.exp(-half);
}
