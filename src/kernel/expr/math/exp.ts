import type { Builder, Value } from "../block.js";
import { fractionBits, fromBits, isSingle, magnitude, pick, polynomial, rounder, toBits, whole } from "./kit.js";

// log 2 = HIGH + LOW, where whole multiples of HIGH up to 2^11 are exact.
export const LOG2_HIGH = [0.693145751953125, 0.6931471805601177] as const;
export const LOG2_LOW = [1.428606765330187e-6, -1.7239444525614835e-13] as const;

/** (e^r − 1 − r)/r² for |r| ≤ log(2)/2; minimax, relative to e^r − 1; fitted by test/reference/fit-expr.py. */
const P32: readonly number[] = [
  0.4999999701976776, 0.1666654348373413, 0.04166719689965248, 0.008366521447896957, 0.0013882764615118504,
];
const P64: readonly number[] = [
  0.5000000000000006, 0.16666666666666588, 0.04166666666657674, 0.008333333333389523, 0.001388888893156669,
  0.00019841269719068439, 2.4801505272134054e-5, 2.7557407489062606e-6, 2.7626038406087496e-7, 2.5053791296503175e-8,
];

/** x = n log 2 + r: e^r − 1, and t, in whose low bits stands n + bias. */
function reduce(b: Builder, x: Value, bias: number): { q: Value; t: Value } {
  const magic = b.like(x, rounder(b, x) + bias);
  const t = b.add(b.mul(x, b.like(x, Math.LOG2E)), magic);
  const n = b.sub(t, magic);
  const near = b.sub(x, b.mul(n, b.like(x, pick(b, x, LOG2_HIGH))));
  const r = b.sub(near, b.mul(n, b.like(x, pick(b, x, LOG2_LOW))));
  const bend = b.mul(b.mul(r, r), polynomial(b, r, pick(b, x, [P32, P64])));
  return { q: b.add(r, bend), t };
}

/** e^x = scale·(1 + q) where 2^n is neither subnormal nor infinite. */
export function moderate(b: Builder, x: Value): { q: Value; scale: Value } {
  const { q, t } = reduce(b, x, pick(b, x, [127, 1023]));
  return { q, scale: fromBits(b, x, b.shift("shl", toBits(b, t), fractionBits(b, x))) };
}

interface Parts {
  readonly q: Value;
  /** 2^n as a product of two powers, since n may be beyond the exponents of normal numbers; `rest` are the low bits of the second. */
  readonly scale1: Value;
  readonly scale2: Value;
  readonly rest: Value;
}

function parts(b: Builder, x: Value): Parts {
  const inside = b.binary("pmax", x, b.like(x, pick(b, x, [-104, -746])));
  const { q, t } = reduce(b, b.binary("pmin", inside, b.like(x, pick(b, x, [89, 710]))), pick(b, x, [254, 2046]));
  const all = toBits(b, t);
  // A sum rather than a shift: vectors of int64 have no shift with sign of their own.
  const half = isSingle(b, x)
    ? b.shift("shr", all, 1)
    : toBits(b, b.add(b.mul(t, b.like(x, 0.5)), b.like(x, rounder(b, x) / 2)));
  const rest = b.sub(all, half);
  const [scale1, scale2] = [half, rest].map((bits) => fromBits(b, x, b.shift("shl", bits, fractionBits(b, x))));
  return { q, scale1: scale1 as Value, scale2: scale2 as Value, rest };
}

/** e^x. Source: reduction by whole multiples of log 2 (Cody and Waite 1980), own minimax polynomial. */
export function exp(b: Builder, x: Value): Value {
  const { q, scale1, scale2 } = parts(b, x);
  return b.mul(b.mul(b.add(q, b.like(x, 1)), scale1), scale2);
}

/** e^x − 1, with full relative accuracy near 0. Source: as exp, with which it shares all but the last steps. */
export function expm1(b: Builder, x: Value): Value {
  const { q, scale1, scale2, rest } = parts(b, x);
  const inverse = fromBits(b, x, b.shift("shl", b.sub(whole(b, x, pick(b, x, [254, 2046])), rest), fractionBits(b, x)));
  const result = b.mul(b.add(b.mul(scale1, q), b.sub(scale1, inverse)), scale2);
  const tiny = b.compare("lt", magnitude(b, x), b.like(x, pick(b, x, [2 ** -30, 2 ** -60])));
  // Near 0 it is x, subnormal or −0.
  return b.select(tiny, x, result);
}
