import { afterAll, describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { enumerate, exp, expectation, scoreFunction, sum, take } from "../../src/index.js";
import { numbersOf, t64 } from "./exact.js";
import { chains, flatten, type Graph, type GraphProgram, graphs, programOf } from "./scgPrograms.js";
import { Comparisons, normOf, runsFor } from "./statistics.js";

/** 15^4 outcomes: in the full check only. */
const isLarge = (graph: Graph): boolean => graph.id === "mdp_5_3_4";
const finite = graphs
  .filter(
    ({ spec, id }) => spec.kind !== "categorical_normal" && (id !== "mdp_5_3_4" || process.env.CHECK_FULL === "1"),
  )
  .map((graph) => programOf(graph));
const continuous = graphs.filter(({ spec }) => spec.kind === "categorical_normal").map((graph) => programOf(graph));

// biome-ignore lint/suspicious/noExplicitAny: one parameter tree per graph
type AnyLoss = (params: any) => Tensor;
const choosing = (sites: readonly string[], make: () => unknown): { [site: string]: Estimator<never> } =>
  Object.fromEntries(sites.map((site) => [site, make() as Estimator<never>]));

const flat = (tree: unknown): number[] =>
  Object.values(tree as Record<string, Tensor>).flatMap((x) => [...numbersOf(x)]);

/** The rows of a tree of blocks as one matrix. */
function matrixOf(blocks: unknown, params: GraphProgram["params"]): number[][] {
  const names = Object.keys(params);
  return names.flatMap((a) => {
    const rows = (params[a] as Tensor).size;
    const parts = names.map((b) => [
      ...numbersOf((blocks as Record<string, Record<string, Tensor>>)[a]?.[b] as Tensor),
    ]);
    return Array.from({ length: rows }, (_, i) =>
      parts.flatMap((part) => part.slice((i * part.length) / rows, ((i + 1) * part.length) / rows)),
    );
  });
}

function close(actual: readonly number[], truth: readonly number[], relative: number): void {
  const scale = Math.max(normOf(truth), 1e-300);
  expect(actual.length).toBe(truth.length);
  const worst = Math.max(...actual.map((x, i) => Math.abs(x - (truth[i] as number))));
  expect(worst / scale).toBeLessThanOrEqual(relative);
}

/** Value, gradient and Hessian of an exact expectation. */
function checkExact(
  E: ReturnType<typeof expectation<never, []>>,
  { graph, params }: GraphProgram,
  relative = 1e-12,
): void {
  const { value, grad } = E.valueAndGrad(params as never, { key: 0 });
  close([value.mean.item()], [graph.expected_loss], relative);
  close(flat(grad.mean), flatten(graph.grad, graph.params), relative);
  expect(value.stderr.item()).toBe(0);
  expect(flat(grad.stderr).every((x) => x === 0)).toBe(true);
  if (!graph.hessian || isLarge(graph)) return;
  close(matrixOf(E.hessian(params as never, { key: 0 }).mean, params).flat(), graph.hessian.matrix.flat(), relative);
}

describe("enumeration is exact", () => {
  it.each(finite)("$graph.id", (program) => {
    checkExact(expectation(program.f, { estimators: choosing(program.sites, enumerate) }), program);
  });

  it.each(chains.filter((graph) => !isLarge(graph)).map((graph) => programOf(graph, true)))(
    "$graph.id, its steps a scan",
    (program) => {
      checkExact(expectation(program.f, { estimators: choosing(program.sites, enumerate) }), program);
    },
  );

  // The trapezoid rule for a Gaussian times an analytic function converges faster than any power of the step.
  const nodes = Array.from({ length: 361 }, (_, k) => (k - 180) / 20);
  const weights = nodes.map((x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI) / 20);

  it.each(continuous)("$graph.id, with quadrature in the place of the Normal", (program) => {
    const { g, t, c } = program.graph.spec;
    const f = ({ logits, mu, log_sigma }: Record<string, Tensor>): Tensor => {
      const row = programOf({ ...program.graph, spec: { kind: "index" } });
      const z = row.f({ logits } as never);
      const x = take(mu as Tensor, z).add(exp(take(log_sigma as Tensor, z)).mul(t64(nodes)));
      const cost = g === "square" ? x.sub(t).square() : g === "sin" ? x.sin() : exp(x.sub(t).square().neg());
      return sum(cost.mul(t64(weights))).add(take(t64(c), z));
    };
    checkExact(expectation(f as AnyLoss, { estimators: choosing(["z"], enumerate) }) as never, program);
  });
});

const sampled = [...finite.filter(({ graph }) => !isLarge(graph)), ...continuous];
const components = (programs: readonly GraphProgram[]): number =>
  programs.reduce((n, { graph }) => n + flatten(graph.grad, graph.params).length, 0);

describe("sampling agrees within its error bars", () => {
  // Independent estimates: at p = ½ the score function of one bit with leave-one-out varies at second order only, which the spread of
  // runs that share their baseline cannot tell.
  const replicates = 256;
  const comparisons = new Comparisons(components(sampled) + components(continuous));
  afterAll(() => {
    comparisons.done();
  });

  function compare(label: string, { f, graph, params, sites }: GraphProgram, make: () => unknown): void {
    const truth = flatten(graph.grad, graph.params);
    const at = (samples: number, key: number) => {
      const E = expectation(f as AnyLoss, { samples, replicates, estimators: choosing(sites, make) });
      const { grad } = E.valueAndGrad(params, { key });
      return { mean: flat(grad.mean), stderr: flat(grad.stderr), dof: grad.dof };
    };
    const runs = runsFor(at(32, 1).stderr, 32 * replicates, normOf(truth), replicates);
    comparisons.check(label, { ...at(Math.max(32, runs / replicates), 0), truth });
  }

  it.each(sampled)("score function: $graph.id", (program) => {
    compare(`${program.graph.id}, score`, program, scoreFunction);
  });

  it.each(continuous)("enumeration and pathwise: $graph.id", (program) => {
    compare(`${program.graph.id}, mixed`, program, enumerate);
  });
});
