import { describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import type { Expectation, ExpectationOptions } from "../../src/index.js";
import {
  Bernoulli,
  compile,
  enumerate,
  expectation,
  Normal,
  type ScoreFunctionOptions,
  sample,
  scoreFunction,
  sin,
  split,
  square,
  tensor,
  vmap,
} from "../../src/index.js";
import { numbersOf } from "./exact.js";
import { tQuantile } from "./statistics.js";

/**
 * The claim of an error bar: over many keys the 95 % t-interval holds the exact gradient 93 to 97 % of the time. Keys are vmapped in
 * batches; the first few are compared with plain calls.
 */
type Params = { theta: Tensor };

interface Subject {
  readonly name: string;
  readonly f: (params: Params) => Tensor;
  readonly theta: number;
  readonly exact: number;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const bit = ({ theta }: Params, estimator: unknown): Tensor =>
  sample(Bernoulli({ logits: theta }), { name: "a", estimator: estimator as Estimator<never> });

/** A bit with logit theta and cost (b − 0.45)². */
function score(name: string, theta: number, options: ScoreFunctionOptions): Subject {
  const p = sigmoid(theta);
  return {
    name,
    theta,
    f: (params) => square(bit(params, scoreFunction(options)).sub(0.45)),
    exact: p * (1 - p) * 0.1,
  };
}

/** sin of a Normal whose place is moved by an enumerated bit and by theta itself. */
const mix: Subject = {
  name: "enumerate and pathwise",
  theta: 0.4,
  f: (params) =>
    sin(sample(Normal({ loc: bit(params, enumerate()).mul(0.8).add(params.theta), scale: 0.7 }), { name: "x" })),
  exact: (() => {
    const p = sigmoid(0.4);
    const [at0, at1, shrink] = [0.4, 1.2, Math.exp(-0.245)];
    return shrink * ((1 - p) * Math.cos(at0) + p * Math.cos(at1) + p * (1 - p) * (Math.sin(at1) - Math.sin(at0)));
  })(),
};

const subjects: readonly Subject[] = [
  {
    name: "pathwise",
    theta: 0.5,
    f: ({ theta }) => sin(sample(Normal({ loc: theta, scale: 1.2 }), { name: "x" })),
    exact: Math.cos(0.5) * Math.exp(-0.72),
  },
  score("score function", 0.7, { baseline: "none" }),
  score("score function with leave-one-out", 0.7, { baseline: "leaveOneOut" }),
  mix,
];

/** At ½ the estimate varies at second order only, which runs that share a baseline hide: the error bar is an upper bound there. */
const shared = score("score function with leave-one-out at ½", 0, { baseline: "leaveOneOut" });

const full = process.env.CHECK_FULL === "1";
const batchSize = 200;

type E = Expectation<Params, []>;

function gradients(E: E, theta: number, first: number, count: number): { means: Float64Array; stderrs: Float64Array } {
  const run = compile((keys: Tensor, at: Tensor) =>
    vmap((key: Tensor) => {
      const { grad } = E.valueAndGrad({ theta: at }, { key });
      return { mean: grad.mean.theta, stderr: grad.stderr.theta };
    })(keys),
  );
  const [means, stderrs] = [new Float64Array(count), new Float64Array(count)];
  for (let start = 0; start < count; start += batchSize) {
    const keys = split(0, first + count).slice(first + start, first + start + batchSize);
    const out = run(keys, tensor(theta));
    means.set(numbersOf(out.mean), start);
    stderrs.set(numbersOf(out.stderr), start);
  }
  return { means, stderrs };
}

function coverage({ f, theta, exact }: Subject, options: ExpectationOptions, keys: number): number {
  const E = expectation(f, options);
  const { means, stderrs } = gradients(E, theta, 0, keys);
  const all = split(0, keys);
  for (const k of [0, 1, keys - 1]) {
    const { grad } = E.valueAndGrad({ theta }, { key: all.at(k) });
    expect(means[k]).toBeCloseTo(grad.mean.theta.item(), 5);
    expect(stderrs[k]).toBeCloseTo(grad.stderr.theta.item(), 5);
  }
  const { dof } = E.valueAndGrad({ theta }, { key: 0 }).grad;
  const t = tQuantile(0.05, dof);
  return means.filter((mean, i) => Math.abs(mean - exact) <= t * (stderrs[i] as number)).length / keys;
}

/** 93 to 97 %, which is 5.8 standard deviations of the share of 4,000 keys; for fewer keys 4.9 of theirs (600: 90.6 to 99.4 %). */
function expectCovered(share: number, keys = 4000): void {
  const width = Math.max(0.02, 4.9 * Math.sqrt((0.95 * 0.05) / keys));
  expect(share).toBeGreaterThanOrEqual(0.95 - width);
  expect(share).toBeLessThanOrEqual(0.95 + width);
}

describe("a 95 % interval covers the gradient", () => {
  it.each(subjects)("$name, 64 runs", (subject) => {
    expectCovered(coverage(subject, { samples: 64 }, 4000));
  });

  // All 4,000 keys of 1,024 runs take 20 s on a quiet machine, and more beside other tests: in the full check.
  it.each(subjects)("$name, 1024 runs", (subject) => {
    const keys = full ? 4000 : 600;
    expectCovered(coverage(subject, { samples: 1024 }, keys), keys);
  });

  it.each(subjects)("$name, 32 replicates", (subject) => {
    for (const samples of [2, 8]) expectCovered(coverage(subject, { samples, replicates: 32 }, 4000));
  });

  it("at ½, with leave-one-out, at least", () => {
    for (const samples of [64, 1024])
      expect(coverage(shared, { samples }, full ? 4000 : 600)).toBeGreaterThanOrEqual(0.95);
    // Replicates of eight runs are skewed, so a t-interval of 32 of them is a little narrow.
    for (const samples of [2, 8])
      expect(coverage(shared, { samples, replicates: 32 }, 4000)).toBeGreaterThanOrEqual(0.9);
  });
});

describe("where there is no spread to tell", () => {
  const { f, theta, exact } = score("a bit", 0.7, {});

  it.each([2, 4, 10, 63])("%d runs that share a baseline have no error bar, and say why", (samples) => {
    const { value, grad } = expectation(f, { samples }).valueAndGrad({ theta }, { key: 0 });
    expect(grad.stderr.theta.item()).toBeNaN();
    expect(grad.reason).toBe(
      `${samples} runs share a baseline, so their spread is too small: take samples ≥ 64, or replicates ≥ 32`,
    );
    expect(grad.dof).toBe(0);
    expect(value.stderr.item()).not.toBeNaN();
    expect(value.reason).toBeNull();
  });

  it("one run has none either", () => {
    const { value, grad } = expectation(f).valueAndGrad({ theta }, { key: 0 });
    expect([value.stderr.item(), grad.stderr.theta.item()]).toEqual([Number.NaN, Number.NaN]);
    expect(grad.reason).toBe("one run has no spread: take samples ≥ 2, or replicates ≥ 32");
  });

  it("an enumerated gradient is equal to the truth, with an error of 0", () => {
    const E = expectation(f, { samples: 64, estimators: { a: enumerate() } });
    const { value, grad } = E.valueAndGrad({ theta: tensor(theta, { dtype: "float64" }) }, {});
    expect(Math.abs(grad.mean.theta.item() - exact)).toBeLessThanOrEqual(1e-15);
    expect([value.stderr.item(), grad.stderr.theta.item()]).toEqual([0, 0]);
    expect([value.dof, grad.dof]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect([value.reason, grad.reason]).toEqual([null, null]);
  });
});
