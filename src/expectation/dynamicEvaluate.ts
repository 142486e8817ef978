import type { DType } from "../base/dtype.js";
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
  const tally = new Tally();
  let first = 0;
  for (const count of chunksOf(samples, chunk)) {
    const runs = objectivesOf(options, first, count);
    runs.list.forEach(({ objective, paths }, r) => {
      signal?.throwIfAborted();
      const { program } = paths[0] as Planned;
      const derived = derivativesOf(objective, program.holes.slice(0, program.parameters), order);
      tally.add(paths, currentRuntime().run([objective, ...derived], new Map()), blockOf(r, count));
      onProgress?.(first + r + 1, samples);
    });
    tally.shared ||= runs.shared;
    first += count;
  }
  return tally.numbers(samples, order);
}

/** How many runs make the block of run r of a chunk; 0 for the chunk's remainder, which the spread leaves out. */
function blockOf(r: number, count: number): number {
  const blocks = Math.min(BLOCKS, count);
  const size = Math.floor(count / blocks);
  return r < size * blocks ? size : 0;
}

/** What the runs of one call add up to. */
class Tally {
  shared = false;
  private exact = true;
  private biased = false;
  private loss: Tensor | null = null;
  private holes: readonly Tensor[] = [];
  private readonly values = new Blocks([]);
  private readonly means: Blocks[] = [];
  private readonly blocks: Grouped[] = [];

  add(paths: readonly Planned[], [value, ...derived]: readonly NDArray[], inBlock: number): void {
    for (const { program, plan, noisy } of paths) {
      const { loss, holes, parameters } = program;
      this.loss = loss;
      this.holes = holes.slice(0, parameters);
      const choices = [...plan.choices.values()];
      this.exact &&= !noisy && choices.every((choice) => choice.estimator.branches);
      this.biased ||= choices.some((choice) => choice.estimator.bias !== "none");
    }
    this.values.add(elements(value as NDArray), 1);
    derived.forEach((d, i) => {
      this.means[i] ??= new Blocks(d.shape);
      this.means[i].add(elements(d), 1);
      this.blocks[i] ??= new Grouped(d.shape);
      if (inBlock > 0) this.blocks[i].add(elements(d), inBlock);
    });
  }

  numbers(samples: number, order: 0 | 1 | 2): DynamicNumbers {
    const { exact, holes } = this;
    const types = order === 2 ? holes.flatMap((hole) => holes.map(() => hole)) : holes;
    const dtypes = types.map((t) => t.dtype);
    const { dtype } = this.loss as Tensor;
    const alone = !exact && samples < 2 ? "one run has no spread: take samples ≥ 2" : null;
    const few = `${samples} runs share a baseline, so their spread is too small: take samples ≥ ${LEAST_SHARED}`;
    const reason = alone ?? (!exact && this.shared && samples < LEAST_SHARED ? few : null);
    const bar = (b: Blocks, type: DType, why: string | null): Tensor => {
      const mean = b.mean(type);
      return exact ? constantLike(mean, 0) : why ? constantLike(mean, Number.NaN) : b.stderr(type, samples);
    };
    const dof = (b: Blocks | undefined): number => (exact ? Number.POSITIVE_INFINITY : (b?.blocks ?? 1) - 1);
    return {
      value: {
        mean: this.values.mean(dtype),
        stderr: bar(this.values, dtype, alone),
        dof: dof(this.values),
        reason: alone,
      },
      derivatives: this.means.map((m, i) => m.mean(dtypes[i] as DType)),
      spread: {
        stderrs: this.blocks.map((b, i) => bar(b, dtypes[i] as DType, reason)),
        dof: dof(this.blocks[0]),
        reason,
      },
      biased: this.biased,
    };
  }
}

function derivativesOf(objective: Tensor, holes: readonly Tensor[], order: 0 | 1 | 2): Tensor[] {
  return order === 0 ? [] : order === 1 ? gradients(objective, holes) : hessianBlocks(objective, holes).flat();
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
