import type { Builder, Value } from "../block.js";
import { LOG2_HIGH, LOG2_LOW } from "./exp.js";
import { fractionBits, fromBits, isSingle, pick, polynomial, signed, toBits, whole } from "./kit.js";

/** (log((1 + s)/(1 − s)) − 2s)/s³ in s² ≤ (3 − 2√2)²; minimax; fitted by test/reference/fit-expr.py. */
const P32: readonly number[] = [0.6666677594184875, 0.39977580308914185, 0.2987091541290283];
const P64: readonly number[] = [
  0.6666666666666734, 0.3999999999941654, 0.2857142874206934, 0.2222219859922671, 0.18183563223205837,
  0.1531407383758842, 0.14795756334144736,
];

/** x = 2^e·m with m from √½ to √2; x positive and normal. */
function split(b: Builder, x: Value): { e: Value; m: Value } {
  const bits = toBits(b, x);
  const by = fractionBits(b, x);
  const above = b.sub(bits, whole(b, x, pick(b, x, [0x3f3504f3n, 0x3fe6a09e667f3bcdn])));
  const power = b.shift("shr", above, by);
  const m = fromBits(b, x, b.sub(bits, b.shift("shl", power, by)));
  if (isSingle(b, x)) return { e: b.convert(power, "float32"), m };
  // There is no conversion of int64: put the number into the low bits of 1.5·2^52 and take that off.
  const magic = 0x4338000000000000n;
  return { e: b.sub(b.bits(b.add(power, b.constant(magic, "int64")), "float64"), b.like(x, 1.5 * 2 ** 52)), m };
}

/**
 * log x of a positive normal number + low, where low is small beside x's distance from 1.
 * Source: log(1 + f) = f − s(f − R), s = f/(2 + f), R of order s² (Ng 1986, in fdlibm), own minimax polynomial.
 */
export function logNormal(b: Builder, x: Value, low?: Value, shift?: Value): Value {
  const { e: power, m } = split(b, x);
  const e = shift === undefined ? power : b.add(power, shift);
  const f = b.sub(m, b.like(x, 1));
  const s = b.div(f, b.add(f, b.like(x, 2)));
  const z = b.mul(s, s);
  const r = b.mul(z, polynomial(b, z, pick(b, x, [P32, P64])));
  const small = b.mul(e, b.like(x, pick(b, x, LOG2_LOW)));
  const rest = b.sub(b.mul(s, b.sub(f, r)), low === undefined ? small : b.add(small, low));
  return b.add(b.mul(e, b.like(x, pick(b, x, LOG2_HIGH))), b.sub(f, rest));
}

/** Whether x is anything but a positive normal number: by one comparison of its bits, moved so that those come first. */
function isOdd(b: Builder, x: Value): Value {
  const moved = b.add(toBits(b, x), whole(b, x, pick(b, x, [0x7f800000n, 0x7ff0000000000000n])));
  return b.compare("gt", moved, whole(b, x, pick(b, x, [-0x01000001n, -0x0020000000000001n])));
}

/** log x; −Infinity at ±0, NaN below. */
export function log(b: Builder, x: Value): Value {
  const by = pick(b, x, [32, 64]);
  const subnormal = b.compare("lt", x, b.like(x, pick(b, x, [2 ** -126, 2 ** -1022])));
  const normal = b.select(subnormal, b.mul(x, b.like(x, 2 ** by)), x);
  const scaled = logNormal(b, normal, undefined, b.select(subnormal, b.like(x, -by), b.like(x, 0)));
  return b.rare(isOdd(b, x), atEnds(b, x, scaled), logNormal(b, x));
}

/** log x from its value where 0 < x < Infinity. */
function atEnds(b: Builder, x: Value, inside: Value): Value {
  const zero = b.like(x, 0);
  const infinity = b.like(x, Infinity);
  const beyond = b.select(b.compare("eq", x, zero), b.like(x, -Infinity), b.like(x, NaN));
  return b.select(b.compare("gt", x, zero), b.select(b.compare("lt", x, infinity), inside, infinity), beyond);
}

/** log(1 + x) for x ≥ 0, not infinite. The rounding error of 1 + x is exact (Knuth) and enters to first order. */
export function log1pInside(b: Builder, x: Value): Value {
  const one = b.like(x, 1);
  const u = b.add(x, one);
  const back = b.sub(u, x);
  const error = b.add(b.sub(x, b.sub(u, back)), b.sub(one, back));
  return logNormal(b, u, b.div(error, u));
}

/** log(1 + x), with full relative accuracy near 0; −Infinity at −1, NaN below. */
export function log1p(b: Builder, x: Value): Value {
  const u = b.add(x, b.like(x, 1));
  const slow = atEnds(b, u, u);
  // The sum has lost the sign of −0.
  return b.rare(isOdd(b, u), slow, signed(b, log1pInside(b, x), x));
}
