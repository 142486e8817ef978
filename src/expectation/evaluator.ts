import type { Tensor, Type } from "../graph/tensor.js";
import { dense, elements, type NDArray } from "../kernel/ndarray.js";
import { Computation } from "../runtime/computation.js";
import { readAll } from "../runtime/read.js";
import { type Derivatives, type Layout, manyRuns, type OneRun, type Runs } from "./runs.js";

/** Layouts of the runs of a program as compiled computations, and what a call brings to them. */

/** How many runs there are, and how many of them are computed at once. */
export interface Sizes {
  readonly samples: number;
  readonly replicates: number;
  readonly chunk: number;
}

/** What a call brings, as tensors. */
export interface Call extends Sizes {
  /** For `program.holes`. */
  readonly leaves: readonly Tensor[];
  readonly key: Tensor;
  /** Recorded values by site name, with the run axis (and the replicate axis) in front. */
  readonly given: ReadonlyMap<string, Tensor>;
}

/** What a call brings, as numbers. */
export interface Bound {
  /** For `program.holes`, then the key. */
  readonly inputs: readonly NDArray[];
  /** For `core.given`, with the runs in front. */
  readonly given: readonly NDArray[];
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

export function boundTo(
  core: OneRun,
  { leaves, key, given }: Pick<Call, "leaves" | "key" | "given">,
  { signal, onProgress }: Partial<Pick<Bound, "signal" | "onProgress">> = {},
): Bound {
  const recorded = readAll([...core.given.keys()].map((name) => given.get(name) as Tensor));
  return { inputs: readAll([...leaves, key]), given: recorded, signal, onProgress };
}

/** Layouts of one program and what was compiled of them, kept with it. */
export class Evaluator {
  private readonly layouts = new Map<string, Runs>();
  private readonly parts = new Map<string, Part>();
  readonly core: OneRun;

  constructor(core: OneRun) {
    this.core = core;
  }

  runs(layout: Layout, order: Derivatives): Runs {
    const key = nameOf(layout, order);
    let found = this.layouts.get(key);
    if (found === undefined) {
      found = manyRuns(this.core, layout, order);
      this.layouts.set(key, found);
    }
    return found;
  }

  /** What `outputs` makes of the runs of a layout, which `what` names. */
  part(what: string, layout: Layout, order: Derivatives, outputs: (runs: Runs) => readonly Tensor[]): Part {
    const key = `${what}/${nameOf(layout, order)}`;
    let found = this.parts.get(key);
    if (found === undefined) {
      const runs = this.runs(layout, order);
      found = new Part(this.core, runs, outputs(runs));
      this.parts.set(key, found);
    }
    return found;
  }
}

function nameOf({ inner, outer, shared }: Layout, order: Derivatives): string {
  return `${inner}/${outer}/${shared}/${order}`;
}

const scalar: readonly number[] = [];
const firstOfAll = numberOf(Uint32Array.of(0), "uint32");

export function numberOf(data: Uint32Array | Float64Array, dtype: "uint32" | "float64"): NDArray {
  return { data, dtype, shape: scalar, strides: scalar, offset: 0 };
}

/** Numbers of some runs, whatever the number of the first; `more` are inputs besides those of the program. */
export class Part {
  private readonly holes: readonly Tensor[];
  private readonly computation: Computation;

  constructor({ program }: OneRun, runs: Runs, outputs: readonly Tensor[], more: readonly Tensor[] = []) {
    this.holes = [...runs.given.values()];
    this.computation = new Computation(outputs, [...program.holes, program.key, runs.start, ...this.holes, ...more]);
  }

  run({ inputs, given, signal }: Bound, first: number, more?: readonly NDArray[]): NDArray[] {
    signal?.throwIfAborted();
    const values = inputs.slice();
    values.push(first === 0 ? firstOfAll : numberOf(Uint32Array.of(first), "uint32"));
    for (let i = 0; i < this.holes.length; i++)
      values.push(windowOf(given[i] as NDArray, this.holes[i] as Tensor, first));
    if (more) for (const value of more) values.push(value);
    return this.computation.run(values);
  }
}

/** The recorded values of the runs that start at `first`, as many as the hole takes. */
function windowOf(recorded: NDArray, { size, shape, dtype }: Tensor, first: number): NDArray {
  const flat = elements(recorded);
  const perRun = flat.length / (recorded.shape[0] as number);
  return dense(flat.subarray(first * perRun, first * perRun + size), dtype, shape);
}

/** Chunk sizes that add up to S; a last chunk of one run would have no others, so it joins the one before. */
export function chunksOf(samples: number, chunk: number): number[] {
  const sizes: number[] = [];
  for (let left = samples; left > 0; left -= Math.min(left, chunk)) sizes.push(Math.min(left, chunk));
  if (sizes.length > 1 && sizes[sizes.length - 1] === 1) {
    sizes.pop();
    sizes[sizes.length - 1] = (sizes[sizes.length - 1] as number) + 1;
  }
  return sizes;
}

export function layouts({ samples, replicates, chunk }: Sizes): { layout: Layout; runs: number }[] {
  if (replicates > 1)
    return [{ layout: { inner: samples, outer: replicates, shared: false }, runs: samples * replicates }];
  return chunksOf(samples, chunk).map((inner) => ({ layout: { inner, outer: null, shared: true }, runs: inner }));
}

/** What each derivative is: like its parameter, or a block per pair of them. */
export function derivativeTypes({ program }: OneRun, order: Derivatives): Type[] {
  if (order === 0) return [];
  const holes = program.holes.slice(0, program.parameters);
  if (order === 1) return holes.map(({ shape, dtype }) => ({ shape, dtype }));
  return holes.flatMap((a) => holes.map((b) => ({ shape: [...a.shape, ...b.shape], dtype: a.dtype })));
}
