import type { DType } from "../base/dtype.js";
import type { Tensor } from "../graph/tensor.js";
import { currentRuntime } from "../graph/trace.js";
import { elements, type NDArray } from "../kernel/ndarray.js";
import { add, mul } from "../tensor/elementwise.js";
import { gradients, hessianBlocks } from "../transforms/grad.js";
import { choose } from "./choose.js";
import type { Choosing } from "./draft.js";
import { type DynamicCall, dynamicRuns } from "./dynamic.js";
import { baselinesOf, type Charges, chargesOf, type Planned, poolOf } from "./dynamicBaselines.js";
import { BLOCKS, Blocks, constantLike, type Estimate, Grouped, LEAST_SHARED } from "./estimate.js";
import { chunksOf } from "./evaluator.js";
import { rewrite } from "./rewrite.js";
import type { Spread } from "./spread.js";

/** Estimates of a dynamic program: every run has a graph of its own, so runs are computed one after another. */
export interface DynamicOptions {
  readonly call: DynamicCall;
  readonly choosing: Choosing;
  readonly samples: number;
  /** Independent groups of `samples` runs. */
  readonly replicates: number;
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

export function evaluateDynamic(options: DynamicOptions, order: 0 | 1 | 2): DynamicNumbers {
  const { samples, replicates, signal, onProgress } = options;
  const tally = new Tally(options);
  let first = 0;
  for (const count of groupsOf(options)) {
    const runs = objectivesOf(options, first, count);
    tally.shared ||= runs.shared;
    runs.list.forEach(({ objective, paths }, r) => {
      signal?.throwIfAborted();
      const { program } = paths[0] as Planned;
      const derived = derivativesOf(objective, program.holes.slice(0, program.parameters), order);
      const numbers = currentRuntime().run([objective, ...derived], new Map());
      tally.add(paths, numbers, replicates > 1 ? count : blockOf(r, count, runs.shared));
      onProgress?.(first + r + 1, samples * replicates);
    });
    first += count;
  }
  return tally.numbers(order);
}

/** Runs that can be each other's baseline. */
function groupsOf({ samples, replicates, chunk }: DynamicOptions): number[] {
  return replicates > 1 ? new Array<number>(replicates).fill(samples) : chunksOf(samples, chunk);
}

/** How many runs make the block of run r of a chunk; 0 for runs that the spread leaves out: a chunk's remainder, one too small to share. */
function blockOf(r: number, count: number, shared: boolean): number {
  if (shared && count < LEAST_SHARED) return 0;
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
  private readonly options: DynamicOptions;
  private readonly values = new Grouped([]);
  private readonly means: Blocks[] = [];
  private readonly blocks: Grouped[] = [];

  constructor(options: DynamicOptions) {
    this.options = options;
  }

  add(paths: readonly Planned[], [value, ...derived]: readonly NDArray[], inBlock: number): void {
    for (const { program, plan, noisy } of paths) {
      const { loss, holes, parameters } = program;
      this.loss = loss;
      this.holes = holes.slice(0, parameters);
      const choices = [...plan.choices.values()];
      this.exact &&= !noisy && choices.every((choice) => choice.estimator.branches);
      this.biased ||= choices.some((choice) => choice.estimator.bias !== "none");
    }
    this.values.add(elements(value as NDArray), this.options.replicates > 1 ? inBlock : 1);
    derived.forEach((d, i) => {
      this.means[i] ??= new Blocks(d.shape);
      this.means[i].add(elements(d), 1);
      this.blocks[i] ??= new Grouped(d.shape);
      if (inBlock > 0) this.blocks[i].add(elements(d), inBlock);
    });
  }

  /** Why there is no spread: of anything, and of derivatives. */
  private reasons(): { alone: string | null; few: string | null } {
    const { samples, replicates } = this.options;
    if (this.exact || replicates > 1) return { alone: null, few: null };
    const alone = samples < 2 ? "one run has no spread: take samples ≥ 2, or replicates ≥ 32" : null;
    const most = Math.max(...groupsOf(this.options));
    if (alone || !this.shared || most >= LEAST_SHARED) return { alone, few: alone };
    const more = most < samples ? "samples and chunk" : "samples";
    const few = `${most} runs share a baseline, so their spread is too small: take ${more} ≥ ${LEAST_SHARED}, or replicates ≥ 32`;
    return { alone, few };
  }

  numbers(order: 0 | 1 | 2): DynamicNumbers {
    const { exact, holes } = this;
    const runs = this.options.samples * this.options.replicates;
    const types = order === 2 ? holes.flatMap((hole) => holes.map(() => hole)) : holes;
    const dtypes = types.map((t) => t.dtype);
    const { dtype } = this.loss as Tensor;
    const { alone, few } = this.reasons();
    const bar = (b: Blocks, type: DType, why: string | null): Tensor => {
      const mean = b.mean(type);
      return exact ? constantLike(mean, 0) : why ? constantLike(mean, Number.NaN) : b.stderr(type, runs);
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
        stderrs: this.blocks.map((b, i) => bar(b, dtypes[i] as DType, few)),
        dof: dof(this.blocks[0]),
        reason: few,
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
  if (samples < 2) return { list: runs.map((paths) => ({ objective: total(paths, null), paths })), shared: false };
  const charges = runs.map(chargesOf);
  const pool = poolOf(charges);
  const list = runs.map((paths, r) => ({ objective: total(paths, { pool, own: charges[r] as Charges }), paths }));
  return { list, shared: charges.some((map) => map.size > 0) };
}

/** Σ over paths of their share times their objective. */
function total(paths: readonly Planned[], others: { readonly pool: Charges; readonly own: Charges } | null): Tensor {
  const parts = paths.map((path) => {
    const { program, plan, forced, recorded, share } = path;
    const baselines = others ? baselinesOf(path, others.pool, others.own) : undefined;
    const { objective } = rewrite(program, plan, { outcomes: forced, given: recorded, baselines });
    return share === 1 ? objective : mul(objective, share);
  });
  return parts.reduce((a, b) => add(a, b));
}

/** Inside another transform: the mean of the runs' graphs, as a node. */
export function inlineDynamic(options: DynamicOptions): Tensor {
  const parts: Tensor[] = [];
  let first = 0;
  for (const count of groupsOf(options)) {
    for (const { objective } of objectivesOf(options, first, count).list) parts.push(objective);
    first += count;
  }
  const sum = parts.reduce((a, b) => add(a, b));
  return mul(sum, 1 / (options.samples * options.replicates));
}
