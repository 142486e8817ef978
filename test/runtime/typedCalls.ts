import type { Tensor } from "../../src/index.js";
import * as sg from "../../src/index.js";
import { arrayCalls } from "../transforms/arrayCalls.js";
import {
  along,
  type Choices,
  call,
  callFor,
  filled,
  flat,
  lambda,
  type Made,
  matrix,
  type Operation,
  pick,
  ranked,
  shapeOf,
  sizeAt,
  together,
} from "../transforms/calls.js";

/** What steps of random programs on arrays do: every step is legal for whatever it meets. */

const like = (x: Made): { dtype: string } => ({ dtype: x.value.dtype });
const isWhole = (x: Made): boolean => x.value.dtype === "int32" || x.value.dtype === "uint32";
export const isFloat = (x: Made): boolean => x.value.dtype === "float32" || x.value.dtype === "float64";

/** Programs of one float type: whole numbers come in and go out by these. */
export function kinds(dtype: "float32" | "float64"): Kinds {
  const float = (x: Made): Made =>
    isFloat(x) ? x : call("tanh", call("mul", call("toDType", x, dtype), isWhole(x) ? 0.01 : 1));
  const whole = (x: Made): Made =>
    isWhole(x) ? x : call("toDType", isFloat(x) ? call("floor", call("mul", x, 50)) : x, "int32");
  const bool = (x: Made): Made => (x.value.dtype === "bool" ? x : call("greater", x, call("zeros", [], like(x))));
  return { float, whole, bool };
}

export interface Kinds {
  readonly float: (x: Made) => Made;
  readonly whole: (x: Made) => Made;
  readonly bool: (x: Made) => Made;
}

export type Typed = (kinds: Kinds) => Operation;

const onFloats =
  (f: Operation): Typed =>
  ({ float }) =>
  (x, y, choose) =>
    f(float(x), float(y), choose);
const onWholes =
  (f: Operation): Typed =>
  ({ whole }) =>
  (x, y, choose) =>
    f(whole(x), whole(y), choose);

const positive = (x: Made): Made => call("add", call("square", x), 0.5);

const pointwise: readonly Typed[] = [
  ...(
    ["sin", "cos", "tanh", "sigmoid", "softplus", "square", "neg", "abs", "relu", "erf", "log1p", "sqrt"] as const
  ).map((name) => onFloats((x) => call(name, name === "log1p" || name === "sqrt" ? positive(x) : x))),
  onFloats((x) => call("exp", call("neg", positive(x)))),
  onFloats((x) => call("lgamma", positive(x))),
  onFloats((x, y) => together("add", x, y)),
  onFloats((x, y) => together("sub", x, y)),
  onFloats((x, y) => together("mul", x, y)),
  onFloats((x, y) => together("div", x, y, positive)),
  onFloats((x, y) => together("maximum", x, y)),
  onFloats((x, y) => call("where", together("less", x, y), call("sum", y), 0.25)),
  onFloats((x) => call("where", call("greater", x, 0.1), x, call("sin", x))),
  (k) => (x, y) => call("where", k.bool(x), 1.5, call("mul", k.float(x), call("sum", k.float(y)))),
];

const integers: readonly Typed[] = [
  onWholes((x, y) => (x.value.dtype === y.value.dtype ? together("add", x, y) : x)),
  onWholes((x) => call("mul", x, call("toDType", call("add", x, 77_777), x.value.dtype as never))),
  onWholes((x) => call("sub", call("toDType", call("sum", x), x.value.dtype as never), x)),
  onWholes((x, _y, choose) => call(choose.of(["bitAnd", "bitOr", "bitXor"] as const), x, 1 + choose.below(1000))),
  onWholes((x, _y, choose) => call(choose.of(["shiftLeft", "shiftRight"] as const), x, choose.below(33))),
  onWholes((x) => call("populationCount", call("bitNot", x))),
  onWholes((x, _y, choose) => call(choose.of(["floorDivide", "remainder"] as const), x, 1 + choose.below(9))),
  onWholes((x) => call("toDType", x, x.value.dtype === "int32" ? "uint32" : "int32")),
  (k) => (x) => call("toDType", k.float(x), "float32"),
  (k) => (x) => call("toDType", k.float(x), "float64"),
  (k) => (x) => k.bool(x),
  (k) => (x) => k.whole(x),
  (k) => (x, _y, choose) =>
    call(choose.of(["logicalAnd", "logicalOr"] as const), k.bool(x), call("logicalNot", call("any", k.bool(x)))),
];

const axesOf = (x: Made, choose: Choices): number[] =>
  shapeOf(x)
    .map((_, i) => i)
    .filter(() => choose.below(2) === 1);

