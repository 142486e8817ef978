import type { Tensor } from "../graph/tensor.js";
import { add, div, expm1, mul, neg, sqrt, square, sub } from "../tensor/elementwise.js";
import { type LearningRate, type Optimizer, optimizer } from "./optimizer.js";

export interface AdamOptions {
  readonly learningRate: LearningRate;
  /** Share of the running mean of gradients that is kept. Default 0.9. */
  readonly beta1?: number;
  /** Share of the running mean of their squares that is kept. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of that mean. Default 1e-8. */
  readonly eps?: number;
}

/**
 * Adam: m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², θ ← θ − η·m̂/(√v̂ + ε) with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ). The default where
 * gradients are noisy and differ in scale. Kingma & Ba 2015, algorithm 1.
 */
export function adam({ learningRate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8 }: AdamOptions): Optimizer {
  return optimizer({
    name: "adam",
    learningRate,
    averages: 2,
    move: ({ param, grad, averages, rate, step }) => {
      const [mean, squares] = averages as [Tensor, Tensor];
      const m = add(mul(mean, beta1), mul(grad, 1 - beta1));
      const v = add(mul(squares, beta2), mul(square(grad), 1 - beta2));
      const root = sqrt(mul(v, div(1, startup(beta2, step))));
      const change = mul(div(m, add(root, eps)), div(rate, startup(beta1, step)));
      return { param: sub(param, change), averages: [m, v] };
    },
  });
}

/** 1 − βᵗ, the share of an average that started at 0 which is data by step t; without cancelling for β near 1. */
function startup(beta: number, step: Tensor): Tensor {
  return neg(expm1(mul(step, Math.log(beta))));
}
