import { describe, expect, it } from "vitest";
import { expectation, grad, Normal, pathwise, sample, type Tensor, tensor } from "../../src/index.js";
import { expectEqual, f64, flat, judge } from "./judge.js";
import { gaussHermite, integrate, slope, tanhSinh } from "./quadrature.js";
import { at, cost, exactGrad, exactValue, law, slopeOfCost, type Theta, theta } from "./wave.js";

/**
 * The derivation of the pathwise gradient, each line a number: E = ∫ p(x) L(x) dx with x ~ N(μ, σ), x = g(ε, θ) = μ +
 * σε. Two rules of integration, over x and over ε, so that equality of the lines is not that of a sum with itself. m =
 * 3, z ≤ 5.4, first key 0.
 */
const compare = judge(3);
const overX = tanhSinh(at.mu - 8, at.mu + 8);
const overNoise = gaussHermite(60);
const standard = Normal({ loc: f64(0), scale: f64(1) });
const g = (epsilon: Tensor, { mu, sigma }: Theta): Tensor => mu.add(sigma.mul(epsilon));

describe("the change of variables, line by line", () => {
  const values: [string, (t: Theta) => Tensor][] = [
    ["∫ p(x) L(x) dx", (t) => integrate(overX, (x) => law(t).prob(x).mul(cost(x)))],
    [
      "∫ p(ε) |dε/dx| L(x) dx",
      ({ mu, sigma }) => integrate(overX, (x) => standard.prob(x.sub(mu).div(sigma)).div(sigma.abs()).mul(cost(x))),
    ],
    ["∫ p(ε) L(x(ε)) dε", (t) => integrate(tanhSinh(-13, 13), (e) => standard.prob(e).mul(cost(g(e, t))))],
    ["E_p(ε)[L(g(ε, θ))]", (t) => integrate(overNoise, (e) => cost(g(e, t)))],
  ];

  it.each(values)("%s is the closed form", (_, line) => {
    expectEqual(line(theta), exactValue(at), 1e-9);
  });

  it.each(values)("∇ %s, by differences of the integral", (_, line) => {
    const along = (name: "mu" | "sigma"): number => slope((v) => line({ ...theta, [name]: f64(v) }).item(), at[name]);
    expectEqual([along("mu"), along("sigma")], exactGrad(at), 1e-6);
  });

  it.each(values)("∇ under the sign of %s", (_, line) => {
    expectEqual(grad(line)(theta), exactGrad(at), 1e-9);
  });

  it("E_p(ε)[L′(g) ∂g/∂θ], with ∂g/∂μ = 1 and ∂g/∂σ = ε", () => {
    const mu = integrate(overNoise, (e) => slopeOfCost(g(e, theta)));
    const sigma = integrate(overNoise, (e) => slopeOfCost(g(e, theta)).mul(e));
    expectEqual([mu, sigma], exactGrad(at), 1e-9);
  });

  it("the Monte-Carlo sum 1/S Σ ∇L(g(ε⁽ˢ⁾, θ))", () => {
    const f = (t: Theta): Tensor => cost(sample(law(t), { name: "x" }));
    const E = expectation(f, { samples: 1, replicates: 60_000, estimators: { x: pathwise() } });
    const { value, grad } = E.valueAndGrad(theta, { key: 0 });
    compare(value, exactValue(at));
    compare(grad, exactGrad(at));
  });

  it("which is that sum and nothing else: at recorded ε it is the mean of their derivatives", () => {
    const epsilon = [-1.3, 0.2, 0.9];
    const one = (e: number): number[] => flat(grad((t: Theta) => cost(g(f64(e), t)))(theta));
    const mean = [0, 1].map((k) => epsilon.reduce((total, e) => total + one(e)[k]! / epsilon.length, 0));
    const together = grad((t: Theta) => cost(g(tensor(epsilon, { dtype: "float64" }), t)).mean())(theta);
    expectEqual(together, mean);
    expect(mean[0]).not.toBe(0);
  });
});
