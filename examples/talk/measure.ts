import { foldIn, type Tensor } from "samplegrad";
import { type Arm, expectationOf } from "./arms.js";
import type { Batch } from "./digits.js";
import type { Weights } from "./network.js";
import type { Settings } from "./settings.js";

/** Independent estimates that a variance is taken over. */
export const REPLICATES = 32;

export interface GradientSpread {
  /** Σ over all weights of the variance of one estimate of S runs. */
  readonly variance: number;
  /** Σ over all weights of the squared mean, less what its own error adds: the length² of the true gradient, estimated. */
  readonly signal: number;
}

/** How much the gradient of one minibatch varies from key to key under an arm's estimator. */
export function gradientSpread(arm: Arm, weights: Weights, batch: Batch, { samples, seed }: Settings): GradientSpread {
  const { grad } = expectationOf(arm, samples, REPLICATES).valueAndGrad(weights, batch, {
    key: foldIn(seed, "spread"),
  });
  const total = (tree: Weights): number =>
    Object.values(tree).reduce((all, leaf: Tensor) => all + leaf.square().sum().item(), 0);
  const ofMean = total(grad.stderr as Weights);
  return { variance: ofMean * REPLICATES, signal: Math.max(0, total(grad.mean as Weights) - ofMean) };
}

export interface Interval {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** 95 % interval of a share of n. Wilson 1927; right near 0 and 1 too. */
export function wilson(hits: number, n: number, z = 1.96): Interval {
  const share = hits / n;
  const centre = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  return { share, low: centre - half, high: centre + half };
}
