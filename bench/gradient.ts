import { compile, type Expectation, grad, key, type Tensor } from "samplegrad";
import { nextKey } from "./training.js";
import type { Running } from "./workload.js";

/** Workloads that are one gradient, without an update. */

export type Numbers<P> = (gradient: P) => readonly number[];

/** The gradient of an expectation, with a new key at each call. */
export function ofExpectation<P>(E: Expectation<P, []>, params: P, numbers: Numbers<P>): Running {
  const call = E.valueAndGrad as unknown as (params: P, options: { key: number }) => { grad: { mean: P } };
  let calls = 0;
  let gradient: P = params;
  return {
    step: () => {
      gradient = call(params, { key: calls++ }).grad.mean;
    },
    numbers: () => numbers(gradient),
  };
}

/** The gradient of `loss` in one compiled program, which splits its key: this step draws with one half, the next gets the other. */
export function ofLoss<P>(loss: (params: P, k: Tensor) => Tensor, params: P, numbers: Numbers<P>): Running {
  const slope = grad(loss) as unknown as (params: P, k: Tensor) => P;
  const program = compile((p: P, k: Tensor) => {
    const { now, later } = nextKey(k);
    return { gradient: slope(p, now), key: later };
  }) as unknown as (params: P, k: Tensor) => { gradient: P; key: Tensor };
  let k = key(7);
  let gradient: P = params;
  return {
    step: () => {
      ({ gradient, key: k } = program(params, k));
    },
    numbers: () => numbers(gradient),
  };
}

/** Reads the numbers in every step: a call is over when they are there. */
export function reading({ step, numbers }: Running): Running {
  let last: readonly number[] = [];
  return {
    step: () => {
      step();
      last = numbers();
    },
    numbers: () => last,
  };
}
