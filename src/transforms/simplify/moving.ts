import { isFloat } from "../../base/dtype.js";
import { range, type Shape, sameShape, sizeOf } from "../../base/shape.js";
import type { Tensor, Type } from "../../graph/tensor.js";
import { elements } from "../../kernel/ndarray.js";
import { concat } from "../../primitives/concat.js";
import { gather, type IndexParams } from "../../primitives/indexing.js";
import {
  broadcast,
  flip,
  type PadParams,
  pad,
  reshape,
  type SliceParams,
  slice,
  sum,
  transpose,
} from "../../primitives/linear.js";
import { type AxesParams, max, min } from "../../primitives/reduce.js";
import { repeat } from "./constants.js";
import { type Build, type Identity, operand } from "./identity.js";
import type { Call } from "./keys.js";

/**
 * What moves numbers without changing them. Not here: the sum over an axis of one float (it starts at 0, and 0 + (−0) is 0), the
 * largest of one float (its tangent at NaN is NaN).
 */

/** The operation under this one of the same kind, and the parameters of both. */
function twice<P>({ primitive, inputs: [middle], params }: Call): { x: Tensor; inner: P; outer: P } | null {
  const x = operand(middle, primitive);
  return x && { x, inner: (middle as Tensor).params as P, outer: params as P };
}

const axesOf = (params: unknown): readonly number[] => (params as AxesParams).axes;
const alone = (x: Tensor, axes: readonly number[]): boolean => axes.every((axis) => x.shape[axis] === 1);

/** Whether every element stays where it is. */
function staysPut({ primitive, inputs: [input], params }: Call, out: Type): boolean {
  const x = input as Tensor;
  if (primitive === transpose) return (params as { order: Shape }).order.every((axis, i) => axis === i);
  if (primitive === flip) return alone(x, axesOf(params));
  if (primitive === slice) return sameShape(x.shape, out.shape) && (params as SliceParams).step.every((n) => n > 0);
  if (primitive === pad) {
    const { low, high } = params as PadParams;
    return sameShape(x.shape, out.shape) && [...low, ...high].every((n) => n === 0);
  }
  return sameShape(x.shape, out.shape);
}

/** One slice for two. */
function slicedTwice(inner: SliceParams, outer: SliceParams, shape: Shape): SliceParams {
  const at = (list: readonly number[], k: number): number => list[k] as number;
  const step = shape.map((_, k) => at(inner.step, k) * at(outer.step, k));
  const start = shape.map((n, k) => (n === 0 ? 0 : at(inner.start, k) + at(outer.start, k) * at(inner.step, k)));
  const stop = shape.map((n, k) => (n === 0 ? 0 : at(start, k) + (n - 1) * at(step, k) + 1));
  return { start, stop, step };
}

/** The first place and the step of an index that counts upwards within [0, n); null for every other. */
function counting(index: Tensor, n: number, build: Build): { start: number; step: number } | null {
  const numbers = build.numbers(index);
  if (numbers === null || index.size === 0 || index.size > n) return null;
  const x = elements(numbers);
  const start = x[0] as number;
  const step = x.length === 1 ? 1 : (x[1] as number) - start;
  const last = start + (x.length - 1) * step;
  if (step < 1 || start < 0 || last >= n) return null;
  for (let i = 0; i < x.length; i++) if (x[i] !== start + i * step) return null;
  return { start, step };
}

export const moving: readonly Identity[] = [
  {
    name: "nothing moves",
    of: [reshape, broadcast, transpose, slice, pad, flip],
    why: "every element stays where it is",
    rewrite: (call, out) => (staysPut(call, out) ? (call.inputs[0] as Tensor) : null),
  },
  {
    name: "reshape of reshape, broadcast of broadcast",
    of: [reshape, broadcast],
    why: "the row-major order is kept; axes are repeated from the last one on, in one step or two",
    rewrite: (call, out, build) => {
      const two = twice(call);
      return two && build.apply(call.primitive, [two.x], { shape: out.shape });
    },
  },
  {
    name: "transpose of transpose",
    of: [transpose],
    why: "orders compose",
    rewrite: (call, _out, build) => {
      const two = twice<{ readonly order: readonly number[] }>(call);
      if (!two) return null;
      return build.apply(transpose, [two.x], { order: two.outer.order.map((axis) => two.inner.order[axis] as number) });
    },
  },
  {
    name: "flip of flip",
    of: [flip],
    why: "an axis that is turned twice stands as before",
    rewrite: (call, _out, build) => {
      const two = twice<AxesParams>(call);
      if (!two) return null;
      const once = range(two.x.rank).filter((axis) => two.inner.axes.includes(axis) !== two.outer.axes.includes(axis));
      return build.apply(flip, [two.x], { axes: once });
    },
  },
  {
    name: "slice of slice",
    of: [slice],
    why: "starts and steps compose",
    rewrite: (call, out, build) => {
      const two = twice<SliceParams>(call);
      return two && build.apply(slice, [two.x], slicedTwice(two.inner, two.outer, out.shape));
    },
  },
  {
    name: "a repeated number moves",
    of: [reshape, transpose, slice, flip, broadcast],
    why: "all elements are one constant, wherever they stand",
    rewrite: ({ inputs: [x] }, out, build) => {
      const one = operand(x, broadcast);
      return one && one.rank === 0 && build.numbers(one) ? repeat(one, out.shape, build) : null;
    },
  },
  {
    name: "concat of one",
    of: [concat],
    why: "concat copies its operands one after another",
    rewrite: ({ inputs }) => (inputs.length === 1 ? (inputs[0] as Tensor) : null),
  },
  {
    name: "gather at counting places = slice",
    of: [gather],
    why: "both copy, and all places are inside; a cotangent is placed instead of added to 0, which keeps the sign of −0",
    rewrite: ({ inputs, params }, _out, build) => {
      const [x, index] = inputs as readonly [Tensor, Tensor];
      if ((params as IndexParams).batch !== 0) return null;
      const places = counting(index, x.shape[0] as number, build);
      if (!places) return null;
      const { start, step } = places;
      return build.apply(slice, [x], {
        start: x.shape.map((_, k) => (k === 0 ? start : 0)),
        stop: x.shape.map((n, k) => (k === 0 ? start + (index.size - 1) * step + 1 : n)),
        step: x.shape.map((_, k) => (k === 0 ? step : 1)),
      });
    },
  },
  {
    name: "sum, max, min of one whole number",
    of: [sum, max, min],
    why: "the exact result is the number; whole numbers have no derivative",
    rewrite: ({ inputs: [x], params }, out, build) =>
      isFloat(out.dtype) || !alone(x as Tensor, axesOf(params)) || sizeOf(out.shape) === 0
        ? null
        : build.apply(reshape, [x as Tensor], { shape: out.shape }),
  },
];
