import { describe, expect, it } from "vitest";
import { type Estimator, expectation, Normal, pathwise, sample, scoreFunction, type Tensor } from "../../src/index.js";
import { expectEqual, f64, flat, judge, zLimit } from "./judge.js";
import { gaussHermite, integral } from "./quadrature.js";

/**
 * REINFORCE serves continuous variables too, with more variance: that is why the one-liner is the default. The program
 * is E[(x − 3)²], x ~ N(0, 1), of gradient (−6, 2). The variance of one run is known by quadrature (for μ it is 4
 * against 222), and that of its estimate from fourth moments. Comparisons: four gradients, four variances, two ratios,
 * m = 10, z ≤ 5.4, first key 0.
 */
const compare = judge(10);
const replicates = 400_000;
const params = { mu: f64(0), sigma: f64(1) };
const f = ({ mu, sigma }: typeof params): Tensor =>
  sample(Normal({ loc: mu, scale: sigma }), { name: "x" })
    .sub(3)
    .square();
const rule = gaussHermite(40);

/** What one run says of the gradient, as functions of ε = x. */
type Run = readonly [mu: (x: number) => number, sigma: (x: number) => number];
const runs: Record<"pathwise" | "scoreFunction", Run> = {
  pathwise: [(x) => 2 * (x - 3), (x) => 2 * (x - 3) * x],
  scoreFunction: [(x) => (x - 3) ** 2 * x, (x) => (x - 3) ** 2 * (x * x - 1)],
};

function moments(g: (x: number) => number): { mean: number; variance: number; fourth: number } {
  const mean = integral(rule, g);
  const central = (k: number): number => integral(rule, (x) => (g(x) - mean) ** k);
  return { mean, variance: central(2), fourth: central(4) };
}

const measured = (estimator: Estimator<"reparam"> | Estimator<"logProb">) =>
  expectation(f, { samples: 1, replicates, estimators: { x: estimator } }).valueAndGrad(params, { key: 0 }).grad;

describe("REINFORCE on a continuous variable", () => {
  const exact = { pathwise: runs.pathwise.map(moments), scoreFunction: runs.scoreFunction.map(moments) };
  const found = { pathwise: measured(pathwise()), scoreFunction: measured(scoreFunction({ baseline: "none" })) };

  it.each(["pathwise", "scoreFunction"] as const)("%s estimates the gradient (-6, 2)", (name) => {
    expectEqual(
      exact[name].map(({ mean }) => mean),
      [-6, 2],
      1e-11,
    );
    compare(found[name], [-6, 2]);
  });

  it("its variances are 222 and 776 where pathwise has 4 and 44", () => {
    expectEqual(
      exact.pathwise.map(({ variance }) => variance),
      [4, 44],
      1e-11,
    );
    expectEqual(
      exact.scoreFunction.map(({ variance }) => variance),
      [222, 776],
      1e-11,
    );
  });

  it.each(["pathwise", "scoreFunction"] as const)("%s has that variance, as measured", (name) => {
    flat(found[name].stderr).forEach((stderr, k) => {
      const { variance, fourth } = exact[name][k]!;
      const error = Math.sqrt((fourth - variance ** 2) / replicates);
      expect(error).toBeLessThan(0.02 * variance);
      expect(Math.abs(stderr ** 2 * replicates - variance) / error).toBeLessThan(zLimit(10));
    });
  });

  it("so the measured ratios are those of 222 : 4 and 776 : 44", () => {
    const relative = (name: "pathwise" | "scoreFunction", k: number): number => {
      const { variance, fourth } = exact[name][k]!;
      return (fourth / variance ** 2 - 1) / replicates;
    };
    [222 / 4, 776 / 44].forEach((wanted, k) => {
      const ratio = (flat(found.scoreFunction.stderr)[k]! / flat(found.pathwise.stderr)[k]!) ** 2;
      const error = wanted * Math.sqrt(relative("pathwise", k) + relative("scoreFunction", k));
      expect(error).toBeLessThan(0.02 * wanted);
      expect(Math.abs(ratio - wanted) / error).toBeLessThan(zLimit(10));
    });
  });
});
