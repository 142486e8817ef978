import { softplus } from "./softplus.js";

/**
 * logSigmoid(x) = log(1/(1 + exp(−x))) = −softplus(−x).
 *
 * Source: definition.
 * Error: 1.4 ulp over 10,000 random points, 1 on the reference data.
 */
export function logSigmoid(x: number): number {
  return -softplus(-x);
}
