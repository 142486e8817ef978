import { type DType, isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import { constant } from "../graph/leaves.js";
import { pointwise } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Smoothness, type Tensor, type Type } from "../graph/tensor.js";
import { map1, map2, map3, type Scalar1, type Scalar2 } from "../kernel/loops.js";
import { sigmoid as sigmoidOf } from "../kernel/math/sigmoid.js";
import { softplus as softplusOf } from "../kernel/math/softplus.js";
import type { NDArray } from "../kernel/ndarray.js";
import { divide, half, times } from "./contract.js";
import { floats, pair, truths } from "./fit.js";
import { allBatched, broadcastTo, minus, negate, onesLike, plus } from "./linear.js";

/** Element by element, not linear. A unary one is its function, its derivative and where it may be tried. */
interface Unary {
  readonly f: Scalar1;
  /** Derivative from input and output; null: piecewise constant. */
  readonly d: ((x: Tensor, out: Tensor) => Tensor) | null;
  readonly from?: readonly [number, number];
  readonly kinks?: readonly number[];
  readonly smooth?: Smoothness;
}

export function unary(name: string, { f, d, from, kinks, smooth = "smooth" }: Unary): Primitive<null> {
  const input = (shape: readonly number[]): LawInput => ({ shape, from, kinks });
  const self: Primitive<null> = {
    name,
    type: ([a]) => floats(name, a as Type),
    run: ([a], _params, out) => map1(f, a as NDArray, out.dtype),
    needs: "all",
    jvp: ([t], [x], _params, out) => (t && d ? times(t, d(x as Tensor, out)) : null),
    transpose: null,
    linear: [],
    batch: ([a]) => apply(self, [a as Tensor], null),
    reads: (_params, [a]) => [pointwise((a as Type).shape)],
    smooth,
    laws: [
      { inputs: [input([2, 3])], params: null },
      { inputs: [input([])], params: null },
      { inputs: [input([0, 2])], params: null },
    ],
  };
  return self;
}

const ratio = (a: Tensor, b: Tensor): Tensor => apply(divide, [a, b], null);
const square = (a: Tensor): Tensor => times(a, a);
const one = (a: Tensor): Tensor => onesLike(a);
const numberLike = (value: number, a: Tensor): Tensor => broadcastTo(constant(value, a.dtype), a.shape);

export const exp: Primitive<null> = unary("exp", { f: Math.exp, d: (_x, out) => out });
export const log: Primitive<null> = unary("log", { f: Math.log, d: (x) => ratio(one(x), x), from: [0.1, 4] });
export const log1p: Primitive<null> = unary("log1p", {
  f: Math.log1p,
  d: (x) => ratio(one(x), plus(one(x), x)),
  from: [-0.9, 4],
});
export const expm1: Primitive<null> = unary("expm1", { f: Math.expm1, d: (x) => apply(exp, [x], null) });
export const sin: Primitive<null> = unary("sin", { f: Math.sin, d: (x) => apply(cos, [x], null) });
export const cos: Primitive<null> = unary("cos", { f: Math.cos, d: (x) => negate(apply(sin, [x], null)) });
export const tanh: Primitive<null> = unary("tanh", { f: Math.tanh, d: (_x, out) => minus(one(out), square(out)) });
export const sqrt: Primitive<null> = unary("sqrt", {
  f: Math.sqrt,
  d: (_x, out) => ratio(half(out), out),
  from: [0.1, 4],
});
export const abs: Primitive<null> = unary("abs", {
  f: Math.abs,
  d: (x) => apply(sign, [x], null),
  kinks: [0],
  smooth: "kink",
});
export const sigmoid: Primitive<null> = unary("sigmoid", {
  f: sigmoidOf,
  // σ(x)·σ(−x), not σ(x)·(1 − σ(x)): the second cancels for large x.
  d: (x, out) => times(out, apply(sigmoid, [negate(x)], null)),
});
export const softplus: Primitive<null> = unary("softplus", { f: softplusOf, d: (x) => apply(sigmoid, [x], null) });
export const sign: Primitive<null> = unary("sign", { f: Math.sign, d: null, kinks: [0], smooth: "jump" });
export const floor: Primitive<null> = unary("floor", {
  f: Math.floor,
  d: null,
  kinks: [-2, -1, 0, 1, 2],
  smooth: "jump",
});
export const ceil: Primitive<null> = unary("ceil", { f: Math.ceil, d: null, kinks: [-2, -1, 0, 1, 2], smooth: "jump" });
export const round: Primitive<null> = unary("round", {
  f: roundHalfEven,
  d: null,
  kinks: [-1.5, -0.5, 0.5, 1.5],
  smooth: "jump",
});

function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

