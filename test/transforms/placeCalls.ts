import type { Tensor } from "../../src/index.js";
import {
  along,
  call,
  callFor,
  filled,
  flat,
  type Made,
  type Operation,
  pick,
  ranked,
  sizeAt,
  together,
} from "./calls.js";
import { float, like, positive, whole } from "./pointwiseCalls.js";

/** Sorting, running operations, and reading and writing at computed places. */

const last = (x: Made): number => sizeAt(x, x.value.rank - 1);
/** Places of an axis of n, made of the numbers of x. */
const placesIn = (x: Made, n: number): Made => call("clamp", whole(call("add", call("sin", x), 0.5)), 0, n - 1);

const sorting: readonly Operation[] = [
  along((x, axis, choose) => call("sort", x, axis, { descending: choose.below(2) === 1 })),
  along((x, axis) => call("takeAlongAxis", call("cos", x), call("argsort", x, axis), axis)),
  filled(
    along((x, axis, choose) =>
      pick(callFor<readonly [Tensor, Tensor]>("topK", x, 1 + choose.below(sizeAt(x, axis)), axis), 0),
    ),
  ),
  filled((x, y) => call("mul", x, float(call("searchsorted", call("sort", flat(y)), call("sum", x)), x))),
  filled(along((x, axis, choose) => call("quantile", x, choose.of([0.3, 0.5, 1]), axis))),
  filled((x) => call("median", x)),
];

const running: readonly Operation[] = (["cumprod", "cummax", "cummin", "cumlogsumexp"] as const).map((name) =>
  along((x, axis, choose) => call(name, x, axis, { reverse: choose.below(2) === 1 })),
);

const counting: readonly Operation[] = [
  along((x, axis) => call("prod", x, axis)),
  along((x, axis, choose) => call("linearRecurrence", call("sin", x), x, axis, { reverse: choose.below(2) === 1 })),
  (x) => call("mul", x, call("countNonzero", call("greater", x, 0))),
  (x) => call("where", call("any", call("greater", x, 0.5)), x, call("cos", x)),
  (x) => call("where", call("all", call("less", x, 0.5)), x, call("cos", x)),
  (x) => call("remainder", call("mul", x, 3), 1),
  (x, y) => together("remainder", x, y, positive),
  (x) => call("mul", x, call("floorDivide", x, 0.4)),
  (x) => call("trunc", call("mul", x, 3)),
  (x) => call("mul", x, call("bitXor", call("bitAnd", whole(x), 5), call("bitOr", whole(x), 2))),
  (x) => call("mul", x, call("populationCount", call("bitNot", call("shiftLeft", call("shiftRight", whole(x), 1), 2)))),
];

const writing: readonly Operation[] = [
  filled(
    along((x, axis) => call("scatterAdd", x, [0, 0, sizeAt(x, axis) - 1], call("mul", call("sum", x), 0.5), axis)),
  ),
  filled((x) => call("scatterAdd", call("zeros", [3], like(x)), placesIn(flat(x), 3), flat(x))),
  filled(along((x, axis, choose) => call("scatterSet", x, [choose.below(sizeAt(x, axis)), 0], call("mean", x), axis))),
  filled((x) => call("scatterSet", call("ones", [3], like(x)), placesIn(flat(x), 3), call("square", flat(x)))),
  filled(
    along((x, _axis, choose) =>
      call("putAlongAxis", x, placesIn(x, last(x)), call("cos", x), -1, { accumulate: choose.below(2) === 1 }),
    ),
  ),
  filled((x) =>
    call("dynamicSlice", flat(x), call("stack", [placesIn(call("sum", x), 3)]), [Math.ceil(x.value.size / 2)]),
  ),
  filled((x, y) =>
    call(
      "dynamicUpdateSlice",
      flat(x),
      call("expandDims", call("sum", y), 0),
      call("stack", [placesIn(call("sum", x), 3)]),
    ),
  ),
  along((x, axis, choose) => call("roll", x, choose.below(5) - 2, axis)),
  filled((x, _y, choose) =>
    call(
      "pad",
      ranked(x),
      ranked(x).value.shape.map(() => [1, 1]),
      { mode: choose.of(["edge", "constant"] as const), value: 0.4 },
    ),
  ),
];

export const placeCalls: readonly Operation[] = [...sorting, ...running, ...counting, ...writing];
