import { softplus } from "./softplus.js";

/**
 * logSigmoid(x) = log(1/(1 + exp(−x))) = −softplus(−x).
 *
 * Source: definition.
 * Error: ULP_logSigmoid.
 */
export function logSigmoid(x: number): number {
  return -softplus(-x);
}
