import type { DType, TypedArray } from "../base/dtype.js";
import type { Views } from "../wasm/memory.js";

/** All of the memory as numbers of a type. */
export function allOf(views: Views, dtype: DType): TypedArray {
  switch (dtype) {
    case "float32":
      return views.f32;
    case "float64":
      return views.f64;
    case "int32":
      return views.i32;
    case "uint32":
      return views.u32;
    case "bool":
      return views.u8;
  }
}

/** The element of `allOf` at a byte address. */
export function indexOf(dtype: DType, address: number): number {
  return (address >>> 0) >>> (dtype === "float64" ? 3 : dtype === "bool" ? 0 : 2);
}

/** Numbers of a type from a byte address on. */
export function viewOf(views: Views, dtype: DType, address: number, size: number): TypedArray {
  const from = indexOf(dtype, address);
  return allOf(views, dtype).subarray(from, from + size);
}
