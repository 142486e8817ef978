/** A set of numbers a parameter or a value may come from, with the words for it. */
export interface Constraint {
  readonly name: string;
  /** For errors: "a probability in [0, 1]". */
  readonly expected: string;
  readonly holds: (x: number) => boolean;
  /** For supports: the interval, or the whole numbers in it. */
  readonly interval: readonly [number, number];
  readonly discrete: boolean;
  /** Parameters that are the ends of the interval. */
  readonly ends?: readonly [string, string];
}

const set = (
  name: string,
  expected: string,
  holds: (x: number) => boolean,
  interval: readonly [number, number],
  discrete = false,
): Constraint => Object.freeze({ name, expected, holds, interval, discrete });

export const real: Constraint = set("real", "a finite number", Number.isFinite, [-Infinity, Infinity]);
/** Real, or infinite: bounds, logits of a certain event. */
export const extended: Constraint = set("extended", "a number", (x) => !Number.isNaN(x), [-Infinity, Infinity]);
export const positive: Constraint = set("positive", "a positive finite number", (x) => x > 0 && x < Infinity, [
  0,
  Infinity,
]);
export const nonNegative: Constraint = set(
  "nonNegative",
  "a finite number of at least 0",
  (x) => x >= 0 && x < Infinity,
  [0, Infinity],
);
export const probability: Constraint = set("probability", "a probability in [0, 1]", (x) => x >= 0 && x <= 1, [0, 1]);

/** Whole numbers from low to high, both included. */
export function whole(low: number, high: number): Constraint {
  return set(
    "whole",
    `a whole number in [${low}, ${high}]`,
    (x) => Number.isInteger(x) && x >= low && x <= high,
    [low, high],
    true,
  );
}

/** A logit of one outcome among several: −∞ rules it out, ∞ would leave nothing for the others. */
export const logit: Constraint = set("logit", "a number below Infinity", (x) => x < Infinity, [-Infinity, Infinity]);

/** A support whose ends are parameters, which only logProb knows. */
export function between(low: string, high: string): Constraint {
  const line = set("between", `a number from ${low} to ${high}`, Number.isFinite, [-Infinity, Infinity]);
  return Object.freeze({ ...line, ends: [low, high] as const });
}

export function interval(low: number, high: number): Constraint {
  return set("interval", `a number in [${low}, ${high}]`, (x) => x >= low && x <= high, [low, high]);
}
