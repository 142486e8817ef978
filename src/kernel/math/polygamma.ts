import { digamma } from "./digamma.js";
import { lgamma } from "./lgamma.js";

/** B₂ⱼ/(2j)!, j = 1 … 12. */
const BERNOULLI: readonly number[] = [
  0.08333333333333333, -0.001388888888888889, 3.306878306878307e-5, -8.267195767195768e-7, 2.08767569878681e-8,
  -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13, 8.586062056277845e-15,
  -2.174868698558062e-16, 5.5090028283602295e-18, -1.3954464685812522e-19,
];

/** The Euler–Maclaurin tail of Σ (w + k)^−s over k ≥ 0, divided by w^−s (DLMF 25.11.28). */
function eulerMaclaurin(s: number, w: number): number {
  let factor = s / w;
  let sum = 0;
  for (let j = 1; j <= BERNOULLI.length; j++) {
    sum += BERNOULLI[j - 1]! * factor;
    factor *= ((s + 2 * j - 1) * (s + 2 * j)) / (w * w);
  }
  return w / (s - 1) + 0.5 + sum;
}

/**
 * ζ(s, x)·unit^s = Σ ((x + k)/unit)^−s over k ≥ 0, for x > 0 and integer s ≥ 2: terms up to x + k ≥ s + 12, summed from
 * the small end, and the Euler–Maclaurin tail. For large s the terms end sooner, where they fall below 1e-18.
 */
function hurwitz(s: number, x: number, unit: number): number {
  const enough = Math.max(0, Math.ceil(s + 12 - x));
  const count = Math.min(enough, Math.ceil(x * Math.expm1(41.5 / s)) + 1);
  const w = x + count;
  const last = (w / unit) ** -s;
  let sum = last === 0 ? 0 : last * (count === enough ? eulerMaclaurin(s, w) : w / (s - 1) + 0.5);
  for (let k = count - 1; k >= 0; k--) sum += ((x + k) / unit) ** -s;
  return sum;
}

/** Σ ((x + k)/unit)^−s over k ≥ 0 for negative x: the sum over all integers less the one over k < 0. */
function reflected(s: number, x: number, unit: number): number {
  const right = x - Math.floor(x);
  const left = Math.ceil(x) - x;
  const above = hurwitz(s, right, unit);
  let below = hurwitz(s, left, unit);
  if (below < Infinity) below -= hurwitz(s, 1 - x, unit);
  if (s % 2 === 0) return above + below;
  // Where both overflow, the nearer pole has the sign.
  return above === below && above === Infinity ? (right < left ? above : -below) : above - below;
}

/**
 * polygamma(n, x) = ψ⁽ⁿ⁾(x) = d^(n+1)/dx^(n+1) log Γ(x), for integer n ≥ 0; NaN for other n. At the poles 0, −1, −2,
 * … it is Infinity for odd n (both sides agree) and NaN for even n.
 *
 * Source: (−1)^(n+1) n! ζ(n + 1, x) (DLMF 25.11.12), Euler–Maclaurin (DLMF 25.11.28); for x < 0 the reflection is
 * written with ζ as well, as the sum over all integers.
 * Error: 7.4 ulp over 2,000 random points, n ≤ 40 and x > 0.
 */
export function polygamma(n: number, x: number): number {
  if (n === 0) return digamma(x);
  if (!(n > 0 && Number.isInteger(n)) || Number.isNaN(x) || x === -Infinity) return NaN;
  const sign = n % 2 === 1 ? 1 : -1;
  if (x === Infinity) return sign * 0;
  if (x <= 0 && Number.isInteger(x)) return sign > 0 ? Infinity : NaN;
  const sum = x > 0 ? hurwitz : reflected;
  const s = n + 1;
  if (n <= 100 && s * Math.log(Math.abs(x)) < 650) {
    let factorial = 1;
    for (let i = 2; i <= n; i++) factorial *= i;
    return sign * factorial * sum(s, x, 1);
  }
  // n! or the power alone would leave the range: fold n! into the unit of length.
  return sign * sum(s, x, Math.exp(lgamma(s) / s));
}

/** trigamma(x) = ψ′(x). Error: 2.6 ulp over 10,000 random points x > 0; 1.8 ulp of max(1, |result|) for −30 < x < 0. */
export function trigamma(x: number): number {
  return polygamma(1, x);
}

/**
 * tetragamma(x) = ψ″(x). Error: 2.5 ulp over 10,000 random points x > 0; 27 ulp of max(1, |result|) for −30 < x < 0,
 * where it is a difference of far larger terms.
 */
export function tetragamma(x: number): number {
  return polygamma(2, x);
}
