import { polynomial } from "./horner.js";

/** Interpolates erf(√u)/√u − 1 at the 12 Chebyshev nodes of u in [0, 1]; fitted by test/reference/fit-math.py. */
const EXCESS: readonly number[] = [
  0.12837916709551256, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777, 0.0052239776071164225,
  -0.0008548325975389692, 0.00012055294904839707, -1.492473690741966e-5, 1.6447424703317362e-6, -1.6208483801871705e-7,
  1.3720064546777686e-8, -7.795898827002142e-10,
];

/** erf(x)/x − 1 for |x| ≤ 1: the part of erf that is small beside x, so that x + x·excess rounds once. */
export function erfExcess(x: number): number {
  return polynomial(x * x, EXCESS);
}
