/**
 * The lower triangle L with L Lᵀ = a, row by row (Cholesky–Banachiewicz), in place: [n, n], of which the lower triangle is read.
 * @returns -1, or the first place whose pivot is not positive, with the pivot left there
 */
export function cholesky(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i * n + j] as number;
      for (let k = 0; k < j; k++) rest -= (a[i * n + k] as number) * (a[j * n + k] as number);
      if (j < i) {
        a[i * n + j] = rest / (a[j * n + j] as number);
        continue;
      }
      a[i * n + i] = rest > 0 ? Math.sqrt(rest) : rest;
      if (!(rest > 0)) return i;
    }
    a.fill(0, i * n + i + 1, (i + 1) * n);
  }
  return -1;
}
