import { describe, expect, test } from "vitest";
import type { DType } from "../../src/base/dtype.js";
import { constant } from "../../src/graph/leaves.js";
import { type AnyPrimitive, apply, type Tensor } from "../../src/graph/tensor.js";
import { divide, mul } from "../../src/primitives/contract.js";
import { abs, exp, log, sqrt } from "../../src/primitives/elementary.js";
import { add, broadcastTo, neg, reshape, sub, sum } from "../../src/primitives/linear.js";
import { cast, convert, greaterEqual, less, maximum, not } from "../../src/primitives/pointwise.js";
import { max } from "../../src/primitives/reduce.js";
import { pushTangents } from "../../src/transforms/jvp.js";
import { simplify } from "../../src/transforms/simplify/index.js";
import { array, feedsOf, firstDifference, formula, holesFor, run } from "./simplifying.js";

/** Identities of the real numbers that fail for floating-point ones: each is shown to fail, and `simplify` does not use it. */

const on = (primitive: AnyPrimitive, ...inputs: Tensor[]): Tensor => apply(primitive, inputs, null);
const number = (value: number, x: Tensor): Tensor => broadcastTo(constant(value, x.dtype), x.shape);
const to = (x: Tensor, dtype: DType): Tensor => apply(convert, [x], { dtype });
const castTo = (x: Tensor, dtype: DType): Tensor => apply(cast, [x], { dtype });
const infinity = Number.POSITIVE_INFINITY;

interface Trap {
  readonly name: string;
  readonly dtype?: DType;
  /** One number for each operand at which the two sides differ. */
  readonly at: readonly number[];
  readonly left: (...x: Tensor[]) => Tensor;
  readonly right: (...x: Tensor[]) => Tensor;
}

const [big, third] = [1e16, 1 / 3];
type One = (x: Tensor) => Tensor;
type Two = (x: Tensor, y: Tensor) => Tensor;
type Three = (x: Tensor, y: Tensor, z: Tensor) => Tensor;
const one = (name: string, at: number, left: One, right: One, dtype?: DType): Trap =>
  ({ name, at: [at], left, right, dtype }) as Trap;
const two = (name: string, at: readonly number[], left: Two, right: Two): Trap => ({ name, at, left, right }) as Trap;
const three = (name: string, at: readonly number[], left: Three, right: Three): Trap =>
  ({ name, at, left, right }) as Trap;

