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
  for (let i = 0; i < size; i++) out[i] = f(x[i] as number);
  return dense(out, dtype, a.shape);
}

/** The elements with their step: 0 for a broadcast scalar, so that it is not copied out. */
function walkable(a: NDArray): readonly [TypedArray, number] {
  return isUniform(a) ? [a.data.subarray(a.offset), 0] : [elements(a), 1];
}

export function map2(f: Scalar2, a: NDArray, b: NDArray, dtype: DType): NDArray {
  const size = sizeOf(a.shape);
  const out = allocate(dtype, size);
  const [x, dx] = walkable(a);
  const [y, dy] = walkable(b);
  for (let i = 0, p = 0, q = 0; i < size; i++, p += dx, q += dy) out[i] = f(x[p] as number, y[q] as number);
  return dense(out, dtype, a.shape);
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

/** The four arithmetic loops are written out: the calls in `map2` cost more than the arithmetic. */
export function addLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  const size = sizeOf(a.shape);
  const out = allocate(dtype, size);
  const [x, dx] = walkable(a);
  const [y, dy] = walkable(b);
  for (let i = 0, p = 0, q = 0; i < size; i++, p += dx, q += dy) out[i] = (x[p] as number) + (y[q] as number);
  return dense(out, dtype, a.shape);
}

export function subLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  const size = sizeOf(a.shape);
  const out = allocate(dtype, size);
  const [x, dx] = walkable(a);
  const [y, dy] = walkable(b);
  for (let i = 0, p = 0, q = 0; i < size; i++, p += dx, q += dy) out[i] = (x[p] as number) - (y[q] as number);
  return dense(out, dtype, a.shape);
}

export function mulLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  if (dtype === "int32" || dtype === "uint32") return map2(Math.imul, a, b, dtype);
  const size = sizeOf(a.shape);
  const out = allocate(dtype, size);
  const [x, dx] = walkable(a);
  const [y, dy] = walkable(b);
  for (let i = 0, p = 0, q = 0; i < size; i++, p += dx, q += dy) out[i] = (x[p] as number) * (y[q] as number);
  return dense(out, dtype, a.shape);
}

/**
 * Reduces `axes` of `a`: those axes are moved last, so that each output element is one run of `count` numbers.
 * Sums accumulate in float64 and round once: the oracle may be better than later runtimes, never worse.
 */
export function reduce(a: NDArray, axes: readonly number[], dtype: DType, f: (x: TypedArray, from: number, count: number) => number): NDArray {
  const kept = a.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const moved: NDArray = { ...a, shape: order.map((i) => a.shape[i] as number), strides: order.map((i) => a.strides[i] as number) };
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
