/** Σ coefficients[i]·x^i by Horner's rule: the coefficients run from the constant term up. */
export function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i]!;
  return sum;
}

/**
 * high + (low + t·P(t)/Q(t)): an expansion about a point where the function is high + low.
 * The rational part is a correction, so its rounding weighs less than that of a bare quotient.
 */
export function expansion(
  t: number,
  high: number,
  low: number,
  numerator: readonly number[],
  denominator: readonly number[],
): number {
  return high + (low + (t * polynomial(t, numerator)) / polynomial(t, denominator));
}
