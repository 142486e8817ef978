import { determinant, lu } from "./lu.js";
import type { Singular } from "./svd.js";

/** Functions of a matrix that are written with its singular value decomposition. */

/** Σ over i of weights[i] · (column: left vector i) (row: right vector i): [m, n], or with the sides exchanged [n, m]. */
function weighted({ left, right }: Singular, weights: ArrayLike<number>, m: number, n: number): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < weights.length; i++) {
    for (let p = 0; p < m; p++) {
      const factor = (weights[i] as number) * (left[i * m + p] as number);
      for (let q = 0; q < n; q++) out[p * n + q] = (out[p * n + q] as number) + factor * (right[i * n + q] as number);
    }
  }
  return out;
}

/** The pseudoinverse [n, m] of a matrix [m, n]: singular values up to `cutoff` times the largest count as zero. */
export function pseudoinverse(parts: Singular, m: number, n: number, cutoff: number): Float64Array {
  const { values, left, right } = parts;
  const floor = cutoff * (values[0] ?? 0);
  const inverses = values.map((s) => (s > floor ? 1 / s : 0));
  return weighted({ values, left: right, right: left }, inverses, n, m);
}

/**
 * The cofactors [n, n] of a matrix, the gradient of its determinant: det U · det V · Σ (the product of the other singular values) · uᵢ vᵢᵀ,
 * which needs no inverse and holds for singular matrices too.
 */
export function cofactors(parts: Singular, n: number): Float64Array {
  const orientation = [parts.left, parts.right].map((x) => Math.sign(determinant(lu(x.slice(), n), n)));
  const sign = (orientation[0] as number) * (orientation[1] as number);
  const others = parts.values.map((_, i) => parts.values.reduce((total, s, j) => (j === i ? total : total * s), sign));
  return weighted(parts, others, n, n);
}
