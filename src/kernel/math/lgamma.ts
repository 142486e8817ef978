import { expansion } from "./horner.js";
import { sinPi } from "./sinPi.js";
import { HALF_LOG_TWO_PI, stirlingError } from "./stirling.js";

// Rational interpolants at Chebyshev nodes of log Γ divided by its zeros, fitted by test/reference/fit-math.py.
const ONE_P: readonly number[] = [
  -0.39283435305789194, -1.466608572984062, -2.0109002638936095, -1.2382409979360212, -0.33231768648761423,
  -0.02991560340053526, -5.998731025419401e-5, 1.587280838498875e-6,
];
const ONE_Q: readonly number[] = [
  1.0, 4.640635484820594, 8.35851341143708, 7.355447281153179, 3.261005888080182, 0.6696274060440812,
  0.04756227094583477,
];
const TWO_P: readonly number[] = [
  -0.14595989591430608, -0.23917273025213867, -0.14197895649437525, -0.03704257100564704, -0.004058974981584237,
  -0.00013906691477926574, -3.962977792850642e-8,
];
const TWO_Q: readonly number[] = [
  1.0, 2.0696378922060745, 1.6502772011465567, 0.6362274230203736, 0.1216467009215317, 0.010492021270036915,
  0.0002982991166622373,
];

/** log Γ(2 + z) = z(z + 1)·R(z) for −½ ≤ z ≤ 1. */
function logGamma2p(z: number): number {
  return z * ((z + 1) * expansion(z + 0.5, 0.4831289505409809, 1.6718818997178506e-17, TWO_P, TWO_Q));
}

/** log Γ(1 + z) for −0.3125 ≤ z ≤ 1, with full relative accuracy near the zeros z = 0 and 1. */
export function logGamma1p(z: number): number {
  if (z > 0.5) return logGamma2p(z - 1);
  return z * ((z - 1) * expansion(z + 0.3125, 0.6737458528710984, 6.363642044773323e-18, ONE_P, ONE_Q));
}

/** log|Γ(x)| for x < 0, by the reflection formula Γ(x)Γ(−x) = −π/(x sin πx). */
function reflected(x: number): number {
  if (x > -1e-20) return -Math.log(-x);
  return Math.log(Math.PI / Math.abs(x * sinPi(x))) - lgamma(-x);
}

/**
 * lgamma(x) = log|Γ(x)|; Infinity at the poles 0, −1, −2, …
 *
 * Source: x ≥ 10 Stirling's series (DLMF 5.11.1); 3 ≤ x < 10 the recurrence (DLMF 5.5.1); rational functions about the
 * zeros 1 and 2; reflection (DLMF 5.5.3) for x < 0.
 * Error: 2.5 ulp over 10,000 random points x > 0 (zeros included), 1 on the reference data; for −30 < x < 0, 3.1 ulp of
 * max(1, |result|).
 */
export function lgamma(x: number): number {
  if (x >= 10) return (x - 0.5) * (Math.log(x) - 1) + (HALF_LOG_TWO_PI - 0.5 + stirlingError(x));
  if (x >= 3) {
    let product = 1;
    let y = x;
    while (y >= 3) product *= --y;
    return Math.log(product) + logGamma2p(y - 2);
  }
  if (x >= 1.5) return logGamma2p(x - 2);
  if (x >= 0.6875) return logGamma1p(x - 1);
  if (x > 0) return logGamma1p(x) - Math.log(x);
  if (Number.isNaN(x)) return x;
  if (Number.isInteger(x) || x === -Infinity) return Infinity;
  return reflected(x);
}
