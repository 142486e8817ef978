import { describe, expect, it } from "vitest";
import { smoothness, type AnyPrimitive, type Tensor as Node } from "../../src/graph/tensor.js";
import { between } from "../../src/graph/walk.js";
import { grad, hessian, jvp, type Tensor, valueAndGrad } from "../../src/index.js";
import { streamOf } from "../../src/random/uniform.js";
import { ruleFor } from "./quadrature.js";
import { build, distributionOf, list, quantiles, repeated, spots, type Subject, subjects, type Tree, treeOf, twinOf, vector } from "./subjects.js";

/** Every family × case × float type: what a distribution is, by quadrature and by its own cdf. */

/** Statistical comparisons in this file, one per subject; false alarms of the file together: 1e-6. First key 0. */
const comparisons = subjects.length;
const alarm = 1e-6 / comparisons;
const draws = 20_000;

/** What a quadrature may be wrong by: its own truncation in float64, the rounding of the density in float32. */
const close = ({ dtype }: Subject): number => (dtype === "float64" ? 2e-11 : 3e-5);

const logProb = ({ family }: Subject, params: Tree, x: Tensor): Tensor => build(family, params).logProb(x);

function expectClose(got: readonly number[], wanted: readonly number[], tolerance: number | ((w: number, i: number) => number)): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    const limit = typeof tolerance === "number" ? tolerance * Math.max(1, Math.abs(wanted[i]!)) : tolerance(wanted[i]!, i);
    if (value !== wanted[i]) expect(Math.abs(value - wanted[i]!), `[${i}] ${value} against ${wanted[i]}`).toBeLessThanOrEqual(limit);
  });
}

