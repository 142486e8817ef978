/**
 * logaddexp(a, b) = log(exp(a) + exp(b)), without overflow; −Infinity is the neutral element.
 *
 * Source: definition, as max + log1p(exp(min − max)).
 * Error: ULP_logaddexp.
 */
export function logaddexp(a: number, b: number): number {
  if (a === b) return a + Math.LN2; // also both infinite, where the difference would be NaN
  const high = Math.max(a, b);
  return high + Math.log1p(Math.exp(Math.min(a, b) - high));
}
