import { normalCenter, normalTail } from "./ndtri.js";

/**
 * erfinv(y): the inverse of erf; ±Infinity at ±1, NaN outside [−1, 1].
 *
 * Source: erfinv(y) = ndtri((1 + y)/2)/√2, taken apart so that neither small y nor 1 − |y| is rounded.
 * Error: 3.6 ulp over 10,000 random points (mean 0.7), 2 on the reference data.
 */
export function erfinv(y: number): number {
  if (Math.abs(y) <= 0.85) return y * (normalCenter(0.5 * y) * 0.3535533905932738);
  if (y === 1 || y === -1) return y * Infinity;
  const tail = normalTail(0.5 * (1 - Math.abs(y))) * Math.SQRT1_2;
  return y < 0 ? -tail : tail;
}
