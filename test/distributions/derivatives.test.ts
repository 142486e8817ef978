import { describe, expect, it } from "vitest";
import { grad, jvp, type Tensor } from "../../src/index.js";
import { expectClose, expectDifference } from "./checks.js";
import {
  build,
  directions,
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

/** Derivatives of every function of every family against finite differences, in float64; float32 against float64. */

const wide = subjects.filter(({ dtype }) => dtype === "float64");

describe.each(wide)("$label", (subject) => {
  const { family, given } = subject;
  const d = twinOf(subject);
  const base = treeOf(given, "float64");
  const x = valuesOf(d, spots(subject), "float64");
  const moved = (unit: Tree, h: number): Tree =>
    Object.fromEntries(Object.entries(base).map(([name, t]) => [name, t.add(unit[name]!.mul(h))]));
  const q = [0.01, 0.3, 0.6, 0.97];

  /** Everything that is a function of the parameters. */
  const functions: Record<string, (p: Tree) => Tensor> = {
    logProb: (p) => build(family, p).logProb(x),
    ...(family.cdf && { cdf: (p: Tree) => build(family, p).cdf(x) }),
    ...(family.icdf && { icdf: (p: Tree) => build(family, p).icdf(q) }),
    ...(family.mean && { mean: (p: Tree) => build(family, p).mean() }),
    ...(family.variance && { variance: (p: Tree) => build(family, p).variance() }),
    ...(family.entropy && { entropy: (p: Tree) => build(family, p).entropy() }),
  };

  it.each(Object.entries(functions))("%s: once and twice in the parameters, forward and backward", (_name, f) => {
    for (const { name, element, size, unit } of directions(given)) {
      const slope = (p: Tree): Tensor => jvp(f, p, unit).tangent as Tensor;
      const h = 2e-4 * size;
      const forward = list(slope(base));
      expectDifference(forward, (k) => list(f(moved(unit, k * h))), h);
      expectDifference(list(jvp(slope, base, unit).tangent as Tensor), (k) => list(slope(moved(unit, k * h))), h);
      const backward = grad((p: Tree) => f(p).sum())(base)[name] as Tensor;
      expectClose([list(backward)[element]!], [forward.reduce((a, b) => a + b, 0)], 1e-11);
    }
  });

  const continuous = family.discrete ? [] : [family.name];
  it.each(continuous)("%s: logProb, cdf and icdf once and twice in the value", () => {
    const along = (f: (y: Tensor) => Tensor, at: Tensor, h: number): void => {
      const slope = grad((y: Tensor) => f(y).sum());
      expectDifference(list(slope(at)), (k) => list(f(at.add(k * h))), h);
      expectDifference(list(jvp(slope, at, at.mul(0).add(1)).tangent as Tensor), (k) => list(slope(at.add(k * h))), h);
    };
    const h = 2e-4 * (family.variance ? d.stddev().item() : 1);
    along((y) => d.logProb(y), x, h);
    if (family.cdf) along((y) => d.cdf(y), x, h);
    if (family.icdf) along((y) => d.icdf(y), valuesOf(d, q, "float64"), 2e-5);
  });
});

describe.each(subjects.filter(({ dtype }) => dtype === "float32"))("$label", (subject) => {
  const { family } = subject;
  const [d, twin] = [distributionOf(subject), twinOf(subject)];
  const points = spots(subject);
  const [narrow, there] = [valuesOf(d, points, "float32"), valuesOf(twin, points, "float64")];

  /** |θ ∂f/∂θ| summed over the parameters: what one rounding of each is worth. */
  function conditioning(f: (p: Tree) => Tensor): number[] {
    const p = repeated(twin, points.length);
    const slopes = grad((q: Tree) => f(q).sum())(p);
    const parts = Object.keys(p).map((name) =>
      list(p[name]!.mul(slopes[name]!).abs().reshape([points.length, -1]).sum(1)),
    );
    return points.map((_, i) => parts.reduce((sum, part) => sum + part[i]!, 0));
  }

  it("agrees with float64 at the same numbers to a few roundings", () => {
    const exact = list(twin.logProb(there));
    const worth = conditioning((p) => family.gives.logProb!(there, p));
    expectClose(list(d.logProb(narrow)), exact, (value, i) => 8 * 2 ** -24 * (1 + Math.abs(value) + worth[i]!));
    if (!family.cdf) return;
    const slack = conditioning((p) => family.cdf!(there, p));
    expectClose(list(d.cdf(narrow)), list(twin.cdf(there)), (value, i) => 8 * 2 ** -24 * (value + slack[i]!));
  });
});

it("keeps the tests honest: a wrong slope is seen", () => {
  expect(() => expectDifference([2.000001], (k) => [2 * k * 1e-3], 1e-3)).toThrow();
});
