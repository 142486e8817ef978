import { sizeOf } from "../../src/base/shape.js";
import type { Distribution } from "../../src/distributions/distribution.js";
import type { AnyEstimator } from "../../src/estimators/estimator.js";
import { scoreFunction } from "../../src/estimators/index.js";
import { choose, type Plan } from "../../src/expectation/choose.js";
import type { Choosing } from "../../src/expectation/draft.js";
import { handling } from "../../src/expectation/effects.js";
import { type Program, type ProgramFunction, traceProgram } from "../../src/expectation/program.js";
import { type OneRun, oneRun } from "../../src/expectation/runs.js";
import { paramsOf, type SiteParams } from "../../src/expectation/site.js";
import { arange } from "../../src/graph/leaves.js";
import { mixed } from "../../src/graph/relation/relation.js";
import { leaf, placeholder, type Tensor } from "../../src/graph/tensor.js";
import { transforming } from "../../src/graph/trace.js";
import { substitute } from "../../src/graph/walk.js";
import { add, tensor, zeros } from "../../src/index.js";
import { dense } from "../../src/kernel/ndarray.js";
import { numbers } from "../../src/runtime/read.js";
import { exp } from "../../src/tensor/elementwise.js";
import { mean, sum } from "../../src/tensor/reducing.js";
import { gradients, hessianBlocks } from "../../src/transforms/grad.js";
import { pushTangents } from "../../src/transforms/jvp.js";
import { vmap } from "../../src/transforms/map.js";
import { tensorsOf } from "../../src/transforms/trees.js";
import { batchAll } from "../../src/transforms/vmap.js";
import { drawnAt, here, unrolling } from "./unrolled.js";

/** Estimators judged without sampling: every joint outcome of every site is put in as a given value and weighted with its probability. */

// biome-ignore lint/suspicious/noExplicitAny: programs of any parameters
export type Loss = (params: any) => Tensor;

export interface Outcomes {
  readonly count: number;
  /** By site name [count, ...site shape]. */
  readonly values: Readonly<Record<string, Tensor>>;
}

/** float64 numbers as a tensor. */
export function t64(data: number | readonly unknown[]): Tensor {
  return tensor(data as number[], { dtype: "float64" });
}

export function traced(f: Loss, params: unknown): Program {
  return traceProgram(f as ProgramFunction, [tensorsOf("params", params)]);
}

/** Sites with values 0 … size − 1 only, which all finite families here have. */
export function outcomesOf(program: Program): Outcomes {
  const sites = program.sites.map((site) => {
    const { name, family } = site.params as SiteParams;
    // Of all steps, for a site in a loop.
    const shape = program.flow.shape(site);
    return { site, name, shape, elements: sizeOf(shape), size: family.gives.enumerate?.size(paramsOf(site)) as number };
  });
  const count = sites.reduce((n, { elements, size }) => n * size ** elements, 1);
  let stride = 1;
  const values: Record<string, Tensor> = {};
  for (const { site, name, shape, elements, size } of sites) {
    const data = site.dtype === "int32" ? new Int32Array(count * elements) : new Float64Array(count * elements);
    for (let e = 0; e < elements; e++, stride *= size) {
      for (let w = 0; w < count; w++) data[w * elements + e] = Math.floor(w / stride) % size;
    }
    values[name] = leaf(dense(data, site.dtype === "int32" ? "int32" : "float64", [count, ...shape]));
  }
  return { count, values };
}

