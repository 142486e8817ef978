import { type DType, isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import * as on from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { pointwise } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Smoothness, type Tensor, type Type } from "../graph/tensor.js";
import type { Comparison, Value } from "../kernel/expr/block.js";
import { pow as powOf } from "../kernel/expr/math/pow.js";
import { map1, map2, map3, type Scalar2 } from "../kernel/loops.js";
import type { NDArray } from "../kernel/ndarray.js";
import { type Build, calling } from "./build.js";
import { times } from "./contract.js";
import { log, steps, unary } from "./elementary.js";
import { pair, truths } from "./fit.js";
import { allBatched, broadcastTo, minus, onesLike, plus } from "./linear.js";

/** Two or more elements into one, not linear: powers, extrema, comparisons, choices, and changes of dtype. */

const one = (a: Tensor): Tensor => onesLike(a);
const numberLike = (value: number, a: Tensor): Tensor => broadcastTo(constant(value, a.dtype), a.shape);

interface Binary {
  readonly f: Scalar2;
  /** Left out: the function is called element by element. */
  readonly build?: Build;
  readonly out?: DType;
  readonly jvp: Primitive<null>["jvp"];
  readonly smooth: Smoothness;
  readonly smoothOn?: Primitive<null>["smoothOn"];
  readonly range?: (a: Interval, b: Interval) => Interval;
  readonly laws: readonly (readonly LawInput[])[];
}

function binary(name: string, { f, build, out: dtype, jvp, smooth, smoothOn, range, laws }: Binary): Primitive<null> {
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
    smoothOn,
    range: range && (([a, b]) => range(a as Interval, b as Interval)),
    lower: { kind: "map", build: build ?? calling(name, f) },
    laws: laws.map((inputs) => ({ inputs, params: null })),
  };
  return self;
}

export const pow: Primitive<null> = binary("pow", {
  f: Math.pow,
  build: (b, [x, y], _params, { out }) =>
    isFloat(out.dtype)
      ? powOf(b, x as Value, y as Value)
      : calling("pow", Math.pow)(b, [x, y] as Value[], null, { inputs: [], out }),
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
  smoothOn: ([x, y]) => [ofBase(x as Interval, y as Interval), "smooth"],
  range: (x, y) =>
    on.isAbove(x, 0) ? on.above(0) : x.lo >= 0 || evenPower(y) ? on.interval(0, Infinity) : on.everything,
  laws: [[{ shape: [2, 3], from: [0.2, 3] }, { shape: [2, 3] }]],
});

const evenPower = ({ lo, hi }: Interval): boolean => lo === hi && lo % 2 === 0;

/** Whole powers cross a base of 0 smoothly, those below 0 never; of others the base is not negative, or they are NaN. */
function ofBase(base: Interval, power: Interval): Smoothness {
  if (!base.zero || (on.isSingle(power) && power.lo >= 0 && Number.isInteger(power.lo))) return "smooth";
  return power.lo > 0 ? "kink" : "jump";
}

/** The larger; where both are equal each gets half of the derivative. */
export const maximum: Primitive<null> = extremum(
  "maximum",
  Math.max,
  "max",
  (a, b) => apply(greater, [a, b], null),
  on.larger,
);
export const minimum: Primitive<null> = extremum(
  "minimum",
  Math.min,
  "min",
  (a, b) => apply(less, [a, b], null),
  on.smaller,
);

