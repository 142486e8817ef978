import { erfExcess } from "./erfSmall.js";
import { timesGaussian } from "./gaussian.js";
import { expansion } from "./horner.js";

// Rational interpolants at Chebyshev nodes, fitted by test/reference/fit-math.py. The first three are expansions of
// erfcx about 7/8, 9/4 and 9/2; the last one is x·erfcx(x) in 1/x², about its limit 1/√π.
const NEAR_P: readonly number[] = [
  -0.3158338964908418, -0.37605315602589484, -0.1966542903519574, -0.054884383573063446, -0.008126975452463782,
  -0.0005087393738330734, -3.773612326575056e-9,
];
const NEAR_Q: readonly number[] = [
  1.0, 1.7857807096251042, 1.3658753912529678, 0.5738065576016306, 0.13994133602582476, 0.018832853772817872,
  0.001095859512883241,
];
const MIDDLE_P: readonly number[] = [
  -0.08848650280874916, -0.0947877459378224, -0.04243081980300479, -0.009876437779029466, -0.0011934517785744132,
  -5.987959723904272e-5,
];
const MIDDLE_Q: readonly number[] = [
  1.0, 1.4327651034253912, 0.8732029938454703, 0.29007952215360366, 0.055469106282276956, 0.005797135666237584,
  0.0002591213249801988,
];
const FAR_P: readonly number[] = [
  -0.026015928630939815, -0.02092017452711345, -0.006863777730844039, -0.0011478969170366268, -9.783757055283454e-5,
  -3.40014510403908e-6,
];
const FAR_Q: readonly number[] = [
  1.0, 1.0121991159834456, 0.4319800593360665, 0.09953420021195837, 0.013064638621631933, 0.0009266400091493295,
  2.7759730275007993e-5,
];
const TAIL_P: readonly number[] = [
  -0.2820947917738781, -5.183458099772737, -26.78316635613893, -37.84496841044401, -3.7947052980113494,
];
const TAIL_Q: readonly number[] = [1.0, 19.874880539898005, 121.00617350573991, 254.26037778886948, 142.86469076778488];

/** erfcx for x ≥ ½. */
function right(x: number): number {
  if (x < 1.5) return expansion(x - 0.875, 0.464311583202669, -1.851963727754574e-17, NEAR_P, NEAR_Q);
  if (x < 3.5) return expansion(x - 2.25, 0.23108725873039188, -5.74762364596782e-18, MIDDLE_P, MIDDLE_Q);
  if (x < 6) return expansion(x - 4.5, 0.12248480427384142, -6.888693135744294e-18, FAR_P, FAR_Q);
  const u = 1 / x / x;
  return expansion(u, 0.5641895835477563, 7.66772980658294e-18, TAIL_P, TAIL_Q) / x;
}

/**
 * erfcx(x) = exp(x²)·erfc(x), the scaled complementary error function: about 1/(x√π) on the right, Infinity below
 * −26.7.
 *
 * Source: DLMF 7.2.2 and 7.12.1 (the tail's variable); erfc(−x) = 2 − erfc(x) (DLMF 7.4.2).
 * Error: 1.9 ulp over 10,000 random points.
 */
export function erfcx(x: number): number {
  if (x >= 0.5) return right(x);
  if (x > -0.5) return timesGaussian(1 - (x + x * erfExcess(x)), x, -1);
  return timesGaussian(2, x, -1) - right(-x);
}