interface Binary {
  readonly f: Scalar2;
  readonly out?: DType;
  readonly jvp: Primitive<null>["jvp"];
  readonly smooth: Smoothness;
  readonly laws: readonly (readonly LawInput[])[];
}

function binary(name: string, { f, out: dtype, jvp, smooth, laws }: Binary): Primitive<null> {
  const self: Primitive<null> = {
    name,
    type: ([a, b]) => {
      const type = pair(name, a as Type, b as Type);
      return { ...type, dtype: dtype ?? type.dtype };
    },
    run: ([a, b], _params, out) => map2(f, a as NDArray, b as NDArray, out.dtype),
    needs: "all",
    jvp,
    transpose: null,
    linear: [],
    batch: (inputs, batched, _params, size) => apply(self, allBatched(inputs, batched, size), null),
    reads: (_params, _inputs, out) => [pointwise(out.shape), pointwise(out.shape)],
    smooth,
    laws: laws.map((inputs) => ({ inputs, params: null })),
  };
  return self;
}

export const pow: Primitive<null> = binary("pow", {
  f: Math.pow,
  jvp: ([s, t], [x, y], _params, out) => {
    const [base, exponent] = [x as Tensor, y as Tensor];
    // d/dx x^y = y x^(y−1), which is 0 (not NaN) where y = 0, at x = 0 too.
    const less1 = apply(
      where,
      [equal(exponent, numberLike(0, exponent)), exponent, minus(exponent, one(exponent))],
      null,
    );
    const first = s && times(s, times(exponent, apply(pow, [base, less1], null)));
    // d/dy x^y = x^y log x, which is 0 (not NaN) where x = 0.
    const safe = apply(where, [equal(base, numberLike(0, base)), one(base), base], null);
    const second = t && times(t, times(out, apply(log, [safe], null)));
    return first && second ? plus(first, second) : (first ?? second ?? null);
  },
  smooth: "smooth",
  laws: [[{ shape: [2, 3], from: [0.2, 3] }, { shape: [2, 3] }]],
});

/** The larger; where both are equal each gets half of the derivative. */
export const maximum: Primitive<null> = extremum("maximum", Math.max, (a, b) => apply(greater, [a, b], null));
export const minimum: Primitive<null> = extremum("minimum", Math.min, (a, b) => apply(less, [a, b], null));

function extremum(name: string, f: Scalar2, wins: (a: Tensor, b: Tensor) => Tensor): Primitive<null> {
  const share = (a: Tensor, b: Tensor): Tensor =>
    apply(where, [wins(a, b), one(a), apply(where, [wins(b, a), numberLike(0, a), numberLike(0.5, a)], null)], null);
  return binary(name, {
    f,
    jvp: ([s, t], [a, b]) => {
      const [x, y] = [a as Tensor, b as Tensor];
      const first = s && times(s, share(x, y));
      const second = t && times(t, share(y, x));
      return first && second ? plus(first, second) : (first ?? second ?? null);
    },
    smooth: "kink",
    laws: [
      [
        { shape: [2, 3], from: [-2, -0.01] },
        { shape: [2, 3], from: [0.01, 2] },
      ],
      [
        { shape: [4], from: [1, 2] },
        { shape: [4], from: [-1, 0.9] },
      ],
    ],
  });
}

const comparisonLaws: LawInput[][] = [
  [{ shape: [2, 3] }, { shape: [2, 3] }],
  [
    { shape: [3], dtype: "int32" },
    { shape: [3], dtype: "int32" },
  ],
];

function comparison(name: string, f: (a: number, b: number) => boolean): Primitive<null> {
  return binary(name, {
    f: (a, b) => (f(a, b) ? 1 : 0),
    out: "bool",
    jvp: () => null,
    smooth: "jump",
    laws: comparisonLaws,
  });
}

export const less: Primitive<null> = comparison("less", (a, b) => a < b);
export const lessEqual: Primitive<null> = comparison("lessEqual", (a, b) => a <= b);
export const greater: Primitive<null> = comparison("greater", (a, b) => a > b);
export const greaterEqual: Primitive<null> = comparison("greaterEqual", (a, b) => a >= b);
export const equals: Primitive<null> = comparison("equal", (a, b) => a === b);
export const notEquals: Primitive<null> = comparison("notEqual", (a, b) => a !== b);

function equal(a: Tensor, b: Tensor): Tensor {
  return apply(equals, [a, b], null);
}

