import { allocate } from "../base/dtype.js";
import { sizeOf } from "../base/shape.js";
import { placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { dense, type NDArray } from "../kernel/ndarray.js";
import { Computation } from "../runtime/computation.js";
import { add, mul, sub, toDType } from "../tensor/elementwise.js";
import { mean } from "../tensor/reducing.js";
import { Blocks, type Estimate } from "./estimate.js";
import { type Bound, chunksOf, derivativeTypes, type Evaluator, numberOf, Part, type Sizes } from "./evaluator.js";
import { ExactValue, RunsValue } from "./results.js";
import type { Derivatives } from "./runs.js";
import { addTallied, tallied } from "./tally.js";

/** Numbers of an expectation: runs in fixed chunks, means merged, spread from blocks. */

export interface Numbers {
  readonly value: Estimate<Tensor>;
  readonly derivatives: readonly NDArray[];
}

/** Value and derivatives; the spread of the value comes from the runs themselves. */
export interface Evaluation {
  run(bound: Bound): Numbers;
}

/** What there is to compute for calls of these sizes, found once. */
export function evaluation(ev: Evaluator, sizes: Sizes, order: Derivatives): Evaluation {
  if (!ev.core.random) return new Exact(ev, order);
  return sizes.replicates > 1 || chunksOf(sizes.samples, sizes.chunk).length === 1
    ? new AtOnce(ev, sizes, order)
    : new InChunks(ev, sizes, order);
}

class Exact implements Evaluation {
  private readonly part: Part;

  constructor(ev: Evaluator, order: Derivatives) {
    const layout = { inner: 1, outer: null, shared: true };
    this.part = ev.part("exact", layout, order, (runs) => [runs.mean, ...runs.derivatives]);
  }

  run(bound: Bound): Numbers {
    const [value, ...derivatives] = this.part.run(bound, 0) as [NDArray, ...NDArray[]];
    return { value: new ExactValue(value), derivatives };
  }
}

/** Everything in one go: a single chunk, or replicates, which are the blocks of the value. */
class AtOnce implements Evaluation {
  private readonly part: Part;
  private readonly derivatives: number;
  private readonly rows: number;
  private readonly weight: number;
  private readonly objective: Tensor;

  constructor(ev: Evaluator, { samples, replicates }: Sizes, order: Derivatives) {
    const types = derivativeTypes(ev.core, order);
    const groups = replicates > 1;
    const layout = { inner: samples, outer: groups ? replicates : null, shared: !groups };
    const average = (d: Tensor, i: number): Tensor => {
      const { dtype } = types[i] as Type;
      return toDType(groups ? mean(toDType(d, "float64"), 0) : d, dtype);
    };
    this.part = ev.part("at once", layout, order, (runs) => [
      ...tallied(groups ? runs.mean : runs.perRun),
      ...runs.derivatives.map(average),
    ]);
    this.derivatives = types.length;
    this.rows = groups ? replicates : samples;
    this.weight = groups ? samples : 1;
    this.objective = ev.core.objective;
  }

  run(bound: Bound): Numbers {
    const arrays = this.part.run(bound, 0);
    const { rows, weight } = this;
    bound.onProgress?.(rows * weight, rows * weight);
    const derivatives = arrays.splice(arrays.length - this.derivatives);
    const fill = (): Blocks => {
      const blocks = new Blocks([]);
      addTallied(blocks, arrays, rows, weight);
      return blocks;
    };
    return { value: new RunsValue(this.objective, rows, fill), derivatives };
  }
}

/** Chunk after chunk. Means of derivatives are carried from one to the next, and stay with the runtime. */
class InChunks implements Evaluation {
  private readonly ev: Evaluator;
  private readonly counts: readonly number[];
  private readonly types: readonly Type[];
  private readonly order: Derivatives;
  private readonly full: Part;
  private readonly last: Part;
  private readonly start: readonly NDArray[];
  private readonly finish: Computation;

  constructor(ev: Evaluator, { samples, chunk }: Sizes, order: Derivatives) {
    this.ev = ev;
    this.order = order;
    this.counts = chunksOf(samples, chunk);
    this.types = derivativeTypes(ev.core, order);
    const [first, last] = [this.counts[0] as number, this.counts[this.counts.length - 1] as number];
    this.full = this.partOf(first);
    this.last = last === first ? this.full : this.partOf(last);
    this.start = this.types.map(({ shape }) => dense(allocate("float64", sizeOf(shape)), "float64", shape));
    const carried = this.carried();
    this.finish = new Computation(
      carried.map((hole, i) => toDType(hole, (this.types[i] as Type).dtype)),
      carried,
    );
  }

  private carried(): Tensor[] {
    return this.types.map(({ shape }) => placeholder({ shape, dtype: "float64" }, "mean so far"));
  }

  /** Of a chunk: what its costs are counted by, and the means of the derivatives so far. */
  private partOf(inner: number): Part {
    const runs = this.ev.runs({ inner, outer: null, shared: true }, this.order);
    const carried = this.carried();
    const share = placeholder({ shape: [], dtype: "float64" }, "share of the chunk");
    const means = carried.map((before, i) => {
      const now = toDType(runs.derivatives[i] as Tensor, "float64");
      return add(before, mul(sub(now, before), share));
    });
    return new Part(this.ev.core, runs, [...tallied(runs.perRun), ...means], [...carried, share]);
  }

  run(bound: Bound): Numbers {
    const { counts, full, last, types } = this;
    const blocks = new Blocks([]);
    const total = counts.reduce((a, b) => a + b, 0);
    let first = 0;
    let means = this.start;
    for (let k = 0; k < counts.length; k++) {
      const count = counts[k] as number;
      const share = numberOf(Float64Array.of(count / (first + count)), "float64");
      const arrays = (k < counts.length - 1 ? full : last).run(bound, first, [...means, share]);
      means = arrays.splice(arrays.length - types.length);
      addTallied(blocks, arrays, count, 1);
      first += count;
      bound.onProgress?.(first, total);
    }
    const derivatives = types.length === 0 ? [] : this.finish.run(means);
    return { value: new RunsValue(this.ev.core.objective, total, () => blocks), derivatives };
  }
}
