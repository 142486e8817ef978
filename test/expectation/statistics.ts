import { expect } from "vitest";
import { ndtri } from "../../src/kernel/math/ndtri.js";

/**
 * The rule for statistical comparisons. Each states its standard error relative to the truth (at most 1 % of the norm unless a
 * reason is given), a limit on |estimate − truth| / stderr for the number m of comparisons in its file, and its first key, 0. The
 * limit is the quantile at which m comparisons give one false alarm in a million; few degrees of freedom make it wider.
 */
export const familyWise = 1e-6;

/** ∫ cos^(dof−1) from a to π/2 by Simpson: with t = √dof·tan a the tail of Student's t, up to a factor. */
function tailIntegral(a: number, dof: number): number {
  const n = 4000;
  const h = (Math.PI / 2 - a) / n;
  let total = 0;
  for (let i = 0; i <= n; i++)
    total += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * Math.cos(a + i * h) ** (dof - 1);
  return (total * h) / 3;
}

/** t with P(|T| > t) = alpha. */
export function tQuantile(alpha: number, dof: number): number {
  if (dof > 1e5) return -ndtri(alpha / 2);
  const whole = tailIntegral(0, dof);
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (tailIntegral(middle, dof) / whole > alpha) low = middle;
    else high = middle;
  }
  return Math.sqrt(dof) * Math.tan((low + high) / 2);
}

export interface Claim {
  readonly mean: ArrayLike<number>;
  readonly stderr: ArrayLike<number>;
  readonly dof: number;
  readonly truth: ArrayLike<number>;
  /** What 1 % is taken of; default the norm of the truth. */
  readonly scale?: number;
  /** Instead of 1 %, where the file says why. */
  readonly relative?: number;
}

export function normOf(x: ArrayLike<number>): number {
  return Math.hypot(...Array.from(x));
}

/** The comparisons of one file: m of them, stated in advance. */
export class Comparisons {
  private readonly m: number;
  private readonly relative: number;
  private count = 0;
  private readonly limits = new Map<number, number>();

  constructor(m: number, relative = 0.01) {
    this.m = m;
    this.relative = relative;
  }

  /** The largest |estimate − truth| / stderr that is let through. */
  limit(dof: number): number {
    const known = this.limits.get(dof) ?? tQuantile(familyWise / this.m, dof);
    this.limits.set(dof, known);
    return known;
  }

  /** Every component is one comparison; one without spread must be equal, up to rounding. */
  check(label: string, { mean, stderr, dof, truth, scale = normOf(truth), relative = this.relative }: Claim): void {
    expect(mean.length, `${label}: length`).toBe(truth.length);
    for (let i = 0; i < truth.length; i++) {
      this.count++;
      const [error, bar] = [Math.abs((mean[i] as number) - (truth[i] as number)), stderr[i] as number];
      expect(bar, `${label}[${i}]: standard error against the norm ${scale}`).toBeLessThanOrEqual(relative * scale);
      const allowed = this.limit(dof) * bar + 1e-12 * scale;
      expect(error, `${label}[${i}]: ${mean[i]} ± ${bar}, exactly ${truth[i]}`).toBeLessThanOrEqual(allowed);
    }
  }

  /** For afterAll: as many comparisons as the limit was made for. */
  done(): void {
    expect(this.count, "comparisons made").toBe(this.m);
  }
}

/** Runs for a standard error of 0.8 % of the truth, from that of a pilot; a multiple of `chunk`. */
export function runsFor(stderr: ArrayLike<number>, pilot: number, scale: number, chunk = 4096): number {
  const worst = Math.max(...Array.from(stderr));
  return Math.max(1, Math.ceil((pilot * (worst / (0.008 * scale)) ** 2) / chunk)) * chunk;
}
