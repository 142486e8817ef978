import type { BlasType } from "../../src/wasm/blas.js";
import { memory, type Region } from "../../src/wasm/memory.js";

export interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA: boolean;
  readonly transB: boolean;
  /** Elements between the end of a row and the next. */
  readonly gap: number;
}

/** Numbers of the memory of the engine from an address on. */
export function numbers(dtype: BlasType, { address, bytes }: Region): Float32Array | Float64Array {
  const { f32, f64 } = memory().views();
  const all = dtype === "float32" ? f32 : f64;
  const start = (address >>> 0) / all.BYTES_PER_ELEMENT;
  return all.subarray(start, start + bytes / all.BYTES_PER_ELEMENT);
}

/** A generator of its own, so that a failure repeats. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
}

/** A product in the memory, with sentinels all around the rows of C. */
export class Product {
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  readonly a: Region;
  readonly b: Region;
  readonly c: Region;
  private readonly dtype: BlasType;
  private readonly shape: Shape;

  constructor(dtype: BlasType, shape: Shape, batch = 1) {
    const { m, n, k, transA, transB, gap } = shape;
    const width = dtype === "float32" ? 4 : 8;
    this.dtype = dtype;
    this.shape = shape;
    this.lda = (transA ? m : k) + gap;
    this.ldb = (transB ? k : n) + gap;
    this.ldc = n + gap;
    this.a = memory().allocate(width * batch * (transA ? k : m) * this.lda);
    this.b = memory().allocate(width * batch * (transB ? n : k) * this.ldb);
    this.c = memory().allocate(width * batch * m * this.ldc);
    const random = generator(m * 1000 + n * 100 + k);
    for (const region of [this.a, this.b]) {
      const list = numbers(dtype, region);
      for (let i = 0; i < list.length; i++) list[i] = random();
    }
    numbers(dtype, this.c).fill(-77);
  }

  /** The largest error, in units of k roundings of numbers below 1; infinite where a sentinel has changed. */
  worst(start = 0, at = { a: 0, b: 0, c: 0 }): number {
    const { m, n, k, transA, transB } = this.shape;
    const [a, b, c] = [this.a, this.b, this.c].map((region) => numbers(this.dtype, region)) as [A, A, A];
    let worst = 0;
    for (let i = 0; i < m; i++)
      for (let j = 0; j < this.ldc; j++) {
        const got = c[at.c + i * this.ldc + j] as number;
        if (j >= n) {
          if (got !== -77) return Number.POSITIVE_INFINITY;
          continue;
        }
        let sum = start;
        for (let l = 0; l < k; l++)
          sum +=
            (a[at.a + (transA ? l * this.lda + i : i * this.lda + l)] as number) *
            (b[at.b + (transB ? j * this.ldb + l : l * this.ldb + j)] as number);
        worst = Math.max(worst, Math.abs(got - sum));
      }
    const unit = this.dtype === "float32" ? 2 ** -24 : 2 ** -53;
    return worst / (unit * Math.max(1, k));
  }

  free(): void {
    for (const region of [this.a, this.b, this.c]) region.free();
  }
}

type A = Float32Array | Float64Array;
