import { describe, expect, it } from "vitest";
import { Bernoulli, expectation, Laplace, Normal, Poisson, sample, type Tensor, Uniform } from "../../src/index.js";
import { f64 } from "./judge.js";

/**
 * "Continuous: one-liners. Discrete: REINFORCE", and exactly where the outcomes are few. What the default does, and
 * why.
 */
function choiceOf(f: (p: { theta: Tensor }) => Tensor, theta: Tensor): string[] {
  const [choice] = [...expectation(f, { samples: 8 }).plan({ theta }, {}).plan.choices.values()];
  return [choice!.estimator.name, choice!.why, choice!.baseline];
}

describe("the default", () => {
  it.each([
    ["Normal", (theta: Tensor) => Normal({ loc: theta })],
    ["Laplace", (theta: Tensor) => Laplace({ loc: theta })],
    ["Uniform", (theta: Tensor) => Uniform({ low: theta, high: 4 })],
  ] as const)("continuous %s: the one-liner", (_, law) => {
    const choice = choiceOf(({ theta }) => sample(law(theta)).square(), f64(0.5));
    expect(choice).toEqual(["pathwise", "reparameterised and smooth below", "none"]);
  });

  it("discrete without end: REINFORCE, with the other runs as baseline", () => {
    const choice = choiceOf(({ theta }) => sample(Poisson({ rate: theta })).square(), f64(2));
    expect(choice).toEqual(["scoreFunction", "not reparameterised", "leaveOneOut"]);
  });

  it("eight bits that one cost mixes have 256 outcomes: REINFORCE", () => {
    const choice = choiceOf(
      ({ theta }) =>
        sample(Bernoulli({ probs: theta }))
          .sum()
          .square(),
      f64(Array(8).fill(0.3)),
    );
    expect(choice).toEqual([
      "scoreFunction",
      "not reparameterised; 256 joint outcomes are too many to enumerate",
      "leaveOneOut",
    ]);
  });

  it("four of them have 16: exact", () => {
    const choice = choiceOf(
      ({ theta }) =>
        sample(Bernoulli({ probs: theta }))
          .sum()
          .square(),
      f64(Array(4).fill(0.3)),
    );
    expect(choice).toEqual(["enumerate", "finite: 16 joint outcomes, exact", "none"]);
  });

  it("any number of bits that no cost mixes have 2", () => {
    const choice = choiceOf(
      ({ theta }) =>
        sample(Bernoulli({ probs: theta }))
          .square()
          .sum(),
      f64(Array(100).fill(0.3)),
    );
    expect(choice).toEqual(["enumerate", "finite: 2 joint outcomes, exact", "none"]);
  });
});
