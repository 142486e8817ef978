import { announceBlas } from "./backend.js";
import type { WasmType } from "./encode.js";
import { provideInWorkers } from "./threads/index.js";

/** The types a BLAS (Basic Linear Algebra Subprograms) has products of. */
export type BlasType = "float32" | "float64";

/**
 * C[m, n] = A[m, k]·B[k, n], the GEMM of BLAS, in row-major order: addresses a, b and c are bytes of the memory of the engine (an i32, so
 * from 2 GiB on negative), lda, ldb and ldc are elements from row to row as the matrices lie in memory. `flags` is a sum of `gemmFlags`.
 */
export type Gemm = (
  flags: number,
  m: number,
  n: number,
  k: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  c: number,
  ldc: number,
) => void;

export const gemmFlags = {
  /** A lies as its transpose [k, m]. */
  transposeA: 1,
  /** B lies as its transpose [n, k]. */
  transposeB: 2,
  /** C += A·B. */
  accumulate: 4,
} as const;

/** Of a `Gemm`, as a module declares it. */
export const gemmParams: readonly WasmType[] = new Array<WasmType>(10).fill("i32");

/** A library that computes matrix products. Every thread calls it for parts of its own, so it must use one thread, and stand several. */
export interface Blas {
  /** "OpenBLAS 0.3.30 (Haswell)" */
  readonly name: string;
  /** Of the thread that registered it. */
  readonly gemm: Readonly<Record<BlasType, Gemm>>;
  /** JavaScript expressions of `require` and `memory` with which workers make theirs. */
  readonly sources: Readonly<Record<BlasType, string>>;
}

let current: Blas | null = null;

/** From now on new plans send large products to it; null: to none. Plans that exist stay as they are. */
export function setBlas(blas: Blas | null): void {
  current = blas;
  announceBlas(blas?.name ?? null);
  if (blas === null) return;
  provideInWorkers(gemmImport("float32"), blas.sources.float32);
  provideInWorkers(gemmImport("float64"), blas.sources.float64);
}

export function currentBlas(): Blas | null {
  return current;
}

/** The name under which a module imports the product of a type, on every thread. */
export function gemmImport(dtype: BlasType): string {
  return `blas.${dtype}`;
}
