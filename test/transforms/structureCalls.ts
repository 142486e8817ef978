import type { Tensor } from "../../src/index.js";
import {
  along,
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
} from "./calls.js";
import { like } from "./pointwiseCalls.js";

/** Convolutions, Fourier transforms, contractions, linear algebra and loops. */

const half = (x: Made): Made => call("mul", x, 0.5);

/** x as [1, 1, n] or [1, 1, h, w]; kernels are made of y. */
const signal = (x: Made): Made => call("reshape", x, [1, 1, x.value.size]);
const image = (x: Made): Made => call("reshape", matrix(x), [1, 1, ...shapeOf(matrix(x))]);
const kernel = (y: Made, shape: readonly number[]): Made => {
  const size = shape.reduce((a, b) => a * b, 1);
  const waves = call("mul", call("add", call("arange", size, like(y)), 1), 0.7);
  return call("reshape", call("sin", call("mul", waves, call("add", call("sum", y), 1.3))), shape);
};

const windows: readonly Operation[] = [
  filled((x, y, choose) =>
    call("conv1d", signal(x), kernel(y, [2, 1, 2]), { padding: 1, stride: 1 + choose.below(2) }),
  ),
  filled((x, y, choose) =>
    call("conv2d", image(x), kernel(y, [1, 1, 2, 2]), { padding: 1 + choose.below(2), dilation: 1 + choose.below(2) }),
  ),
  filled((x, y, choose) => call("convTranspose1d", signal(x), kernel(y, [1, 1, 2]), { stride: 1 + choose.below(2) })),
  filled((x, y) => {
    const two = call("concat", [signal(x), call("cos", signal(x))], 1);
    return call("conv1d", two, kernel(y, [2, 1, 1]), { groups: 2 });
  }),
  filled((x) => call("maxPool1d", signal(call("concat", [flat(x), flat(x)])), 2, { stride: 1 })),
  filled((x) => call("avgPool2d", image(call("concat", [matrix(x), matrix(x)])), [2, 1], { stride: 1 })),
  filled((x) => call("maxPool2d", image(x), 2, { stride: 1, padding: 1 })),
];

type Parts = { re: Tensor; im: Tensor };
const spectra: readonly Operation[] = [
  filled(
    along((x, axis, choose) =>
      pick(callFor<Parts>("fft", { re: half(x), im: call("sin", x) }, axis), choose.of(["re", "im"] as const)),
    ),
  ),
  filled(along((x, axis) => pick(callFor<Parts>("ifft", { re: x, im: x }, axis), "im"))),
  filled(along((x) => pick(callFor<Parts>("rfft", half(x)), "re"))),
];

const contractions: readonly Operation[] = [
  (x) => call("einsum", "ij,kj->ik", matrix(x), call("sin", matrix(x))),
  (x) => call("einsum", "ij,ij,ik->k", matrix(x), call("cos", matrix(x)), matrix(x)),
  along((x) => call("tensordot", x, call("sin", x), 1 > sizeAt(x, 0) ? 0 : x.value.rank)),
];

/** Well conditioned matrices [n, n] with n <= 3 of the numbers of x. */
function square(x: Made): Made {
  const n = Math.min(3, Math.floor(Math.sqrt(x.value.size)));
  return call("reshape", call("slice", flat(x), 0, n * n), [n, n]);
}
const order = (x: Made): number => sizeAt(x, 0);
const strong = (m: Made): Made => call("add", call("mul", m, 0.4), call("mul", call("eye", order(m), like(m)), 2));
const definite = (m: Made): Made =>
  call("add", call("matmul", m, call("transpose", m)), call("eye", order(m), like(m)));
/** Eigenvalues or singular values far apart. */
const spread = (m: Made): Made => {
  const ladder = call("mul", call("eye", order(m), like(m)), call("mul", call("arange", order(m), like(m)), 3));
  return call("add", call("add", call("mul", m, 0.4), call("mul", call("eye", order(m), like(m)), 2)), ladder);
};
const symmetric = (m: Made): Made => half(call("add", m, call("transpose", m)));

const tall = (x: Made): Made => call("concat", [spread(square(x)), strong(square(x))]);

