import type { Builder, Value } from "../block.js";

/** What the functions of this folder share: polynomials, bits, and signs. Every value here is float32 or float64. */

export function isSingle(b: Builder, x: Value): boolean {
  return b.typeOf(x) === "float32";
}

/** One of two, by the precision of x: [float32, float64]. */
export function pick<T, U = T>(b: Builder, x: Value, [single, double]: readonly [T, U]): T | U {
  return isSingle(b, x) ? single : double;
}

/** Σ coefficients[i]·t^i by Horner's rule, from the constant term up. */
export function polynomial(b: Builder, t: Value, coefficients: readonly number[]): Value {
  let sum = b.like(t, coefficients.at(-1) as number);
  for (let i = coefficients.length - 2; i >= 0; i--) sum = b.add(b.mul(sum, t), b.like(t, coefficients[i] as number));
  return sum;
}

/** The bits of x as a whole number. */
export function toBits(b: Builder, x: Value): Value {
  return b.bits(x, pick(b, x, ["int32", "int64"]));
}

/** A whole number of the width of x. */
export function whole(b: Builder, x: Value, value: number | bigint): Value {
  return isSingle(b, x)
    ? b.constant(Number(BigInt.asIntN(32, BigInt(value))), "int32")
    : b.constant(BigInt(value), "int64");
}

/** Bits that stand for a float of the type of x. */
export function fromBits(b: Builder, x: Value, bits: Value): Value {
  return b.bits(bits, pick(b, x, ["float32", "float64"]));
}

/** Bits of the fraction of a float of the type of x: its exponent is shifted by so many. */
export function fractionBits(b: Builder, x: Value): number {
  return pick(b, x, [23, 52]);
}

/** |x|; the same value for x and −x, so that functions of both share their work. */
export function magnitude(b: Builder, x: Value): Value {
  const op = b.ops[x];
  return b.unary("abs", op?.op === "neg" ? op.args[0] : x);
}

/** A number ≥ 0 (or NaN) with the sign of x, that of −0 included. */
export function signed(b: Builder, size: Value, x: Value): Value {
  const sign = b.binary("and", toBits(b, x), whole(b, x, pick(b, x, [-(2n ** 31n), -(2n ** 63n)])));
  return fromBits(b, x, b.binary("or", toBits(b, size), sign));
}

/** Adding 1.5·2^23 (float64: 1.5·2^52) rounds a small number to whole, and leaves the whole number in the low bits of the sum. */
export function rounder(b: Builder, x: Value): number {
  return pick(b, x, [1.5 * 2 ** 23, 1.5 * 2 ** 52]);
}
