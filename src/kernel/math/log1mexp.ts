/**
 * log1mexp(x) = log(1 − exp(−x)) for x ≥ 0 (note the sign of x); −Infinity at 0, NaN below.
 *
 * Source: Mächler, "Accurately computing log(1 − exp(−|a|))" (2012), eq. 7: the two forms change at log 2.
 * Error: ULP_log1mexp.
 */
export function log1mexp(x: number): number {
  return x <= Math.LN2 ? Math.log(-Math.expm1(-x)) : Math.log1p(-Math.exp(-x));
}
