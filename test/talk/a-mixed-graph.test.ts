import { describe, expect, it } from "vitest";
import { Bernoulli, expectation, Normal, sample, scoreFunction, type Tensor } from "../../src/index.js";
import { expectEqual, f64, judge } from "./judge.js";
import { gaussHermite, integral, slope } from "./quadrature.js";

/**
 * Discrete and continuous choices in one program: b₁ ~ B(σ(θ + 0.3)), x ~ N(0.5 b₁ + θ, e^(0.2 θ)), b₃ ~ B(σ(0.8 x −
 * 0.4 b₁ + 0.3 θ)), cost (b₃ − 0.3)²(1 + x²) + θ b₁ b₃. The truth is a sum over b₁ and b₃ of an integral over x.
 * Statistical comparisons: two gradients and two values, m = 4, z ≤ 5.4, first key 0.
 */
const compare = judge(4);
const theta = f64(0.4);

function program({ theta }: { theta: Tensor }): Tensor {
  const b1 = sample(Bernoulli({ logits: theta.add(0.3) }), { name: "b1" });
  const x = sample(Normal({ loc: b1.mul(0.5).add(theta), scale: theta.mul(0.2).exp() }), { name: "x" });
  const b3 = sample(Bernoulli({ logits: x.mul(0.8).sub(b1.mul(0.4)).add(theta.mul(0.3)) }), { name: "b3" });
  return b3.sub(0.3).square().mul(x.square().add(1)).add(theta.mul(b1).mul(b3));
}

const rule = gaussHermite(60);
const sigma = (l: number): number => 1 / (1 + Math.exp(-l));

function exact(t: number): number {
  return [0, 1].reduce((total, b1) => {
    const p1 = b1 === 1 ? sigma(t + 0.3) : 1 - sigma(t + 0.3);
    const inner = integral(rule, (e) => {
      const x = 0.5 * b1 + t + Math.exp(0.2 * t) * e;
      const p3 = sigma(0.8 * x - 0.4 * b1 + 0.3 * t);
      return (1 - p3) * 0.09 * (1 + x * x) + p3 * (0.49 * (1 + x * x) + t * b1);
    });
    return total + p1 * inner;
  }, 0);
}

describe("a mixed graph", () => {
  const truth = { value: exact(0.4), grad: slope(exact, 0.4) };

  it("its truth is the one found elsewhere to twelve digits", () => {
    expectEqual([truth.value, truth.grad], [1.168977516138, 1.603706716424], 1e-10);
  });

  it("the default picks enumeration at both bits and the one-liner in between", () => {
    const { plan } = expectation(program).plan({ theta }, {});
    expect([...plan.choices.values()].map(({ estimator }) => estimator.name)).toEqual([
      "enumerate",
      "pathwise",
      "enumerate",
    ]);
  });

  it("and is right", () => {
    const E = expectation(program, { samples: 1, replicates: 30_000 });
    const { value, grad } = E.valueAndGrad({ theta }, { key: 0 });
    compare(value, truth.value);
    compare(grad, truth.grad);
  });

  it("so is the talk's own choice: REINFORCE at the bits, the one-liner in between", () => {
    const estimators = { b1: scoreFunction(), b3: scoreFunction() };
    const E = expectation(program, { samples: 10, replicates: 5000, estimators });
    const { value, grad } = E.valueAndGrad({ theta }, { key: 0 });
    compare(value, truth.value);
    compare(grad, truth.grad);
  });
});
