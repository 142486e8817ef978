/** The types a local, parameter or result may have. */
export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

export const typeBytes: Readonly<Record<WasmType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** A function that an instruction may call, by the number it has in its module. */
export interface Callee {
  readonly index: number;
}
