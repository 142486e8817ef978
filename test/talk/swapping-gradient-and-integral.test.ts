import { describe, expect, it } from "vitest";
import { expectation, grad, greater, Normal, pathwise, sample, scoreFunction, type Tensor } from "../../src/index.js";
import { complaint, expectEqual, f64, judge } from "./judge.js";
import { gaussHermite, integral, joined, slope, tanhSinh } from "./quadrature.js";

/**
 * ∇ ∫ p(ε) L(g(ε, θ)) dε = ∫ p(ε) ∇L(g(ε, θ)) dε needs an L that is continuous. With the step L(x) = [x > c] the left
 * side is the density at the step and the right side is 0. Statistical comparisons: m = 4, z ≤ 5.4, first key 0.
 */
const compare = judge(4);
const c = 1;
const at = { mu: 0.4, sigma: 0.8 };
const params = { mu: f64(at.mu), sigma: f64(at.sigma) };
type Theta = typeof params;

const phi = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
const z = (c - at.mu) / at.sigma;
/** P(x > c) = 1 − Φ(z) */
const truth = { mu: phi(z) / at.sigma, sigma: (z * phi(z)) / at.sigma };

const step = (x: Tensor): Tensor => greater(x, c).toDType("float64");
const program = ({ mu, sigma }: Theta): Tensor => step(sample(Normal({ loc: mu, scale: sigma }), { name: "x" }));

describe("swapping ∇ and ∫", () => {
  it("the derivative of the integral is the density at the step", () => {
    // Cut at the step: there the integrand jumps.
    const probability = ({ mu, sigma }: typeof at): number =>
      integral(
        joined(tanhSinh(mu - 13, c), tanhSinh(c, mu + 13)),
        (x) => ((x > c ? 1 : 0) * phi((x - mu) / sigma)) / sigma,
      );
    const got = [
      slope((mu) => probability({ ...at, mu }), at.mu),
      slope((sigma) => probability({ ...at, sigma }), at.sigma),
    ];
    expectEqual(got, truth, 1e-6);
    expect(truth.mu).toBeGreaterThan(0.3);
  });

  it("the integral of the derivative is 0, at every ε", () => {
    const epsilon = f64([...gaussHermite(60).x]);
    const slopes = grad(({ mu, sigma }: Theta) => step(mu.add(sigma.mul(epsilon))).sum())(params);
    expect([slopes.mu.item(), slopes.sigma.item()]).toEqual([0, 0]);
  });

  it("so pathwise is refused", () => {
    const E = expectation(program, { samples: 2, estimators: { x: pathwise() } });
    expect(complaint(() => E.valueAndGrad(params, { key: 0 }))).toBe(
      'NoGradientError: sample "x": pathwise would be biased: the sample reaches the cost through greater ' +
        "(x → greater → convert → loss), whose derivative is zero or undefined; use scoreFunction().",
    );
  });

  it("REINFORCE is right", () => {
    const E = expectation(program, { samples: 10, replicates: 6000, estimators: { x: scoreFunction() } });
    compare(E.valueAndGrad(params, { key: 0 }).grad, truth);
  });

  it("the default finds that out by itself", () => {
    const E = expectation(program, { samples: 10, replicates: 6000 });
    const [choice] = [...E.plan(params, {}).plan.choices.values()];
    expect(choice?.why).toBe("the cost jumps in it (x → greater → convert → loss), which pathwise would miss");
    compare(E.valueAndGrad(params, { key: 0 }).grad, truth);
  });

  it("where L is continuous the swap holds, kinks or not", () => {
    const relu = ({ mu, sigma }: Theta): Tensor => sample(Normal({ loc: mu, scale: sigma }), { name: "x" }).relu();
    const [choice] = [...expectation(relu).plan(params, {}).plan.choices.values()];
    expect(choice?.estimator.name).toBe("pathwise");
    const split = -at.mu / at.sigma;
    const noise = joined(tanhSinh(-13, split), tanhSinh(split, 13));
    const inside = integral(noise, (e) => phi(e) * (at.mu + at.sigma * e > 0 ? 1 : 0));
    const outside = slope((mu) => integral(noise, (e) => phi(e) * Math.max(0, mu + at.sigma * e)), at.mu, 1e-4);
    // Moved by h, the kink leaves its cut: differences of the integral see that as O(h²).
    expectEqual(outside, inside, 1e-6);
  });
});
