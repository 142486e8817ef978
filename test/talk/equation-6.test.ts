import { describe, expect, it } from "vitest";
import { ancestors, between } from "../../src/graph/walk.js";
import { expectation, grad, jvp, key, Normal, sample, type Tensor } from "../../src/index.js";
import { complaint, expectEqual, f64, flat, zLimit } from "./judge.js";

/** Equation (6): ε ~ N(0, 1), x = g(ε, θ) = μ + σε; for N(2, 1/4) that is x = 2 + ε/2. */
const draws = 10_000;
const draw = (mu: Tensor, sigma: Tensor): Tensor =>
  Normal({ loc: mu, scale: sigma }).sample(0, { sampleShape: [draws] });
const [two, half, one, zero] = [f64(2), f64(0.5), f64(1), f64(0)];

describe("equation (6): x = 2 + ε/2", () => {
  const epsilon = flat(draw(zero, one));

  it("the sample is that function of the noise of the same key", () => {
    expect(flat(draw(two, half))).toEqual(epsilon.map((e) => 2 + e / 2));
  });

  it("dx/dμ = 1", () => {
    const { tangent } = jvp((mu: Tensor) => draw(mu, half), two, one);
    expect(flat(tangent)).toEqual(epsilon.map(() => 1));
  });

  it("dx/dσ = ε, not ½ε", () => {
    const { tangent } = jvp((sigma: Tensor) => draw(two, sigma), half, one);
    expect(flat(tangent)).toEqual(epsilon);
  });

  it("½ε is the derivative in log σ, and σε is the value without its mean", () => {
    const { tangent } = jvp((logSigma: Tensor) => draw(two, logSigma.exp()), f64(Math.log(0.5)), one);
    expectEqual(
      tangent,
      epsilon.map((e) => e / 2),
    );
    expectEqual(
      draw(two, half).sub(2),
      epsilon.map((e) => e / 2),
      1e-15,
    );
  });

  it("inside an expectation of x: gradient 1 and mean ε, on every run", () => {
    const E = expectation(
      ({ mu, sigma }: { mu: Tensor; sigma: Tensor }) => sample(Normal({ loc: mu, scale: sigma }), { name: "x" }),
      { samples: 64 },
    );
    const { value, grad } = E.valueAndGrad({ mu: two, sigma: half }, { key: 0 });
    expect(grad.mean.mu.item()).toBe(1);
    expect(grad.stderr.mu.item()).toBe(0);
    expectEqual(value.mean, 2 + 0.5 * grad.mean.sigma.item());
    expect(Math.abs(grad.mean.sigma.item())).toBeGreaterThan(1e-3);
  });

  // One Kolmogorov–Smirnov comparison: P(√n D > t) ≈ 2 e^(−2t²) is 1e-6 at t = 2.69. First key 0.
  it("and it follows N(2, 1/4)", () => {
    const u = flat(Normal({ loc: two, scale: half }).cdf(draw(two, half))).sort((a, b) => a - b);
    const distance = Math.max(...u.map((v, i) => Math.max(v - i / draws, (i + 1) / draws - v)));
    expect(Math.sqrt(draws) * distance).toBeLessThan(2.69);
    const mean = epsilon.reduce((a, b) => a + b, 0) / draws;
    expect(Math.abs(mean) * Math.sqrt(draws)).toBeLessThan(zLimit(1));
  });
});

describe("the noise is a constant of the graph", () => {
  it("nothing a derivative may enter lies above it: its ancestors are the key and the number of the run", () => {
    const f = ({ mu, sigma }: { mu: Tensor; sigma: Tensor }): Tensor =>
      sample(Normal({ loc: mu, scale: sigma }), { name: "x" });
    const { program, objective } = expectation(f, { samples: 2 }).plan({ mu: 2, sigma: 0.5 }, {});
    const x = ancestors([objective]).find((node) => node.primitive?.name === "ndtri");
    const labels = ancestors([x!]).flatMap((node) => node.label ?? []);
    expect(labels.sort()).toEqual(["key", "run"]);
    const leaves = ancestors([x!]).filter((node) => node.primitive === null);
    expect(leaves.filter((node) => node.dtype !== "uint32")).toEqual([]);
    expect(between(program.holes.slice(0, 2), [x!])).toEqual([]);
  });

  it("so dx/dε cannot be asked for: a key is no argument of a derivative", () => {
    expect(complaint(() => grad((k: Tensor) => Normal({}).sample(k))(key(0)))).toBe(
      "SamplegradError: grad: got params of dtype uint32, expected float32 or float64; pass what is not " +
        "differentiated as a later argument.",
    );
  });
});
