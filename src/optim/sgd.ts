import { add, mul, sub } from "../tensor/elementwise.js";
import { type LearningRate, type Optimizer, optimizer } from "./optimizer.js";

export interface SgdOptions {
  readonly learningRate: LearningRate;
  /** Share of the velocity that is kept, in [0, 1). Default 0: plain descent. */
  readonly momentum?: number;
}

/**
 * Stochastic gradient descent: v ← μ·v + g, θ ← θ − η·v, as in torch. Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013, §2.
 */
export function sgd({ learningRate, momentum = 0 }: SgdOptions): Optimizer {
  return optimizer({
    name: "sgd",
    learningRate,
    averages: momentum === 0 ? 0 : 1,
    move: ({ param, grad, averages: [velocity], rate }) => {
      const next = velocity ? add(mul(velocity, momentum), grad) : grad;
      return { param: sub(param, mul(rate, next)), averages: velocity ? [next] : [] };
    },
  });
}
