import { allocate, type DType, dtypeOf, isTypedArray, type TypedArray } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { type Shape, show, sizeOf } from "../base/shape.js";
import { dense } from "../kernel/ndarray.js";
import { isTensor, leaf, type Tensor } from "./tensor.js";

/** What stands for a tensor: one, a number, a truth value, a typed array, or arrays of numbers all the way down. */
export type TensorLike = Tensor | number | boolean | TypedArray | NestedNumbers;
export type NestedNumbers = readonly (number | boolean | NestedNumbers)[];

export interface TensorOptions {
  readonly dtype?: DType;
  /** For flat data: the shape it has, row-major. */
  readonly shape?: Shape;
}

/**
 * A tensor of the given numbers, float32 unless told (typed arrays keep their type).
 * @throws where rows are ragged or the shape does not fit
 */
export function tensor(data: Exclude<TensorLike, Tensor>, { dtype, shape }: TensorOptions = {}): Tensor {
  if (isTypedArray(data)) {
    const type = dtype ?? dtypeOf(data);
    return shaped(store(data, type), type, shape ?? [data.length]);
  }
  const flat: (number | boolean)[] = [];
  const found = Array.isArray(data) ? measure(data as NestedNumbers, flat) : [];
  if (!Array.isArray(data)) flat.push(single(data));
  const type = dtype ?? (flat.length > 0 && flat.every((x) => typeof x === "boolean") ? "bool" : "float32");
  return shaped(store(flat, type), type, shape ?? found);
}

/** JavaScript would make NaN of undefined and 0 of null. */
function single(data: unknown): number | boolean {
  if (typeof data === "number" || typeof data === "boolean") return data;
  const got = data === null ? "null" : data === undefined ? "undefined" : `a value of type ${typeof data}`;
  return fail({ where: "tensor", got, expected: "a tensor, number, truth value, typed array or arrays of numbers" });
}

function store(data: ArrayLike<number | boolean>, dtype: DType): TypedArray {
  const out = allocate(dtype, data.length);
  if (isTypedArray(data) && dtypeOf(data) === dtype && dtype !== "bool") {
    out.set(data);
    return out;
  }
  for (let i = 0; i < data.length; i++) out[i] = dtype === "bool" ? (data[i] ? 1 : 0) : Number(data[i]);
  return out;
}

function shaped(data: TypedArray, dtype: DType, shape: Shape): Tensor {
  if (sizeOf(shape) !== data.length)
    fail({ where: "tensor", got: `${data.length} numbers for shape ${show(shape)}`, expected: `${sizeOf(shape)}` });
  return leaf(dense(data, dtype, shape));
}

/** The shape of nested arrays; pushes their numbers. */
function measure(data: NestedNumbers, flat: (number | boolean)[]): number[] {
  let inner: number[] | null = null;
  for (const [i, part] of data.entries()) {
    if (typeof part === "number" || typeof part === "boolean") {
      flat.push(part);
      agree(inner, [], i);
      inner = [];
    } else if (Array.isArray(part)) {
      const shape = measure(part, flat);
      agree(inner, shape, i);
      inner = shape;
    } else fail({ where: "tensor", got: `${typeof part} in the data`, expected: "numbers or arrays of numbers" });
  }
  return [data.length, ...(inner ?? [])];
}

function agree(before: number[] | null, now: number[], row: number): void {
  if (before && show(before) !== show(now)) {
    fail({
      where: "tensor",
      got: `ragged data: row ${row} has shape ${show(now)}, the row before ${show(before)}`,
      expected: "rows of one shape",
    });
  }
}

/** True for leaves of a parameter tree: `[1, 2]` is one vector, `[tensor, tensor]` a list of two. */
export function isTensorLike(x: unknown): x is TensorLike {
  return (
    isTensor(x) ||
    typeof x === "number" ||
    typeof x === "boolean" ||
    isTypedArray(x) ||
    (Array.isArray(x) && x.length > 0 && x.every(isNumbers))
  );
}

function isNumbers(x: unknown): boolean {
  return typeof x === "number" || typeof x === "boolean" || (Array.isArray(x) && x.length > 0 && x.every(isNumbers));
}

/** A tensor of whatever stands for one; a bare number takes the dtype of the tensor it meets. */
export function asTensor(x: TensorLike, dtype?: DType): Tensor {
  if (isTensor(x)) return x;
  if (typeof x === "number") return constant(x, dtype ?? "float32");
  return tensor(x as Exclude<TensorLike, Tensor>, isTypedArray(x) ? {} : { dtype });
}

/** 0, 1, … n − 1, int32 unless told. */
export function arange(n: number, { dtype = "int32" }: { dtype?: DType } = {}): Tensor {
  const data = allocate(dtype, n);
  for (let i = 0; i < n; i++) data[i] = i;
  return leaf(dense(data, dtype, [n]));
}

/** The identity matrix [n, n]. */
export function eye(n: number, { dtype = "float32" }: { dtype?: DType } = {}): Tensor {
  const data = allocate(dtype, n * n);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return leaf(dense(data, dtype, [n, n]));
}

/** A scalar leaf. */
export function constant(value: number, dtype: DType): Tensor {
  return leaf(dense(allocate(dtype, 1).fill(value), dtype, []));
}
