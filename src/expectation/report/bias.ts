/**
 * Whether a mean of gradient estimates differs from the truth. Coordinates of a gradient depend on each other, so two numbers are
 * asked that need no inverse of a covariance: the projection of the difference on the true gradient (a t statistic: does a step go too
 * far or not far enough), and its squared length (does it go elsewhere), whose law under no bias is close to a scaled χ² with
 * Satterthwaite's degrees of freedom. Both are turned into standard normal deviates (Wilson & Hilferty 1931 for the χ²); the larger
 * one is reported.
 */
export interface Reference {
  readonly mean: Float64Array;
  /** The direction to project on; independent of `mean`, or exact: noise of its own would lie along it. */
  readonly direction: Float64Array;
  /** Independent estimates it is the mean of; empty when exact. */
  readonly rows: readonly Float64Array[];
}

export interface Bias {
  /** Length of (mean − truth), relative to that of the truth. */
  readonly relative: number;
  /** What that length would be by chance alone. */
  readonly noise: number;
  /** Standard normal deviate of the projection, with its sign. */
  readonly projection: number;
  /** Standard normal deviate of the length; large is bad, negative is shorter than by chance. */
  readonly length: number;
  /** The larger of |projection| and length. */
  readonly z: number;
}

export interface Moments {
  readonly mean: Float64Array;
  /** Trace of the covariance of one row. */
  readonly variance: number;
  /** Standard error of the trace. */
  readonly stderr: number;
  /** tr Σ², without the part that is noise. */
  readonly squared: number;
}

export function momentsOf(rows: readonly Float64Array[]): Moments {
  const n = rows.length;
  const mean = new Float64Array((rows[0] as Float64Array).length);
  for (const row of rows) for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + (row[i] as number) / n;
  if (n < 2) return { mean, variance: 0, stderr: 0, squared: 0 };
  const away = rows.map((row) => row.map((x, i) => x - (mean[i] as number)));
  const lengths = away.map((row) => (dot(row, row) * n) / (n - 1));
  const variance = lengths.reduce((a, b) => a + b, 0) / n;
  const spread = lengths.reduce((a, b) => a + (b - variance) ** 2, 0) / (n - 1);
  return { mean, variance, stderr: Math.sqrt(spread / n), squared: traceOfSquare(away) };
}

const products = 2e8;

/** tr Σ² as the mean of squared products of different rows; of the first rows alone where all would take long. */
function traceOfSquare(away: readonly Float64Array[]): number {
  const size = Math.max(1, (away[0] as Float64Array).length);
  const n = Math.min(away.length, Math.max(16, Math.floor(Math.sqrt(products / size))));
  let gram = 0;
  for (let r = 0; r < n; r++) {
    for (let q = 0; q < r; q++) gram += 2 * dot(away[r] as Float64Array, away[q] as Float64Array) ** 2;
  }
  return gram / (n * (n - 1));
}

/** The truth from a long run: one half says where the gradient points, the other is compared with. */
export function pooled(rows: readonly Float64Array[]): Reference {
  const half = rows.slice(Math.floor(rows.length / 2));
  return {
    direction: momentsOf(rows.slice(0, Math.floor(rows.length / 2))).mean,
    mean: momentsOf(half).mean,
    rows: half,
  };
}

/** @param tolerance relative difference that rounding alone may cause */
export function biasOf(rows: readonly Float64Array[], own: Moments, truth: Reference, tolerance: number): Bias {
  const difference = own.mean.map((x, i) => x - (truth.mean[i] as number));
  const size = Math.sqrt(dot(truth.mean, truth.mean));
  const away = Math.sqrt(dot(difference, difference));
  const relative = size > 0 ? away / size : away;
  const other = truth.rows.length > 1 ? momentsOf(truth.rows) : null;
  const expected = own.variance / rows.length + (other ? other.variance / truth.rows.length : 0);
  const noise = Math.sqrt(expected) / (size > 0 ? size : 1);
  // No spread, or one that rounding would swamp: equal or not.
  if (noise <= tolerance) {
    const z = relative <= tolerance + 5 * noise ? 0 : Number.POSITIVE_INFINITY;
    return { relative, noise, projection: z, length: z, z };
  }
  const projection = projected(rows, truth, difference);
  const squared = own.squared / rows.length ** 2 + (other ? other.squared / truth.rows.length ** 2 : 0);
  const length = chiDeviate(away * away, expected, squared);
  return { relative, noise, projection, length, z: Math.max(Math.abs(projection), length) };
}

function projected(rows: readonly Float64Array[], truth: Reference, difference: Float64Array): number {
  const along = (row: Float64Array): number => dot(row, truth.direction);
  const variance = (list: readonly Float64Array[]): number => {
    if (list.length < 2) return 0;
    const values = list.map(along);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1) / values.length;
  };
  const se = Math.sqrt(variance(rows) + variance(truth.rows));
  if (se === 0) return 0;
  // A t deviate has heavier tails than a normal one of the same size.
  const t = along(difference) / se;
  const dof = Math.max(1, rows.length - 1);
  return (t * (1 - 1 / (4 * dof))) / Math.sqrt(1 + (t * t) / (2 * dof));
}

/** x has mean m under no bias and is Σ λ χ²₁ with Σ λ² = squared: ν = m² / Σ λ², at least one degree of freedom. */
function chiDeviate(x: number, m: number, squared: number): number {
  const nu = Math.max(1, squared > 0 ? (m * m) / squared : Number.POSITIVE_INFINITY);
  if (!Number.isFinite(nu)) return 0;
  const unit = 2 / (9 * nu);
  return (Math.cbrt(x / m) - (1 - unit)) / Math.sqrt(unit);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