const traps: readonly Trap[] = [
  one(
    "x + 0 = x",
    -0,
    (x) => on(add, x, number(0, x)),
    (x) => x,
  ),
  one(
    "0 + x = x",
    -0,
    (x) => on(add, number(0, x), x),
    (x) => x,
  ),
  one(
    "x − (−0) = x",
    -0,
    (x) => on(sub, x, number(-0, x)),
    (x) => x,
  ),
  one(
    "0 − x = −x",
    0,
    (x) => on(sub, number(0, x), x),
    (x) => on(neg, x),
  ),
  one(
    "x · 0 = 0",
    -1,
    (x) => on(mul, x, number(0, x)),
    (x) => number(0, x),
  ),
  one(
    "x · 0 = 0 of infinity",
    infinity,
    (x) => on(mul, x, number(0, x)),
    (x) => number(0, x),
  ),
  one(
    "0 / x = 0",
    0,
    (x) => on(divide, number(0, x), x),
    (x) => number(0, x),
  ),
  one(
    "x − x = 0",
    infinity,
    (x) => on(sub, x, x),
    (x) => number(0, x),
  ),
  one(
    "x / x = 1",
    0,
    (x) => on(divide, x, x),
    (x) => number(1, x),
  ),
  one(
    "x + (−x) = 0",
    Number.NaN,
    (x) => on(add, x, on(neg, x)),
    (x) => number(0, x),
  ),
  one(
    "1 / (1 / x) = x",
    49,
    (x) => on(divide, number(1, x), on(divide, number(1, x), x)),
    (x) => x,
  ),
  one(
    "x / 3 = x · ⅓",
    5,
    (x) => on(divide, x, number(3, x)),
    (x) => on(mul, x, number(third, x)),
  ),
  one(
    "x · 3 / 3 = x",
    1e308,
    (x) => on(divide, on(mul, x, number(3, x)), number(3, x)),
    (x) => x,
  ),
  one(
    "x · 2 · ½ = x",
    1e308,
    (x) => on(mul, on(mul, x, number(2, x)), number(0.5, x)),
    (x) => x,
  ),
  one(
    "x · ½ · 2 = x",
    5e-324,
    (x) => on(mul, on(mul, x, number(0.5, x)), number(2, x)),
    (x) => x,
  ),
  one(
    "log eˣ = x",
    1000,
    (x) => on(log, on(exp, x)),
    (x) => x,
  ),
  one(
    "√x² = |x|",
    1e-200,
    (x) => on(sqrt, on(mul, x, x)),
    (x) => on(abs, x),
  ),
  two(
    "−(a − b) = b − a",
    [1, 1],
    (a, b) => on(neg, on(sub, a, b)),
    (a, b) => on(sub, b, a),
  ),
  two(
    "−(a + b) = −a − b",
    [0, -0],
    (a, b) => on(neg, on(add, a, b)),
    (a, b) => on(sub, on(neg, a), b),
  ),
  two(
    "not (a < b) = (a ≥ b)",
    [Number.NaN, 1],
    (a, b) => on(not, on(less, a, b)),
    (a, b) => on(greaterEqual, a, b),
  ),
  two(
    "a + b − b = a",
    [1, big],
    (a, b) => on(sub, on(add, a, b), b),
    (a) => a,
  ),
  two(
    "a · b / b = a",
    [1e308, 10],
    (a, b) => on(divide, on(mul, a, b), b),
    (a) => a,
  ),
  three(
    "(a + b) + c = a + (b + c)",
    [1, big, -big],
    (a, b, c) => on(add, on(add, a, b), c),
    (a, b, c) => on(add, a, on(add, b, c)),
  ),
  three(
    "(a · b) · c = a · (b · c)",
    [1e200, 1e200, 1e-200],
    (a, b, c) => on(mul, on(mul, a, b), c),
    (a, b, c) => on(mul, a, on(mul, b, c)),
  ),
  three(
    "a · b + a · c = a · (b + c)",
    [2, 1e308, -1e308],
    (a, b, c) => on(add, on(mul, a, b), on(mul, a, c)),
    (a, b, c) => on(mul, a, on(add, b, c)),
  ),
  one(
    "the sum of one number is the number",
    -0,
    (x) => apply(sum, [x], { axes: [0] }),
    (x) => apply(reshape, [x], { shape: [] }),
  ),
  one(
    "the sum of no axis is the number",
    -0,
    (x) => apply(sum, [x], { axes: [] }),
    (x) => x,
  ),
  one(
    "the sum of −x is −Σx",
    0,
    (x) => apply(sum, [on(neg, x)], { axes: [0] }),
    (x) => on(neg, apply(sum, [x], { axes: [0] })),
  ),
  one(
    "a float64 through float32",
    third,
    (x) => castTo(castTo(x, "float32"), "float64"),
    (x) => x,
  ),
  one(
    "an int32 through float32",
    2 ** 24 + 1,
    (x) => to(to(x, "float32"), "int32"),
    (x) => x,
    "int32",
  ),
  one(
    "an int32 through uint32 as a float",
    -1,
    (x) => to(to(x, "uint32"), "float64"),
    (x) => to(x, "float64"),
    "int32",
  ),
  one(
    "an int32 through bool",
    7,
    (x) => to(to(x, "bool"), "int32"),
    (x) => x,
    "int32",
  ),
  one(
    "a float64 through int32",
    0.5,
    (x) => to(to(x, "int32"), "float64"),
    (x) => x,
  ),
];

describe("what is no identity", () => {
  test.each(traps)("$name", ({ dtype = "float64", at, left, right }) => {
    const arrays = at.map((x) => array(dtype, [1], () => x));
    const holes = holesFor(arrays);
    const feeds = feedsOf(holes, arrays);
    const [exact, tempting] = [left(...holes), right(...holes)];
    expect(firstDifference(run([exact], feeds), run([tempting], feeds))).not.toBe(null);
    const [after] = simplify([exact]) as [Tensor];
    expect(firstDifference(run([exact], feeds), run([after], feeds))).toBe(null);
  });

  test("max(x, x) = x loses the last bit of a subnormal tangent; the max of one x is NaN at NaN", () => {
    const arrays = [array("float64", [1], () => Number.NaN), array("float64", [1], () => 5e-324)];
    const [x, t] = holesFor(arrays) as [Tensor, Tensor];
    const feeds = feedsOf([x, t], arrays);
    const slopes = (node: Tensor): number => run(pushTangents([node], [x], [t]), feeds)[0]?.[0] as number;
    const twice = on(maximum, x, x);
    expect([slopes(twice), slopes(x)]).toEqual([0, 5e-324]);
    expect(formula(simplify([twice])[0] as Tensor)).toBe("maximum(x0, x0)");
    const alone = apply(max, [x], { axes: [0] });
    expect([slopes(alone), slopes(apply(reshape, [x], { shape: [] }))]).toEqual([Number.NaN, 5e-324]);
    expect(formula(simplify([alone])[0] as Tensor)).toBe("max(x0, axes=[0])");
  });
});
