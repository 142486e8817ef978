import { leaf, type Tensor, type Type } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";
import type { GradOf } from "../transforms/trees.js";
import { type Blocks, constantLike, type Estimate } from "./estimate.js";
import type { Spread } from "./spread.js";

/** What calls return. Nothing is put together before somebody reads it: a training step reads the gradient alone. */
export interface ValueAndGrad<P> {
  readonly value: Estimate<Tensor>;
  readonly grad: Estimate<GradOf<P>>;
  readonly biased: boolean;
}

/** A value that is the same in every run. */
export class ExactValue implements Estimate<Tensor> {
  readonly dof: number = Number.POSITIVE_INFINITY;
  readonly reason: null = null;
  private readonly numbers: NDArray;
  private found: Tensor | null = null;
  private bar: Tensor | null = null;

  constructor(numbers: NDArray) {
    this.numbers = numbers;
  }

  get mean(): Tensor {
    this.found ??= leaf(this.numbers);
    return this.found;
  }

  get stderr(): Tensor {
    this.bar ??= constantLike(this.numbers, 0);
    return this.bar;
  }
}

/** A value with the spread of its runs, or of its replicates. */
export class RunsValue implements Estimate<Tensor> {
  readonly dof: number;
  readonly reason: string | null;
  private readonly type: Type;
  private readonly fill: () => Blocks;
  private blocks: Blocks | null = null;
  private found: Tensor | null = null;
  private bar: Tensor | null = null;

  /** @param count how many runs (or replicates) `fill` gives the mean and spread of */
  constructor(type: Type, count: number, fill: () => Blocks) {
    this.dof = count - 1;
    this.reason = count < 2 ? "one run has no spread: take samples ≥ 2" : null;
    this.type = type;
    this.fill = fill;
  }

  private get filled(): Blocks {
    this.blocks ??= this.fill();
    return this.blocks;
  }

  get mean(): Tensor {
    this.found ??= this.filled.mean(this.type.dtype);
    return this.found;
  }

  get stderr(): Tensor {
    this.bar ??= this.reason ? constantLike(this.type, Number.NaN) : this.filled.stderr(this.type.dtype);
    return this.bar;
  }
}

/** Derivatives as a tree, whose error bars take more runs: both are made when somebody reads them, once. */
export class LazyEstimate<T> implements Estimate<T> {
  readonly reason: string | null;
  private readonly rebuild: (list: readonly Tensor[]) => T;
  private readonly compute: () => Spread;
  private readonly numbers: readonly NDArray[];
  private found: T | null = null;
  private bars: T | null = null;
  private computed: Spread | null = null;

  constructor(
    numbers: readonly NDArray[],
    compute: () => Spread,
    rebuild: (list: readonly Tensor[]) => T,
    reason: string | null,
  ) {
    this.numbers = numbers;
    this.compute = compute;
    this.rebuild = rebuild;
    this.reason = reason;
  }

  private get spread(): Spread {
    this.computed ??= this.compute();
    return this.computed;
  }

  get mean(): T {
    this.found ??= this.rebuild(this.numbers.map(leaf));
    return this.found;
  }

  get stderr(): T {
    this.bars ??= this.rebuild(this.spread.stderrs);
    return this.bars;
  }

  get dof(): number {
    return this.spread.dof;
  }
}

/** An estimate whose error bars are computed when somebody reads them, once. */
export function lazyStderr<T>(
  mean: T,
  compute: () => Spread,
  rebuild: (list: readonly Tensor[]) => T,
  reason: string | null,
): Estimate<T> {
  let found: Spread | null = null;
  const get = (): Spread => {
    found ??= compute();
    return found;
  };
  return {
    mean,
    reason,
    get stderr(): T {
      return rebuild(get().stderrs);
    },
    get dof(): number {
      return get().dof;
    },
  };
}

/** A tree of trees from a flat list of blocks; `rebuild` makes one tree of n leaves. */
export function nested(rebuild: (list: readonly unknown[]) => unknown, n: number, list: readonly Tensor[]): unknown {
  return rebuild(Array.from({ length: n }, (_, i) => rebuild(list.slice(i * n, (i + 1) * n))));
}
