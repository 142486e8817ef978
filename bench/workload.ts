/** What a workload is to the runner. */
export interface Workload {
  /** As the peers name it: "W1-100". */
  readonly name: string;
  /** In the order they are run. */
  readonly variants: readonly Variant[];
  /** Why there is nothing to run. */
  readonly reason?: string;
  readonly check?: Check;
  /** Steps per repetition, where one is too short for the clock. Default 1. */
  readonly inner?: number;
  /** Environment steps in one step: what policy gradients are counted in. */
  readonly envSteps?: (scale: Scale) => number;
}

/** Full sizes are measured; small ones only show that everything runs. */
export type Scale = "full" | "small";

export interface Variant {
  /** "distributions": written with sample() in an expectation. "raw": by hand on tensors. */
  readonly name: "distributions" | "raw";
  /** Ready to take its first step from the common start. */
  start(scale: Scale): Running;
}

export interface Running {
  /** Sampling, forward, backward, update where there is one. All of it has been computed when it returns. */
  step(): void;
  /** What the last step gave: the numbers the check is about. */
  numbers(): readonly number[];
}

export type Check =
  /** The mean of the numbers over so many steps. */
  | { readonly kind: "mean"; readonly steps: number }
  /** The numbers of step so many from the start. */
  | { readonly kind: "last"; readonly steps: number }
  /** The number must have fallen below half of its first value when all is done. */
  | { readonly kind: "halves" };
