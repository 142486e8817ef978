import type { DType } from "../../src/base/dtype.js";
import type { Shape } from "../../src/base/shape.js";
import { constant, tensor } from "../../src/graph/leaves.js";
import { type AnyPrimitive, apply, type Tensor } from "../../src/graph/tensor.js";
import { concat } from "../../src/primitives/concat.js";
import { divide, mul } from "../../src/primitives/contract.js";
import { abs } from "../../src/primitives/elementary.js";
import { gather } from "../../src/primitives/indexing.js";
import {
  add,
  broadcast,
  broadcastTo,
  flip,
  neg,
  pad,
  reshape,
  slice,
  sub,
  sum,
  transpose,
} from "../../src/primitives/linear.js";
import { and, cast, convert, maximum, minimum, not, or, pow, where } from "../../src/primitives/pointwise.js";
import { max, min } from "../../src/primitives/reduce.js";

/** For every identity of `simplify` instances of it, and what they become. */
export interface Example {
  readonly dtypes: readonly DType[];
  /** Of each operand; by default arrays in which all special values meet in pairs. */
  readonly shapes?: readonly Shape[];
  readonly operands?: number;
  readonly build: (...x: Tensor[]) => Tensor;
  readonly after: string;
}

const floats: DType[] = ["float32", "float64"];
const wholes: DType[] = ["int32", "uint32"];
const numbers: DType[] = [...floats, ...wholes];

const on = (primitive: AnyPrimitive, ...inputs: Tensor[]): Tensor => apply(primitive, inputs, null);
const number = (value: number, x: Tensor): Tensor => broadcastTo(constant(value, x.dtype), x.shape);
const truth = (value: boolean, x: Tensor): Tensor => broadcastTo(constant(value ? 1 : 0, "bool"), x.shape);
const minus = (x: Tensor): Tensor => on(neg, x);
const to = (x: Tensor, dtype: DType): Tensor => apply(convert, [x], { dtype });
const castTo = (x: Tensor, dtype: DType): Tensor => apply(cast, [x], { dtype });

const one = (dtypes: readonly DType[], build: (x: Tensor) => Tensor, after: string): Example => ({
  dtypes,
  operands: 1,
  build,
  after,
});
const two = (dtypes: readonly DType[], build: (x: Tensor, y: Tensor) => Tensor, after: string): Example => ({
  dtypes,
  operands: 2,
  build,
  after,
});
const moved = (shape: Shape, build: (x: Tensor) => Tensor, after: string, dtypes = numbers): Example => ({
  dtypes,
  shapes: [shape],
  build,
  after,
});
const sliced = (x: Tensor, start: Shape, stop: Shape, step: Shape): Tensor => apply(slice, [x], { start, stop, step });