/** loss and log-probability of every outcome, straight from the program, its loops unrolled: no rewrite, no estimator, no credit. */
export function perOutcome(f: Loss, params: unknown, { count, values }: Outcomes): { loss: Tensor; log: Tensor } {
  const run = (drawn: unknown): { loss: Tensor; log: Tensor } => {
    let log: Tensor = zeros([], { dtype: "float64" });
    const draws = drawn as Record<string, Tensor>;
    const sample = (d: Distribution<never>, { name }: { readonly name?: string }): Tensor => {
      const x = draws[name as string];
      // A site that the loss does not depend on.
      if (x === undefined) return zeros([...d.batchShape, ...d.eventShape], { dtype: d.dtype });
      const found = drawnAt(
        x,
        (value) => (d as unknown as Distribution).logProb(value),
        here() as NonNullable<ReturnType<typeof here>>,
      );
      log = add(log, found.log);
      return found.value;
    };
    const observe = (d: Distribution<never>, x: unknown): Tensor => (d as unknown as Distribution).logProb(x as Tensor);
    const loss = handling({ sample, observe, randomKey: () => tensor([0, 0], { dtype: "uint32" }) }, () =>
      unrolling(() => f(params)),
    );
    return { loss, log };
  };
  if (count === 1 && Object.keys(values).length === 0) return vmap((_: Tensor) => run({}))(arange(1));
  return vmap(run)(values as never) as { loss: Tensor; log: Tensor };
}

/** E[loss] as a sum over outcomes: the oracle. */
export function exactLoss(f: Loss, outcomes: Outcomes): Loss {
  return (params) => {
    const { loss, log } = perOutcome(f, params, outcomes);
    return sum(loss.mul(exp(log)));
  };
}

export interface Judged {
  readonly core: OneRun;
  readonly outcomes: Outcomes;
  readonly probabilities: Float64Array;
  readonly leaves: readonly Tensor[];
}

export interface How {
  readonly runs?: 1 | 2;
  readonly baseline?: "none" | "leaveOneOut" | "aligned" | "auto";
  readonly order?: 1 | 2;
  /** Draws and their probabilities for sites that are not finite; default all outcomes. */
  readonly outcomes?: Outcomes & { readonly probabilities: Float64Array };
  /** Every site charged with the whole loss. */
  readonly everything?: boolean;
}

/** The rewritten program with every draw given, ready to be summed over. */
export function judge(f: Loss, params: unknown, how: How = {}): Judged {
  const { runs = 1, baseline = "none", order = 1, everything = false } = how;
  const program = traced(f, params);
  const outcomes = how.outcomes ?? outcomesOf(program);
  const names = Object.keys(outcomes.values);
  const estimators = Object.fromEntries(names.map((name) => [name, scoreFunction({ baseline }) as AnyEstimator]));
  const choosing: Choosing = { estimators, order, runs, given: new Set(names), sources: "params", dynamic: false };
  const plan = choose(program, choosing);
  const core = oneRun(program, everything ? chargedWithAll(plan, program) : plan);
  const { leaves } = tensorsOf("params", params);
  const weights = (): Float64Array =>
    numbersOf(transforming("test", () => perOutcome(f, params, outcomes)).log).map(Math.exp);
  return { core, outcomes, probabilities: how.outcomes?.probabilities ?? weights(), leaves };
}

function chargedWithAll(plan: Plan, program: Program): Plan {
  const credit = { ...plan.credit, relation: () => mixed, opened: new Set<Tensor>(), leaves: [program.loss] };
  return { ...plan, credit };
}

export function numbersOf(x: Tensor): Float64Array {
  return Float64Array.from(numbers(x));
}

