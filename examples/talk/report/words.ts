import type { Outcome } from "../run.js";

/** Numbers in a person's words. */

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Three significant digits. */
export function short(x: number): string {
  if (x === 0) return "0";
  return Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
}

export const resultColumns: readonly { readonly head: string; readonly right?: boolean }[] = [
  { head: "network and estimator" },
  { head: "test accuracy", right: true },
  { head: "95 % interval", right: true },
  { head: "cost", right: true },
  { head: "variance, start", right: true },
  { head: "variance, end", right: true },
  { head: "noise/signal, end", right: true },
  { head: "ms per step", right: true },
];

/** What the columns mean. */
export const resultNotes: readonly string[] = [
  "accuracy: share of the test digits, with Wilson's 95 % interval; cost: mean training cross-entropy of the last epoch, in nats.",
  "variance: of one gradient estimate for one minibatch, summed over all weights, from 32 independent estimates; at the start, and at the weights that the last trained net of the same layer ended with.",
  "noise/signal: that variance over the squared length of the gradient.",
];

/** One row per arm, in the order of `resultColumns`. */
export function resultRow({ arm, trained, accuracy, start, end }: Outcome, steps: number): string[] {
  const cost = trained?.points.at(-1)?.cost;
  return [
    arm.name,
    accuracy ? percent(accuracy.share) : "not trained",
    accuracy ? `${percent(accuracy.low)} to ${percent(accuracy.high)}` : "",
    typeof cost === "number" ? cost.toFixed(3) : "",
    start ? short(start.variance) : "",
    end ? short(end.variance) : "",
    end && end.signal > 0 ? short(end.variance / end.signal) : "",
    trained && steps > 0 ? ((1000 * trained.seconds) / steps).toFixed(1) : "",
  ];
}

/** Training steps an arm has made. */
export function stepsOf({ trained }: Outcome, batch: number): number {
  return (trained?.points.at(-1)?.digits ?? 0) / batch;
}
