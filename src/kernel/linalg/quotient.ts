import type { DType } from "../../base/dtype.js";

/** A pair of values that are equal but for rounding, whose quotient is asked for. */
export interface Clash {
  readonly row: number;
  readonly column: number;
}

export interface GapRules {
  /** A square matrix whose diagonal is left out: its quotients are 0. */
  readonly pairs: boolean;
  /** The numerators are cotangents: one that is zero asks for nothing. Otherwise they are tangents: any that is not zero moves all. */
  readonly reverse: boolean;
}

/**
 * m[i, j] / (b[j] − a[i]) in place of m [p, q].
 * @returns the first place where the difference is zero but for rounding errors of the dtype and the quotient is asked for; null: none
 */
export function gapQuotient(
  m: Float64Array,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  p: number,
  q: number,
  dtype: DType,
  { pairs, reverse }: GapRules,
): Clash | null {
  const ulp = dtype === "float32" ? 2 ** -23 : Number.EPSILON;
  const closest = 8 * Math.max(p, q) * ulp * Math.max(largest(a), largest(b));
  const still = largest(m) === 0;
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < q; j++) {
      const gap = (b[j] as number) - (a[i] as number);
      const value = m[i * q + j] as number;
      if (pairs && i === j) m[i * q + j] = 0;
      else if (Math.abs(gap) > closest) m[i * q + j] = value / gap;
      else if (!(reverse ? value === 0 : still)) return { row: i, column: j };
    }
  }
  return null;
}

function largest(x: ArrayLike<number>): number {
  let top = 0;
  for (let i = 0; i < x.length; i++) top = Math.max(top, Math.abs(x[i] as number));
  return top;
}
