import { describe, expect, it } from "vitest";
import { Bernoulli, expectation, grad, Normal, sample, type Tensor } from "../../src/index.js";
import { complaint, expectEqual, f64, flat, zLimit } from "./judge.js";

/**
 * The object of the talk is ∇E[L(x)], not ∇L(x): what comes back is an estimate with an error bar, never a bare loss.
 */
const at = { mu: 0.8, sigma: 0.5 };
const params = { mu: f64(at.mu), sigma: f64(at.sigma) };
const f = ({ mu, sigma }: typeof params): Tensor => sample(Normal({ loc: mu, scale: sigma }), { name: "x" }).square();

describe("we are not computing the gradient of L(x)", () => {
  it("a sample outside an expectation is an error: there is no law to take a mean over", () => {
    const text =
      "SamplegradError: sample: nobody draws here: it works inside expectation(f); d.sample(key) for plain draws.";
    expect(complaint(() => f(params))).toBe(text);
    expect(complaint(() => grad(f)(params))).toBe(text);
  });

  it("∇L at the mean of x is another number: here 2σ is missing from it", () => {
    const E = expectation(f, { samples: 4096 });
    const atTheMean = grad(({ mu }: { mu: Tensor }) => mu.square())({ mu: f64(at.mu) });
    expectEqual(atTheMean, [2 * at.mu]);
    const { mean, stderr } = E.valueAndGrad(params, { key: 0 }).grad;
    // E[x²] = μ² + σ², with derivatives 2μ and 2σ.
    expect(Math.abs(mean.sigma.item() - 2 * at.sigma)).toBeLessThan(8 * stderr.sigma.item());
    expect(mean.sigma.item()).toBeGreaterThan(20 * stderr.sigma.item());
  });

  it("value and gradient carry mean, standard error, degrees of freedom; biased says no", () => {
    const samples = 4096;
    const { value, grad, biased } = expectation(f, { samples }).valueAndGrad(params, { key: 0 });
    // Var x² = 4μ²σ² + 2σ⁴; var 2x = 4σ². A spread of n blocks is known to 1/√(2n).
    const wanted = Math.sqrt((4 * at.mu ** 2 * at.sigma ** 2 + 2 * at.sigma ** 4) / samples);
    expect(Math.abs(value.stderr.item() / wanted - 1)).toBeLessThan((zLimit(3) * 1.5) / Math.sqrt(2 * samples));
    expect(Math.abs(value.mean.item() - (at.mu ** 2 + at.sigma ** 2))).toBeLessThan(zLimit(3) * wanted);
    expect(Math.abs(Math.log((grad.stderr.mu.item() * Math.sqrt(samples)) / (2 * at.sigma)))).toBeLessThan(
      zLimit(3) / Math.sqrt(2 * 31),
    );
    expect([value.dof, grad.dof, value.reason, grad.reason, biased]).toEqual([4095, 31, null, null, false]);
  });

  it("an exact gradient says so: error bar 0", () => {
    const E = expectation(({ p }: { p: Tensor }) => sample(Bernoulli({ probs: p }), { name: "b" }).mul(4));
    const { value, grad } = E.valueAndGrad({ p: f64(0.25) }, { key: 0 });
    expect([value.mean, value.stderr, grad.mean.p, grad.stderr.p].flatMap(flat)).toEqual([1, 0, 4, 0]);
    expect([value.dof, grad.dof]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it("one run has no error bar, and says why instead of guessing", () => {
    const { value, grad } = expectation(f).valueAndGrad(params, { key: 0 });
    expect([value.stderr, grad.stderr].flatMap(flat)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(value.reason).toBe("one run has no spread: take samples ≥ 2");
    expect(grad.reason).toBe("one run has no spread: take samples ≥ 2, or replicates ≥ 32");
  });

  it("the estimate needs a key; the same key gives the same numbers, another key others", () => {
    const E = expectation(f, { samples: 8 });
    expect(complaint(() => E.valueAndGrad(params, {}))).toBe(
      "SamplegradError: expectation: got no key, expected a key; { key: 0 }, or a key made by key(seed), split " +
        "or foldIn.",
    );
    const [a, b, c] = [0, 0, 1].map((key) => flat(E.valueAndGrad(params, { key }).grad.mean));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });
});
