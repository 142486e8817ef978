import { allocate, type DType, type TypedArray } from "../../base/dtype.js";
import { fail } from "../../base/errors.js";
import { type Shape, show, sizeOf } from "../../base/shape.js";
import { dense, elements, type NDArray } from "../ndarray.js";

/**
 * Stacks of matrices [..., n, m]. Every algorithm in this folder takes one matrix, a Float64Array in row-major order, so that a batch is
 * the loop bit by bit and float32 is rounded once, at the end.
 */
export interface Stack {
  readonly shape: Shape;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** A copy of matrix r. */
  readonly at: (r: number) => Float64Array;
}

export function stackOf(a: NDArray): Stack {
  const [rows, columns] = a.shape.slice(-2) as [number, number];
  const x = elements(a);
  const size = rows * columns;
  return {
    shape: a.shape,
    count: sizeOf(a.shape.slice(0, -2)),
    rows,
    columns,
    at: (r) => Float64Array.from(x.subarray(r * size, (r + 1) * size)),
  };
}

/** A stack whose numbers are all finite. @throws naming the first matrix that has another */
export function finiteStack(where: string, a: NDArray): Stack {
  const stack = stackOf(a);
  const at = (r: number): Float64Array => {
    const x = stack.at(r);
    const bad = x.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const place = `[${Math.floor(bad / stack.columns)}, ${bad % stack.columns}]`;
      fail({
        where,
        got: `${naming(a.shape, r)}, whose element ${place} is ${x[bad]}`,
        expected: "finite numbers",
      });
    }
    return x;
  };
  return { ...stack, at };
}

/** Each element the mean of itself and its mirror image: what is asked for a symmetric matrix reads both halves. */
export function symmetrised(a: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const mean = 0.5 * (a[i * n + j] as number) + 0.5 * (a[j * n + i] as number);
      a[i * n + j] = mean;
      a[j * n + i] = mean;
    }
  }
  return a;
}

/** `matrix [2, 0] of [3, 2, 4, 4]`, `a matrix [4, 4]` */
export function naming(shape: Shape, r: number): string {
  const lead = shape.slice(0, -2);
  if (lead.length === 0) return `a matrix ${show(shape)}`;
  const index: number[] = [];
  for (let axis = lead.length - 1, rest = r; axis >= 0; axis--) {
    index.unshift(rest % (lead[axis] as number));
    rest = Math.floor(rest / (lead[axis] as number));
  }
  return `matrix ${show(index)} of ${show(shape)}`;
}

/** A number for a sentence. */
export function brief(x: number): string {
  return String(Number(x.toPrecision(4)));
}

/** Where the results of a stack go, one after another. */
export interface Sink {
  readonly put: (r: number, values: ArrayLike<number>) => void;
  readonly done: () => NDArray;
}

export function sinkOf(dtype: DType, shape: Shape): Sink {
  const out: TypedArray = allocate(dtype, sizeOf(shape));
  return {
    // Results of one size follow each other.
    put: (r, values) => out.set(values, r * values.length),
    done: () => dense(out, dtype, shape),
  };
}

/** The transpose of [rows, columns], as a copy. */
export function turned(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j] as number;
  }
  return out;
}

/** Multiplied in place by a power of two that brings the largest magnitude to about 1. @returns the factor that undoes it, exactly */
export function normalise(a: Float64Array): number {
  let top = 0;
  for (const x of a) top = Math.max(top, Math.abs(x));
  if (top === 0) return 1;
  const exponent = Math.max(-1000, Math.min(1000, Math.floor(Math.log2(top))));
  const factor = 2 ** -exponent;
  for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) * factor;
  return 2 ** exponent;
}
