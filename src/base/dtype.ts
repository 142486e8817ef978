import { fail } from "./errors.js";

/** Element types. Floats are rounded to their own precision after every operation. */
export type DType = "float32" | "float64" | "int32" | "uint32" | "bool";
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

const order: readonly DType[] = ["bool", "uint32", "int32", "float32", "float64"];

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** The smallest listed type that holds both: bool < uint32 < int32 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return order[Math.max(order.indexOf(a), order.indexOf(b))] as DType;
}

export function allocate(dtype: DType, size: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(size);
    case "float64":
      return new Float64Array(size);
    case "int32":
      return new Int32Array(size);
    case "uint32":
      return new Uint32Array(size);
    case "bool":
      return new Uint8Array(size);
  }
}

export function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint32Array) return "uint32";
  if (array instanceof Uint8Array) return "bool";
  return fail({
    where: "tensor",
    got: Object.prototype.toString.call(array),
    expected: "Float32Array, Float64Array, Int32Array, Uint32Array or Uint8Array",
  });
}

export function isTypedArray(x: unknown): x is TypedArray {
  return ArrayBuffer.isView(x) && !(x instanceof DataView);
}
