import { afterAll, describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { expectation, grad, hessian, scoreFunction } from "../../src/index.js";
import { numbersOf } from "./exact.js";
import { lossOf, type PathwiseCase, pathwiseCases } from "./pathwiseCases.js";
import { integral } from "./quadrature.js";
import { type Claim, Comparisons, normOf, runsFor } from "./statistics.js";

const flat = (tree: unknown): number[] => Object.values(tree as Record<string, Tensor>).flatMap((x) => [...numbersOf(x)]);

/** Row-major over all parameters. */
function matrix(blocks: unknown, { params }: PathwiseCase): number[] {
  const names = Object.keys(params);
  return names.flatMap((a) => {
    const parts = names.map((b) => [...numbersOf((blocks as Record<string, Record<string, Tensor>>)[a]?.[b] as Tensor)]);
    const rows = (params[a] as Tensor).size;
    return Array.from({ length: rows }, (_, i) => parts.flatMap((part) => part.slice((i * part.length) / rows, ((i + 1) * part.length) / rows))).flat();
  });
}

function expectClose(actual: readonly number[], truth: readonly number[], bound: number, scale = normOf(truth)): void {
  expect(actual.length).toBe(truth.length);
  actual.forEach((x, i) => {
    expect(Math.abs(x - (truth[i] as number)), `component ${i}: ${x} against ${truth[i]}`).toBeLessThanOrEqual(bound * scale);
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
    expectClose(matrix(hessian(f as never)(entry.params as never), entry), entry.hessian, 1e-9, scaleOf(entry.hessian, entry));
  });
});

describe("finite laws are enumerated by default", () => {
  it.each(finite)("$label", (entry) => {
    const E = expectation(lossOf(entry));
    const { value, grad: slope } = E.valueAndGrad(entry.params as never, {});
    expectClose([value.mean.item()], [entry.value], 1e-12);
    expectClose(flat(slope.mean), entry.grad, 1e-12);
    expect(flat(slope.stderr).every((x) => x === 0)).toBe(true);
    if (entry.hessian) expectClose(matrix(E.hessian(entry.params as never, {}).mean, entry), entry.hessian, 1e-12, scaleOf(entry.hessian, entry));
  });
});

describe("samples agree within their error bars", () => {
  const count = (cases: readonly PathwiseCase[], of: (entry: PathwiseCase) => number): number => cases.reduce((n, entry) => n + of(entry), 0);
  const comparisons = new Comparisons(count(random, ({ grad, hessian }) => grad.length + (hessian?.length ?? 0)) + count(scored, ({ grad }) => grad.length));
  afterAll(() => {
    comparisons.done();
  });

  // Independent estimates, because runs that share a baseline spread too little where the estimator is nearly exact.
  const replicates = 128;

  function compare(label: string, truth: readonly number[], entry: PathwiseCase, at: (samples: number, key: number) => Omit<Claim, "truth">): void {
    const scale = scaleOf(truth, entry);
    const runs = runsFor(at(32, 1).stderr, 32 * replicates, scale, replicates);
    comparisons.check(label, { ...at(Math.max(32, runs / replicates), 0), truth, scale });
  }

  const gradientOf = (entry: PathwiseCase, estimators: { [site: string]: Estimator<never> }) => (samples: number, key: number) => {
    const { grad } = expectation(lossOf(entry), { samples, replicates, estimators }).valueAndGrad(entry.params as never, { key });
    return { mean: flat(grad.mean), stderr: flat(grad.stderr), dof: grad.dof };
  };

  it.each(random)("the default, $label", (entry) => {
    compare(`gradient of ${entry.label}`, entry.grad, entry, gradientOf(entry, {}));
    if (!entry.hessian) return;
    compare(`Hessian of ${entry.label}`, entry.hessian, entry, (samples, key) => {
      const result = expectation(lossOf(entry), { samples, replicates }).hessian(entry.params as never, { key });
      return { mean: matrix(result.mean, entry), stderr: matrix(result.stderr, entry), dof: result.dof };
    });
  });

  it.each(scored)("the score function, $label", (entry) => {
    compare(`score gradient of ${entry.label}`, entry.grad, entry, gradientOf(entry, { x: scoreFunction() as Estimator<never> }));
  });
});
