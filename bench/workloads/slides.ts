import { matmul, sigmoid, sum, type Tensor } from "samplegrad";
import { symmetric } from "../data.js";

/** What W1 and W2 share: the net of the talk, 4 inputs, 8 hidden and 8 random units, one output. */
export type Slides = {
  /** [4, 8] */
  W0: Tensor;
  /** [8, 8] */
  W1: Tensor;
  /** [8, 1] */
  W2: Tensor;
};

export function weights(): Slides {
  return { W0: symmetric(2, [4, 8], 1), W1: symmetric(3, [8, 8], 1), W2: symmetric(4, [8, 1], 1) };
}

/** [1, 4] */
export const input: Tensor = symmetric(1, [1, 4], 1);

export const target = 0.7;

/** z = σ(x W0) W1 [1, 8]: what the random units depend on. */
export function units({ W0, W1 }: Slides): Tensor {
  return matmul(sigmoid(matmul(input, W0)), W1);
}

/** The numbers of the check: the sum of each of the three gradients. */
export function sums({ W0, W1, W2 }: Slides): readonly number[] {
  return [W0, W1, W2].map((g) => sum(g).item());
}

/** Samples S of W1 and W2. */
export const sizes: readonly number[] = [1, 100, 10_000];
