import { allocate, type DType, type TypedArray } from "../base/dtype.js";
import { sizeOf } from "../base/shape.js";
import { dense, elements, type NDArray } from "./ndarray.js";

/** Batched matrix product: a [...batch, n, k], b [...batch, k, m] -> [...batch, n, m]. Accumulates in float64. */
export function matmulLoop(a: NDArray, b: NDArray, dtype: DType): NDArray {
  const rank = a.shape.length;
  const n = a.shape[rank - 2] as number;
  const k = a.shape[rank - 1] as number;
  const m = b.shape[rank - 1] as number;
  const batch = a.shape.slice(0, rank - 2);
  const out = allocate(dtype, sizeOf(batch) * n * m);
  const x = elements(a);
  const y = elements(b);
  const row = new Float64Array(m);
  // Zeros are common (pixels, Bernoulli draws) and add nothing, unless they meet an infinity or NaN.
  const skipZeros = allFinite(y);
  const used = new Int32Array(k);
  for (let r = 0; r < sizeOf(batch) * n; r++) {
    let count = 0;
    for (let c = 0; c < k; c++) if (!skipZeros || x[r * k + c] !== 0) used[count++] = c;
    addRows(row.fill(0), x, r * k, y, Math.floor(r / n) * k, used.subarray(0, count));
    out.set(row, r * m);
  }
  return dense(out, dtype, [...batch, n, m]);
}

/** row += Σ x[at + c] · row c of y, in the order of `used`; four at a time, so that `row` is read and written less often. */
function addRows(row: Float64Array, x: TypedArray, at: number, y: TypedArray, first: number, used: Int32Array): void {
  const m = row.length;
  let u = 0;
  for (; u + 3 < used.length; u += 4) {
    const [c0, c1, c2, c3] = [used[u] as number, used[u + 1] as number, used[u + 2] as number, used[u + 3] as number];
    const [s0, s1] = [x[at + c0] as number, x[at + c1] as number];
    const [s2, s3] = [x[at + c2] as number, x[at + c3] as number];
    const [p0, p1, p2, p3] = [(first + c0) * m, (first + c1) * m, (first + c2) * m, (first + c3) * m];
    for (let j = 0; j < m; j++) {
      const two = (row[j] as number) + s0 * (y[p0 + j] as number) + s1 * (y[p1 + j] as number);
      row[j] = two + s2 * (y[p2 + j] as number) + s3 * (y[p3 + j] as number);
    }
  }
  for (; u < used.length; u++) {
    const [s, from] = [x[at + (used[u] as number)] as number, (first + (used[u] as number)) * m];
    for (let j = 0; j < m; j++) row[j] = (row[j] as number) + s * (y[from + j] as number);
  }
}

function allFinite(y: TypedArray): boolean {
  for (let j = 0; j < y.length; j++) if (!Number.isFinite(y[j] as number)) return false;
  return true;
}
