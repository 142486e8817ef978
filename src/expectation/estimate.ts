import { allocate } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import { leaf, type Tensor, type Type } from "../graph/tensor.js";
import { dense, elements, type NDArray } from "../kernel/ndarray.js";

/** A number with its error bar. */
export interface Estimate<T> {
  readonly mean: T;
  /** Standard error of the mean: 0 for exact values, NaN (with a reason) where the spread cannot be told. Computed when read. */
  readonly stderr: T;
  /** Degrees of freedom of the spread, for t-intervals. */
  readonly dof: number;
  /** Why stderr is NaN; null otherwise. */
  readonly reason: string | null;
}

export const BLOCKS = 32;

/** Below this many runs that share a baseline their spread is too small: a 95 % interval covers 50-90 %. */
export const LEAST_SHARED = 64;

/** Weighted mean and spread of blocks, element by element. */
export class Blocks {
  private readonly means: Float64Array;
  private readonly squares: Float64Array;
  private readonly shape: Shape;
  private weight = 0;
  private count = 0;

  constructor(shape: Shape) {
    this.shape = shape;
    const size = shape.reduce((a, b) => a * b, 1);
    this.means = new Float64Array(size);
    this.squares = new Float64Array(size);
  }

  /** Adds one block, `numbers` from `at` on, that stands for `weight` runs. West 1979: a running mean, so that large means do not cancel. */
  add(numbers: ArrayLike<number>, weight: number, at = 0): void {
    this.weight += weight;
    this.count++;
    for (let i = 0; i < this.means.length; i++) {
      const number = numbers[at + i] as number;
      const delta = number - (this.means[i] as number);
      const step = (delta * weight) / this.weight;
      this.means[i] = (this.means[i] as number) + step;
      this.squares[i] = (this.squares[i] as number) + weight * delta * (number - (this.means[i] as number));
    }
  }

  /**
   * Adds `count` blocks of `weight` runs each, of which the mean and the squared distances from it are known. Chan, Golub & LeVeque 1979.
   */
  merge(mean: ArrayLike<number>, squares: ArrayLike<number>, count: number, weight: number): void {
    const [before, added] = [this.weight, count * weight];
    this.weight += added;
    this.count += count;
    const share = added / this.weight;
    for (let i = 0; i < this.means.length; i++) {
      const delta = (mean[i] as number) - (this.means[i] as number);
      this.means[i] = (this.means[i] as number) + delta * share;
      this.squares[i] = (this.squares[i] as number) + weight * (squares[i] as number) + delta * delta * before * share;
    }
  }

  get blocks(): number {
    return this.count;
  }

  /** Numbers in a block. */
  get size(): number {
    return this.means.length;
  }

  mean(dtype: Type["dtype"]): Tensor {
    return tensorOf(this.means, dtype, this.shape);
  }

  /** √(Σ w (b − mean)² / (blocks − 1) / `runs`): for independent runs the standard error of a mean over `runs` of them. */
  stderr(dtype: Type["dtype"], runs: number = this.weight): Tensor {
    const out = this.squares.map((square) => Math.sqrt(square / Math.max(0, this.count - 1) / runs));
    return tensorOf(out, dtype, this.shape);
  }
}

/** Blocks that are filled one run at a time. */
export class Grouped extends Blocks {
  private sums: Float64Array | null = null;
  private runs = 0;

  /** Adds one run; `size` of them make a block. */
  override add(numbers: ArrayLike<number>, size: number, at = 0): void {
    this.sums ??= new Float64Array(this.size);
    for (let i = 0; i < this.size; i++) this.sums[i] = (this.sums[i] as number) + (numbers[at + i] as number) / size;
    if (++this.runs < size) return;
    super.add(this.sums, size);
    this.sums = null;
    this.runs = 0;
  }
}

/** Adds every row of a [blocks, ...shape] array. */
export function addRows(blocks: Blocks, array: NDArray, weight: number): void {
  const flat = elements(array);
  const rows = array.shape[0] as number;
  for (let r = 0; r < rows; r++) blocks.add(flat, weight, r * blocks.size);
}

export function tensorOf(values: ArrayLike<number>, dtype: Type["dtype"], shape: Shape): Tensor {
  const data = allocate(dtype, values.length);
  data.set(values);
  return leaf(dense(data, dtype, shape));
}

export function constantLike({ shape, dtype }: Type, value: number): Tensor {
  const data = allocate(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
  return leaf(dense(data.fill(value), dtype, shape));
}
