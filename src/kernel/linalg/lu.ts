import { triangularSolve } from "./triangular.js";

/** P a = L U: row i of P a is row `rows[i]` of a. L has ones on its diagonal, which are not stored. */
export interface LU {
  readonly lu: Float64Array;
  readonly rows: Int32Array;
  /** The determinant of P. */
  readonly sign: number;
  /** The first place whose pivot is zero; -1: none. */
  readonly zero: number;
  /** The first place whose pivot is zero but for rounding: smaller than the rounding error of the difference it came from; -1: none. */
  readonly noise: number;
}

/** Gaussian elimination with partial pivoting, in place: a [n, n]. */
export function lu(a: Float64Array, n: number): LU {
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  let [sign, zero, noise] = [1, -1, -1];
  for (let k = 0; k < n; k++) {
    const p = largest(a, n, k);
    if (p !== k) {
      sign = -sign;
      exchange(a, rows, n, k, p);
    }
    const pivot = a[k * n + k] as number;
    if (noise < 0 && Math.abs(pivot) < Number.EPSILON * subtracted(a, n, k)) noise = k;
    if (pivot === 0) {
      if (zero < 0) zero = k;
      continue;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = (a[i * n + k] as number) / pivot;
      a[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) a[i * n + j] = (a[i * n + j] as number) - factor * (a[k * n + j] as number);
    }
  }
  return { lu: a, rows, sign, zero, noise: noise < 0 ? zero : zero < 0 ? noise : Math.min(zero, noise) };
}

/** The row from k on with the largest element in column k. */
function largest(a: Float64Array, n: number, k: number): number {
  let p = k;
  for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k] as number) > Math.abs(a[p * n + k] as number)) p = i;
  return p;
}

function exchange(a: Float64Array, rows: Int32Array, n: number, k: number, p: number): void {
  for (let j = 0; j < n; j++) {
    const x = a[k * n + j] as number;
    a[k * n + j] = a[p * n + j] as number;
    a[p * n + j] = x;
  }
  const row = rows[k] as number;
  rows[k] = rows[p] as number;
  rows[p] = row;
}

/** The largest term that was subtracted on the way to pivot k. */
function subtracted(a: Float64Array, n: number, k: number): number {
  let top = 0;
  for (let j = 0; j < k; j++) top = Math.max(top, Math.abs((a[k * n + j] as number) * (a[j * n + k] as number)));
  return top;
}

/** x with a x = b (or aᵀ x = b) from the factors of a: b [n, k] -> [n, k]. */
export function luSolve({ lu: a, rows }: LU, n: number, b: Float64Array, k: number, transposed: boolean): Float64Array {
  const lower = { lower: true, transposed, unit: true };
  const upper = { lower: false, transposed, unit: false };
  if (!transposed) {
    const x = new Float64Array(b.length);
    rows.forEach((row, i) => {
      x.set(b.subarray(row * k, (row + 1) * k), i * k);
    });
    triangularSolve(a, n, x, k, lower);
    triangularSolve(a, n, x, k, upper);
    return x;
  }
  const y = b.slice();
  triangularSolve(a, n, y, k, upper);
  triangularSolve(a, n, y, k, lower);
  const x = new Float64Array(b.length);
  rows.forEach((row, i) => {
    x.set(y.subarray(i * k, (i + 1) * k), row * k);
  });
  return x;
}

export function determinant({ lu: a, sign }: LU, n: number): number {
  let product = sign;
  for (let i = 0; i < n; i++) product *= a[i * n + i] as number;
  // Never −0.
  return product + 0;
}

/** Sign and logarithm of the magnitude of the determinant: 0 and −∞ where it is zero. */
export function logDeterminant({ lu: a, sign }: LU, n: number): { sign: number; logAbs: number } {
  let [total, s] = [0, sign];
  for (let i = 0; i < n; i++) {
    const pivot = a[i * n + i] as number;
    s *= Math.sign(pivot);
    total += Math.log(Math.abs(pivot));
  }
  return { sign: s + 0, logAbs: total };
}
