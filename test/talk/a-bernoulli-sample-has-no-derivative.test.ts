import { describe, expect, it } from "vitest";
import {
  Bernoulli,
  Categorical,
  enumerate,
  expectation,
  grad,
  pathwise,
  sample,
  scoreFunction,
  type Tensor,
} from "../../src/index.js";
import { complaint, f64, flat } from "./judge.js";
import { example, loss, weights } from "./network.js";

/** Equations (4)–(5): ∂a/∂p does not exist. Whoever asks for it gets a sentence, not a zero. */
describe("equations (4)-(5): a discrete sample has no derivative", () => {
  it("pathwise at the Bernoulli of the talk's graph names site, distribution, path and remedies", () => {
    const E = expectation(loss, { samples: 4, estimators: { a: pathwise() } });
    const text =
      'NoGradientError: sample "a": Bernoulli gives no reparam, which pathwise needs: ∂a/∂probs does not exist ' +
      "on the path " +
      "probs → a → matmul → sub → mul → mul → loss; use scoreFunction() or enumerate().";
    expect(complaint(() => E.valueAndGrad(weights, example, { key: 0 }))).toBe(text);
    expect(complaint(() => E.hessian(weights, example, { key: 0 }))).toBe(text);
    expect(complaint(() => grad((w: typeof weights) => E.value(w, example, { key: 0 }).mean)(weights))).toBe(text);
  });

  it("so does a Categorical, whose index selects a cost", () => {
    const f = ({ logits }: { logits: Tensor }): Tensor =>
      f64([1, 4, 9]).take(sample(Categorical({ logits }), { name: "k" }));
    const E = expectation(f, { estimators: { k: pathwise() } });
    expect(complaint(() => E.valueAndGrad({ logits: f64([0, 1, 2]) }, { key: 0 }))).toBe(
      'NoGradientError: sample "k": Categorical gives no reparam, which pathwise needs: ∂k/∂logits does not ' +
        "exist on the path " +
        "logits → k → gather → loss; use scoreFunction() or enumerate().",
    );
  });

  it("an unnamed site is named by its kind and order", () => {
    const f = ({ p }: { p: Tensor }): Tensor => sample(Bernoulli({ probs: p })).add(sample(Bernoulli({ probs: p })));
    const E = expectation(f, { estimators: { Bernoulli_1: pathwise() } });
    expect(complaint(() => E.valueAndGrad({ p: 0.3 }, { key: 0 }))).toBe(
      'NoGradientError: sample "Bernoulli_1": Bernoulli gives no reparam, which pathwise needs: ' +
        "∂Bernoulli_1/∂probs does not exist " +
        "on the path probs → Bernoulli_1 → add → loss; use scoreFunction() or enumerate().",
    );
  });

  it("at the site itself TypeScript refuses the pair, and so does the library where TypeScript is silenced", () => {
    const f = ({ p }: { p: Tensor }): Tensor =>
      // @ts-expect-error a Bernoulli gives no reparam
      sample(Bernoulli({ probs: p }), { name: "b", estimator: pathwise() });
    expect(complaint(() => expectation(f).valueAndGrad({ p: 0.3 }, { key: 0 }))).toBe(
      'NoGradientError: sample "b": Bernoulli gives no reparam, which pathwise needs: ∂b/∂probs does not exist ' +
        "on the path " +
        "probs → b → loss; use scoreFunction() or enumerate().",
    );
  });

  it("the remedies it names are remedies: the gradient of E[b] is 1", () => {
    const f = ({ p }: { p: Tensor }): Tensor => sample(Bernoulli({ probs: p }), { name: "b" });
    const exact = expectation(f, { estimators: { b: enumerate() } }).valueAndGrad({ p: f64(0.25) }, { key: 0 });
    expect(flat(exact.grad.mean)).toEqual([1]);
    // Recorded draws in their proportions: ∇ log p is 1/p and −1/(1 − p), the cost 1 and 0.
    const E = expectation(f, { samples: 4, estimators: { b: scoreFunction({ baseline: "none" }) } });
    const scored = E.valueAndGrad({ p: f64(0.25) }, { key: 0, given: { b: f64([1, 0, 0, 0]) } });
    expect(flat(scored.grad.mean)).toEqual([1]);
  });
});