describe.each(subjects)("$label", (subject) => {
  const { family, given, dtype } = subject;
  const d = distributionOf(subject);
  const own = family.discrete && d.dtype === "int32" ? "int32" : dtype;
  const params = treeOf(given, dtype);
  const names = Object.keys(given);
  const steady = names.filter((name) => !family.supportDepends.includes(name));
  const rule = ruleFor(twinOf(subject));
  const x = vector(rule.x, own);
  const w = vector(rule.w, dtype);
  const total = (p: Tree): Tensor => logProb(subject, p, x).exp().mul(w).sum();

  it("has density of total 1, score of mean 0 and second derivatives of total 0", () => {
    const { value, grad: slope } = valueAndGrad(total)(params);
    expect(Math.abs(value.item() - 1)).toBeLessThan(close(subject));
    for (const name of steady) expectClose(list(slope[name]!), list(slope[name]!).map(() => 0), 20 * close(subject) * sizeOf(params));
    if (dtype === "float32") return;
    const curve = hessian(total)(params) as unknown as Record<string, Tree>;
    for (const a of steady) for (const b of steady) for (const y of list(curve[a]![b]!)) expect(Math.abs(y)).toBeLessThan(1e-8 * sizeOf(params) ** 2);
  });

  it("has the moments of its density, and its mode is the highest point", () => {
    const density = list(logProb(subject, params, x).exp().mul(w));
    const mean = (f: (x: number, i: number) => number): number => density.reduce((sum, p, i) => sum + (p === 0 ? 0 : p * f(rule.x[i]!, i)), 0);
    const logs = list(logProb(subject, params, x));
    const tolerance = 10 * close(subject);
    if (family.mean) expectClose(list(d.mean()), [mean((v) => v)], tolerance);
    if (family.variance) {
      const centre = d.mean().item();
      const variance = mean((v) => (v - centre) ** 2);
      expectClose(list(d.variance()), [variance], tolerance * variance);
      expectClose(list(d.stddev()), [Math.sqrt(variance)], tolerance * Math.sqrt(variance));
    }
    if (family.entropy) expectClose(list(d.entropy()), [-mean((_, i) => logs[i]!)], tolerance);
    if (family.mode) expect(d.logProb(d.mode()).item()).toBeGreaterThanOrEqual(Math.max(...logs) - 1e-5);
  });

  it.runIf(family.cdf)("draws what its cdf says", () => {
    const sample = list(d.sample(0, { sampleShape: [draws] }));
    if (family.discrete) {
      const { statistic, limit } = chiSquare(sample, rule.x, list(twinOf(subject).prob(vector(rule.x, "float64"))));
      expect(statistic).toBeLessThan(limit);
    } else expect(kolmogorov(list(twinOf(subject).cdf(vector(sample, "float64"))))).toBeLessThan(Math.sqrt(Math.log(2 / alarm) / (2 * draws)));
  });

  it("has the gradient of finite differences, in either direction, once and twice", () => {
    const base = treeOf(given, "float64");
    const at = vector(spots(subject), own === "int32" ? "int32" : "float64");
    for (const name of names) {
      base[name] ??= base[name]!;
      list(base[name]!).forEach((theta, element) => {
        const unit = (size: number, which: string): Tensor => list(base[which]!).length === 0 ? base[which]! : vectorLike(base[which]!, (_, i) => (which === name && i === element ? size : 0));
        const along = Object.fromEntries(names.map((key) => [key, unit(1, key)]));
        const slope = (p: Tree): Tensor => jvp((q: Tree) => logProb(subject, q, at), p, along).tangent as Tensor;
        const moved = (h: number): Tree => Object.fromEntries(names.map((key) => [key, base[key]!.add(unit(h, key))]));
        const h = 1e-4 * Math.max(Math.abs(theta), 0.1);
        expectDifference(list(slope(base)), (k) => list(logProb(subject, moved(k * h), at)), h);
        expectDifference(list(jvp(slope, base, along).tangent as Tensor), (k) => list(slope(moved(k * h))), h);
        const back = grad((p: Tree) => logProb(subject, p, at).sum())(base)[name] as Tensor;
        const forward = list(slope(base)).reduce((a, b) => a + b, 0);
        expectClose([list(back)[element]!], [forward], 1e-11);
      });
    }
    if (family.discrete) return;
    const inX = grad((y: Tensor) => logProb(subject, base, y).sum());
    const h = 1e-4 * twinOf(subject).stddev().item();
    const shifted = (k: number): Tensor => at.add(k * h);
    expectDifference(list(inX(at)), (k) => list(logProb(subject, base, shifted(k))), h);
    expectDifference(list(jvp((y: Tensor) => inX(y), at, at.mul(0).add(1)).tangent as Tensor), (k) => list(inX(shifted(k))), h);
  });

  it.runIf(family.gives.reparam && family.cdf)("moves its reparameterised draws as the implicit function theorem says", () => {
    const twin = twinOf(subject);
    const { noise, value, params: moving, orders } = family.gives.reparam!;
    const p = repeated(twin, 9);
    const epsilon = noise(streamOf("law", 0), [9], p);
    const y = value(epsilon, p);
    expectClose(list(y), list(family.sample(streamOf("law", 0), p)), 0);
    const ofCdf = grad((q: { p: Tree; y: Tensor }) => family.cdf!(q.y, q.p).sum())({ p, y });
    const ofValue = grad((q: Tree) => value(epsilon, q).sum())(p);
    const pdf = list(twin.prob(y));
    expectClose(list(ofCdf.y), pdf, 1e-12);
    for (const name of moving) {
      expectClose(list(ofValue[name]!), list(ofCdf.p[name]!).map((f, i) => -f / pdf[i]!), 1e-10);
      if (orders === "any") expect(worstTo(value(epsilon, p), p[name]!)).toBe("smooth");
    }
  });

  it.runIf(family.gives.reparam)("is continuous to its own samples: the edge of its support is no jump", () => {
    const y = vector(spots(subject), dtype);
    expect(worstTo(d.logProb(y), y)).not.toBe("jump");
  });

  it.runIf(family.icdf && family.cdf)("inverts its cdf", () => {
    const twin = twinOf(subject);
    const points = vector(spots(subject), own === "int32" ? "int32" : "float64");
    if (!family.discrete) {
      expectClose(list(twin.icdf(twin.cdf(points))), list(points), 1e-12);
      expectClose(list(twin.cdf(twin.icdf([1e-9, 0.01, 0.5, 0.9]))), [1e-9, 0.01, 0.5, 0.9], (q) => 1e-12 * q);
      return;
    }
    const [reached, mass] = [list(twin.cdf(points)), list(twin.prob(points))];
    const inside = vector(reached.map((q, i) => q - mass[i]! / 2), "float64");
    expect(list(twin.icdf(inside))).toEqual(list(points));
  });

  it("agrees with float64 at the same numbers", () => {
    const twin = twinOf(subject);
    const at = spots(subject);
    const here = vector(at, own);
    const there = vector(at, own === "int32" ? "int32" : "float64");
    const exact = list(twin.logProb(there));
    const inputs = repeated(twin, at.length);
    const slopes = grad((p: Tree) => logProb(subject, p, there).sum())(inputs);
    // The error of a function at rounded arguments is what its conditioning makes of one rounding.
    const condition = exact.map((value, i) => Math.abs(value) + 1 + sumOf(names, (name) => rowOf(inputs[name]!.mul(slopes[name]!).abs(), i, at.length)));
    const eps = dtype === "float32" ? 2 ** -24 : 2 ** -53;
    expectClose(list(d.logProb(here)), exact, (_, i) => 16 * eps * condition[i]!);
  });
});

function sumOf(names: readonly string[], f: (name: string) => number): number {
  return names.reduce((total, name) => total + f(name), 0);
}
