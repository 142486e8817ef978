import { describe, expect, it } from "vitest";
import {
  Exponential,
  expectation,
  pathwise,
  sample,
  scoreFunction,
  stopGradient,
  type Tensor,
  Uniform,
} from "../../src/index.js";
import { complaint, expectEqual, f64, judge } from "./judge.js";

/**
 * The log-derivative trick moves ∇ under ∫ over a support that stands still. Uniform's does not: E[u²] = (a² + ab +
 * b²)/3 has the derivatives (2a + b)/3 and (a + 2b)/3, the score alone would give ±E[u²]/(b − a). Comparisons: m = 2, z
 * ≤ 5.4. First key 0.
 */
const compare = judge(2);
const bounds = { low: f64(0.5), high: f64(2) };
const f = ({ low, high }: typeof bounds): Tensor => sample(Uniform({ low, high }), { name: "u" }).square();

describe("a score function of bounds that move", () => {
  it("is refused by name", () => {
    const E = expectation(f, { samples: 4, estimators: { u: scoreFunction() } });
    expect(complaint(() => E.valueAndGrad(bounds, { key: 0 }))).toBe(
      'NoGradientError: sample "u": the support of Uniform moves with low and high, so the score function loses ' +
        "the boundary term; " +
        "use pathwise().",
    );
  });

  it("would have been wrong: the mean of the score is not zero", () => {
    const width = 1.5;
    // ∂ log p/∂high = −1/(b − a) at every u, while a score has mean zero on a fixed support.
    const slope = expectation(({ high }: { high: Tensor }) => Uniform({ low: 0.5, high }).logProb(1)).valueAndGrad(
      { high: f64(2) },
      {},
    );
    expectEqual(slope.grad.mean, [-1 / width]);
  });

  it("pathwise, the default, is right", () => {
    const E = expectation(f, { samples: 1, replicates: 20_000 });
    const { low: a, high: b } = { low: 0.5, high: 2 };
    compare(E.valueAndGrad(bounds, { key: 0 }).grad, { low: (2 * a + b) / 3, high: (a + 2 * b) / 3 });
  });

  it("bounds that no derivative enters may be scored", () => {
    const still = ({ low, high }: typeof bounds): Tensor => {
      const u = sample(Uniform({ low: stopGradient(low), high: stopGradient(high) }), { name: "u" });
      return u.mul(low);
    };
    const E = expectation(still, { samples: 2, estimators: { u: scoreFunction() } });
    expect(complaint(() => E.valueAndGrad(bounds, { key: 0 }))).toBe("no complaint");
  });

  it("a support that stands still may be scored too", () => {
    const g = ({ rate }: { rate: Tensor }): Tensor => sample(Exponential({ rate }), { name: "t" });
    for (const estimator of [scoreFunction(), pathwise()]) {
      const E = expectation(g, { samples: 2, estimators: { t: estimator } });
      expect(complaint(() => E.valueAndGrad({ rate: f64(2) }, { key: 0 }))).toBe("no complaint");
    }
  });
});