const moving: readonly Typed[] = [
  () => (x, _y, choose) => {
    const left = shapeOf(x).map((_, i) => i);
    const order = shapeOf(x).map(() => left.splice(choose.below(left.length), 1)[0] as number);
    return call("transpose", x, order);
  },
  () => along((x, axis) => call("flip", x, axis)),
  () =>
    along((x, axis, choose) => {
      const n = sizeAt(x, axis);
      const low = choose.below(Math.min(n, 70));
      return call("slice", x, low, n - choose.below(Math.min(n - low, 70)), { axis, step: 1 + choose.below(4) });
    }),
  () =>
    along((x, axis, choose) =>
      call(
        "pad",
        x,
        shapeOf(x).map((_, i) => (i === axis ? [choose.below(4), choose.below(70)] : [choose.below(2), 0])),
      ),
    ),
  () => along((x, axis) => call("concat", [x, call("flip", x, axis), x], axis)),
  () => (x, _y, choose) => call("broadcastTo", x, [choose.below(4), ...shapeOf(x)]),
  () => along((x, axis, choose) => call("roll", x, choose.below(9) - 4, axis)),
  () => along((x, axis, choose) => (sizeAt(x, axis) === 0 ? x : call("at", x, choose.below(sizeAt(x, axis)), axis))),
  () => (x) => flat(x),
  () => (x) => (x.value.size % 7 === 0 ? call("reshape", x, [x.value.size / 7, 7]) : call("expandDims", x, -1)),
  () => (x, _y, choose) =>
    call(
      "stack",
      [x, call("flip", ranked(x), 0)].map((m) => call("reshape", m, shapeOf(x))),
      choose.below(x.value.rank + 1),
    ),
  () => along((x, axis, choose) => call("repeat", x, choose.below(3), axis)),
];

const reducing: readonly Typed[] = [
  (k) => (x, _y, choose) => {
    const keepDims = choose.below(2) === 1;
    return call("sum", x.value.dtype === "bool" ? k.whole(x) : x, { axis: axesOf(x, choose), keepDims });
  },
  onFloats(filled((x, _y, choose) => call("mean", x, { axis: axesOf(x, choose), keepDims: choose.below(2) === 1 }))),
  (k) =>
    filled((x, _y, choose) => {
      const of = x.value.dtype === "bool" ? k.whole(x) : x;
      return call(choose.of(["max", "min"] as const), of, { axis: axesOf(x, choose), keepDims: choose.below(2) === 1 });
    }),
  onFloats(filled(along((x, axis) => call("logsumexp", x, axis)))),
  onFloats(filled(along((x, axis) => call("softmax", x, axis)))),
  onFloats(filled(along((x, axis) => call("variance", x, axis)))),
  (k) => filled(along((x, axis, choose) => call(choose.of(["argmax", "argmin"] as const), k.float(x), axis))),
  (k) => along((x, axis, choose) => call(choose.of(["any", "all"] as const), k.bool(x), axis)),
  onFloats(along((x, axis, choose) => call("cumsum", x, axis, { reverse: choose.below(2) === 1 }))),
  onFloats(filled(along((x, axis) => call("cummax", x, axis)))),
  onFloats(along((x, axis) => call("sort", x, axis))),
];

/** Divided by the root of the length of the contraction, or a chain of products leaves every range. */
function product(x: Made, y: Made): Made {
  return call("mul", call("matmul", x, y), 1 / Math.sqrt(Math.max(1, sizeAt(x, x.value.rank - 1))));
}
const narrow = (x: Made): Made => {
  const m = matrix(x);
  const low = sizeAt(m, 0) > 70 ? call("slice", m, 0, 70) : m;
  return sizeAt(low, 1) > 200 ? call("slice", low, 0, 200, { axis: 1 }) : low;
};
const signal = (x: Made): Made => call("reshape", x, [1, 1, x.value.size]);
const kernelOf = (y: Made, shape: readonly number[]): Made => {
  const size = shape.reduce((a, b) => a * b, 1);
  const waves = call("mul", call("add", call("arange", size, like(y)), 1), 0.7);
  return call("reshape", call("sin", call("add", waves, call("tanh", call("sum", y)))), shape);
};

