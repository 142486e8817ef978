import { erfc } from "./erfc.js";
import { erfExcess } from "./erfSmall.js";

/**
 * erf(x) = 2/√π ∫₀ˣ exp(−t²) dt.
 *
 * Source: definition DLMF 7.2.1; for |x| < 1 an odd polynomial x + x·P(x²), beyond it 1 − erfc(|x|) (DLMF 7.4.2).
 * Error: 1.1 ulp over 10,000 random points, 1 on the reference data.
 */
export function erf(x: number): number {
  if (Math.abs(x) < 1) return x + x * erfExcess(x);
  return x < 0 ? erfc(-x) - 1 : 1 - erfc(x);
}
