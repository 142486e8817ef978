import { describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  Bernoulli,
  cumsum,
  expectation,
  mean,
  type ScoreFunctionOptions,
  sample,
  scoreFunction,
  square,
  sum,
  tensor,
} from "../../src/index.js";
import { exactDirectional, gradientMoments, type How, type Loss, numbersOf, t64 } from "./exact.js";

/** Independent problems in one batch, and actions in time: a cost that an element cannot influence does not touch its gradient by a bit. */

type Params = { theta: Tensor };
type Data = { scale: Tensor; target: Tensor };
type Program = (params: Params, data: Data) => Tensor;

const wave = (n: number, step: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(1 + step * i));
const bits = ({ theta }: Params, options: ScoreFunctionOptions): Tensor =>
  sample(Bernoulli({ logits: theta }), { name: "a", estimator: scoreFunction(options) as Estimator<never> });

const batch =
  (options: ScoreFunctionOptions): Program =>
  (params, { scale, target }) =>
    mean(scale.mul(square(bits(params, options).sub(target))));
const squared =
  (options: ScoreFunctionOptions): Program =>
  (params, data) =>
    square(batch(options)(params, data));
const series =
  (options: ScoreFunctionOptions): Program =>
  (params, { scale, target }) =>
    sum(scale.mul(square(cumsum(bits(params, options)).sub(target))));

/** Gradients with every scale 1 and with that of one element 1000. */
function both(
  program: Program,
  n: number,
  at: number,
  dtype: "float32" | "float64",
  samples: number,
): [Float64Array, Float64Array] {
  const E = expectation(program, { samples });
  const gradient = (loud: number): Float64Array => {
    const scale = new Float64Array(n).fill(1);
    scale[at] = loud;
    const data = { scale: tensor(scale).toDType(dtype), target: tensor(wave(n, 0.7)).toDType(dtype) };
    return numbersOf(E.valueAndGrad({ theta: tensor(wave(n, 1.3)).toDType(dtype) }, data, { key: 0 }).grad.mean.theta);
  };
  return [gradient(1), gradient(1000)];
}

function changed([before, after]: [Float64Array, Float64Array]): number[] {
  return [...before.keys()].filter((i) => !Object.is(before[i], after[i]));
}

const dtypes = ["float32", "float64"] as const;

describe("256 problems in one batch", () => {
  const n = 256;
  const loud = 77;

  it.each(dtypes)("with leave-one-out over 4 runs only the loud problem's gradient changes, %s", (dtype) => {
    expect(changed(both(batch({}), n, loud, dtype, 4))).toEqual([loud]);
  });

  it.each(dtypes)("without a baseline too, %s", (dtype) => {
    for (const samples of [1, 4])
      expect(changed(both(batch({ baseline: "none" }), n, loud, dtype, samples))).toEqual([loud]);
  });

  it.each(dtypes)("as baselines of each other the other problems enter by design, %s", (dtype) => {
    expect(changed(both(batch({ baseline: "aligned" }), n, loud, dtype, 1)).length).toBe(n);
  });

  it.each(dtypes)("a square of the mean charges each problem with all, %s", (dtype) => {
    expect(changed(both(squared({}), n, loud, dtype, 4)).length).toBe(n);
  });
});

describe("actions in time", () => {
  const n = 32;
  const loud = 9;
  const upTo = Array.from({ length: loud + 1 }, (_, t) => t);

  it.each(dtypes)("a reward changes the gradients of the actions before it and of its own only, %s", (dtype) => {
    for (const options of [{}, { baseline: "none" }] as const) {
      expect(changed(both(series(options), n, loud, dtype, 4))).toEqual(upTo);
    }
  });
});

describe("the mean stays right", () => {
  const params = { theta: t64([0.3, -0.8, 1.1]) };
  const data = { scale: t64([1, 1000, 1]), target: t64([0.2, 0.7, -0.4]) };
  const programs = { "mean of costs": batch({}), "square of the mean": squared({}), "costs in time": series({}) };
  const exact = (f: Loss): number[] =>
    [0, 1, 2].map(
      (i) =>
        exactDirectional(
          f,
          params,
          [0, 1, 2].map((k) => (k === i ? 1 : 0)),
          1,
        )[0] as number,
    );

  it.each(Object.entries(programs))("%s", (name, program) => {
    const f = (p: Params): Tensor => program(p, data);
    const truth = exact(f);
    const ways: readonly How[] = [
      {},
      { runs: 2, baseline: "leaveOneOut" },
      ...(name === "mean of costs" ? [{ baseline: "aligned" }] : []),
    ] as How[];
    for (const how of ways) {
      gradientMoments(f, params, how).mean.forEach((g, i) => {
        expect(Math.abs(g - (truth[i] as number)), `${JSON.stringify(how)}, component ${i}`).toBeLessThanOrEqual(
          1e-12 * Math.max(...truth.map(Math.abs)),
        );
      });
    }
  });

  it("no axis is kept apart by a square of the mean", () => {
    expect(() => expectation(squared({ baseline: "aligned" })).valueAndGrad(params, data, { key: 0 })).toThrow(
      'sample "a": no axis of two or more elements is kept apart by every cost',
    );
  });
});