const algebra: readonly Operation[] = [
  (x) => call("inverse", strong(square(x))),
  (x) => call("det", square(x)),
  (x) => call("matrixExp", half(square(x))),
  (x) => call("mul", x, pick(callFor<[Tensor, Tensor]>("slogdet", strong(square(x))), 0)),
  (x) => call("logdet", definite(square(x))),
  (x) => call("eigvalsh", spread(symmetric(square(x)))),
  (x) => call("svdvals", tall(x)),
  (x) => call("pinv", tall(x)),
  (x) => call("lstsq", tall(x), call("cos", call("concat", [square(x), square(x)]))),
  (x) => call("square", pick(callFor<readonly [Tensor, Tensor]>("qr", call("transpose", tall(x))), 1)),
  (x, _y, choose) => call(choose.of(["tril", "triu"] as const), matrix(x)),
  (x) => call("kron", square(x), matrix(call("cos", call("trace", square(x))))),
  (x, y) => call("outer", flat(x), call("expandDims", call("sum", y), 0)),
  (x) => call("choleskySolve", call("cholesky", definite(square(x))), square(x)),
  (x) => call("diag", call("diagonal", call("sin", square(x)))),
  (x) => call("cholesky", definite(square(x))),
  (x) => call("solve", strong(square(x)), call("cos", square(x))),
  (x, y) => call("solve", strong(square(x)), call("broadcastTo", call("sum", y), [order(square(x))])),
  (x, _y, choose) =>
    call("triangularSolve", strong(square(x)), square(x), {
      lower: choose.below(2) === 1,
      transposed: choose.below(2) === 1,
    }),
  (x) => pick(callFor<readonly [Tensor, Tensor]>("slogdet", strong(square(x))), 1),
  (x) => pick(callFor<readonly [Tensor, Tensor]>("eigh", spread(symmetric(square(x)))), 0),
  (x) => call("square", pick(callFor<readonly [Tensor, Tensor]>("eigh", spread(symmetric(square(x)))), 1)),
  (x) => pick(callFor<readonly [Tensor, Tensor, Tensor]>("svd", spread(square(x))), 1),
  (x) => call("square", pick(callFor<readonly [Tensor, Tensor, Tensor]>("svd", spread(square(x))), 2)),
  (x, _y, choose) =>
    call("square", pick(callFor<readonly [Tensor, Tensor]>("qr", strong(square(x))), choose.of([0, 1] as const))),
];

/** Functions made of many operations, with derivatives of their own or none. */
const composed: readonly Operation[] = [
  filled((x) => {
    const step = lambda(["z"], (z) => call("sin", call("add", half(z as Made), half(x))));
    return call("fixedPoint", step, call("zeros", shapeOf(x), like(x)));
  }),
  filled((x) => {
    const equation = lambda(["z"], (z) => call("sub", call("add", z as Made, call("tanh", z as Made)), x));
    return call("findRoot", equation, { bracket: [-3, 3] });
  }),
  filled((x, y) => call("interp", x, [-1, -0.2, 0.3, 1], kernel(y, [4]))),
  (x, y) => call("polyval", kernel(y, [3]), x),
  filled((x) => call("upsample", image(x), 2)),
  filled(along((x, axis) => call("standardise", call("concat", [x, call("add", call("cos", x), 3)], axis), { axis }))),
  filled(along((x, axis) => call("normalise", call("add", call("square", x), 0.5), { axis }))),
  filled((x) => call("cov", call("transpose", call("concat", [matrix(x), call("sin", matrix(x))])))),
];

const loops: readonly Operation[] = [
  along((x, _axis, choose) => {
    const step = lambda(["h", "row"], (h, row) => [
      call("sin", call("add", half(h as Made), row as Made)),
      call("mul", h as Made, row as Made),
    ]);
    const start = call("zeros", shapeOf(x).slice(1), like(x));
    return pick(
      callFor<readonly [Tensor, Tensor]>("scan", step, start, x, { reverse: choose.below(2) === 1 }),
      choose.of([0, 1] as const),
    );
  }),
  (x, y, choose) => {
    const step = lambda(["h"], (h) => [call("tanh", call("add", half(h as Made), call("sum", y))), undefined]);
    return pick(callFor<readonly [Tensor, unknown]>("scan", step, x, undefined, { length: choose.below(4) }), 0);
  },
  (x) => {
    const yes = lambda(["a"], (a) => call("square", a as Made));
    const no = lambda(["a"], (a) => call("cos", a as Made));
    return call("cond", call("greater", call("sum", x), 0.1), yes, no, x);
  },
  (x, _y, choose) => {
    // The number of steps is seen from outside (as a floor), so that a change of it counts as a decision.
    const going = lambda(["s"], (s) => call("greater", call("sum", call("square", pick(s as Made<never>, "a"))), 0.3));
    const step = lambda(["s"], (s) => ({
      a: call("mul", pick(s as Made<never>, "a"), 0.7),
      k: call("add", pick(s as Made<never>, "k"), 1),
    }));
    const start = { a: x, k: call("zeros", [], like(x)) };
    const end = callFor<{ a: Tensor; k: Tensor }>("whileLoop", going, step, start, { limit: 12 + choose.below(2) });
    return call("add", pick(end, "a"), call("floor", pick(end, "k")));
  },
  along((x) => {
    const one = lambda(["row"], (row) => call("softmax", ranked(row as Made)));
    const mapped = callFor<(x: Tensor) => Tensor>("vmap", one);
    return x.value.shape[0] === 0 ? x : { value: mapped.value(x.value), code: `${mapped.code}(${x.code})` };
  }),
  (x) => {
    const energy = lambda(["q"], (q) => call("sum", call("mul", call("sin", q as Made), call("square", q as Made))));
    const slope = callFor<(x: Tensor) => Tensor>("grad", energy);
    return { value: slope.value(x.value), code: `${slope.code}(${x.code})` };
  },
];

export const structureCalls: readonly Operation[] = [
  ...windows,
  ...spectra,
  ...contractions,
  ...algebra,
  ...composed,
  ...loops,
];
