import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { abs, eye, matmul, max, sub, type Tensor, tensor } from "../../src/index.js";

/** The values of test/reference/linalg.json, matrices to try, and how results are compared. */

export interface Leaf {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface Golden {
  readonly name: string;
  readonly inputs: readonly Leaf[];
  readonly outputs: readonly Leaf[];
  readonly weights: readonly Leaf[];
  readonly direction: readonly Leaf[];
  readonly loss: number;
  readonly grad: readonly Leaf[];
  /** Hessian · direction. */
  readonly curvature?: readonly Leaf[];
}

export interface Hilbert {
  readonly n: number;
  readonly eigenvalues: readonly number[];
  readonly det: number;
  readonly cholesky: readonly (readonly number[])[];
  readonly inverse: readonly (readonly number[])[];
}

const file = new URL("../reference/linalg.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as {
  readonly programs: readonly Golden[];
  readonly hilbert: readonly Hilbert[];
};
export const programs: readonly Golden[] = golden.programs;
export const hilbert: readonly Hilbert[] = golden.hilbert;

export const f64 = { dtype: "float64" } as const;

export function read({ data, shape }: Leaf, dtype: "float32" | "float64" = "float64"): Tensor {
  return tensor(data, { shape, dtype });
}

export function flat(x: Tensor): number[] {
  return ([x.toArray()] as unknown[]).flat(100) as number[];
}

/** The largest |a − b|, over the largest |b| or 1. */
export function distance(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [flat(a), flat(b)];
  const scale = Math.max(1, ...y.map(Math.abs));
  return Math.max(0, ...x.map((value, i) => (Object.is(value, y[i]) ? 0 : Math.abs(value - (y[i] as number)) / scale)));
}

export function near(what: string, a: Tensor, b: Tensor, tolerance: number): void {
  const far = distance(a, b);
  expect(far <= tolerance, `${what}: off by ${far}`).toBe(true);
}

/** aᵀ of every matrix. */
export function flipped(a: Tensor): Tensor {
  const order = [...a.shape.keys()];
  return a.transpose([...order.slice(0, -2), a.rank - 1, a.rank - 2]);
}

/** How far aᵀ a is from the identity. */
export function skew(a: Tensor): number {
  const n = a.shape.at(-1) as number;
  if (a.size === 0) return 0;
  return max(abs(sub(matmul(flipped(a), a), eye(n, { dtype: a.dtype as "float64" })))).item();
}

/** Numbers in [−1, 1] from a seed. */
export function random(seed: number, ...shape: number[]): Tensor {
  let state = seed * 2654435761;
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return (state >>> 0) / 2 ** 31 - 1;
  });
  return tensor(data, { shape });
}

export function hilbertMatrix(n: number, columns: number = n): Tensor {
  return tensor(
    Float64Array.from({ length: n * columns }, (_, p) => 1 / (Math.floor(p / columns) + (p % columns) + 1)),
    { shape: [n, columns] },
  );
}