/** What `derive` makes of the objective, for every outcome (or every pair of outcomes): rows, and their probabilities. */
export function overOutcomes(
  j: Judged,
  derive: (objective: Tensor, holes: readonly Tensor[]) => Tensor[],
  runs: 1 | 2 = 1,
): { rows: Float64Array[]; weights: Float64Array } {
  const { core, outcomes, probabilities: p, leaves } = j;
  const names = [...core.given.keys()];
  const holes = [...core.given.values()];
  const n = outcomes.count;
  const bound = new Map(core.program.holes.map((hole, i) => [hole, leaves[i] as Tensor]));
  const put = (outputs: readonly Tensor[]): Float64Array[] => substitute(outputs, bound).outputs.map(numbersOf);
  const values = names.map((name) => outcomes.values[name] as Tensor);
  if (runs === 1)
    return { rows: put(batchAll(derive(core.objective, core.program.holes), holes, values, n)), weights: p };
  const inner = holes.map((hole) => placeholder({ shape: [2, ...hole.shape], dtype: hole.dtype }, "pair"));
  const run = placeholder({ shape: [2], dtype: "uint32" }, "runs");
  const [both] = batchAll([core.objective], [core.program.run, ...holes], [run, ...inner], 2, core.program.axis) as [
    Tensor,
  ];
  const index = tensor(
    Int32Array.from({ length: 2 * n * n }, (_, i) => (i % 2 === 0 ? Math.floor(i / 2 / n) : (i >> 1) % n)),
  );
  const pairs = values.map((x) => x.take(index).reshape([n * n, 2, ...x.shape.slice(1)]));
  const rows = put(batchAll(derive(mean(both), core.program.holes), inner, pairs, n * n));
  return {
    rows,
    weights: Float64Array.from({ length: n * n }, (_, i) => (p[Math.floor(i / n)] as number) * (p[i % n] as number)),
  };
}

export interface Moments {
  /** Derivatives in the order of the parameters. */
  readonly mean: number[];
  /** Summed over them. */
  readonly variance: number;
}

export function momentsOf({ rows, weights }: { rows: Float64Array[]; weights: Float64Array }): Moments {
  const means: number[] = [];
  let variance = 0;
  for (const flat of rows) {
    const size = flat.length / weights.length;
    for (let i = 0; i < size; i++) {
      let [first, second] = [0, 0];
      weights.forEach((w, k) => {
        first += w * (flat[k * size + i] as number);
      });
      weights.forEach((w, k) => {
        second += w * ((flat[k * size + i] as number) - first) ** 2;
      });
      means.push(first);
      variance += second;
    }
  }
  return { mean: means, variance };
}

export function gradientMoments(f: Loss, params: unknown, how: How = {}): Moments {
  return momentsOf(overOutcomes(judge(f, params, how), (loss, holes) => gradients(loss, holes), how.runs));
}

export function hessianMoments(f: Loss, params: unknown, how: How = {}): Moments {
  return momentsOf(
    overOutcomes(judge(f, params, { ...how, order: 2 }), (loss, holes) => hessianBlocks(loss, holes).flat(), how.runs),
  );
}

/** Derivatives 1 … order along `direction`, one number per leaf element in flat order. */
export function directional(
  loss: Tensor,
  holes: readonly Tensor[],
  direction: readonly number[],
  order: number,
): Tensor[] {
  let next = 0;
  const tangents = holes.map((hole) => {
    const part = direction.slice(next, next + hole.size);
    next += hole.size;
    return tensor(Float64Array.from(part), { shape: hole.shape });
  });
  const found: Tensor[] = [];
  for (let k = 0, y = loss; k < order; k++) {
    y = pushTangents([y], holes, tangents)[0] ?? zeros(loss.shape, { dtype: "float64" });
    found.push(y);
  }
  return found;
}

export function directionalMoments(
  f: Loss,
  params: unknown,
  direction: readonly number[],
  order: number,
  how: How = {},
): Moments[] {
  const { rows, weights } = overOutcomes(
    judge(f, params, how),
    (loss, holes) => directional(loss, holes, direction, order),
    how.runs,
  );
  return rows.map((row) => momentsOf({ rows: [row], weights }));
}

/** The oracle's derivatives along a direction. */
export function exactDirectional(f: Loss, params: unknown, direction: readonly number[], order: number): number[] {
  const program = traced(f, params);
  const { leaves, rebuild } = tensorsOf("params", params);
  const holes = leaves.map((x) => placeholder(x, "parameter"));
  const loss = transforming("test", () => exactLoss(f, outcomesOf(program))(rebuild(holes)));
  const bound = new Map(holes.map((hole, i) => [hole, leaves[i] as Tensor]));
  return substitute(directional(loss, holes, direction, order), bound).outputs.map((x) => numbersOf(x)[0] as number);
}
