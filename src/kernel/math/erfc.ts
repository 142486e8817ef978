import { erfcx } from "./erfcx.js";
import { erfExcess } from "./erfSmall.js";
import { timesGaussian } from "./gaussian.js";

/**
 * erfc(x) = 1 − erf(x), with full relative accuracy in the right tail down to the smallest double (x ≈ 27.2).
 *
 * Source: definition DLMF 7.2.2; erfc(−x) = 2 − erfc(x) (DLMF 7.4.2); exp(−x²)·erfcx(x) for x ≥ ½.
 * Error: 3.1 ulp over 10,000 random points (mean 0.5), 1 on the reference data.
 */
export function erfc(x: number): number {
  if (x >= 0.5) return timesGaussian(erfcx(x), x, 1);
  // From ¼ on x − ½ is exact, which keeps a bit that 1 − x would lose.
  if (x >= 0.25) return 0.5 - (x - 0.5 + x * erfExcess(x));
  if (x > -1) return 1 - (x + x * erfExcess(x));
  return 2 - timesGaussian(erfcx(-x), x, 1);
}
