/**
 * Sums of two doubles, high + low with |low| ≤ ulp(high)/2: about 32 digits, for the few places where 16 are lost to cancellation.
 *
 * Source: T. J. Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18 (1971).
 */
export type Pair = readonly [high: number, low: number];

/** a + b exactly, for any order of sizes (Knuth). */
export function twoSum(a: number, b: number): Pair {
  const s = a + b;
  const t = s - a;
  return [s, a - (s - t) + (b - t)];
}

const SPLIT = 2 ** 27 + 1;

/** a · b exactly, while |a|, |b| < 2⁹⁹⁶ and the product is not below 2⁻⁹⁶⁹. */
export function twoProduct(a: number, b: number): Pair {
  const p = a * b;
  const [x, y] = [SPLIT * a, SPLIT * b];
  const [aHigh, bHigh] = [x - (x - a), y - (y - b)];
  const [aLow, bLow] = [a - aHigh, b - bHigh];
  return [p, aLow * bLow - (p - aHigh * bHigh - aLow * bHigh - aHigh * bLow)];
}

export function addPairs(a: Pair, b: Pair): Pair {
  const [s, e] = twoSum(a[0], b[0]);
  return normal(s, e + (a[1] + b[1]));
}

export function mulPairs(a: Pair, b: Pair): Pair {
  const [p, e] = twoProduct(a[0], b[0]);
  return normal(p, e + (a[0] * b[1] + a[1] * b[0]));
}

/** a / b of doubles. */
export function quotient(a: number, b: number): Pair {
  const q = a / b;
  const [p, e] = twoProduct(q, b);
  return normal(q, (a - p - e) / b);
}

function normal(a: number, b: number): Pair {
  const s = a + b;
  return [s, b - (s - a)];
}

/** The pair times a power of two. */
export function scalePair([high, low]: Pair, factor: number): Pair {
  return [high * factor, low * factor];
}
