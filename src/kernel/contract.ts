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
  for (let r = 0; r < sizeOf(batch) * n; r++) {
    row.fill(0);
    const first = Math.floor(r / n) * k;
    for (let c = 0; c < k; c++) {
      const s = x[r * k + c] as number;
      if (s === 0 && skipZeros) continue;
      const from = (first + c) * m;
      for (let j = 0; j < m; j++) row[j] = (row[j] as number) + s * (y[from + j] as number);
    }
    for (let j = 0; j < m; j++) out[r * m + j] = row[j] as number;
  }
  return dense(out, dtype, [...batch, n, m]);
}

function allFinite(y: TypedArray): boolean {
  for (let j = 0; j < y.length; j++) if (!Number.isFinite(y[j] as number)) return false;
  return true;
}
