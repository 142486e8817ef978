import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import * as on from "../graph/interval.js";
import { onHost } from "../graph/lowering.js";
import { pointwise } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Smoothness, type Tensor, type Type } from "../graph/tensor.js";
import { map1, map2, type Scalar1, type Scalar2 } from "../kernel/loops.js";
import type { NDArray } from "../kernel/ndarray.js";
import { times } from "./contract.js";
import { steps, unary } from "./elementary.js";
import { pair, places } from "./fit.js";
import { allBatched, minus, negate } from "./linear.js";

/** Bits of whole numbers, and division with a remainder. Storing wraps modulo 2³², in int32 and uint32. */

function whole(where: string, type: Type): Type {
  if (isFloat(type.dtype) || type.dtype === "bool")
    fail({ where, got: `${type.dtype}${show(type.shape)}`, expected: "int32 or uint32" });
  return { shape: type.shape, dtype: places(where, type).dtype };
}

const wide: readonly LawInput[] = [
  { shape: [2, 3], dtype: "int32", from: [-9, 9] },
  { shape: [3], dtype: "uint32", from: [0, 2 ** 32 - 1] },
];

/** Of two; the kernel is chosen by whether the numbers are signed. */
function bitwise(
  name: string,
  f: (signed: boolean) => Scalar2,
  second: readonly [number, number] = [0, 9],
): Primitive<null> {
  const self: Primitive<null> = {
    name,
    type: ([a, b]) => whole(name, pair(name, a as Type, b as Type)),
    run: ([a, b], _params, out) => map2(f(out.dtype === "int32"), a as NDArray, b as NDArray, out.dtype),
    needs: "all",
    jvp: () => null,
    transpose: null,
    linear: [],
    batch: (inputs, batched, _params, size) => apply(self, allBatched(inputs, batched, size), null),
    reads: (_params, _inputs, out) => [pointwise(out.shape), pointwise(out.shape)],
    smooth: "jump",
    lower: onHost,
    laws: wide.map((input) => ({ inputs: [input, { ...input, from: second }], params: null })),
  };
  return self;
}

function bits(name: string, f: Scalar1): Primitive<null> {
  const self: Primitive<null> = {
    name,
    type: ([a]) => whole(name, a as Type),
    run: ([a], _params, out) => map1(f, a as NDArray, out.dtype),
    needs: "all",
    jvp: () => null,
    transpose: null,
    linear: [],
    batch: ([a]) => apply(self, [a as Tensor], null),
    reads: (_params, _inputs, out) => [pointwise(out.shape)],
    smooth: "jump",
    lower: onHost,
    laws: wide.map((input) => ({ inputs: [input], params: null })),
  };
  return self;
}

export const bitAnd: Primitive<null> = bitwise("bitAnd", () => (a, b) => a & b);
export const bitOr: Primitive<null> = bitwise("bitOr", () => (a, b) => a | b);
export const bitXor: Primitive<null> = bitwise("bitXor", () => (a, b) => a ^ b);
export const bitNot: Primitive<null> = bits("bitNot", (a) => ~a);
export const populationCount: Primitive<null> = bits("populationCount", (a) => {
  let rest = a >>> 0;
  let count = 0;
  for (; rest !== 0; count++) rest = (rest & (rest - 1)) >>> 0;
  return count;
});

/** @throws where the number of places is negative */
function checked(where: string, count: number): number {
  if (count >= 0) return count;
  return fail({ where, got: `a shift by ${count}`, expected: "a shift by 0 or more", write: "the other shift" });
}

/** From 32 places on all bits are gone (the machine would shift by the count modulo 32). */
export const shiftLeft: Primitive<null> = bitwise(
  "shiftLeft",
  () => (a, b) => (checked("shiftLeft", b) > 31 ? 0 : a << b),
);
/** Copies of the sign come in from the left in int32, zeros in uint32. */
export const shiftRight: Primitive<null> = bitwise("shiftRight", (signed) =>
  signed
    ? (a, b) => a >> Math.min(checked("shiftRight", b), 31)
    : (a, b) => (checked("shiftRight", b) > 31 ? 0 : a >>> b),
);

