import { REPLICATES } from "../measure.js";
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
  { head: "gradient variance", right: true },
  { head: "noise/signal", right: true },
  { head: "ms per step", right: true },
];

/** What the columns mean. */
export const resultNotes: readonly string[] = [
  "accuracy: share of the test digits, with Wilson's 95 % interval; cost: mean training cross-entropy of the last epoch, in nats.",
  `gradient variance: of one estimate for one minibatch of test digits, summed over all weights, from ${REPLICATES} independent estimates; at the weights that the last trained net of the same layer ended with.`,
  "noise/signal: that variance over the squared length of the gradient, which the estimator with the least variance knows best.",
];

/** One row per arm, in the order of `resultColumns`. */
export function resultRows(outcomes: readonly Outcome[], batch: number): string[][] {
  return outcomes.map((outcome) => resultRow(outcome, stepsOf(outcome, batch), signalOf(outcome, outcomes)));
}

/** The squared length of the gradient that an arm estimates, from the estimator of the same layer that knows it best. */
function signalOf({ arm }: Outcome, outcomes: readonly Outcome[]): number {
  const same = outcomes.flatMap((each) => (each.arm.layer === arm.layer && each.spread ? [each.spread] : []));
  return same.sort((a, b) => a.variance - b.variance)[0]?.signal ?? 0;
}

function resultRow({ arm, trained, accuracy, spread }: Outcome, steps: number, signal: number): string[] {
  const cost = trained?.points.at(-1)?.cost;
  return [
    arm.name,
    accuracy ? percent(accuracy.share) : "not trained",
    accuracy ? `${percent(accuracy.low)} to ${percent(accuracy.high)}` : "",
    typeof cost === "number" ? cost.toFixed(3) : "",
    spread ? short(spread.variance) : "",
    spread && signal > 0 ? short(spread.variance / signal) : "",
    trained && steps > 0 ? ((1000 * trained.seconds) / steps).toFixed(1) : "",
  ];
}

/** Training steps an arm has made. */
function stepsOf({ trained }: Outcome, batch: number): number {
  return (trained?.points.at(-1)?.digits ?? 0) / batch;
}
