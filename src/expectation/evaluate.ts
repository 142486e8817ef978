import { simplified } from "../control/simplify.js";
import { leaf, type Tensor } from "../graph/tensor.js";
import { currentRuntime } from "../graph/trace.js";
import { contiguous, elements, type NDArray } from "../kernel/ndarray.js";
import { readAll } from "../runtime/read.js";
import { addRows, Blocks, constantLike, type Estimate } from "./estimate.js";
import { type Derivatives, type Layout, manyRuns, type OneRun, type Runs } from "./runs.js";

/** Numbers of an expectation: runs in fixed chunks, means merged, spread from blocks. */

export interface Call {
  /** Tensors for `program.holes`. */
  readonly leaves: readonly Tensor[];
  readonly key: Tensor;
  /** Recorded values by site name, with the run axis (and the replicate axis) in front. */
  readonly given: ReadonlyMap<string, Tensor>;
  readonly samples: number;
  readonly replicates: number;
  readonly chunk: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Compiled layouts of one program, kept with it. */
export class Evaluator {
  private readonly cache = new Map<string, Runs>();
  /** Of each layout that was run, its outputs as they are computed; what is put into other graphs stays as it is. */
  private readonly simple = new WeakMap<Runs, ReadonlyMap<Tensor, Tensor>>();
  readonly core: OneRun;

  constructor(core: OneRun) {
    this.core = core;
  }

  runs(layout: Layout, order: Derivatives): Runs {
    const key = `${layout.inner}/${layout.outer}/${layout.shared}/${order}`;
    let found = this.cache.get(key);
    if (found === undefined) {
      found = manyRuns(this.core, layout, order);
      this.cache.set(key, found);
    }
    return found;
  }

  /** The numbers of `outputs`, which are some of those of `runs`, for the runs that begin at `first`. */
  run(runs: Runs, outputs: readonly Tensor[], call: Call, first: number): NDArray[] {
    call.signal?.throwIfAborted();
    const { program } = this.core;
    const feeds = new Map<Tensor, NDArray>();
    const values = readAll([...call.leaves, call.key]);
    program.holes.forEach((hole, i) => {
      feeds.set(hole, values[i] as NDArray);
    });
    feeds.set(program.key, values[values.length - 1] as NDArray);
    feeds.set(runs.start, elementsOf(Uint32Array.of(first), []));
    for (const [name, hole] of runs.given) feeds.set(hole, window(call.given.get(name) as Tensor, hole, first));
    const simple = this.simplified(runs);
    return currentRuntime().run(
      outputs.map((node) => simple.get(node) as Tensor),
      feeds,
    );
  }

  private simplified(runs: Runs): ReadonlyMap<Tensor, Tensor> {
    let found = this.simple.get(runs);
    if (found === undefined) {
      const outputs = [runs.perRun, runs.mean, ...runs.derivatives];
      const simple = simplified(outputs);
      found = new Map(outputs.map((node, i) => [node, simple[i] as Tensor]));
      this.simple.set(runs, found);
    }
    return found;
  }
}

function elementsOf(data: Uint32Array, shape: readonly number[]): NDArray {
  return { data, dtype: "uint32", shape, strides: [], offset: 0 };
}

/** The recorded values of the runs that start at `first`, as many as the hole takes. */
function window(recorded: Tensor, hole: Tensor, first: number): NDArray {
  const all = readAll([recorded])[0] as NDArray;
  const flat = elements(all);
  const size = hole.size;
  const perRun = recorded.size / (recorded.shape[0] as number);
  const data = flat.subarray(first * perRun, first * perRun + size);
  const strides = new Array<number>(hole.rank);
  let step = 1;
  for (let axis = hole.rank - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= hole.shape[axis] as number;
  }
  return { data, dtype: all.dtype, shape: hole.shape, strides, offset: 0 };
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

export interface Numbers {
  readonly value: Estimate<Tensor>;
  readonly derivatives: readonly Tensor[];
}

/** Value and derivatives; the spread of the value comes from the runs themselves. */
export function evaluate(ev: Evaluator, call: Call, order: Derivatives): Numbers {
  const { random, objective } = ev.core;
  if (!random) return exact(ev, call, order);
  const values = new Blocks([]);
  const totals: Blocks[] = [];
  let first = 0;
  const total = call.samples * call.replicates;
  for (const { layout, runs: count } of layouts(call)) {
    const runs = ev.runs(layout, order);
    const [perRun, ...derived] = ev.run(
      runs,
      [call.replicates > 1 ? runs.mean : runs.perRun, ...runs.derivatives],
      call,
      first,
    ) as [NDArray, ...NDArray[]];
    addRows(values, perRun, call.replicates > 1 ? call.samples : 1);
    derived.forEach((array, i) => {
      totals[i] ??= new Blocks(call.replicates > 1 ? array.shape.slice(1) : array.shape);
      if (call.replicates > 1) addRows(totals[i], array, call.samples);
      else totals[i].add(elements(array), count);
    });
    first += count;
    call.onProgress?.(first, total);
  }
  const types = parameterTypes(ev, order);
  return {
    value: valueEstimate(values, objective),
    derivatives: totals.map((t, i) => t.mean((types[i] as Tensor).dtype)),
  };
}

function valueEstimate(values: Blocks, objective: Tensor): Estimate<Tensor> {
  const reason = values.blocks < 2 ? "one run has no spread: take samples ≥ 2" : null;
  const stderr = reason ? constantLike(objective, Number.NaN) : values.stderr(objective.dtype);
  return { mean: values.mean(objective.dtype), stderr, dof: values.blocks - 1, reason };
}

export function layouts(call: Call): { layout: Layout; runs: number }[] {
  if (call.replicates > 1) {
    return [
      { layout: { inner: call.samples, outer: call.replicates, shared: false }, runs: call.samples * call.replicates },
    ];
  }
  return chunksOf(call.samples, call.chunk).map((inner) => ({
    layout: { inner, outer: null, shared: true },
    runs: inner,
  }));
}

/** For each derivative a node of its dtype. */
export function parameterTypes(ev: Evaluator, order: Derivatives): readonly Tensor[] {
  if (order === 0) return [];
  const holes = ev.core.program.holes.slice(0, ev.core.program.parameters);
  return order === 1 ? holes : holes.flatMap((hole) => holes.map(() => hole));
}

function exact(ev: Evaluator, call: Call, order: Derivatives): Numbers {
  const runs = ev.runs({ inner: 1, outer: null, shared: true }, order);
  const [value, ...derived] = ev.run(runs, [runs.mean, ...runs.derivatives], call, 0) as [NDArray, ...NDArray[]];
  return {
    value: {
      mean: leaf(contiguous(value)),
      stderr: constantLike(value, 0),
      dof: Number.POSITIVE_INFINITY,
      reason: null,
    },
    derivatives: derived.map((array) => leaf(contiguous(array))),
  };
}
