import { leaf, type Tensor } from "../graph/tensor.js";
import { currentRuntime } from "../graph/trace.js";
import { contiguous, elements, type NDArray } from "../kernel/ndarray.js";
import { onesLike, zerosLike } from "../primitives/linear.js";
import { add, mul } from "../tensor/elementwise.js";
import { gradients, hessianBlocks } from "../transforms/grad.js";
import { pullCotangents } from "../transforms/transpose.js";
import { type Choosing, choose, type Plan } from "./choose.js";
import { siteParams } from "./differentiability.js";
import { type DynamicCall, type DynamicRun, dynamicRuns } from "./dynamic.js";
import { BLOCKS, Blocks, constantLike, type Estimate, Grouped, LEAST_SHARED } from "./estimate.js";
import { chunksOf } from "./evaluate.js";
import { rewrite } from "./rewrite.js";
import type { Spread } from "./spread.js";

/** Estimates of a dynamic program: every run has a graph of its own, so runs are computed one after another. */
export interface DynamicOptions {
  readonly call: DynamicCall;
  readonly choosing: Choosing;
  readonly samples: number;
  readonly chunk: number;
  /** Called with the names of all sites of the first chunk. */
  readonly checkNames: (known: readonly string[]) => void;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DynamicNumbers {
  readonly value: Estimate<Tensor>;
  readonly derivatives: readonly Tensor[];
  readonly spread: Spread;
  readonly biased: boolean;
}

interface Planned extends DynamicRun {
  readonly plan: Plan;
}

export function evaluateDynamic(options: DynamicOptions, order: 0 | 1 | 2): DynamicNumbers {
  const { samples, chunk, signal, onProgress } = options;
  const values = new Blocks([]);
  let blocks: Grouped[] = [];
  let means: Blocks[] = [];
  let last: Planned | null = null;
  let shared = false;
  let first = 0;
  for (const count of chunksOf(samples, chunk)) {
    const runs = objectivesOf(options, first, count);
    const inBlock = Math.max(1, Math.floor(count / Math.min(BLOCKS, count)));
    runs.list.forEach(({ objective, paths }, r) => {
      signal?.throwIfAborted();
      last = paths[0] as Planned;
      const outputs = [
        objective,
        ...derivativesOf(objective, last.program.holes.slice(0, last.program.parameters), order),
      ];
      const [value, ...derived] = currentRuntime().run(outputs, new Map()) as [NDArray, ...NDArray[]];
      values.add(elements(value), 1);
      if (means.length === 0) {
        means = derived.map((d) => new Blocks(d.shape));
        blocks = derived.map((d) => new Grouped(d.shape));
      }
      derived.forEach((d, i) => (means[i] as Blocks).add(elements(d), 1));
      collect(blocks, derived, r, inBlock, count);
      onProgress?.(first + r + 1, samples);
    });
    shared ||= runs.shared;
    first += count;
  }
  return numbersOf(values, means, blocks, last as unknown as Planned, samples, shared, order);
}

/** Adds one run to its block; a chunk's remainder is left out of the spread. */
function collect(
  blocks: readonly Grouped[],
  derived: readonly NDArray[],
  r: number,
  inBlock: number,
  count: number,
): void {
  if (r >= inBlock * Math.floor(count / inBlock)) return;
  derived.forEach((d, i) => {
    (blocks[i] as Grouped).add(elements(d), inBlock);
  });
}

function derivativesOf(objective: Tensor, holes: readonly Tensor[], order: 0 | 1 | 2): Tensor[] {
  return order === 0 ? [] : order === 1 ? gradients(objective, holes) : hessianBlocks(objective, holes).flat();
}

function numbersOf(
  values: Blocks,
  means: readonly Blocks[],
  blocks: readonly Grouped[],
  last: Planned,
  samples: number,
  shared: boolean,
  order: 0 | 1 | 2,
): DynamicNumbers {
  const { program, plan } = last;
  const holes = program.holes.slice(0, program.parameters);
  const types = order === 2 ? holes.flatMap((hole) => holes.map(() => hole)) : holes;
  const exact = program.sites.every((site) => plan.choices.get(site)?.estimator.branches === true);
  const alone = samples < 2 ? "one run has no spread: take samples ≥ 2" : null;
  const reason = exact
    ? null
    : (alone ??
      (shared && samples < LEAST_SHARED
        ? `${samples} runs share a baseline, so their spread is too small: take samples ≥ ${LEAST_SHARED}`
        : null));
  const { loss } = program;
  const bar = (b: Blocks, dtype: Tensor["dtype"], why: string | null): Tensor => {
    const mean = b.mean(dtype);
    return exact ? constantLike(mean, 0) : why ? constantLike(mean, Number.NaN) : b.stderr(dtype, samples);
  };
  return {
    value: {
      mean: values.mean(loss.dtype),
      stderr: bar(values, loss.dtype, alone),
      dof: exact ? Number.POSITIVE_INFINITY : values.blocks - 1,
      reason: exact ? null : alone,
    },
    derivatives: means.map((m, i) => m.mean((types[i] as Tensor).dtype)),
    spread: {
      stderrs: blocks.map((b, i) => bar(b, (types[i] as Tensor).dtype, reason)),
      dof: exact ? Number.POSITIVE_INFINITY : (blocks[0]?.blocks ?? 1) - 1,
      reason,
    },
    biased: [...plan.choices.values()].some((choice) => choice.estimator.bias !== "none"),
  };
}

interface Objectives {
  readonly list: readonly { readonly objective: Tensor; readonly paths: readonly Planned[] }[];
  readonly shared: boolean;
}

/** The graphs of `count` runs from `first` on, with baselines from each other where sites of a name and shape recur. */
export function objectivesOf(options: DynamicOptions, first: number, count: number): Objectives {
  const { call, choosing, samples } = options;
  const runs = Array.from({ length: count }, (_, r) =>
    dynamicRuns(call, first + r).map((path): Planned => ({ ...path, plan: choose(path.program, choosing) })),
  );
  if (first === 0) options.checkNames([...new Set(runs.flat().flatMap(({ program }) => program.names))]);
  if (samples < 2)
    return { list: runs.map((paths) => ({ objective: total(paths, call, first, null), paths })), shared: false };
  const charges = runs.map((paths, r) =>
    paths.length === 1 ? chargesOf(paths[0] as Planned, call, first + r) : new Map<string, NDArray>(),
  );
  const shared = charges.some((map) => map.size > 0);
  const pool = poolOf(charges);
  const list = runs.map((paths, r) => ({
    objective: total(paths, call, first + r, (site) => othersMean(pool, charges[r] as Map<string, NDArray>, site)),
    paths,
  }));
  return { list, shared };
}

/** Σ over paths of their share times their objective. */
function total(
  paths: readonly Planned[],
  call: DynamicCall,
  run: number,
  baseline: ((site: Tensor) => Tensor | null) | null,
): Tensor {
  const parts = paths.map(({ program, plan, forced, share }) => {
    const given = givenOf(program.sites, call, run);
    const baselines = baseline === null ? undefined : baselinesOf(program.sites, baseline);
    const { objective } = rewrite(program, plan, { outcomes: forced, given, baselines });
    return share === 1 ? objective : mul(objective, share);
  });
  return parts.reduce((a, b) => add(a, b));
}

function baselinesOf(sites: readonly Tensor[], baseline: (site: Tensor) => Tensor | null): Map<Tensor, Tensor> {
  const out = new Map<Tensor, Tensor>();
  for (const site of sites) {
    const b = baseline(site);
    if (b) out.set(site, b);
  }
  return out;
}

function givenOf(sites: readonly Tensor[], call: DynamicCall, run: number): Map<Tensor, Tensor> {
  const out = new Map<Tensor, Tensor>();
  for (const site of sites) {
    const value = call.given(siteParams(site).name, run);
    if (value) out.set(site, value);
  }
  return out;
}

/** What each scored site with a leave-one-out baseline is charged in one run. */
function chargesOf({ program, plan, forced }: Planned, call: DynamicCall, run: number): Map<string, NDArray> {
  const { objective, charges } = rewrite(program, plan, {
    outcomes: forced,
    given: givenOf(program.sites, call, run),
    baselines: new Map(),
  });
  const wanted = [...charges].filter(([site]) => plan.choices.get(site)?.baseline === "leaveOneOut");
  const costs = pullCotangents(
    [objective],
    wanted.map(([, log]) => log),
    [onesLike(objective)],
  ).map((g, i) => g ?? zerosLike((wanted[i] as [Tensor, Tensor])[1]));
  const values = currentRuntime().run(costs, new Map());
  return new Map(wanted.map(([site], i) => [siteParams(site).name, contiguous(values[i] as NDArray)]));
}

/** For each site name and shape the sum of charges over runs, so that a run can take the mean of the others. */
type Pool = Map<string, { readonly sum: Float64Array; count: number }>;

function poolOf(charges: readonly Map<string, NDArray>[]): Pool {
  const pool: Pool = new Map();
  for (const map of charges) {
    for (const [name, own] of map) {
      const key = `${name}[${own.shape}]`;
      const entry = pool.get(key) ?? { sum: new Float64Array(own.data.length), count: 0 };
      entry.count++;
      for (let i = 0; i < entry.sum.length; i++) entry.sum[i] = (entry.sum[i] as number) + (own.data[i] as number);
      pool.set(key, entry);
    }
  }
  return pool;
}

/** The mean charge of the site over the other runs that have it; null where there is none. It does not depend on this run's draws. */
function othersMean(pool: Pool, charges: Map<string, NDArray>, site: Tensor): Tensor | null {
  const { name } = siteParams(site);
  const own = charges.get(name);
  const entry = own && pool.get(`${name}[${own.shape}]`);
  if (!own || !entry || entry.count < 2) return null;
  const mean = entry.sum.map((total, i) => (total - (own.data[i] as number)) / (entry.count - 1));
  return leaf({ ...own, data: own.dtype === "float64" ? mean : Float32Array.from(mean) });
}

/** Inside another transform: the mean of the runs' graphs, as a node. */
export function inlineDynamic(options: DynamicOptions): Tensor {
  const parts: Tensor[] = [];
  let first = 0;
  for (const count of chunksOf(options.samples, options.chunk)) {
    for (const { objective } of objectivesOf(options, first, count).list) parts.push(objective);
    first += count;
  }
  const sum = parts.reduce((a, b) => add(a, b));
  return mul(sum, 1 / options.samples);
}
