import { afterAll, describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { expectation, grad, hessian, scoreFunction } from "../../src/index.js";
import {
  gradientMoments,
  type How,
  hessianMoments,
  judge,
  type Loss,
  momentsOf,
  numbersOf,
  overOutcomes,
} from "./exact.js";
import { lossOf, type PathwiseCase, pathwiseCases } from "./pathwiseCases.js";
import { integral, valueRule } from "./quadrature.js";
import { type Claim, Comparisons, normOf, runsFor } from "./statistics.js";

const flat = (tree: unknown): number[] =>
  Object.values(tree as Record<string, Tensor>).flatMap((x) => [...numbersOf(x)]);

/** Blocks [first, second] one after another as one row-major matrix over all parameters. */
function matrix(blocks: readonly number[], { params }: PathwiseCase): number[] {
  const sizes = Object.values(params).map((x) => x.size);
  let next = 0;
  const parts = sizes.map((rows) =>
    sizes.map((columns) => {
      const part = blocks.slice(next, next + rows * columns);
      next += rows * columns;
      return Array.from({ length: rows }, (_, i) => part.slice(i * columns, (i + 1) * columns));
    }),
  );
  return parts
    .flatMap((row, i) =>
      Array.from({ length: sizes[i] as number }, (_, r) => row.flatMap((part) => part[r] as number[])),
    )
    .flat();
}

const matrixOf = (tree: unknown, entry: PathwiseCase): number[] =>
  matrix(Object.values(tree as object).flatMap(flat), entry);

function expectClose(actual: readonly number[], truth: readonly number[], bound: number, scale = normOf(truth)): void {
  expect(actual.length).toBe(truth.length);
  actual.forEach((x, i) => {
    expect(Math.abs(x - (truth[i] as number)), `component ${i}: ${x} against ${truth[i]}`).toBeLessThanOrEqual(
      bound * scale,
    );
  });
}

/** The exact derivative of a symmetric case can be 0; its size is then that of the value. */
const scaleOf = (truth: readonly number[], { value }: PathwiseCase): number => normOf(truth) || Math.abs(value);

const smooth = pathwiseCases.filter(({ family }) => family.gives.reparam);
const finite = pathwiseCases.filter(({ family }) => family.gives.enumerate);
const random = pathwiseCases.filter(({ family }) => !family.gives.enumerate);
const scored = pathwiseCases.filter(({ family }) => family.supportDepends.length === 0);
const kinked = ({ name }: PathwiseCase): boolean => name === "log1p(|x|)";

describe("quadrature in the place of noise", () => {
  it.each(smooth)("$label", (entry) => {
    const f = (params: Record<string, Tensor>): Tensor => integral(entry.family, params, entry.g);
    expectClose([f(entry.params).item()], [entry.value], 1e-9);
    expectClose(flat(grad(f as never)(entry.params as never)), entry.grad, 1e-9, scaleOf(entry.grad, entry));
    if (!entry.hessian || kinked(entry)) return;
    expectClose(
      matrixOf(hessian(f as never)(entry.params as never), entry),
      entry.hessian,
      1e-9,
      scaleOf(entry.hessian, entry),
    );
  });
});

describe("the score function, summed over values instead of sampled", () => {
  it.each(scored)("$label", (entry) => {
    const f = lossOf(entry) as Loss;
    const rule = entry.family.gives.enumerate ? null : valueRule(entry.family, entry.params);
    const how: How = rule ? { outcomes: { count: rule.x.size, values: { x: rule.x }, probabilities: rule.w } } : {};
    expectClose(momentsOf(overOutcomes(judge(f, entry.params, how), (loss) => [loss])).mean, [entry.value], 1e-9);
    expectClose(gradientMoments(f, entry.params, how).mean, entry.grad, 1e-9, scaleOf(entry.grad, entry));
    if (!entry.hessian) return;
    if (entry.family.densityKinks) {
      const E = expectation(f, { estimators: { x: scoreFunction() } });
      expect(() => E.hessian(entry.params, { key: 0 })).toThrow(
        "has a kink in loc, so the score function misses part of the second derivative; use pathwise().",
      );
      return;
    }
    const blocks = hessianMoments(f, entry.params, how).mean;
    // The rule ends where 1 − u does, at 8.2 standard deviations: x³ log⁴x of a LogNormal has 4e-9 of its integral beyond.
    expectClose(matrix(blocks, entry), entry.hessian, 1e-8, scaleOf(entry.hessian, entry));
  });
});

describe("finite laws are enumerated by default", () => {
  it.each(finite)("$label", (entry) => {
    const E = expectation(lossOf(entry));
    const { value, grad: slope } = E.valueAndGrad(entry.params as never, {});
    expectClose([value.mean.item()], [entry.value], 1e-12);
    expectClose(flat(slope.mean), entry.grad, 1e-12);
    expect(flat(slope.stderr).every((x) => x === 0)).toBe(true);
    if (entry.hessian)
      expectClose(
        matrixOf(E.hessian(entry.params as never, {}).mean, entry),
        entry.hessian,
        1e-12,
        scaleOf(entry.hessian, entry),
      );
  });
});

describe("samples agree within their error bars", () => {
  // At most 2^17 runs a comparison: where 1 % would take more (cubes of heavy tails, second derivatives that nearly cancel), the
  // standard error may be 5 %. Where that would take more too, quadrature above is all there is.
  const most = 2 ** 17;
  const replicates = 128;
  const tooWild =
    /^Hessian of (Normal\({"loc":-2,.*log1p|LogNormal.*(log1p|0\.5x)|Exponential\({"rate":0\.4}\): sin|Poisson\({"rate":0\.3}\): (0\.5x|x\^2|log1p))/;

  interface Comparison {
    readonly label: string;
    readonly entry: PathwiseCase;
    readonly truth: readonly number[];
    readonly at: (samples: number, key: number) => Omit<Claim, "truth">;
  }

  function gradientOf(entry: PathwiseCase, estimators: { [site: string]: Estimator<never> }): Comparison["at"] {
    return (samples, key) => {
      const { grad: slope } = expectation(lossOf(entry), { samples, replicates, estimators }).valueAndGrad(
        entry.params as never,
        { key },
      );
      return { mean: flat(slope.mean), stderr: flat(slope.stderr), dof: slope.dof };
    };
  }

  function hessianOf(entry: PathwiseCase): Comparison["at"] {
    return (samples, key) => {
      const { mean, stderr, dof } = expectation(lossOf(entry), { samples, replicates }).hessian(entry.params as never, {
        key,
      });
      return { mean: matrixOf(mean, entry), stderr: matrixOf(stderr, entry), dof };
    };
  }

  // Second derivatives at a kink need the score function, which moving supports and densities with a kink refuse.
  const refusing = ({ family }: PathwiseCase): boolean =>
    family.supportDepends.length > 0 || family.densityKinks !== undefined;
  // One set of parameters per family, all of them in the full check.
  const first = ({ family, params }: PathwiseCase): boolean =>
    process.env.CHECK_FULL === "1" || random.find((entry) => entry.family === family)?.params === params;
  const second = random.filter((entry) => entry.hessian && first(entry) && !(kinked(entry) && refusing(entry)));
  const all: Comparison[] = [
    ...random.map((entry) => ({
      label: `gradient of ${entry.label}`,
      entry,
      truth: entry.grad,
      at: gradientOf(entry, {}),
    })),
    ...second.map((entry) => ({
      label: `Hessian of ${entry.label}`,
      entry,
      truth: entry.hessian as readonly number[],
      at: hessianOf(entry),
    })),
    ...scored
      .filter(({ name }) => name === "sin(x)")
      .map((entry) => ({
        label: `score function, gradient of ${entry.label}`,
        entry,
        truth: entry.grad,
        at: gradientOf(entry, { x: scoreFunction() as Estimator<never> }),
      })),
  ].filter(({ label }) => !tooWild.test(label));
  const comparisons = new Comparisons(all.reduce((n, { truth }) => n + truth.length, 0));
  afterAll(() => {
    comparisons.done();
  });

  it.each(all)("$label", ({ label, entry, truth, at }) => {
    const scale = scaleOf(truth, entry);
    const wanted = runsFor(at(64, 1).stderr, 64 * replicates, scale, replicates);
    const runs = Math.max(64 * replicates, Math.min(wanted, most));
    comparisons.check(label, { ...at(runs / replicates, 0), truth, scale, relative: wanted > most ? 0.05 : undefined });
  });

  it.each([
    [
      "Uniform",
      "the support of Uniform moves with low and high, so the score function loses the boundary term; use a cost that is continuous in the sample, or a distribution whose support is fixed.",
    ],
    [
      "Laplace",
      "the density of Laplace has a kink in loc, so the score function misses part of the second derivative; use a cost that is smooth in the sample, or a distribution whose density is smooth.",
    ],
  ])("refuses the second derivative of a kink under %s", (name, message) => {
    const entry = random.find((e) => kinked(e) && e.family.name === name) as PathwiseCase;
    expect(() => expectation(lossOf(entry)).hessian(entry.params as never, { key: 0 })).toThrow(message);
  });
});
