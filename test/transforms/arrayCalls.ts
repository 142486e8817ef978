import { along, call, filled, flat, isEmpty, matrix, type Operation, ranked, shapeOf, sizeAt } from "./calls.js";
import { positive, whole } from "./pointwiseCalls.js";

/** Rearranging, reducing, multiplying and looking up. */

const shaping: readonly Operation[] = [
  (x) => call("transpose", x),
  (x, _y, choose) => {
    const left = shapeOf(x).map((_, i) => i);
    return call(
      "transpose",
      x,
      shapeOf(x).map(() => left.splice(choose.below(left.length), 1)[0] as number),
    );
  },
  (x) => flat(x),
  (x, _y, choose) => call("expandDims", x, choose.below(x.value.rank + 1)),
  (x) => call("squeeze", x),
  (x) => call("stack", [x, call("cos", x)], -1),
  along((x, axis) => call("flip", x, axis)),
  along((x, axis, choose) => {
    const n = sizeAt(x, axis);
    return call("slice", x, choose.below(n), n - choose.below(2), { axis, step: 1 + choose.below(2) });
  }),
  along((x, axis, choose) =>
    call(
      "pad",
      x,
      shapeOf(x).map((_, i) => (i === axis ? [choose.below(2), choose.below(3)] : [0, 0])),
    ),
  ),
  along((x, axis) => call("concat", [x, call("sin", x)], axis)),
  along((x, axis, choose) => (sizeAt(x, axis) === 0 ? x : call("at", x, choose.below(sizeAt(x, axis)), axis))),
  (x, _y, choose) => call("broadcastTo", x, [choose.below(3), ...shapeOf(x)]),
  along((x, axis, choose) => call("repeat", x, choose.below(3), axis)),
  (x, _y, choose) => call("tile", ranked(x), [1 + choose.below(2)]),
];

const reducing: readonly Operation[] = [
  ...(["sum", "logsumexp"] as const).map((name) => along((x, axis) => (isEmpty(x) ? x : call(name, x, axis)))),
  ...(["mean", "max", "min", "variance"] as const).map((name) =>
    filled(along((x, axis, choose) => call(name, x, { axis, keepDims: choose.below(2) === 1 }))),
  ),
  filled((x, _y, choose) => call(choose.of(["sum", "mean", "max", "logsumexp"] as const), x)),
  filled(along((x, axis) => call("std", call("concat", [x, call("add", call("cos", x), 3)], axis), axis))),
  filled(along((x, axis, choose) => call(choose.of(["softmax", "logSoftmax"] as const), x, axis))),
  (x) => call("norm", positive(x)),
  along((x, axis, choose) => call("cumsum", x, axis, { reverse: choose.below(2) === 1 })),
];

const products: readonly Operation[] = [
  (x) => call("matmul", matrix(x), call("transpose", matrix(x))),
  (x) => call("mul", call("matmul", call("transpose", matrix(x)), matrix(x)), 0.3),
  (x, y) => call("matmul", matrix(x), call("broadcastTo", call("sum", y), [sizeAt(matrix(x), 1), 2])),
  (x) =>
    call(
      "matmul",
      ranked(x),
      call(
        "cos",
        call(
          "sum",
          ranked(x),
          shapeOf(ranked(x))
            .slice(1)
            .map((_, i) => i),
        ),
      ),
    ),
  (x) => call("dot", ranked(x), call("sin", ranked(x))),
  (x) => call("matmul", call("stack", [matrix(x), call("sin", matrix(x))]), call("transpose", matrix(x))),
];

/** Through places: of literal indices, and of whole numbers made of the numbers themselves. */
const indexing: readonly Operation[] = [
  filled(along((x, axis, choose) => call("take", x, [0, choose.below(sizeAt(x, axis)), 0], axis))),
  filled(along((x, axis) => call("take", x, call("argmax", x, axis), axis))),
  filled(along((x) => call("takeAlong", x, call("expandDims", call("argmin", x), -1)))),
  filled((x) => {
    const row = flat(x);
    return call("take", row, call("clamp", whole(call("sin", row)), 0, sizeAt(row, 0) - 1));
  }),
  filled(
    along((x) =>
      call(
        "mul",
        call("oneHot", call("argmax", x), sizeAt(x, x.value.rank - 1), { dtype: x.value.dtype }),
        call("cos", x),
      ),
    ),
  ),
];

export const arrayCalls: readonly Operation[] = [...shaping, ...reducing, ...products, ...indexing];
