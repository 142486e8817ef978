import { type Expectation, type ExpectationOptions, enumerate, expectation, pathwise, scoreFunction } from "samplegrad";
import type { Batch } from "./digits.js";
import { bernoulliLayer, costOf, type Layer, meanLayer, normalLayer, type Weights } from "./network.js";

/** One network with one way to get its gradient. */
export interface Arm {
  readonly name: string;
  readonly layer: Layer;
  /** At the random choice "a". */
  readonly estimators?: ExpectationOptions["estimators"];
  readonly color: string;
  /** Whether it is trained, or only measured. */
  readonly trained: boolean;
}

/** Colours of Okabe & Ito 2008, which colour-blind people tell apart. */
export const arms: readonly Arm[] = [
  {
    name: "Bernoulli, score function, no baseline",
    layer: bernoulliLayer,
    estimators: { a: scoreFunction({ baseline: "none" }) },
    color: "#d55e00",
    trained: true,
  },
  {
    name: "Bernoulli, score function, aligned baseline",
    layer: bernoulliLayer,
    estimators: { a: scoreFunction({ baseline: "aligned" }) },
    color: "#e69f00",
    trained: true,
  },
  {
    name: "Bernoulli, score function, leave-one-out",
    layer: bernoulliLayer,
    estimators: { a: scoreFunction({ baseline: "leaveOneOut" }) },
    color: "#009e73",
    trained: true,
  },
  { name: "Normal, pathwise", layer: normalLayer, estimators: { a: pathwise() }, color: "#0072b2", trained: true },
  {
    name: "Normal, score function, leave-one-out",
    layer: normalLayer,
    estimators: { a: scoreFunction({ baseline: "leaveOneOut" }) },
    color: "#cc79a7",
    trained: false,
  },
  { name: "no random choice, backpropagation", layer: meanLayer, color: "#777777", trained: true },
];

/** The expectation that an arm trains on. */
export function expectationOf(
  { layer, estimators }: Arm,
  samples: number,
  replicates = 1,
): Expectation<Weights, [Batch]> {
  return expectation(costOf(layer), { samples, replicates, estimators });
}

export interface Refusal {
  readonly estimator: string;
  /** What the library says when it is asked for anyway. */
  readonly message: string;
}

/** Estimators that do not fit the binary units, and the error that says so. */
export function refusals(weights: Weights, batch: Batch): Refusal[] {
  return [pathwise(), enumerate()].flatMap((estimator) => {
    const E = expectation(costOf(bernoulliLayer), { estimators: { a: estimator } });
    try {
      E.valueAndGrad(weights, batch, { key: 0 });
      return [];
    } catch (error) {
      return [{ estimator: estimator.name, message: (error as Error).message }];
    }
  });
}
