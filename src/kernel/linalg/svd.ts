import { isUpright, rotate } from "./eigh.js";
import { normalise, turned } from "./stack.js";

export interface Singular {
  /** Falling, [k]. */
  readonly values: Float64Array;
  /** [k, m], one left vector a row; the element of largest magnitude is positive. */
  readonly left: Float64Array;
  /** [k, n], one right vector a row. */
  readonly right: Float64Array;
}

/** How many times all pairs are visited; five to ten are enough, twenty where columns depend on each other. */
const SWEEPS = 60;

/** Beside a matrix whose largest element is about 1. */
const VANISHED = 1e-280;

/**
 * The reduced singular value decomposition of a [m, n], k = min(m, n), by one-sided Jacobi rotations: the columns are made orthogonal two
 * by two, and their lengths are the singular values (Hestenes 1958). Chosen for accuracy: small singular values of a matrix with badly
 * scaled columns keep their digits (Demmel and Veselić 1992), where bidiagonalisation has an error of the order of the largest one.
 * @returns null where it does not converge, which has not been seen
 */
export function svd(a: Float64Array, m: number, n: number): Singular | null {
  if (m < n) {
    const other = svd(turned(a, m, n), n, m);
    return other && upward({ values: other.values, left: other.right, right: other.left });
  }
  // Columns one after another, and beside them what the rotations do to the identity.
  const c = turned(a, m, n);
  const scale = normalise(c);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  let turning = true;
  for (let sweep = 0; turning; sweep++) {
    if (sweep === SWEEPS) return null;
    turning = false;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) if (orthogonalise(c, v, m, n, p, q)) turning = true;
    }
  }
  const lengths = Float64Array.from({ length: n }, (_, j) => length(c, j * m, m));
  const order = Array.from(lengths.keys()).sort((i, j) => (lengths[j] as number) - (lengths[i] as number));
  const left = new Float64Array(n * m);
  const right = new Float64Array(n * n);
  order.forEach((from, i) => {
    const size = lengths[from] as number;
    if (size > 0)
      left.set(
        c.subarray(from * m, (from + 1) * m).map((x) => x / size),
        i * m,
      );
    else complete(left, i, m);
    right.set(v.subarray(from * n, (from + 1) * n), i * n);
  });
  return upward({ values: Float64Array.from(order, (i) => (lengths[i] as number) * scale), left, right });
}

/** Turns columns p and q against each other until they are orthogonal. @returns whether they were not */
function orthogonalise(c: Float64Array, v: Float64Array, m: number, n: number, p: number, q: number): boolean {
  let alpha = 0;
  let beta = 0;
  let gamma = 0;
  for (let i = 0; i < m; i++) {
    const x = c[p * m + i] as number;
    const y = c[q * m + i] as number;
    alpha += x * x;
    beta += y * y;
    gamma += x * y;
  }
  // Squares of a column that is shorter than the longest by 125 orders of magnitude are lost.
  const first = alpha > 1e-250 ? Math.sqrt(alpha) : length(c, p * m, m);
  const second = beta > 1e-250 ? Math.sqrt(beta) : length(c, q * m, m);
  // What is left of a column that depends on others shrinks with every sweep, until the smallest floats could not be made orthogonal.
  if (first < VANISHED) c.fill(0, p * m, (p + 1) * m);
  if (second < VANISHED) c.fill(0, q * m, (q + 1) * m);
  if (first < VANISHED || second < VANISHED) return false;
  if (Math.abs(gamma) <= Math.sqrt(m) * Number.EPSILON * first * second) return false;
  const zeta = ((second - first) * (second + first)) / (2 * gamma);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  const sine = cosine * tangent;
  rotate(c, p * m, q * m, m, cosine, -sine);
  rotate(v, p * n, q * n, n, cosine, -sine);
  return true;
}

/** A row i of length 1 that is orthogonal to the rows before it: of all unit vectors the one they cover least, without what they cover. */
function complete(rows: Float64Array, i: number, m: number): void {
  let best = 0;
  let least = Infinity;
  for (let j = 0; j < m; j++) {
    let covered = 0;
    for (let r = 0; r < i; r++) covered += (rows[r * m + j] as number) ** 2;
    if (covered < least) [best, least] = [j, covered];
  }
  rows[i * m + best] = 1;
  // Twice is enough (Kahan, Parlett).
  for (let pass = 0; pass < 2; pass++) {
    for (let r = 0; r < i; r++) {
      let dot = 0;
      for (let j = 0; j < m; j++) dot += (rows[r * m + j] as number) * (rows[i * m + j] as number);
      for (let j = 0; j < m; j++) rows[i * m + j] = (rows[i * m + j] as number) - dot * (rows[r * m + j] as number);
    }
    const size = length(rows, i * m, m);
    for (let j = 0; j < m; j++) rows[i * m + j] = (rows[i * m + j] as number) / size;
  }
}

/** The sign that two vectors share: that of the left one's largest element. */
function upward({ values, left, right }: Singular): Singular {
  const k = values.length;
  const [m, n] = k === 0 ? [0, 0] : [left.length / k, right.length / k];
  for (let i = 0; i < k; i++) {
    const row = left.subarray(i * m, (i + 1) * m);
    if (isUpright(row)) continue;
    for (const x of [row, right.subarray(i * n, (i + 1) * n)])
      x.forEach((value, j) => {
        x[j] = -value;
      });
  }
  return { values, left, right };
}

function length(x: Float64Array, from: number, m: number): number {
  let top = 0;
  for (let i = from; i < from + m; i++) top = Math.max(top, Math.abs(x[i] as number));
  if (top === 0) return 0;
  let sum = 0;
  for (let i = from; i < from + m; i++) sum += ((x[i] as number) / top) ** 2;
  return top * Math.sqrt(sum);
}