function extremum(
  name: string,
  f: Scalar2,
  op: "max" | "min",
  wins: (a: Tensor, b: Tensor) => Tensor,
  range: NonNullable<Binary["range"]>,
): Primitive<null> {
  const share = (a: Tensor, b: Tensor): Tensor =>
    apply(where, [wins(a, b), one(a), apply(where, [wins(b, a), numberLike(0, a), numberLike(0.5, a)], null)], null);
  return binary(name, {
    f,
    build: (b, [x, y]) => b.binary(op, x as Value, y as Value),
    jvp: ([s, t], [a, b]) => {
      const [x, y] = [a as Tensor, b as Tensor];
      const first = s && times(s, share(x, y));
      const second = t && times(t, share(y, x));
      return first && second ? plus(first, second) : (first ?? second ?? null);
    },
    smooth: "kink",
    smoothOn: ([a, b]) => both(on.isSingle(on.isLess(a as Interval, b as Interval)) ? "smooth" : "kink"),
    range,
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

const both = (level: Smoothness): Smoothness[] => [level, level];

/** A truth value that intervals settle does not jump. */
function settled(range: (a: Interval, b: Interval) => Interval): Pick<Binary, "smooth" | "smoothOn" | "range"> {
  return {
    smooth: "jump",
    smoothOn: ([a, b]) => both(on.isSingle(range(a as Interval, b as Interval)) ? "smooth" : "jump"),
    range,
  };
}

const comparisonLaws: LawInput[][] = [
  [{ shape: [2, 3] }, { shape: [2, 3] }],
  [
    { shape: [3], dtype: "int32" },
    { shape: [3], dtype: "int32" },
  ],
];

function comparison(
  name: string,
  op: Comparison,
  f: (a: number, b: number) => boolean,
  range: NonNullable<Binary["range"]>,
): Primitive<null> {
  return binary(name, {
    f: (a, b) => (f(a, b) ? 1 : 0),
    build: (b, [x, y]) => b.compare(op, x as Value, y as Value),
    out: "bool",
    jvp: () => null,
    ...settled(range),
    laws: comparisonLaws,
  });
}

export const less: Primitive<null> = comparison("less", "lt", (a, b) => a < b, on.isLess);
export const lessEqual: Primitive<null> = comparison(
  "lessEqual",
  "le",
  (a, b) => a <= b,
  (a, b) => on.isNot(on.isLess(b, a)),
);
export const greater: Primitive<null> = comparison(
  "greater",
  "gt",
  (a, b) => a > b,
  (a, b) => on.isLess(b, a),
);
export const greaterEqual: Primitive<null> = comparison(
  "greaterEqual",
  "ge",
  (a, b) => a >= b,
  (a, b) => on.isNot(on.isLess(a, b)),
);
export const equals: Primitive<null> = comparison("equal", "eq", (a, b) => a === b, on.isEqual);
export const notEquals: Primitive<null> = comparison(
  "notEqual",
  "ne",
  (a, b) => a !== b,
  (a, b) => on.isNot(on.isEqual(a, b)),
);

function equal(a: Tensor, b: Tensor): Tensor {
  return apply(equals, [a, b], null);
}

function logical(name: "and" | "or", f: Scalar2, range: NonNullable<Binary["range"]>): Primitive<null> {
  const inputs: LawInput[] = [
    { shape: [2, 3], dtype: "bool" },
    { shape: [2, 3], dtype: "bool" },
  ];
  const self: Primitive<null> = {
    ...binary(name, {
      f,
      build: (b, [x, y]) => b.binary(name, x as Value, y as Value),
      out: "bool",
      jvp: () => null,
      ...settled(range),
      laws: [inputs],
    }),
    type: ([a, b]) => truths(name, pair(name, a as Type, b as Type)),
    batch: (both, batched, _params, size) => apply(self, allBatched(both, batched, size), null),
  };
  return self;
}

export const and: Primitive<null> = logical("and", (a, b) => a & b, on.smaller);
export const or: Primitive<null> = logical("or", (a, b) => a | b, on.larger);

export const not: Primitive<null> = {
  ...unary("not", {
    f: (a) => 1 - a,
    build: (b, x) => b.unary("not", x),
    d: null,
    smooth: "jump",
    smoothOn: unmoved,
    range: ([a]) => on.isNot(a as Interval),
  }),
  type: ([a]) => truths("not", a as Type),
  batch: ([a]) => apply(not, [a as Tensor], null),
  laws: [{ inputs: [{ shape: [2, 3], dtype: "bool" }], params: null }],
};

function unmoved(x: Interval): Smoothness {
  return on.isSingle(x) ? "smooth" : "jump";
}

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
  smoothOn: ([mask]) => [unmoved(mask as Interval), "smooth", "smooth"],
  range: ([mask, a, b]) => {
    const { lo, hi } = mask as Interval;
    return lo === 1 ? (a as Interval) : hi === 0 ? (b as Interval) : on.hull(a as Interval, b as Interval);
  },
  lower: { kind: "map", build: (b, [m, x, y]) => b.select(m as Value, x as Value, y as Value) },
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
  smoothOn: ([a]) => [unmoved(a as Interval)],
  range: ([a], { dtype }, { inputs: [from] }) =>
    dtype === "bool"
      ? on.interval(0, 1)
      : isFloat((from as Tensor).dtype)
        ? steps(Math.trunc)([a as Interval])
        : (a as Interval),
  lower: { kind: "map", build: (b, [x], { dtype }) => b.convert(x as Value, dtype) },
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
  range: ([a]) => a as Interval,
  lower: { kind: "map", build: (b, [x], { dtype }) => b.convert(x as Value, dtype) },
  laws: [
    { inputs: [{ shape: [2, 3] }], params: { dtype: "float64" } },
    { inputs: [{ shape: [2, 3] }], params: { dtype: "float32" } },
  ],
};
