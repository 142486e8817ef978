import { type DType, isFloat, promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, isTensor, type Primitive, type Tensor } from "../graph/tensor.js";
import { broadcastTo } from "../primitives/linear.js";
import { cast, convert } from "../primitives/pointwise.js";

/** What functions do to their operands before the primitive: numbers become tensors, dtypes meet, shapes are repeated. */

/** Both operands with one shape and dtype. */
export function meet(where: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const [x, y] = operands(a, b);
  const dtype = promote(x.dtype, y.dtype);
  const shape = broadcastShapes(where, x.shape, y.shape);
  return [broadcastTo(toDType(x, dtype), shape), broadcastTo(toDType(y, dtype), shape)];
}

function operands(a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  if (typeof a === "number" && isTensor(b)) return [asTensor(a, numberType(a, b)), b];
  if (typeof b === "number" && isTensor(a)) return [a, asTensor(b, numberType(b, a))];
  // Plain numbers in a list are as exact as what they stand beside.
  if (isTensor(b) && isFloat(b.dtype) && Array.isArray(a)) return [asTensor(a as TensorLike, b.dtype), b];
  if (isTensor(a) && isFloat(a.dtype) && Array.isArray(b)) return [a, asTensor(b as TensorLike, a.dtype)];
  return [asTensor(a), asTensor(b)];
}

/** A whole number stays whole beside whole numbers; anything else is a float. */
function numberType(value: number, beside: Tensor): DType {
  if (isFloat(beside.dtype)) return beside.dtype;
  return Number.isInteger(value) ? (beside.dtype === "bool" ? "int32" : beside.dtype) : "float32";
}

/** The same numbers in another dtype: linear between floats, truncating to whole numbers. */
export function toDType(x: TensorLike, dtype: DType): Tensor {
  const a = asTensor(x);
  if (a.dtype === dtype) return a;
  return isFloat(a.dtype) && isFloat(dtype) ? apply(cast, [a], { dtype }) : apply(convert, [a], { dtype });
}

export function toFloat(x: TensorLike): Tensor {
  const a = asTensor(x);
  return isFloat(a.dtype) ? a : toDType(a, "float32");
}

export type Binary = (a: TensorLike, b: TensorLike) => Tensor;
export type Unary = (x: TensorLike) => Tensor;

export function binary(where: string, primitive: Primitive<null>, prepare: Unary = asTensor): Binary {
  return (a, b) => {
    const [x, y] = meet(where, a, b);
    return apply(primitive, [prepare(x), prepare(y)], null);
  };
}

export function unary(primitive: Primitive<null>): Unary {
  return (x) => apply(primitive, [toFloat(x)], null);
}

export function noBool(x: TensorLike): Tensor {
  const a = asTensor(x);
  return a.dtype === "bool" ? toDType(a, "int32") : a;
}

export function toBool(x: TensorLike): Tensor {
  return toDType(x, "bool");
}

/** What is used as an index: whole numbers. */
export function asIndex(where: string, x: TensorLike): Tensor {
  const index = asTensor(x, "int32");
  if (index.dtype === "int32" || index.dtype === "uint32") return index;
  return fail({
    where,
    got: `a ${index.dtype} index`,
    expected: "int32 or uint32",
    write: `tensor([…], { dtype: "int32" }) or x.toDType("int32")`,
  });
}

/** Operands as tensors; numbers and lists of numbers are as exact as the floats they stand beside. */
export function together(...operands: readonly TensorLike[]): Tensor[] {
  const plain = (x: TensorLike): boolean => typeof x === "number" || Array.isArray(x);
  const known = operands.filter((x) => !plain(x)).map((x) => asTensor(x).dtype);
  const beside = known.filter(isFloat).reduce((a: DType | null, b) => (a === null ? b : promote(a, b)), null);
  return operands.map((x) => (plain(x) && beside !== null ? asTensor(x, beside) : asTensor(x)));
}

/** What is written beside `a`, with its dtype unless that would cut off fractions. */
export function asLike(x: TensorLike, a: Tensor): Tensor {
  if (isTensor(x) || isFloat(a.dtype)) return asTensor(x, a.dtype);
  const whole = ([x] as unknown[]).flat(Number.POSITIVE_INFINITY).every((n) => Number.isInteger(n));
  return asTensor(x, whole ? a.dtype : undefined);
}
