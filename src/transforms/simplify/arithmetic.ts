import { isFloat } from "../../base/dtype.js";
import type { Tensor } from "../../graph/tensor.js";
import { divide, mul } from "../../primitives/contract.js";
import { abs } from "../../primitives/elementary.js";
import { add, neg, sub } from "../../primitives/linear.js";
import { maximum, minimum, pow } from "../../primitives/pointwise.js";
import { type Build, type Identity, operand } from "./identity.js";
import type { Call } from "./keys.js";

/**
 * Arithmetic. Not here, because some bit changes: x + 0 (−0 becomes 0), 0 − x (0 instead of −0), x · 0 and x − x (NaN of infinities and
 * NaN), x / x, reassociation of sums and products, pow(x, 2) = x · x and pow(x, ½) = √x (an engine may round pow otherwise),
 * −(a − b) = b − a (the sign of 0), max(x, x) = x of floats (its derivative is ½ẋ + ½ẋ, which loses the last bit of a subnormal ẋ).
 * x / 2ᵏ = x · 2⁻ᵏ is exact, and left out because it gains nothing.
 */

type Pair = readonly [Tensor, Tensor];

/** An identity for one operand being a constant of one number; `other` is what is left. */
function withNumber(
  { inputs }: Call,
  build: Build,
  at: readonly number[],
  is: (value: number, dtype: Tensor["dtype"]) => boolean,
): Tensor | null {
  for (const i of at) {
    const value = build.number(inputs[i] as Tensor);
    if (value !== null && is(value, (inputs[i] as Tensor).dtype)) return inputs[1 - i] as Tensor;
  }
  return null;
}

const isOne = (value: number): boolean => value === 1;
const isMinusOne = (value: number): boolean => value === -1;

/** The zero that changes nothing where it is added: −0 of floats; whole numbers have one zero. */
function isMinusZero(value: number, dtype: Tensor["dtype"]): boolean {
  return isFloat(dtype) ? Object.is(value, -0) : dtype !== "bool" && value === 0;
}

function isPlusZero(value: number, dtype: Tensor["dtype"]): boolean {
  return dtype !== "bool" && Object.is(value, 0);
}

export const arithmetic: readonly Identity[] = [
  {
    name: "x · 1 = x",
    of: [mul],
    why: "the exact product is x, which needs no rounding",
    rewrite: (call, _out, build) => withNumber(call, build, [0, 1], isOne),
  },
  {
    name: "x / 1 = x",
    of: [divide],
    why: "the exact quotient is x",
    rewrite: (call, _out, build) => withNumber(call, build, [1], isOne),
  },
  {
    name: "pow(x, 1) = x",
    of: [pow],
    why: "pow returns x; its tangent ẋ · 1 · pow(x, 0) is ẋ, as pow(x, 0) is 1 for every x, NaN too",
    rewrite: (call, _out, build) => withNumber(call, build, [1], isOne),
  },
  {
    name: "x + (−0) = x",
    of: [add],
    why: "0 + (−0) is 0 and −0 + (−0) is −0; whole numbers have one zero",
    rewrite: (call, _out, build) => withNumber(call, build, [0, 1], isMinusZero),
  },
  {
    name: "x − 0 = x",
    of: [sub],
    why: "x − 0 is x + (−0)",
    rewrite: (call, _out, build) => withNumber(call, build, [1], isPlusZero),
  },
  {
    name: "−0 − x = −x",
    of: [sub],
    why: "−0 − 0 is −0 and −0 − (−0) is 0; whole numbers have one zero",
    rewrite: (call, _out, build) => {
      const x = withNumber(call, build, [0], isMinusZero);
      return x && build.apply(neg, [x], null);
    },
  },
  {
    name: "−(−x) = x",
    of: [neg],
    why: "only the sign bit changes, twice; of whole numbers, modulo 2³²",
    rewrite: ({ inputs: [x] }) => operand(x, neg),
  },
  {
    name: "x · (−1) = −x, x / (−1) = −x",
    of: [mul, divide],
    why: "the exact result is −x, zeros included",
    rewrite: (call, out, build) => {
      const x =
        out.dtype === "bool" ? null : withNumber(call, build, call.primitive === mul ? [0, 1] : [1], isMinusOne);
      return x && build.apply(neg, [x], null);
    },
  },
  {
    name: "x − (−y) = x + y",
    of: [sub],
    why: "IEEE 754 defines x − y as x + (−y); whole numbers modulo 2³²",
    rewrite: ({ inputs: [x, minus] }, { dtype }, build) => {
      const y = dtype === "bool" ? null : operand(minus, neg);
      return y && build.apply(add, [x as Tensor, y], null);
    },
  },
  {
    name: "x + (−y) = x − y, −x + y = y − x",
    of: [add],
    why: "the same definition; addition commutes",
    rewrite: ({ inputs }, { dtype }, build) => {
      if (dtype === "bool") return null;
      const [a, b] = inputs as unknown as Pair;
      const y = operand(b, neg);
      if (y) return build.apply(sub, [a, y], null);
      const x = operand(a, neg);
      return x && build.apply(sub, [b, x], null);
    },
  },
  {
    name: "(−x) · (−y) = x · y, (−x) / (−y) = x / y",
    of: [mul, divide],
    why: "rounding is symmetric, and both signs change the sign of the result",
    rewrite: ({ primitive, inputs: [a, b] }, { dtype }, build) => {
      const [x, y] = [operand(a, neg), operand(b, neg)];
      return x && y && isFloat(dtype) ? build.apply(primitive, [x, y], null) : null;
    },
  },
  {
    name: "−(c · x) = (−c) · x of a constant c",
    of: [neg],
    why: "rounding is symmetric, and one sign changes",
    rewrite: ({ inputs: [product] }, { dtype }, build) => {
      if (!isFloat(dtype) || operand(product, mul) === null) return null;
      const [a, b] = (product as Tensor).inputs as Pair;
      const [c, x] = build.number(a) === null ? [b, a] : [a, b];
      return build.number(c) === null ? null : build.apply(mul, [build.apply(neg, [c], null), x], null);
    },
  },
  {
    name: "|−x| = |x|",
    of: [abs],
    why: "abs clears the sign bit; in the tangent −ẋ · sign(−x) both signs change",
    rewrite: ({ inputs: [a] }, _out, build) => {
      const x = operand(a, neg);
      return x && build.apply(abs, [x], null);
    },
  },
  {
    name: "max(n, n) = n, min(n, n) = n of whole numbers",
    of: [maximum, minimum],
    why: "whole numbers have no derivative",
    rewrite: ({ inputs: [a, b] }, { dtype }) => (a === b && !isFloat(dtype) ? (a as Tensor) : null),
  },
];
