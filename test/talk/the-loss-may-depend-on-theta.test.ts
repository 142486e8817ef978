import { describe, expect, it } from "vitest";
import {
  Bernoulli,
  expectation,
  Normal,
  pathwise,
  sample,
  scoreFunction,
  stopGradient,
  type Tensor,
} from "../../src/index.js";
import { expectEqual, f64, flat, judge } from "./judge.js";

/**
 * ∇E_pθ[L(x, θ)] = E[L ∇log pθ] + E[∂L/∂θ]: the talk's derivation leaves the second term out, a library must not.
 * Statistical comparisons: m = 2, z ≤ 5.4, first key 0.
 */
const compare = judge(2);
const p = 0.3;

/** E[L] = θ³ (0.64 θ + 0.04 (1 − θ)) = 0.6 θ⁴ + 0.04 θ³ */
const cost = (b: Tensor, theta: Tensor): Tensor => b.sub(0.2).square().mul(theta.pow(3));
const draw = (theta: Tensor): Tensor => sample(Bernoulli({ probs: theta }), { name: "b" });
const exact = (f: (t: { theta: Tensor }) => Tensor): number =>
  expectation(f)
    .valueAndGrad({ theta: f64(p) }, { key: 0 })
    .grad.mean.theta.item();

describe("a loss that depends on θ itself", () => {
  const both = 2.4 * p ** 3 + 0.12 * p ** 2;
  const viaLaw = 0.6 * p ** 3;
  const viaLoss = 3 * p ** 2 * (0.6 * p + 0.04);

  it("both terms are in the gradient", () => {
    expectEqual(
      exact(({ theta }) => cost(draw(theta), theta)),
      both,
    );
  });

  it("they are the two halves that stopGradient separates", () => {
    expectEqual(
      exact(({ theta }) => cost(draw(theta), stopGradient(theta))),
      viaLaw,
    );
    expectEqual(
      exact(({ theta }) => cost(draw(stopGradient(theta)), theta)),
      viaLoss,
    );
    expectEqual(viaLaw + viaLoss, both);
  });

  it("the score function keeps both: outcome by outcome, weighted with its probability", () => {
    const E = expectation(({ theta }: { theta: Tensor }) => cost(draw(theta), theta), {
      samples: 10,
      estimators: { b: scoreFunction({ baseline: "none" }) },
    });
    const draws = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    expectEqual(E.valueAndGrad({ theta: f64(p) }, { key: 0, given: { b: f64(draws) } }).grad.mean, both);
  });

  it("so does pathwise: E[θ² x³], x ~ N(θ, 1), is θ⁵ + 3θ³", () => {
    const f = ({ theta }: { theta: Tensor }): Tensor =>
      sample(Normal({ loc: theta }), { name: "x" })
        .pow(3)
        .mul(theta.square());
    for (const estimator of [pathwise(), scoreFunction()]) {
      const E = expectation(f, { samples: 10, replicates: 5000, estimators: { x: estimator } });
      compare(E.valueAndGrad({ theta: f64(1) }, { key: 0 }).grad, 5 + 9);
    }
  });

  it("a loss that is the log-density itself: E[log p] of N(0, s) has the derivative −1/s, on every draw", () => {
    const f = ({ s }: { s: Tensor }): Tensor => {
      const d = Normal({ loc: 0, scale: s });
      return d.logProb(sample(d, { name: "x" }));
    };
    const { grad } = expectation(f, { samples: 1, replicates: 40 }).valueAndGrad({ s: f64(0.5) }, { key: 0 });
    expectEqual(grad.mean, [-2]);
    expect(flat(grad.stderr)[0]).toBeLessThan(1e-15);
  });
});
