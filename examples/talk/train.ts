import { adam, argmax, foldIn } from "samplegrad";
import { type Arm, expectationOf } from "./arms.js";
import { batchOf, CLASSES, type Digits, PIXELS, shuffled } from "./digits.js";
import { initialWeights, predict, type Weights } from "./network.js";
import type { Settings } from "./settings.js";

/** After so many digits: the mean training cost since the point before, and the share of test digits it gets right. */
export interface Point {
  readonly digits: number;
  readonly cost: number | null;
  readonly accuracy: number;
}

export interface Trained {
  readonly arm: Arm;
  readonly weights: Weights;
  readonly points: readonly Point[];
  /** Predicted class of every test digit. */
  readonly predicted: readonly number[];
  readonly seconds: number;
}

export interface Hooks {
  /** Called after every step. */
  readonly onStep?: () => void;
  /** Ends the training after the step at hand; what was learned is returned. */
  readonly signal?: AbortSignal;
}

/** Trains one arm by Adam on minibatches. The same key gives every arm the same start and the same order of digits. */
export async function train(
  arm: Arm,
  data: { train: Digits; test: Digits },
  settings: Settings,
  { onStep, signal }: Hooks = {},
): Promise<Trained> {
  const { hidden, units, batch, epochs, samples, learningRate, seed } = settings;
  const E = expectationOf(arm, samples);
  const optimizer = adam({ learningRate });
  const started = performance.now();
  let weights = initialWeights(arm.layer, { inputs: PIXELS, hidden, units, classes: CLASSES }, foldIn(seed, "start"));
  let state = optimizer.init<Weights>(weights);
  let predicted = classes(arm, weights, data.test, settings);
  const points: Point[] = [{ digits: 0, cost: null, accuracy: share(predicted, data.test) }];
  for (let epoch = 0; epoch < epochs && !signal?.aborted; epoch++) {
    const order = shuffled(data.train.labels.length, foldIn(foldIn(seed, "epoch"), epoch));
    let [total, steps] = [0, 0];
    for (let at = 0; at + batch <= order.length && !signal?.aborted; at += batch) {
      const key = foldIn(foldIn(foldIn(seed, "step"), epoch), at);
      const { value, grad } = E.valueAndGrad(weights, batchOf(data.train, order.subarray(at, at + batch)), { key });
      ({ params: weights, state } = optimizer.update<Weights>(grad.mean, state, weights));
      total += value.mean.item();
      steps++;
      onStep?.();
      await turn();
    }
    predicted = classes(arm, weights, data.test, settings);
    const digits = (points.at(-1) as Point).digits + steps * batch;
    if (steps > 0) points.push({ digits, cost: total / steps, accuracy: share(predicted, data.test) });
  }
  return { arm, weights, points, predicted, seconds: (performance.now() - started) / 1000 };
}

function classes({ layer }: Arm, weights: Weights, test: Digits, { draws, seed }: Settings): number[] {
  const { x } = batchOf(test, [...test.labels.keys()]);
  return argmax(predict(layer, weights, x, draws, foldIn(seed, "test"))).toArray() as number[];
}

function share(predicted: readonly number[], { labels }: Digits): number {
  return predicted.filter((label, i) => label === labels[i]).length / labels.length;
}

/** Lets Ctrl-C and the progress bar have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
