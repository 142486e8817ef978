import { allocate, type DType, type TypedArray } from "../base/dtype.js";
import { type Shape, sizeOf } from "../base/shape.js";
import { dense, elements, isUniform, type NDArray } from "./ndarray.js";

/** Plain loops over typed arrays: slow, obviously right. Storing into the output array rounds to its dtype. */
export type Scalar1 = (a: number) => number;
export type Scalar2 = (a: number, b: number) => number;
export type Scalar3 = (a: number, b: number, c: number) => number;

export function map1(f: Scalar1, a: NDArray, dtype: DType): NDArray {
  const size = sizeOf(a.shape);
  const out = allocate(dtype, size);
  if (isUniform(a) && size > 0) {
    out.fill(f(a.data[a.offset] as number));
    return dense(out, dtype, a.shape);
  }
  const x = elements(a);
  if (x instanceof Float32Array && out instanceof Float32Array) each32(f, x, out);
  else for (let i = 0; i < size; i++) out[i] = f(x[i] as number);
  return dense(out, dtype, a.shape);
}

/*
 * A loop that has only ever seen one kind of array is compiled to a few instructions an element, one that has seen four kinds
 * to calls: ten times slower. So the common kind, float32, has copies of its own.
 */
function each32(f: Scalar1, x: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = f(x[i] as number);
}

/** The elements with their step: 0 for a broadcast scalar, so that it is not copied out. */
function walkable(a: NDArray): readonly [TypedArray, number] {
  return isUniform(a) ? [a.data.subarray(a.offset), 0] : [elements(a), 1];
}

type Walk = (x: Float32Array, dx: number, y: Float32Array, dy: number, out: Float32Array) => void;

/** Two arrays walked together: by `fast` where all are float32, else by `f` element by element. */
function walk(f: Scalar2, a: NDArray, b: NDArray, dtype: DType, fast?: Walk): NDArray {
  const out = allocate(dtype, sizeOf(a.shape));
  const [x, dx] = walkable(a);
  const [y, dy] = walkable(b);
  if (x instanceof Float32Array && y instanceof Float32Array) {
    if (out instanceof Float32Array) {
      if (fast) fast(x, dx, y, dy, out);
      else pairs32(f, x, dx, y, dy, out);
    } else test32(f, x, dx, y, dy, out);
  } else
    for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = f(x[p] as number, y[q] as number);
  return dense(out, dtype, a.shape);
}

function pairs32(f: Scalar2, x: Float32Array, dx: number, y: Float32Array, dy: number, out: Float32Array): void {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = f(x[p] as number, y[q] as number);
}

/** Comparisons. */
function test32(f: Scalar2, x: Float32Array, dx: number, y: Float32Array, dy: number, out: TypedArray): void {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = f(x[p] as number, y[q] as number);
}

export function map2(f: Scalar2, a: NDArray, b: NDArray, dtype: DType): NDArray {
  return walk(f, a, b, dtype);
}

export function map3(f: Scalar3, a: NDArray, b: NDArray, c: NDArray, dtype: DType): NDArray {
  const size = sizeOf(a.shape);
  const out = allocate(dtype, size);
  const [x, dx] = walkable(a);
  const [y, dy] = walkable(b);
  const [z, dz] = walkable(c);
  for (let i = 0, p = 0, q = 0, r = 0; i < size; i++, p += dx, q += dy, r += dz) {
    out[i] = f(x[p] as number, y[q] as number, z[r] as number);
  }
  return dense(out, dtype, a.shape);
}

/** Arithmetic is written out for float32: a call for each element costs more than the arithmetic. */
const add32: Walk = (x, dx, y, dy, out) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = (x[p] as number) + (y[q] as number);
};
const sub32: Walk = (x, dx, y, dy, out) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = (x[p] as number) - (y[q] as number);
};
const mul32: Walk = (x, dx, y, dy, out) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = (x[p] as number) * (y[q] as number);
};
const div32: Walk = (x, dx, y, dy, out) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = (x[p] as number) / (y[q] as number);
};

export function addLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  return walk((x, y) => x + y, a, b, dtype, add32);
}

export function subLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  return walk((x, y) => x - y, a, b, dtype, sub32);
}

export function mulLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  return walk(dtype === "int32" || dtype === "uint32" ? Math.imul : (x, y) => x * y, a, b, dtype, mul32);
}

export function divLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  return walk((x, y) => x / y, a, b, dtype, div32);
}

/**
 * Reduces `axes` of `a`: those axes are moved last, so that each output element is one run of `count` numbers.
 * Sums accumulate in float64 and round once: the oracle may be better than later runtimes, never worse.
 */
export function reduce(
  a: NDArray,
  axes: readonly number[],
  dtype: DType,
  f: (x: TypedArray, from: number, count: number) => number,
): NDArray {
  const kept = a.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const moved: NDArray = {
    ...a,
    shape: order.map((i) => a.shape[i] as number),
    strides: order.map((i) => a.strides[i] as number),
  };
  const shape: Shape = kept.map((i) => a.shape[i] as number);
  const count = sizeOf(axes.map((i) => a.shape[i] as number));
  const size = sizeOf(shape);
  const x = elements(moved);
  const out = allocate(dtype, size);
  for (let i = 0; i < size; i++) out[i] = f(x, i * count, count);
  return dense(out, dtype, shape);
}

export function sumRun(x: TypedArray, from: number, count: number): number {
  let total = 0;
  for (let i = from; i < from + count; i++) total += x[i] as number;
  return total;
}
