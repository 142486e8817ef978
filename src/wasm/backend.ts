import { currentRuntime } from "../graph/trace.js";
import { features } from "./threads/features.js";
import { threads } from "./threads/index.js";

/** What computes. */
export interface Backend {
  /** "wasm", or "reference": the interpreter, where the platform has no SIMD. */
  readonly runtime: string;
  /** How many threads compute a large step. */
  readonly threads: number;
  readonly simd: boolean;
  /** Whether the platform has it; only `numerics: "fast"` uses it. */
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
  /** The library large matrix products go to, if one was asked for. */
  readonly blas: string | null;
}

let blas: string | null = null;

/** Says which library computes matrix products from now on. */
export function announceBlas(name: string | null): void {
  blas = name;
}

export function backend(): Backend {
  const { simd, relaxedSimd, threads: sharedMemory } = features();
  return { runtime: currentRuntime().name, threads: threads(), simd, relaxedSimd, sharedMemory, blas };
}
