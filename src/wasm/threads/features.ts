import { Code, ModuleBuilder } from "../encode.js";

/** What this engine's WebAssembly can do. Found by asking it to validate a small module. */
export interface Features {
  readonly simd: boolean;
  /** Fused multiply-add and others whose last bit depends on the machine. */
  readonly relaxedSimd: boolean;
  /** Shared memory and atomics. In browsers only pages that are cross-origin isolated have them. */
  readonly threads: boolean;
}

let found: Features | null = null;

export function features(): Features {
  found ??= {
    simd: validates(false, (code) => code.f32(0).op("f32x4.splat").op("drop")),
    relaxedSimd: validates(false, (code) => {
      for (let i = 0; i < 3; i++) code.f32(i).op("f32x4.splat");
      code.op("f32x4.relaxed_madd").op("drop");
    }),
    threads:
      typeof SharedArrayBuffer === "function" &&
      validates(true, (code) => code.i32(0).memory("i32.atomic.load", 0, 2).op("drop")),
  };
  return found;
}

function validates(shared: boolean, write: (code: Code) => void): boolean {
  if (typeof WebAssembly !== "object") return false;
  const code = new Code([]);
  write(code);
  const builder = new ModuleBuilder();
  builder.add(code, "probe");
  return WebAssembly.validate(builder.bytes({ shared, pages: [1, 1] }));
}
