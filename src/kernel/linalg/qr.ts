import { normalise, turned } from "./stack.js";

/**
 * a [m, n] = q r with orthonormal columns q [m, k] and an upper triangle r [k, n], k = min(m, n), by Householder reflections (Golub and
 * Van Loan, Matrix Computations, 5.2). The diagonal of r is not negative, which makes q and r unique and smooth where a has full rank; the
 * usual signs of LAPACK jump where an element crosses zero. A column that depends on those before it, up to rounding, gets the pivot 0.
 */
export function qr(a: Float64Array, m: number, n: number): { q: Float64Array; r: Float64Array } {
  const k = Math.min(m, n);
  // Columns one after another: all loops run along them.
  const c = turned(a, m, n);
  const scale = normalise(c);
  const norms = Float64Array.from({ length: k }, (_, j) => norm(c, j * m, (j + 1) * m));
  const beta = new Float64Array(k);
  const pivots = new Float64Array(k);
  const vectors = new Float64Array(k * m);
  for (let i = 0; i < k; i++) {
    pivots[i] = reflector(c, vectors, beta, i, m, norms[i] as number);
    for (let j = i + 1; j < n; j++) reflect(c, j * m, vectors, beta, i, m);
  }
  const q = new Float64Array(m * k);
  const column = new Float64Array(m);
  for (let j = 0; j < k; j++) {
    column.fill(0);
    column[j] = 1;
    for (let i = j; i >= 0; i--) reflect(column, 0, vectors, beta, i, m);
    for (let i = 0; i < m; i++)
      q[i * k + j] = (pivots[j] as number) < 0 ? -(column[i] as number) : (column[i] as number);
  }
  return { q, r: triangle(c, pivots, scale, m, n) };
}

/** The reflection that clears column i below its pivot. @returns the pivot */
function reflector(
  c: Float64Array,
  vectors: Float64Array,
  beta: Float64Array,
  i: number,
  m: number,
  whole: number,
): number {
  const first = c[i * m + i] as number;
  const length = norm(c, i * m + i, (i + 1) * m);
  if (length <= m * Number.EPSILON * whole) return 0;
  if (i === m - 1) return first;
  const pivot = first > 0 ? -length : length;
  vectors.set(c.subarray(i * m + i, (i + 1) * m), i * m + i);
  vectors[i * m + i] = first - pivot;
  beta[i] = 1 / (length * (length + Math.abs(first)));
  return pivot;
}

/** x -= β v (vᵀ x), for the column of `c` that starts at `from`; v is zero before place i. */
function reflect(c: Float64Array, from: number, vectors: Float64Array, beta: Float64Array, i: number, m: number): void {
  let dot = 0;
  for (let p = i; p < m; p++) dot += (vectors[i * m + p] as number) * (c[from + p] as number);
  const factor = (beta[i] as number) * dot;
  if (factor === 0) return;
  for (let p = i; p < m; p++) c[from + p] = (c[from + p] as number) - factor * (vectors[i * m + p] as number);
}

function triangle(c: Float64Array, pivots: Float64Array, scale: number, m: number, n: number): Float64Array {
  const r = new Float64Array(pivots.length * n);
  pivots.forEach((pivot, i) => {
    const sign = pivot < 0 ? -scale : scale;
    r[i * n + i] = pivot * sign;
    for (let j = i + 1; j < n; j++) r[i * n + j] = (c[j * m + i] as number) * sign;
  });
  return r;
}

function norm(x: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += (x[i] as number) ** 2;
  return Math.sqrt(sum);
}