export const examples: Readonly<Record<string, readonly Example[]>> = {
  "x · 1 = x": [
    one(numbers, (x) => on(mul, x, number(1, x)), "x0"),
    one(numbers, (x) => on(mul, number(1, x), x), "x0"),
  ],
  "x / 1 = x": [one(floats, (x) => on(divide, x, number(1, x)), "x0")],
  "pow(x, 1) = x": [one(floats, (x) => on(pow, x, number(1, x)), "x0")],
  "x + (−0) = x": [
    one(floats, (x) => on(add, x, number(-0, x)), "x0"),
    one(floats, (x) => on(add, number(-0, x), x), "x0"),
    one(wholes, (x) => on(add, x, number(0, x)), "x0"),
  ],
  "x − 0 = x": [one(numbers, (x) => on(sub, x, number(0, x)), "x0")],
  "−0 − x = −x": [
    one(floats, (x) => on(sub, number(-0, x), x), "neg(x0)"),
    one(wholes, (x) => on(sub, number(0, x), x), "neg(x0)"),
  ],
  "−(−x) = x": [one(numbers, (x) => minus(minus(x)), "x0")],
  "x · (−1) = −x, x / (−1) = −x": [
    one([...floats, "int32"], (x) => on(mul, number(-1, x), x), "neg(x0)"),
    one(floats, (x) => on(divide, x, number(-1, x)), "neg(x0)"),
  ],
  "x − (−y) = x + y": [two(numbers, (x, y) => on(sub, x, minus(y)), "add(x0, x1)")],
  "x + (−y) = x − y, −x + y = y − x": [
    two(numbers, (x, y) => on(add, x, minus(y)), "sub(x0, x1)"),
    two(numbers, (x, y) => on(add, minus(x), y), "sub(x1, x0)"),
  ],
  "(−x) · (−y) = x · y, (−x) / (−y) = x / y": [
    two(floats, (x, y) => on(mul, minus(x), minus(y)), "mul(x0, x1)"),
    two(floats, (x, y) => on(divide, minus(x), minus(y)), "div(x0, x1)"),
  ],
  "−(c · x) = (−c) · x of a constant c": [
    one(floats, (x) => minus(on(mul, number(3, x), x)), "mul(-3, x0)"),
    one(floats, (x) => minus(on(mul, x, number(0, x))), "mul(-0, x0)"),
  ],
  "|−x| = |x|": [one(floats, (x) => on(abs, minus(x)), "abs(x0)")],
  "max(n, n) = n, min(n, n) = n of whole numbers": [
    one(wholes, (x) => on(maximum, x, x), "x0"),
    one(wholes, (x) => on(minimum, x, x), "x0"),
  ],
  "where(true, a, b) = a, where(false, a, b) = b": [
    two(numbers, (x, y) => on(where, truth(true, x), x, y), "x0"),
    two(numbers, (x, y) => on(where, truth(false, x), x, y), "x1"),
  ],
  "where(c, a, a) = a": [one(floats, (x) => on(where, to(x, "bool"), x, x), "x0")],
  "where(not c, a, b) = where(c, b, a)": [
    two(numbers, (x, y) => on(where, on(not, to(x, "bool")), x, y), "where(convert(x0, dtype=bool), x1, x0)"),
  ],
  "not(not c) = c": [one(["bool"], (c) => on(not, on(not, c)), "x0")],
  "c and c = c, c or c = c": [one(["bool"], (c) => on(and, c, c), "x0"), one(["bool"], (c) => on(or, c, c), "x0")],
  "c and true = c, c or false = c": [
    one(["bool"], (c) => on(and, c, truth(true, c)), "x0"),
    one(["bool"], (c) => on(and, truth(true, c), c), "x0"),
    one(["bool"], (c) => on(or, truth(false, c), c), "x0"),
  ],
  "a dtype to itself": [
    one(["float32"], (x) => castTo(x, "float32"), "x0"),
    one(["float64"], (x) => castTo(x, "float64"), "x0"),
    ...(["int32", "uint32", "bool"] as const).map((dtype) => one([dtype], (x) => to(x, dtype), "x0")),
  ],
  "a dtype over one that holds all its numbers": [
    one(["float32"], (x) => castTo(castTo(x, "float64"), "float32"), "x0"),
    one(["float32"], (x) => to(castTo(x, "float64"), "int32"), "convert(x0, dtype=int32)"),
    one(wholes, (x) => castTo(to(x, "float64"), "float32"), "convert(x0, dtype=float32)"),
    one(wholes, (x) => to(to(x, "float64"), "bool"), "convert(x0, dtype=bool)"),
    one(["int32"], (x) => to(to(x, "float64"), "uint32"), "convert(x0, dtype=uint32)"),
    one(["int32"], (x) => to(to(x, "uint32"), "int32"), "x0"),
    one(["uint32"], (x) => to(to(x, "int32"), "bool"), "convert(x0, dtype=bool)"),
    ...([...numbers] as const).map((dtype) => one(["bool"], (x) => to(to(x, dtype), "bool"), "x0")),
    one(["bool"], (x) => castTo(to(x, "float32"), "float64"), "convert(x0, dtype=float64)"),
  ],
  "nothing moves": [
    moved([3, 4], (x) => apply(reshape, [x], { shape: [3, 4] }), "x0"),
    moved([3, 4], (x) => apply(broadcast, [x], { shape: [3, 4] }), "x0"),
    moved([3, 4], (x) => apply(transpose, [x], { order: [0, 1] }), "x0"),
    moved([3, 1], (x) => sliced(x, [0, 0], [3, 1], [1, 5]), "x0"),
    moved([3, 4], (x) => apply(pad, [x], { low: [0, 0], high: [0, 0], interior: [0, 0] }), "x0"),
    moved([1, 4], (x) => apply(pad, [x], { low: [0, 0], high: [0, 0], interior: [2, 0] }), "x0"),
    moved([1, 4], (x) => apply(flip, [x], { axes: [0] }), "x0"),
  ],
  "reshape of reshape, broadcast of broadcast": [
    moved(
      [3, 4],
      (x) => apply(reshape, [apply(reshape, [x], { shape: [2, 6] })], { shape: [12] }),
      "reshape(x0, shape=[12])",
    ),
    moved([3, 4], (x) => apply(reshape, [apply(reshape, [x], { shape: [2, 6] })], { shape: [3, 4] }), "x0"),
    moved(
      [3, 1],
      (x) => apply(broadcast, [apply(broadcast, [x], { shape: [2, 3, 1] })], { shape: [2, 2, 3, 4] }),
      "broadcast(x0, shape=[2,2,3,4])",
    ),
  ],
  "transpose of transpose": [
    moved(
      [2, 3, 4],
      (x) => apply(transpose, [apply(transpose, [x], { order: [2, 0, 1] })], { order: [0, 2, 1] }),
      "transpose(x0, order=[2,1,0])",
    ),
    moved(
      [2, 3, 4],
      (x) => apply(transpose, [apply(transpose, [x], { order: [2, 0, 1] })], { order: [1, 2, 0] }),
      "x0",
    ),
  ],
  "flip of flip": [
    moved([2, 3], (x) => apply(flip, [apply(flip, [x], { axes: [0, 1] })], { axes: [1] }), "flip(x0, axes=[0])"),
    moved([2, 3], (x) => apply(flip, [apply(flip, [x], { axes: [1] })], { axes: [1] }), "x0"),
  ],
  "slice of slice": [
    moved(
      [9, 7],
      (x) => sliced(sliced(x, [1, 0], [9, 6], [2, 1]), [1, 1], [4, 6], [2, 3]),
      "slice(x0, start=[3,1], stop=[8,5], step=[4,3])",
    ),
    moved([9], (x) => sliced(sliced(x, [8], [9], [1]), [1], [1], [1]), "slice(x0, start=[0], stop=[0], step=[1])"),
  ],
  "a repeated number moves": [
    moved([2], (x) => on(add, x, sliced(number(2, apply(reshape, [x], { shape: [2] })), [0], [2], [1])), "add(x0, 2)"),
    moved(
      [6000],
      (x) => on(add, x, apply(reshape, [broadcastTo(constant(2, x.dtype), [60, 100])], { shape: [6000] })),
      "add(x0, 2)",
    ),
    moved(
      [80, 90],
      (x) => on(add, x, apply(transpose, [broadcastTo(constant(2, x.dtype), [90, 80])], { order: [1, 0] })),
      "add(x0, 2)",
    ),
    moved(
      [5000],
      (x) => on(add, x, sliced(broadcastTo(constant(2, x.dtype), [10000]), [0], [10000], [2])),
      "add(x0, 2)",
    ),
    moved([5000], (x) => on(add, x, apply(flip, [number(2, x)], { axes: [0] })), "add(x0, 2)"),
  ],
  "concat of one": [moved([2, 3], (x) => apply(concat, [x], { axis: 1 }), "x0")],
  "gather at counting places = slice": [
    moved(
      [6, 2],
      (x) => apply(gather, [x, tensor(Int32Array.of(1, 3, 5))], { batch: 0 }),
      "slice(x0, start=[1,0], stop=[6,2], step=[2,1])",
    ),
    moved(
      [6],
      (x) => apply(gather, [x, tensor(Uint32Array.of(4))], { batch: 0 }),
      "slice(x0, start=[4], stop=[5], step=[1])",
    ),
    moved([3], (x) => apply(gather, [x, tensor(Int32Array.of(0, 1, 2))], { batch: 0 }), "x0"),
  ],
  "sum, max, min of one whole number": [
    moved([2, 1, 3], (x) => apply(sum, [x], { axes: [1] }), "reshape(x0, shape=[2,3])", wholes),
    moved([2, 1], (x) => apply(sum, [x], { axes: [] }), "x0", wholes),
    moved([2, 1, 3], (x) => apply(max, [x], { axes: [1] }), "reshape(x0, shape=[2,3])", wholes),
    moved([2, 1, 3], (x) => apply(min, [x], { axes: [1] }), "reshape(x0, shape=[2,3])", wholes),
  ],
};
