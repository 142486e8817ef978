import { erfc } from "./erfc.js";
import { erfcx } from "./erfcx.js";
import { timesGaussian } from "./gaussian.js";

/**
 * ndtr(x) = Φ(x), the distribution function of the standard normal law, with full relative accuracy in the left tail.
 *
 * Source: Φ(x) = erfc(−x/√2)/2 (DLMF 7.2.2); in the tail exp(−x²/2)·erfcx(−x/√2)/2, since erfc itself would magnify the
 * rounding of x/√2.
 * Error: 3.3 ulp over 10,000 random points (mean 0.5).
 */
export function ndtr(x: number): number {
  if (x > -1) return 0.5 * erfc(-x * Math.SQRT1_2);
  return timesGaussian(0.5 * erfcx(-x * Math.SQRT1_2), x, 0.5);
}
