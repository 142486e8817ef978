import { describe, expect, it } from "vitest";
import { Bernoulli, expectation, matmul, sample, sigmoid, square, stopGradient, type Tensor } from "../../src/index.js";
import { expectEqual, flat } from "./judge.js";
import {
  costOf,
  differences,
  type Example,
  example,
  expected,
  loss,
  numbers,
  type Weights,
  weights,
} from "./network.js";

/**
 * The backward pass comes as far as the sample. What lies after it has an ordinary derivative, what lies before needs
 * an estimator.
 */
describe("the backward pass stops at the sample", () => {
  /** ∂L/∂W⁽²⁾ of one draw, (a⁽²⁾ − y) aᵀ, averaged over the draws. */
  const after = numbers.W2[0]!.map((_, i) =>
    expected(numbers, (a) => (numbers.W2[0]!.reduce((t, w, j) => t + w * a[j]!, 0) - numbers.y[0]!) * a[i]!),
  );

  const stopped = ({ W0, W1, W2 }: Weights, { x, y }: Example): Tensor => {
    const theta = stopGradient(sigmoid(matmul(W1, sigmoid(matmul(W0, x)))));
    return square(y.sub(matmul(W2, sample(Bernoulli({ probs: theta }), { name: "a" })))).mul(0.5);
  };

  it("stopped by hand, W2 keeps its derivative, W0 and W1 get exact zeros", () => {
    const { grad } = expectation(stopped).valueAndGrad(weights, example, { key: 0 });
    expectEqual(grad.mean.W2, after);
    expect(flat(grad.mean.W0)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(flat(grad.mean.W1)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("not stopped, W0 and W1 get what the sample's law passes on, and W2 the same as before", () => {
    const { grad } = expectation(loss).valueAndGrad(weights, example, { key: 0 });
    const { W0, W1 } = differences((w) => expected(w, (a) => costOf(w, a)));
    expectEqual(grad.mean.W2, after);
    expectEqual(grad.mean.W0, W0, 1e-10);
    expectEqual(grad.mean.W1, W1, 1e-10);
    expect(Math.min(...flat([W0, W1]).map(Math.abs))).toBeGreaterThan(1e-4);
  });
});
