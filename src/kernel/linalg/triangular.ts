/** Which triangle of a matrix is meant, and how. */
export interface Triangle {
  /** The lower triangle is read; otherwise the upper. */
  readonly lower: boolean;
  /** The equation is tᵀ x = b. */
  readonly transposed: boolean;
  /** The diagonal is not read: it is all ones. */
  readonly unit: boolean;
}

/**
 * x with t x = b by substitution, in place of b: t [n, n], x [n, k]. Each column goes through the same operations whatever k is.
 */
export function triangularSolve(
  t: Float64Array,
  n: number,
  x: Float64Array,
  k: number,
  { lower, transposed, unit }: Triangle,
): void {
  const forward = lower !== transposed;
  const [down, along] = transposed ? [1, n] : [n, 1];
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    for (let before = 0; before < step; before++) {
      const j = forward ? before : n - 1 - before;
      const factor = t[i * down + j * along] as number;
      for (let c = 0; c < k; c++) x[i * k + c] = (x[i * k + c] as number) - factor * (x[j * k + c] as number);
    }
    if (unit) continue;
    const pivot = t[i * n + i] as number;
    for (let c = 0; c < k; c++) x[i * k + c] = (x[i * k + c] as number) / pivot;
  }
}

/** The first place of the diagonal that is zero; -1: none. */
export function zeroPivot(t: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) if (t[i * n + i] === 0) return i;
  return -1;
}