function logical(name: string, f: Scalar2): Primitive<null> {
  const inputs: LawInput[] = [
    { shape: [2, 3], dtype: "bool" },
    { shape: [2, 3], dtype: "bool" },
  ];
  const self: Primitive<null> = {
    ...binary(name, { f, out: "bool", jvp: () => null, smooth: "jump", laws: [inputs] }),
    type: ([a, b]) => truths(name, pair(name, a as Type, b as Type)),
    batch: (both, batched, _params, size) => apply(self, allBatched(both, batched, size), null),
  };
  return self;
}

export const and: Primitive<null> = logical("and", (a, b) => a & b);
export const or: Primitive<null> = logical("or", (a, b) => a | b);

export const not: Primitive<null> = {
  ...unary("not", { f: (a) => 1 - a, d: null, smooth: "jump" }),
  type: ([a]) => truths("not", a as Type),
  batch: ([a]) => apply(not, [a as Tensor], null),
  laws: [{ inputs: [{ shape: [2, 3], dtype: "bool" }], params: null }],
};

/** mask ? a : b, linear in the branches and never in the mask. */
export const where: Primitive<null> = {
  name: "where",
  type: ([mask, a, b]) => {
    const type = pair("where", a as Type, b as Type);
    const { dtype, shape } = mask as Type;
    if (dtype !== "bool" || !sameShape(shape, type.shape))
      fail({ where: "where", got: `mask ${dtype}${show(shape)}`, expected: `bool${show(type.shape)}` });
    return type;
  },
  run: ([mask, a, b], _params, out) =>
    map3((m, x, y) => (m ? x : y), mask as NDArray, a as NDArray, b as NDArray, out.dtype),
  needs: "all",
  jvp: ([, s, t], [mask, a]) => {
    if (!s && !t) return null;
    const zero = numberLike(0, a as Tensor);
    return apply(where, [mask as Tensor, s ?? zero, t ?? zero], null);
  },
  transpose: (ct, [, first, second], [mask]) => {
    const zero = numberLike(0, ct);
    return [
      null,
      first ? apply(where, [mask as Tensor, ct, zero], null) : null,
      second ? apply(where, [mask as Tensor, zero, ct], null) : null,
    ];
  },
  linear: [1, 2],
  batch: (inputs, batched, _params, size) => apply(where, allBatched(inputs, batched, size), null),
  reads: (_params, _inputs, out) => [pointwise(out.shape), pointwise(out.shape), pointwise(out.shape)],
  smooth: ["jump", "smooth", "smooth"],
  laws: [{ inputs: [{ shape: [2, 3], dtype: "bool" }, { shape: [2, 3] }, { shape: [2, 3] }], params: null }],
};

/** To or from whole numbers and truth values; towards zero, no derivative. Between floats `cast` is linear. */
export const convert: Primitive<{ readonly dtype: DType }> = {
  name: "convert",
  type: ([a], { dtype }) => {
    const from = a as Type;
    if (isFloat(from.dtype) && isFloat(dtype))
      fail({
        where: "convert",
        got: `${from.dtype} to ${dtype}`,
        expected: "whole numbers or truth values on one side",
        write: "cast",
      });
    return { shape: from.shape, dtype };
  },
  run: ([a], { dtype }, out) => map1(dtype === "bool" ? (x) => (x === 0 ? 0 : 1) : (x) => x, a as NDArray, out.dtype),
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(convert, [a as Tensor], params),
  reads: (_params, [a]) => [pointwise((a as Type).shape)],
  smooth: "jump",
  laws: [
    { inputs: [{ shape: [2, 3], kinks: [-1, 0, 1] }], params: { dtype: "int32" } },
    { inputs: [{ shape: [3], dtype: "int32" }], params: { dtype: "float32" } },
  ],
};

/** Between float32 and float64: linear. Conversions from and to whole numbers are `convert`. */
export const cast: Primitive<{ readonly dtype: DType }> = {
  name: "cast",
  type: ([a], { dtype }) => {
    const from = a as Type;
    if (!isFloat(from.dtype) || !isFloat(dtype))
      fail({ where: "cast", got: `${from.dtype} to ${dtype}`, expected: "float32 and float64" });
    return { shape: from.shape, dtype };
  },
  run: ([a], _params, out) => map1((x) => x, a as NDArray, out.dtype),
  needs: "all",
  jvp: ([t], _inputs, params) => (t ? apply(cast, [t], params) : null),
  transpose: (ct, _linear, [a]) => [apply(cast, [ct], { dtype: (a as Tensor).dtype })],
  linear: "any",
  batch: ([a], _batched, params) => apply(cast, [a as Tensor], params),
  reads: (_params, [a]) => [pointwise((a as Type).shape)],
  smooth: "smooth",
  laws: [
    { inputs: [{ shape: [2, 3] }], params: { dtype: "float64" } },
    { inputs: [{ shape: [2, 3] }], params: { dtype: "float32" } },
  ],
};
