import { beforeAll, describe, expect, it } from "vitest";
import { type Estimator, expectation, Normal, pathwise, sample, scoreFunction, type Tensor } from "../../src/index.js";
import { f64, zLimit } from "./judge.js";
import { gaussHermite, integral } from "./quadrature.js";

/**
 * The error of the Monte-Carlo sum falls as S^(−1/2). Method: at S = 8, 32, 128, 512 runs, the root-mean-square error
 * over 1024 seeds of the value and of the gradient of E[cos x], x ~ N(0.5, 1); the slope is least squares of log error
 * on log S. Each log error has standard deviation ≈ 1/√(2·1024) = 0.022, the slope 0.0071, so ± 0.05 is z = 7 (m = 4
 * slopes, limit 5.4). Seeds from 0 up.
 */
const sizes = [8, 32, 128, 512];
const seeds = 1024;
const mu = 0.5;
const truth = { value: Math.cos(mu) * Math.exp(-0.5), grad: -Math.sin(mu) * Math.exp(-0.5) };
const f = ({ mu }: { mu: Tensor }): Tensor => sample(Normal({ loc: mu }), { name: "x" }).cos();

interface Errors {
  value: number;
  grad: number;
}

/** Root-mean-square errors of one estimate of `samples` runs. */
function errors(samples: number, estimator: Estimator<"reparam"> | Estimator<"logProb">): Errors {
  const E = expectation(f, { samples, estimators: { x: estimator } });
  const total = { value: 0, grad: 0 };
  for (let seed = 0; seed < seeds; seed++) {
    const { value, grad } = E.valueAndGrad({ mu: f64(mu) }, { key: seed });
    total.value += (value.mean.item() - truth.value) ** 2;
    total.grad += (grad.mean.mu.item() - truth.grad) ** 2;
  }
  return { value: Math.sqrt(total.value / seeds), grad: Math.sqrt(total.grad / seeds) };
}

function slopeOf(y: readonly number[]): number {
  const x = sizes.map(Math.log);
  const centre = x.reduce((a, b) => a + b, 0) / x.length;
  const spread = x.reduce((total, v) => total + (v - centre) ** 2, 0);
  return x.reduce((total, v, i) => total + (v - centre) * Math.log(y[i] as number), 0) / spread;
}

const e = gaussHermite(60);
const deviation = (g: (x: number, epsilon: number) => number): number => {
  const mean = integral(e, (z) => g(mu + z, z));
  return Math.sqrt(integral(e, (z) => (g(mu + z, z) - mean) ** 2));
};

describe.each([
  ["pathwise", pathwise(), (x: number) => -Math.sin(x)],
  ["scoreFunction", scoreFunction({ baseline: "none" }), (x: number, z: number) => z * Math.cos(x)],
] as const)("the error of %s", (_, estimator, run) => {
  let found: Errors[] = [];
  beforeAll(() => {
    found = sizes.map((size) => errors(size, estimator));
  });

  it("falls as S^(-1/2), in value and gradient", () => {
    for (const part of ["value", "grad"] as const) {
      expect(Math.abs(slopeOf(found.map((at) => at[part])) + 0.5)).toBeLessThan(0.05);
    }
  });

  it("is the deviation of one run over √S", () => {
    const limit = zLimit(10) / Math.sqrt(2 * seeds);
    sizes.forEach((size, i) => {
      const ratio = (found[i]!.grad * Math.sqrt(size)) / deviation(run);
      // Below 128 runs an error is not yet normal, and its spread not yet that of a normal.
      if (size >= 128) expect(Math.abs(Math.log(ratio))).toBeLessThan(limit);
    });
  });
});
