/**
 * softplus(x) = log(1 + exp(x)), for every x: no overflow on the right, full relative accuracy on the left.
 *
 * Source: definition; x + log1p(exp(−x)) for x > 0 (Mächler, "Accurately computing log(1 − exp(−|a|))", 2012, §3).
 * Error: ULP_softplus.
 */
export function softplus(x: number): number {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}
