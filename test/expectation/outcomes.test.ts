import { describe, expect, it } from "vitest";
import { Bernoulli, enumerate, expectation, sample, type Tensor, zeros } from "../../src/index.js";

describe("enumerating too much is refused before it starts", () => {
  const bits = (l: Tensor): Tensor => sample(Bernoulli({ logits: l }), { name: "a", estimator: enumerate() });

  it("too many joint outcomes", () => {
    const f = ({ l }: { l: Tensor }): Tensor => bits(l).sum().square();
    expect(() => expectation(f).value({ l: zeros([20]) }, { key: 0 })).toThrow(
      'sample "a": got 1048576 joint outcomes to enumerate, expected at most 65536; scoreFunction() at some of the sites.',
    );
  });

  it("too many numbers in them", () => {
    const f = ({ l }: { l: Tensor }, { w }: { w: Tensor }): Tensor => bits(l).matmul(w).square().sum();
    expect(() => expectation(f).value({ l: zeros([500, 15]) }, { w: zeros([15, 30]) }, { key: 0 })).toThrow(
      'sample "a": got 1228832768 numbers in 32768 joint outcomes to enumerate, expected at most 536870912; scoreFunction() at some of the sites.',
    );
  });

  it("elements that no cost mixes share an outcome: five hundred bits are two", () => {
    const f = ({ l }: { l: Tensor }): Tensor => bits(l).sub(0.3).square().sum();
    expect(expectation(f).plan({ l: zeros([500]) }, { key: 0 }).plan.outcomes).toBe(2);
  });
});
