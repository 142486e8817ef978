import { range } from "../base/shape.js";
import { checkGraph } from "../graph/check.js";
import { arange } from "../graph/leaves.js";
import { apply, leaf, placeholder, type Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import { between, substitute } from "../graph/walk.js";
import { dense } from "../kernel/ndarray.js";
import { gather } from "../primitives/indexing.js";
import { permute } from "../primitives/linear.js";
import { add } from "../tensor/elementwise.js";
import { mean } from "../tensor/reducing.js";
import { reshape } from "../tensor/shaping.js";
import { gradients, hessianBlocks } from "../transforms/grad.js";
import { batchAll, batchGraph } from "../transforms/vmap.js";
import { rankAmong } from "./charge.js";
import type { Choice, Plan } from "./choose.js";
import { siteParams } from "./differentiability.js";
import type { Program } from "./program.js";
import { rewrite } from "./rewrite.js";
import { batchOf, typesOfParams } from "./site.js";

/** From the graph of one run to graphs of many: runs are a leading axis on what depends on a sample, the rest is computed once. */
export interface OneRun {
  readonly program: Program;
  readonly plan: Plan;
  /** Scalar: one run, averaged over the outcomes of branching sites. */
  readonly objective: Tensor;
  /** Recorded values, one placeholder of the site's shape each. */
  readonly given: ReadonlyMap<string, Tensor>;
  readonly map: ReadonlyMap<Tensor, Tensor>;
  /** ∂objective/∂log p per site; only without branches, where they would need an axis more. */
  readonly charges: ReadonlyMap<Tensor, Tensor>;
  /** Whether runs differ at all. */
  readonly random: boolean;
  /** Whether anything is drawn, so that a key is needed. */
  readonly draws: boolean;
}

export function oneRun(program: Program, plan: Plan): OneRun {
  const { flow } = program;
  const given = new Map<string, Tensor>();
  const byName = new Map(program.sites.map((site) => [siteParams(site).name, site]));
  const recorded = new Map<Tensor, Tensor>();
  const outcomes = new Map<Tensor, Tensor>();
  for (const [site, { given: isGiven, estimator }] of plan.choices) {
    const { name } = siteParams(site);
    if (isGiven) {
      const hole = placeholder({ shape: flow.shape(site), dtype: site.dtype }, `given.${name}`);
      given.set(name, hole);
      recorded.set(byName.get(name) as Tensor, hole);
    }
    if (estimator.branches)
      outcomes.set(site, placeholder({ shape: flow.shape(site), dtype: site.dtype }, `outcome of ${name}`));
  }
  const { objective, map, charges } = rewrite(program, plan, { outcomes, given: recorded });
  const averaged = overOutcomes(objective, plan, outcomes);
  const random = batchGraph(
    [averaged],
    [program.run, ...given.values()],
    [arange(1, { dtype: "uint32" }), ...[...given.values()].map((hole) => reshape(hole, [1, ...hole.shape]))],
    1,
    program.axis,
  ).batched[0] as boolean;
  // Inside an outer program its sites are captured, and stay for its own rewrite.
  checkGraph([averaged], { stage: "after the rewrite", forbidden: insideTransform() ? [] : ["sample"] });
  const draws = between([program.key], [averaged]).includes(averaged);
  return { program, plan, objective: averaged, given, map, charges, random, draws };
}

/** The mean over all joint outcomes of the branching sites; their weights make it the sum over p. */
function overOutcomes(objective: Tensor, plan: Plan, holes: ReadonlyMap<Tensor, Tensor>): Tensor {
  if (holes.size === 0) return objective;
  let stride = 1;
  const tables = [...holes.keys()].map((site) => {
    const table = outcomeTable(site, plan, stride);
    stride *= (plan.choices.get(site) as Choice).outcomes;
    return table;
  });
  const [out] = batchAll([objective], [...holes.values()], tables, plan.outcomes) as [Tensor];
  return mean(out);
}

/** The values of a site in each joint outcome [outcomes, ...site shape]: digits of the outcome's number, alike along aligned axes. */
function outcomeTable(site: Tensor, plan: Plan, stride: number): Tensor {
  const { flow } = plan.credit;
  const batch = batchOf(flow, site);
  const p = typesOfParams(flow, site);
  const choice = plan.choices.get(site) as Choice;
  const { outcomes } = plan;
  const { enumerate } = siteParams(site).family.gives;
  const values = (enumerate as NonNullable<typeof enumerate>).values(p);
  const size = (enumerate as NonNullable<typeof enumerate>).size(p);
  const elements = batch.reduce((a, b) => a * b, 1);
  const digits = new Int32Array(elements * outcomes);
  const free = range(batch.length).filter((axis) => !choice.aligned.includes(axis));
  for (let e = 0; e < elements; e++) {
    const place = size ** rankAmong(e, batch, free);
    for (let w = 0; w < outcomes; w++) digits[e * outcomes + w] = Math.floor(w / (stride * place)) % size;
  }
  const b = batch.length;
  const lastBatch = permute(values, [
    ...range(b).map((i) => i + 1),
    0,
    ...range(values.rank - b - 1).map((i) => i + b + 1),
  ]);
  const picked = apply(gather, [lastBatch, leaf(dense(digits, "int32", [...batch, outcomes]))], { batch: b });
  return permute(picked, [b, ...range(picked.rank).filter((i) => i !== b)]);
}

export type Derivatives = 0 | 1 | 2;

/** Many runs as one graph. `outer` groups of `inner` runs each. */
export interface Runs {
  /** uint32: the number of the first run. */
  readonly start: Tensor;
  /** Recorded values with the run axes in front, by site name. */
  readonly given: ReadonlyMap<string, Tensor>;
  /** Costs [outer, inner] or [inner]; a scalar when runs do not differ. */
  readonly perRun: Tensor;
  /** The mean cost of each group, [outer] or []. */
  readonly mean: Tensor;
  /** Derivatives of the mean of each group, with the group axis in front if there is one. */
  readonly derivatives: readonly Tensor[];
}

export interface Layout {
  readonly inner: number;
  /** Null: one group. */
  readonly outer: number | null;
  /** Whether runs of other groups take part in a run's leave-one-out baseline: blocks do, replicates do not. */
  readonly shared: boolean;
}

export function manyRuns(core: OneRun, { inner, outer, shared }: Layout, order: Derivatives): Runs {
  const { program, objective } = core;
  const start = placeholder({ shape: [], dtype: "uint32" }, "first run");
  const recorded = [...core.given.values()];
  const runs = placeholder({ shape: [inner], dtype: "uint32" }, "runs");
  const values = recorded.map((hole) => withAxis(hole, inner));
  // A single run is not one of several, and has no others.
  const axis = inner === 1 && outer === null ? null : program.axis;
  const one = batchGraph([objective], [program.run, ...recorded], [runs, ...values], inner, axis).outputs as [Tensor];
  const average = one[0].rank === 0 ? one[0] : mean(one[0]);
  const outputs = [one[0], average, ...derivativesOf(average, program.holes.slice(0, program.parameters), order)];
  const names = [...core.given.keys()];
  if (outer === null) {
    const numbers = new Map([[runs, add(start, arange(inner, { dtype: "uint32" }))]]);
    return runsOf(start, names, values, substitute(outputs, numbers).outputs);
  }
  const grid = add(start, reshape(arange(outer * inner, { dtype: "uint32" }), [outer, inner]));
  const outerValues = values.map((hole) => withAxis(hole, outer));
  // Sharing a baseline means being runs of one population: the collective then spans both axes.
  const tiled = batchAll(outputs, [runs, ...values], [grid, ...outerValues], outer, shared ? program.axis : null);
  return runsOf(start, names, outerValues, tiled);
}

function withAxis(hole: Tensor, size: number): Tensor {
  return placeholder({ shape: [size, ...hole.shape], dtype: hole.dtype }, hole.label as string);
}

function runsOf(start: Tensor, names: readonly string[], given: readonly Tensor[], outputs: readonly Tensor[]): Runs {
  const [perRun, average, ...derivatives] = outputs as [Tensor, Tensor, ...Tensor[]];
  return {
    start,
    given: new Map(names.map((name, i) => [name, given[i] as Tensor])),
    perRun,
    mean: average,
    derivatives,
  };
}

function derivativesOf(average: Tensor, holes: readonly Tensor[], order: Derivatives): Tensor[] {
  if (order === 0) return [];
  return order === 1 ? gradients(average, holes) : hessianBlocks(average, holes).flat();
}
