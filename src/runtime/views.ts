import type { DType, TypedArray } from "../base/dtype.js";
import type { Views } from "../wasm/memory.js";

/** Numbers of a type from a byte address on. */
export function viewOf(views: Views, dtype: DType, address: number, size: number): TypedArray {
  const at = address >>> 0;
  switch (dtype) {
    case "float32":
      return views.f32.subarray(at >>> 2, (at >>> 2) + size);
    case "float64":
      return views.f64.subarray(at >>> 3, (at >>> 3) + size);
    case "int32":
      return views.i32.subarray(at >>> 2, (at >>> 2) + size);
    case "uint32":
      return views.u32.subarray(at >>> 2, (at >>> 2) + size);
    case "bool":
      return views.u8.subarray(at, at + size);
  }
}
