import type { Interval } from "../graph/interval.js";
import * as on from "../graph/interval.js";
import { pointwise } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Smoothness, type Tensor, type Type } from "../graph/tensor.js";
import type { Builder, Value } from "../kernel/expr/block.js";
import * as expr from "../kernel/expr/math/elementary.js";
import { map1, type Scalar1 } from "../kernel/loops.js";
import { sigmoid as sigmoidOf } from "../kernel/math/sigmoid.js";
import { softplus as softplusOf } from "../kernel/math/softplus.js";
import type { NDArray } from "../kernel/ndarray.js";
import { type Build1, calling } from "./build.js";
import { divide, half, times } from "./contract.js";
import { floats } from "./fit.js";
import { minus, negate, onesLike, plus } from "./linear.js";

/** Element by element, not linear. A unary one is its function, its derivative and where it may be tried. */
interface Unary {
  readonly f: Scalar1;
  /** Left out: the function is called element by element. */
  readonly build?: Build1;
  /** Derivative from input and output; null: piecewise constant. */
  readonly d: ((x: Tensor, out: Tensor) => Tensor) | null;
  readonly from?: readonly [number, number];
  readonly kinks?: readonly number[];
  readonly smooth?: Smoothness;
  readonly smoothOn?: (x: Interval) => Smoothness;
  readonly range?: (inputs: readonly Interval[]) => Interval;
}

export function unary(
  name: string,
  { f, build, d, from, kinks, smooth = "smooth", smoothOn, range }: Unary,
): Primitive<null> {
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
    smoothOn: smoothOn && (([x]) => [smoothOn(x as Interval)]),
    range,
    lower: { kind: "map", build: build ? (b, [x]) => build(b, x as Value) : calling(name, f) },
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

/**
 * At the end `low` of the numbers where it is defined. A value that meets `low` from above (log |x|) crosses the singular point unseen;
 * one that may lie anywhere is NaN beyond, which is loud, so only second derivatives are doubted.
 */
export function from(low: number): (x: Interval) => Smoothness {
  return (x) => (on.isAbove(x, low) || (low === 0 && !x.zero) ? "smooth" : on.atLeast(x, low) ? "jump" : "kink");
}

export const exp: Primitive<null> = unary("exp", {
  f: Math.exp,
  build: expr.exp,
  d: (_x, out) => out,
  range: on.rising(Math.exp),
});
export const log: Primitive<null> = unary("log", {
  f: Math.log,
  build: expr.log,
  d: (x) => ratio(one(x), x),
  from: [0.1, 4],
  smoothOn: from(0),
  range: on.rising((x) => Math.log(Math.max(x, 0))),
});
export const log1p: Primitive<null> = unary("log1p", {
  f: Math.log1p,
  build: expr.log1p,
  d: (x) => ratio(one(x), plus(one(x), x)),
  from: [-0.9, 4],
  smoothOn: from(-1),
  range: on.rising((x) => Math.log1p(Math.max(x, -1))),
});
export const expm1: Primitive<null> = unary("expm1", {
  f: Math.expm1,
  build: expr.expm1,
  d: (x) => apply(exp, [x], null),
  range: on.rising(Math.expm1),
});
export const sin: Primitive<null> = unary("sin", {
  f: Math.sin,
  build: expr.sin,
  d: (x) => apply(cos, [x], null),
  range: wave,
});
export const cos: Primitive<null> = unary("cos", {
  f: Math.cos,
  build: expr.cos,
  d: (x) => negate(apply(sin, [x], null)),
  range: wave,
});
export const tanh: Primitive<null> = unary("tanh", {
  f: Math.tanh,
  build: expr.tanh,
  d: (_x, out) => minus(one(out), square(out)),
  range: on.rising(Math.tanh),
});
export const sqrt: Primitive<null> = unary("sqrt", {
  f: Math.sqrt,
  build: (b, x) => b.unary("sqrt", x),
  d: (_x, out) => ratio(half(out), out),
  from: [0.1, 4],
  smoothOn: (x) => (x.zero ? "kink" : "smooth"),
  range: on.rising((x) => Math.sqrt(Math.max(x, 0))),
});
export const abs: Primitive<null> = unary("abs", {
  f: Math.abs,
  build: (b, x) => b.unary("abs", x),
  d: (x) => apply(sign, [x], null),
  kinks: [0],
  smooth: "kink",
  smoothOn: (x) => (x.zero ? "kink" : "smooth"),
  range: ([x]) => on.magnitude(x as Interval),
});
export const sigmoid: Primitive<null> = unary("sigmoid", {
  f: sigmoidOf,
  build: expr.sigmoid,
  // σ(x)·σ(−x), not σ(x)·(1 − σ(x)): the second cancels for large x.
  d: (x, out) => times(out, apply(sigmoid, [negate(x)], null)),
  range: on.rising(sigmoidOf),
});
export const softplus: Primitive<null> = unary("softplus", {
  f: softplusOf,
  build: expr.softplus,
  d: (x) => apply(sigmoid, [x], null),
  range: on.rising(softplusOf),
});
export const sign: Primitive<null> = unary("sign", {
  f: Math.sign,
  build: signOf,
  d: null,
  kinks: [0],
  smooth: "jump",
  smoothOn: (x) => (x.zero ? "jump" : "smooth"),
  range: steps(Math.sign),
});
export const floor: Primitive<null> = unary("floor", {
  f: Math.floor,
  build: (b, x) => b.unary("floor", x),
  d: null,
  kinks: [-2, -1, 0, 1, 2],
  smooth: "jump",
  range: steps(Math.floor),
});
export const ceil: Primitive<null> = unary("ceil", {
  f: Math.ceil,
  build: (b, x) => b.unary("ceil", x),
  d: null,
  kinks: [-2, -1, 0, 1, 2],
  smooth: "jump",
  range: steps(Math.ceil),
});
export const round: Primitive<null> = unary("round", {
  f: roundHalfEven,
  build: (b, x) => b.unary("nearest", x),
  d: null,
  kinks: [-1.5, -0.5, 0.5, 1.5],
  smooth: "jump",
  range: steps(roundHalfEven),
});

/** Sine and cosine. */
function wave(): Interval {
  return on.interval(-1, 1);
}

/** Under a rounding. Ends may be reached from inside. */
export function steps(f: Scalar1): (inputs: readonly Interval[]) => Interval {
  return ([x]) => on.interval(f((x as Interval).lo), f((x as Interval).hi));
}

function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** ±1, and the number itself where it is 0 or NaN. */
function signOf(b: Builder, x: Value): Value {
  const zero = b.like(x, 0);
  const below = b.select(b.compare("lt", x, zero), b.like(x, -1), x);
  return b.select(b.compare("gt", x, zero), b.like(x, 1), below);
}
