import { describe, expect, it } from "vitest";
import { siteNode } from "../../src/expectation/program.js";
import { smoothnessAt } from "../../src/graph/smooth.js";
import { grad, hessian, type Tensor, tensor, valueAndGrad } from "../../src/index.js";
import { streamOf } from "../../src/random/uniform.js";
import { chiSquare, expectClose, kolmogorov, kolmogorovLimit, worstOnTheWay } from "./checks.js";
import { lawIf } from "./lawIf.js";
import { ruleFor } from "./quadrature.js";
import {
  build,
  distributionOf,
  list,
  repeated,
  spots,
  subjects,
  type Tree,
  treeOf,
  twinOf,
  valuesOf,
} from "./subjects.js";

/** Every family × case × float type: what a distribution is, by quadrature and by its own cdf. */

const draws = 20_000;
/** One comparison per subject; false alarms of the file together 1e-6; first key 0. */
const alarm = 1e-6 / subjects.length;

describe.each(subjects)("$label", (subject) => {
  const { family, given, dtype } = subject;
  const d = distributionOf(subject);
  const twin = twinOf(subject);
  const params = treeOf(given, dtype);
  const steady = Object.keys(given).filter((name) => !family.supportDepends.includes(name));
  const rule = ruleFor(twin);
  const x = valuesOf(d, rule.x, dtype);
  const w = tensor([...rule.w], { dtype });
  /** What the quadrature may be off by: truncation in float64, the rounding of the density in float32. */
  const error = dtype === "float64" ? 2e-11 : 3e-5;
  /** Derivatives are as large as 1/θ. */
  const steep =
    1 /
    Math.min(
      1,
      ...Object.values(given)
        .flat()
        .map((theta) => Math.abs(theta) || 1),
    );

  it("has total 1, a score of mean 0, and second derivatives of total 0", () => {
    const total = (p: Tree): Tensor => build(family, p).logProb(x).exp().mul(w).sum();
    const { value, grad: score } = valueAndGrad(total)(params);
    expectClose(list(value), [1], error);
    for (const name of steady) for (const s of list(score[name]!)) expect(Math.abs(s)).toBeLessThan(20 * error * steep);
    // A density with a kink in a parameter (Laplace) has second derivatives that a formula misses; it must say so.
    const smooth = steady.filter((name) => worstOnTheWay(build(family, params).logProb(x), params[name]!) === "smooth");
    if (dtype === "float32") return;
    const curve = hessian(total)(params) as unknown as Record<string, Tree>;
    for (const a of smooth) {
      for (const b of smooth)
        for (const c of list(curve[a]![b]!)) expect(Math.abs(c)).toBeLessThan(500 * error * steep ** 2);
    }
  });

  it("has the moments of its density, and no point is likelier than the mode", () => {
    const logs = list(d.logProb(x));
    const mean = (f: (i: number) => number): number =>
      logs.reduce((sum, log, i) => sum + (log === -Infinity ? 0 : rule.w[i]! * Math.exp(log) * f(i)), 0);
    const size = family.variance ? Math.max(1, twin.variance().item()) : 1;
    if (family.mean) expectClose(list(d.mean()), [mean((i) => rule.x[i]!)], 10 * error * size);
    if (family.variance) {
      const centre = twin.mean().item();
      const variance = mean((i) => (rule.x[i]! - centre) ** 2);
      expectClose(list(d.variance()), [variance], () => 10 * error * variance);
      expectClose(list(d.stddev()), [Math.sqrt(variance)], () => 10 * error * Math.sqrt(variance));
    }
    if (family.entropy) expectClose(list(d.entropy()), [-mean((i) => logs[i]!)], 10 * error);
    if (family.mode) expect(d.logProb(d.mode()).item()).toBeGreaterThanOrEqual(Math.max(...logs) - error);
  });

  lawIf(family.cdf)("draws what its cdf says", () => {
    const sample = list(d.sample(0, { sampleShape: [draws] }));
    if (family.discrete) {
      const mass = list(twin.prob(valuesOf(twin, rule.x, "float64")));
      const { statistic, limit } = chiSquare(sample, rule.x, mass, alarm);
      expect(statistic).toBeLessThan(limit);
      return;
    }
    const levels = list(twin.cdf(valuesOf(twin, sample, "float64")));
    expect(kolmogorov(levels)).toBeLessThan(kolmogorovLimit(draws, alarm));
    expect(Math.min(...list(d.logProb(valuesOf(d, sample, dtype))))).toBeGreaterThan(-Infinity);
  });

  lawIf(family.cdf)("has a cdf that is the sum or integral of its density", () => {
    const points = spots(subject);
    const at = valuesOf(twin, points, "float64");
    if (family.discrete) {
      const mass = list(twin.prob(valuesOf(twin, rule.x, "float64")));
      const sums = points.map((k) => rule.x.reduce((sum, y, i) => sum + (y <= k ? mass[i]! : 0), 0));
      return expectClose(list(twin.cdf(at)), sums, 1e-13);
    }
    expectClose(list(grad((y: Tensor) => twin.cdf(y).sum())(at)), list(twin.prob(at)), (p) => 1e-12 * p);
  });

  lawIf(family.icdf && family.cdf)("inverts its cdf", () => {
    const points = spots(subject);
    const at = valuesOf(twin, points, "float64");
    if (family.discrete) {
      const [reached, mass] = [list(twin.cdf(at)), list(twin.prob(at))];
      return expect(list(twin.icdf(reached.map((q, i) => q - mass[i]! / 2)))).toEqual(points);
    }
    expectClose(list(twin.icdf(twin.cdf(at))), points, 1e-12);
    const levels = [1e-9, 0.01, 0.5, 0.9];
    const back = twin.icdf(levels);
    // A quantile far from 0 has lost what its rounding is worth in probability.
    const slack = list(back.abs().mul(twin.prob(back)));
    expectClose(list(twin.cdf(back)), levels, (q, i) => 1e-13 * q + 2 ** -51 * slack[i]!);
  });

  lawIf(family.gives.reparam && family.cdf)("moves its draws with the parameters by −(∂F/∂θ)/p", () => {
    const { noise, value, params: moving, orders } = family.gives.reparam!;
    const p = repeated(twin, 9);
    const epsilon = noise(streamOf("law", 0), [9], p);
    const y = value(epsilon, p);
    expectClose(list(y), list(family.sample(streamOf("law", 0), p)), 0);
    const density = list(twin.prob(y));
    const ofCdf = grad((q: Tree) => family.cdf!(y, q).sum())(p);
    const ofValue = grad((q: Tree) => value(epsilon, q).sum())(p);
    for (const name of moving) {
      const wanted = list(ofCdf[name]!).map((f, i) => -f / density[i]!);
      expectClose(list(ofValue[name]!), wanted, 1e-11);
      if (orders === "any") expect(worstOnTheWay(y, p[name]!)).toBe("smooth");
    }
  });

  lawIf(family.discrete)("draws whole numbers, constant between jumps in the parameters", () => {
    const sample = d.sample(0, { sampleShape: [50] });
    for (const p of Object.values(d.params)) expect(worstOnTheWay(sample, p)).toBe("jump");
    expect(list(sample).every(Number.isInteger)).toBe(true);
  });

  lawIf(family.gives.reparam)("lets its own samples through: the edge of the support is no jump to them", () => {
    const x = siteNode(d, {}, "x");
    expect(worstOnTheWay(d.logProb(x), x, smoothnessAt)).not.toBe("jump");
    const y = valuesOf(d, spots(subject), dtype);
    expect(list(d.logProb(y))).toEqual(list(family.gives.logProb!(y, d.params)));
  });
});
