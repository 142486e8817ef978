import { call, type Made, type Operation, together } from "./calls.js";

/** Element by element. */

/** The dtype of x, for constants beside it: a float32 program stays one. */
const like = (x: Made): { dtype: string } => ({ dtype: x.value.dtype });
/** Above ½, and between −0.9 and 0.9: where a function has no singular point. */
const positive = (x: Made): Made => call("add", call("square", x), 0.5);
const bounded = (x: Made): Made => call("mul", call("tanh", x), 0.9);
const probability = (x: Made): Made => call("add", call("mul", call("sigmoid", x), 0.8), 0.1);
/** Whole numbers or truth values as floats like x. */
const float = (a: Made, x: Made): Made => call("toDType", a, x.value.dtype);
const whole = (x: Made): Made => call("toDType", call("floor", call("mul", x, 3)), "int32");

const onAll: readonly Operation[] = (
  [
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "softplus",
    "square",
    "neg",
    "abs",
    "relu",
    "erf",
    "erfc",
    "logSigmoid",
    "sign",
    "reciprocal",
  ] as const
).map((name) => (x) => call(name, name === "reciprocal" ? positive(x) : x));

const onSome: readonly Operation[] = [
  (x) => call("exp", bounded(x)),
  (x) => call("expm1", bounded(x)),
  (x) => call("log", positive(x)),
  (x) => call("log1p", call("square", x)),
  (x) => call("sqrt", positive(x)),
  (x) => call("erfinv", bounded(x)),
  (x) => call("ndtri", probability(x)),
  (x) => call("lgamma", positive(x)),
  (x) => call("digamma", positive(x)),
  (x, _y, choose) => call("polygamma", 1 + choose.below(2), positive(x)),
  (x) => call("igammac", 1.7, positive(x)),
  (x, _y, choose) => call("pow", x, choose.of([2, 3, 1, 0])),
  (x, _y, choose) => call("pow", positive(x), choose.of([1.5, -0.5, 2.5])),
  (x) => call("mul", call("floor", call("mul", x, 3)), 0.3),
  (x) => call("ceil", call("mul", x, 2)),
  (x) => call("round", call("mul", x, 4)),
  (x) => call("clamp", x, -0.4, 0.6),
  (x, _y, choose) => call("mul", call("named", call("cos", x), "inner"), 1 + choose.below(3)),
];

const onPairs: readonly Operation[] = [
  (x, y) => together("add", x, y),
  (x, y) => together("sub", x, y),
  (x, y) => together("mul", x, y),
  (x, y) => together("div", x, y, positive),
  (x, y) => together("pow", positive(x), y),
  (x, y) => together("maximum", x, y),
  (x, y) => together("minimum", x, y),
  (x, y) => together("logaddexp", x, y),
  (x, y) => together("xlogy", x, y, positive),
  (x, y) => together("xlog1py", x, y, (a) => call("square", a)),
];

/** Through truth values and whole numbers. */
const onChoices: readonly Operation[] = [
  (x, _y, choose) => {
    const name = choose.of(["greater", "less", "greaterEqual", "lessEqual"] as const);
    const mask = call(name, call("sin", x), choose.below(7) / 5 - 0.617);
    return call("where", mask, call("cos", x), x);
  },
  (x, y) => call("where", together("greater", x, y), 0.3, call("sin", call("sum", x))),
  (x) => {
    const inside = call("logicalAnd", call("greater", x, -0.5), call("logicalNot", call("greater", x, 0.5)));
    return call("where", call("logicalOr", inside, call("less", x, -0.9)), x, call("square", x));
  },
  (x) => float(call("equal", whole(x), 1), x),
  (x) => call("mul", x, call("notEqual", whole(x), 0)),
  (x) => call("mul", float(call("sub", call("mul", whole(x), whole(call("sin", x))), 1), x), 0.1),
  (x, _y, choose) => call("add", x, float(call("maximum", whole(x), choose.below(3)), x)),
];

export const pointwiseCalls: readonly Operation[] = [...onAll, ...onPairs, ...onSome, ...onChoices];
export { float, like, positive, whole };
