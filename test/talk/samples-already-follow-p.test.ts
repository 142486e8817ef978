import { describe, expect, it } from "vitest";
import { expectation, grad, Normal, sample, type Tensor } from "../../src/index.js";
import { f64, judge } from "./judge.js";
import { integrate, tanhSinh } from "./quadrature.js";
import { at, cost, exactGrad, exactValue, law, type Theta, theta } from "./wave.js";

/**
 * Where does the multiplication by p(·) go? Into the samples: they follow p already. Whoever multiplies again estimates
 * ∫ p² L. Densities return where the samples follow another law q, as weights p/q. Comparisons: m = 9, z ≤ 5.4, first
 * key 0.
 */
const compare = judge(9);
const rule = tanhSinh(at.mu - 8, at.mu + 8);
const q = Normal({ loc: f64(0.8), scale: f64(0.9) });
const estimate = (f: (t: Theta) => Tensor, replicates: number) =>
  expectation(f, { samples: 1, replicates }).valueAndGrad(theta, { key: 0 });

describe("what happens to the multiplication by p", () => {
  it("nothing is left of it: the mean of L(x) is ∫ p L", () => {
    const { value, grad } = estimate((t) => cost(sample(law(t), { name: "x" })), 60_000);
    compare(value, exactValue(at));
    compare(grad, exactGrad(at));
  });

  it("multiplying by p again gives ∫ p² L, which is something else", () => {
    const twice = (t: Theta): Tensor => integrate(rule, (x) => law(t).prob(x).square().mul(cost(x)));
    const { value, grad: slopes } = estimate((t) => {
      const x = sample(law(t), { name: "x" });
      return law(t).prob(x).mul(cost(x));
    }, 60_000);
    compare(value, twice(theta));
    compare(slopes, grad(twice)(theta));
    expect(Math.abs(value.mean.item() - exactValue(at)) / value.stderr.item()).toBeGreaterThan(100);
    expect(Math.abs(slopes.mean.mu.item() - exactGrad(at).mu) / slopes.stderr.mu.item()).toBeGreaterThan(100);
  });

  it("with samples of q the weights p/q bring ∫ p L back, and its gradient through the weights", () => {
    const { value, grad } = estimate((t) => {
      const x = sample(q, { name: "x" });
      return law(t).logProb(x).sub(q.logProb(x)).exp().mul(cost(x));
    }, 120_000);
    compare(value, exactValue(at));
    compare(grad, exactGrad(at));
  });
});