/** @throws where whole numbers are divided by 0 */
function divisor(where: string, a: number, b: number): number {
  if (b !== 0) return b;
  return fail({
    where,
    got: `${a} divided by 0`,
    expected: "whole numbers other than 0 to divide by",
    write: "where(b.equal(0), 1, b), or floats",
  });
}

/** The remainder with the sign of the divisor (Python's). JavaScript's % is exact and has the sign of the dividend. */
function modulo(a: number, b: number): number {
  const r = a % b;
  if (r === 0) return b < 0 ? -0 : 0;
  return r < 0 === b < 0 ? r : r + b;
}

/** ⌊a / b⌋ by way of the exact remainder: the rounded quotient may lie on the wrong side of a whole number (1 // 0.1 is 9). */
function floorQuotient(a: number, b: number): number {
  if (b === 0) return a / b;
  if (Math.abs(b) === Infinity && Number.isFinite(a)) return a !== 0 && a < 0 !== b < 0 ? -1 : 0;
  return Math.round((a - modulo(a, b)) / b);
}

function division(name: string, f: Scalar2, rules: Partial<Primitive<null>>): Primitive<null> {
  const self: Primitive<null> = {
    ...bitwise(name, () => f),
    type: ([a, b]) => {
      const type = pair(name, a as Type, b as Type);
      return isFloat(type.dtype) ? type : whole(name, type);
    },
    run: ([a, b], _params, out) =>
      map2(isFloat(out.dtype) ? f : (x, y) => f(x, divisor(name, x, y)), a as NDArray, b as NDArray, out.dtype),
    batch: (inputs, batched, _params, size) => apply(self, allBatched(inputs, batched, size), null),
    lower: onHost,
    laws: [
      // The quotient stays between two whole numbers.
      {
        inputs: [
          { shape: [2, 3], from: [2.1, 2.9] },
          { shape: [2, 3], from: [0.98, 1.02] },
        ],
        params: null,
      },
      {
        inputs: [
          { shape: [3], from: [-1.4, -1.1] },
          { shape: [3], from: [0.9, 1.05] },
        ],
        params: null,
      },
      ...wide.map((input) => ({ inputs: [input, { ...input, from: [1, 9] as const }], params: null })),
    ],
    ...rules,
  };
  return self;
}

/** ⌊a / b⌋. */
export const floorDivide: Primitive<null> = division("floorDivide", floorQuotient, {});

/** a − b·⌊a / b⌋, of the sign of b. Jumps where the quotient crosses a whole number. */
export const remainder: Primitive<null> = division("remainder", modulo, {
  jvp: ([s, t], [a, b]) => {
    const second = t && times(t, apply(floorDivide, [a as Tensor, b as Tensor], null));
    if (s && second) return minus(s, second);
    return second ? negate(second) : (s ?? null);
  },
  smooth: "smooth",
  smoothOn: ([a, b]) => both(within(a as Interval, b as Interval) ? "smooth" : "jump"),
  range: ([, b]) => ofDivisor(b as Interval),
});

const both = (level: Smoothness): Smoothness[] => [level, level];

/** Whether the quotient stays between two whole numbers. */
function within(a: Interval, b: Interval): boolean {
  const { lo, hi, open } = on.over(a, b);
  if (b.zero || !Number.isFinite(lo) || !Number.isFinite(hi)) return false;
  return Math.floor(lo) === Math.floor(hi) || (open[1] && hi === Math.floor(lo) + 1);
}

function ofDivisor(b: Interval): Interval {
  if (on.isAbove(b, 0)) return on.interval(0, b.hi);
  return on.isBelow(b, 0) ? on.interval(b.lo, 0) : on.everything;
}

export const trunc: Primitive<null> = unary("trunc", {
  f: Math.trunc,
  d: null,
  kinks: [-2, -1, 0, 1, 2],
  smooth: "jump",
  range: steps(Math.trunc),
});
