import {
  at,
  compile,
  type Expectation,
  type KeyLike,
  key,
  type Optimizer,
  type OptimizerState,
  split,
  type Tensor,
} from "samplegrad";
import type { Running } from "./workload.js";

/** A key for this step, and one for those to come. */
export function nextKey(k: KeyLike): { now: Tensor; later: Tensor } {
  const keys = split(k);
  return { now: at(keys, 0), later: at(keys, 1) };
}

/** All that one training step hands to the next. */
type State<P> = {
  readonly params: P;
  readonly optimizer: OptimizerState<P>;
  readonly key: Tensor;
};

/** The loss and its gradient, as nodes of the graph of a step. */
export type Slope<P, D> = (params: P, data: D, k: Tensor) => { value: Tensor; grad: P };

/**
 * Trains as a user would: a whole step is one compiled program, whose state goes in and comes out. For trees of tensors P and D, which
 * the compiler cannot know here: hence the casts.
 */
export function training<P, D>(params: P, data: D, { init, update }: Optimizer, slope: Slope<P, D>): Running {
  const next = update as unknown as (
    grad: P,
    state: OptimizerState<P>,
    params: P,
  ) => { params: P; state: OptimizerState<P> };
  const program = compile(
    (state: State<P>, batch: D) => {
      const { now, later } = nextKey(state.key);
      const { value, grad } = slope(state.params, batch, now);
      const moved = next(grad, state.optimizer, state.params);
      return { loss: value, state: { params: moved.params, optimizer: moved.state, key: later } };
    },
    { donate: [0] },
  ) as unknown as (state: State<P>, batch: D) => { loss: Tensor; state: State<P> };
  let state: State<P> = { params, optimizer: (init as (params: P) => OptimizerState<P>)(params), key: key(7) };
  let loss: Tensor | null = null;
  return {
    step: () => {
      ({ loss, state } = program(state, data));
    },
    numbers: () => [loss?.item() ?? Number.NaN],
  };
}

/** Training by the gradient of an expectation. */
export function ofExpectation<P, D>(E: Expectation<P, [D]>, params: P, data: D, optimizer: Optimizer): Running {
  const slope = E.valueAndGrad as unknown as (
    params: P,
    data: D,
    options: { key: Tensor },
  ) => { value: { mean: Tensor }; grad: { mean: P } };
  return training(params, data, optimizer, (p, d, k) => {
    const { value, grad } = slope(p, d, { key: k });
    return { value: value.mean, grad: grad.mean };
  });
}
