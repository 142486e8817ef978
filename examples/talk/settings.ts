/** Everything a run depends on; the report prints it. */
export interface Settings {
  readonly train: number;
  readonly test: number;
  readonly hidden: number;
  readonly units: number;
  readonly batch: number;
  readonly epochs: number;
  /** Runs S of the program per gradient. */
  readonly samples: number;
  /** Draws of the random units that a prediction is averaged over. */
  readonly draws: number;
  readonly learningRate: number;
  readonly seed: number;
}

export const full: Settings = {
  train: 2000,
  test: 500,
  hidden: 64,
  units: 64,
  batch: 50,
  epochs: 6,
  samples: 4,
  draws: 8,
  learningRate: 0.01,
  seed: 0,
};

/** A few seconds: fewer digits, a smaller net. */
export const quick: Settings = { ...full, train: 600, test: 200, hidden: 32, units: 32, epochs: 4, learningRate: 0.02 };