const contracting: readonly Typed[] = [
  onFloats((x) => product(narrow(x), call("transpose", call("sin", narrow(x))))),
  onFloats((x) => product(call("transpose", narrow(x)), call("cos", narrow(x)))),
  onFloats((x, _y, choose) =>
    product(
      call("stack", [narrow(x), call("flip", narrow(x), 0)]),
      kernelOf(x, [sizeAt(narrow(x), 1), 1 + choose.below(20)]),
    ),
  ),
  onFloats((x) =>
    product(ranked(x), call("cos", call("slice", kernelOf(x, [sizeAt(ranked(x), ranked(x).value.rank - 1)]), 0))),
  ),
  onFloats(
    filled((x, y, choose) =>
      call("conv1d", signal(x), kernelOf(y, [2, 1, 1 + choose.below(Math.min(4, x.value.size))]), {
        padding: choose.below(2),
        stride: 1 + choose.below(2),
      }),
    ),
  ),
  onFloats(
    filled((x, y, choose) =>
      call("conv2d", call("reshape", narrow(x), [1, 1, ...shapeOf(narrow(x))]), kernelOf(y, [2, 1, 2, 3]), {
        padding: 2,
        dilation: 1 + choose.below(2),
      }),
    ),
  ),
  onFloats(filled((x) => call("maxPool1d", signal(call("concat", [flat(x), flat(x)])), 2, { stride: 1 }))),
];

const places = (x: Made, n: number, k: Kinds): Made => call("remainder", call("bitAnd", k.whole(x), 0xffff), n);

const indexing: readonly Typed[] = [
  (k) => filled((x, y) => call("take", flat(x), places(flat(y), x.value.size, k))),
  (k) =>
    filled((x) => {
      // Few: sums of one place are rounded at each step, so that those of thousands differ by more than a few units.
      const few = call("slice", flat(x), 0, Math.min(64, x.value.size));
      return call("scatterAdd", call("zeros", [13], like(k.float(x))), places(few, 13, k), k.float(few));
    }),
  (k) => filled((x) => call("oneHot", places(x, 5, k), 5, like(k.float(x)))),
  (k) =>
    filled((x, y) =>
      call("dynamicSlice", flat(x), call("stack", [places(call("sum", k.whole(y)), 9, k)]), [
        Math.ceil(x.value.size / 2),
      ]),
    ),
];

const noise: readonly Typed[] = [
  (k) => (x, _y, choose) => {
    const [seed, kind] = [choose.below(50), choose.of(["Uniform", "Normal", "Bernoulli", "Categorical"] as const)];
    const shape = [...shapeOf(x)];
    const dtype = k.float(x).value.dtype as "float32" | "float64";
    const half = sg.tensor(0.4, { dtype });
    const one = sg.tensor(1, { dtype });
    const law = {
      Uniform: () => sg.Uniform({ low: half, high: one }),
      Normal: () => sg.Normal({ loc: half, scale: one }),
      Bernoulli: () => sg.Bernoulli({ probs: half }),
      Categorical: () => sg.Categorical({ probs: sg.stack([half, one, half]) }),
    }[kind]();
    return {
      value: law.sample(sg.key(seed), { sampleShape: shape }),
      code: `${kind}(…, ${dtype}).sample(key(${seed}), { sampleShape: [${shape}] })`,
    };
  },
];

const looping: readonly Typed[] = [
  onFloats(
    along((x, _axis, choose) => {
      const rows = sizeAt(x, 0) > 12 ? call("slice", x, 0, 12) : x;
      const step = lambda(["h", "row"], (h, row) => [
        call("sin", call("add", call("mul", h as Made, 0.5), row as Made)),
        call("mul", h as Made, row as Made),
      ]);
      const start = call("zeros", shapeOf(rows).slice(1), like(x));
      const both = callFor<readonly [Tensor, Tensor]>("scan", step, start, rows, { reverse: choose.below(2) === 1 });
      return pick(both, choose.of([0, 1] as const));
    }),
  ),
  onFloats((x, y) =>
    call(
      "cond",
      call("greater", call("sum", y), 0.1),
      lambda(["a"], (a) => call("square", a as Made)),
      lambda(["a"], (a) => call("cos", call("flip", ranked(a as Made), 0))),
      ranked(x),
    ),
  ),
  onWholes((x, _y, choose) => {
    const going = lambda(["s"], (s) => call("less", pick(s as Made<never>, "k"), 3));
    const step = lambda(["s"], (s) => ({
      a: call("add", call("mul", pick(s as Made<never>, "a"), 3), pick(s as Made<never>, "k")),
      k: call("add", pick(s as Made<never>, "k"), 1),
    }));
    const start = { a: call("toDType", x, "int32"), k: call("toDType", call("zeros", []), "int32") };
    return pick(callFor<{ a: Tensor }>("whileLoop", going, step, start, { limit: 4 + choose.below(3) }), "a");
  }),
];

export const typedCalls: readonly Typed[] = [
  ...pointwise,
  ...integers,
  ...moving,
  ...reducing,
  ...contracting,
  ...indexing,
  ...noise,
  ...looping,
  ...arrayCalls.slice(0, 8).map((f): Typed => onFloats(f)),
];
