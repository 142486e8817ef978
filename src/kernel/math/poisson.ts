import { igamma, igammac } from "./igamma.js";
import { ndtri } from "./ndtri.js";

/** Sums probabilities from 0: exact to rounding for small rates where 1 − u is not tiny. */
function upward(u: number, rate: number): number {
  let k = 0;
  let mass = Math.exp(-rate);
  let cdf = mass;
  while (cdf < u) {
    mass *= rate / ++k;
    cdf += mass;
  }
  return k;
}

/** Whether P(X ≤ k) ≥ u, decided in the smaller tail; 1 − u is exact for u ≥ ½. */
function reaches(k: number, u: number, rate: number): boolean {
  return u > 0.5 ? igamma(k + 1, rate) <= 1 - u : igammac(k + 1, rate) >= u;
}

/**
 * poissonInverse(u, rate): the smallest integer k with P(X ≤ k) ≥ u for X ~ Poisson(rate), 0 ≤ u ≤ 1. Non-decreasing
 * in u and in rate, so that draws by inversion couple. 0 at rate 0, Infinity at u = 1, NaN outside the domain; above
 * rate 1e15, where the integers run out, the rounded guess.
 *
 * Source: P(X ≤ k) = Q(k + 1, rate) (DLMF 8.4.10); a Cornish–Fisher guess (Giles, "Algorithm 955", ACM TOMS 42
 * (2016), §2.2), then single steps decided by the exact distribution function.
 * Error: exact but where u is within rounding (about 1e-14 of the tail) of a value of the distribution function.
 */
export function poissonInverse(u: number, rate: number): number {
  if (!(u >= 0 && u <= 1 && rate >= 0 && rate < Infinity)) return NaN;
  if (rate === 0 || u === 0) return 0;
  if (u === 1) return Infinity;
  if (rate <= 16 && u <= 0.999) return upward(u, rate);
  const z = ndtri(u);
  const root = Math.sqrt(rate);
  const guess = rate + z * root + (z * z - 1) / 6 + (z - z * z * z) / (72 * root);
  let k = Math.max(0, Math.ceil(guess - 0.5));
  if (rate > 1e15) return k;
  if (!reaches(k, u, rate)) {
    do k++;
    while (!reaches(k, u, rate));
    return k;
  }
  while (k > 0 && reaches(k - 1, u, rate)) k--;
  return k;
}
