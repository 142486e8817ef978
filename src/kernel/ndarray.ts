import { allocate, type DType, type TypedArray } from "../base/dtype.js";
import { type Shape, sizeOf, stridesOf } from "../base/shape.js";

/** Numbers in memory: a strided view of a typed array. Broadcast, transpose and slice are views; loops ask for `contiguous`. */
export interface NDArray {
  readonly data: TypedArray;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
  /** Of an operation with several results: their numbers. */
  readonly parts?: readonly NDArray[];
}

export function dense(data: TypedArray, dtype: DType, shape: Shape): NDArray {
  return { data, dtype, shape, strides: stridesOf(shape), offset: 0 };
}

export function empty(dtype: DType, shape: Shape): NDArray {
  return dense(allocate(dtype, sizeOf(shape)), dtype, shape);
}

export function isContiguous(a: NDArray): boolean {
  let step = 1;
  for (let axis = a.shape.length - 1; axis >= 0; axis--) {
    const n = a.shape[axis] as number;
    if (n !== 1 && a.strides[axis] !== step) return false;
    step *= n;
  }
  return true;
}

/** Calls `row(position)` for the start of each innermost row, in row-major order. Positions index `a.data`. */
export function eachRow(a: NDArray, row: (position: number) => void): void {
  const outer = a.shape.length - 1;
  const index = new Array<number>(Math.max(outer, 0)).fill(0);
  let position = a.offset;
  const rows = outer < 0 ? 1 : sizeOf(a.shape.slice(0, outer));
  if (sizeOf(a.shape) === 0) return;
  for (let r = 0; r < rows; r++) {
    row(position);
    for (let axis = outer - 1; axis >= 0; axis--) {
      position += a.strides[axis] as number;
      const next = (index[axis] as number) + 1;
      if (next < (a.shape[axis] as number)) {
        index[axis] = next;
        break;
      }
      position -= next * (a.strides[axis] as number);
      index[axis] = 0;
    }
  }
}

/** The elements in row-major order; the array itself (from `offset`) when they already are. */
export function elements(a: NDArray): TypedArray {
  const size = sizeOf(a.shape);
  if (isContiguous(a)) {
    return a.offset === 0 && a.data.length === size ? a.data : a.data.subarray(a.offset, a.offset + size);
  }
  const out = allocate(a.dtype, size);
  const n = a.shape[a.shape.length - 1] as number;
  const step = a.strides[a.strides.length - 1] as number;
  const { data } = a;
  let next = 0;
  eachRow(a, (position) => {
    for (let i = 0, p = position; i < n; i++, p += step) out[next++] = data[p] as number;
  });
  return out;
}

export function contiguous(a: NDArray): NDArray {
  return isContiguous(a) && a.offset === 0 && a.data.length === sizeOf(a.shape)
    ? a
    : dense(elements(a), a.dtype, a.shape);
}

/** True where every element is one number: a scalar, or a scalar broadcast. */
export function isUniform(a: NDArray): boolean {
  return a.strides.every((stride, axis) => stride === 0 || a.shape[axis] === 1);
}
