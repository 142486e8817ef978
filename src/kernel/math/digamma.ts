import { expansion, polynomial } from "./horner.js";
import { tanPi } from "./sinPi.js";

/** The positive zero 1.46163… of digamma, as the sum of two doubles. */
const ZERO = 1.4616321449683622;
const ZERO_REST = 9.549995429965697e-17;

// Rational interpolant at Chebyshev nodes of ψ(1 + z) divided by its zero; fitted by test/reference/fit-math.py.
const ONE_P: readonly number[] = [
  -0.8546933606017872, -1.0232702245859229, -0.4011081817899588, -0.05932106510822148, -0.0026424931532079135,
  -5.517766101508554e-7,
];
const ONE_Q: readonly number[] = [
  1.0, 2.077632258223563, 1.4624190188905208, 0.43706394446661606, 0.05443092732754185, 0.002153713341870333,
];

/** B₂ₖ/(2k), k = 1 … 8. */
const ASYMPTOTIC: readonly number[] = [
  1 / 12,
  -1 / 120,
  1 / 252,
  -1 / 240,
  1 / 132,
  -691 / 32760,
  1 / 12,
  -3617 / 8160,
];

/** ψ on [1, 2], with full relative accuracy near its zero. */
function central(x: number): number {
  return (x - ZERO - ZERO_REST) * expansion(x - 1, 1.2503801375034054, -1.6534391669959698e-17, ONE_P, ONE_Q);
}

/**
 * digamma(x) = ψ(x) = d/dx log Γ(x); NaN at the poles 0, −1, −2, …
 *
 * Source: x ≥ 10 the asymptotic series (DLMF 5.11.2); below it the recurrence (DLMF 5.5.2) onto [1, 2], where a
 * rational function about the zero holds; reflection (DLMF 5.5.4) for x < 0.
 * Error: 2.7 ulp over 10,000 random points x > 0 (zero included), 1 on the reference data; for −30 < x < 0, 5.3 ulp
 * of max(1, |result|).
 */
export function digamma(x: number): number {
  if (x >= 10) {
    if (x === Infinity) return x;
    const u = 1 / (x * x);
    return Math.log(x) - (0.5 / x + u * polynomial(u, ASYMPTOTIC));
  }
  if (x > 2) {
    let sum = 0;
    let y = x;
    while (y > 2) sum += 1 / --y;
    return central(y) + sum;
  }
  if (x >= 1) return central(x);
  if (x > 0) return central(1 + x) - 1 / x;
  if (Number.isInteger(x) || !Number.isFinite(x)) return NaN;
  return digamma(1 - x) - Math.PI / tanPi(x);
}
