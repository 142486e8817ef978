import { isFloat, promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes, normalAxes, normalAxis, show, sizeOf } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { matmul as matmulPrimitive } from "../primitives/contract.js";
import { detach } from "../primitives/control.js";
import * as linear from "../primitives/linear.js";
import * as choose from "../primitives/reduce.js";
import { type Axes, kept, reducing } from "./axes.js";
import { add, equal, exp, log, mul, sqrt, square, sub, toDType, where } from "./elementwise.js";
import { together } from "./operands.js";

export type { ReduceOptions } from "./axes.js";

/** Reductions and contractions. Axes default to all; `keepDims` leaves them with size 1. */

export function sum(x: TensorLike, axes?: Axes): Tensor {
  return reducing("sum", x, axes, (a, list) => linear.sumOver(a.dtype === "bool" ? toDType(a, "int32") : a, list));
}

/** @throws over no elements */
export function mean(x: TensorLike, axes?: Axes): Tensor {
  return reducing("mean", x, axes, (a, list) => {
    const n = sizeOf(list.map((i) => a.shape[i] as number));
    if (n === 0)
      fail({ where: "mean", got: `no elements: axes ${show(list)} of ${show(a.shape)}`, expected: "at least one" });
    const floats = isFloat(a.dtype) ? a : toDType(a, "float32");
    return mul(linear.sumOver(floats, list), 1 / n);
  });
}

/** Mean squared distance from the mean; `ddof` is taken from the divisor. @throws where it leaves nothing of it */
export function variance(x: TensorLike, axes?: Axes, ddof = 0): Tensor {
  return reducing("variance", x, axes, (a, list) => {
    const n = sizeOf(list.map((i) => a.shape[i] as number));
    if (!(n > ddof))
      fail({ where: "variance", got: `${n} elements and ddof ${ddof}`, expected: "more elements than ddof" });
    const centred = sub(a, mean(a, { axis: list, keepDims: true }));
    return mul(linear.sumOver(square(centred), list), 1 / (n - ddof));
  });
}

export function std(x: TensorLike, axes?: Axes, ddof = 0): Tensor {
  return sqrt(variance(x, axes, ddof));
}

export function max(x: TensorLike, axes?: Axes): Tensor {
  return reducing("max", x, axes, (a, list) => apply(choose.max, [a], { axes: list }));
}

export function min(x: TensorLike, axes?: Axes): Tensor {
  return reducing("min", x, axes, (a, list) => apply(choose.min, [a], { axes: list }));
}

export function argmax(x: TensorLike, axis = -1): Tensor {
  const a = asTensor(x);
  return apply(choose.argmax, [a], { axis: normalAxis("argmax", axis, a.rank) });
}

export function argmin(x: TensorLike, axis = -1): Tensor {
  const a = asTensor(x);
  return apply(choose.argmin, [a], { axis: normalAxis("argmin", axis, a.rank) });
}

/** log Σ e^x without overflow; −∞ where all are, or there are none, and ∞ where one is. Its derivative is the softmax. */
export function logsumexp(x: TensorLike, axes?: Axes): Tensor {
  return reducing("logsumexp", x, axes, (a, list) => {
    if (list.some((axis) => a.shape[axis] === 0)) return log(linear.sumOver(exp(a), list));
    const { shift, rest } = shifted(a, list);
    return linear.sumOver(add(rest, shift), list);
  });
}

/** log Σ e^x = rest + shift, both with size 1 on the axes. The shift cancels in derivatives, so it is constant. */
function shifted(a: Tensor, axes: readonly number[]): { shift: Tensor; rest: Tensor } {
  const keep = kept(a, axes);
  const top = apply(detach, [linear.reshapeTo(apply(choose.max, [a], { axes }), keep)], null);
  // An infinite maximum would give ∞ − ∞.
  const shift = where(equal(sub(top, top), 0), top, 0);
  return { shift, rest: log(linear.reshapeTo(linear.sumOver(exp(sub(a, shift)), axes), keep)) };
}

/** Logarithms of probabilities, over the last axis by default. NaN where all of x are −∞, or one is ∞: there is no limit. */
export function logSoftmax(x: TensorLike, axis: number | readonly number[] = -1): Tensor {
  const a = asTensor(x);
  if (a.size === 0) return exp(a);
  // Subtracted one after the other: beside a large shift their sum would lose the digits of the second.
  const { shift, rest } = shifted(a, normalAxes("logSoftmax", axis, a.rank));
  return sub(sub(a, shift), rest);
}

/** e^x / Σ e^x, over the last axis by default; 0 where x is −∞. */
export function softmax(x: TensorLike, axis: number | readonly number[] = -1): Tensor {
  return exp(logSoftmax(x, axis));
}

/**
 * Matrix product as in NumPy: vectors are a row on the left and a column on the right, leading axes broadcast.
 * a [..., n, k] × b [..., k, m] -> [..., n, m]
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const [left0, right0] = together(a, b) as [Tensor, Tensor];
  const both = promote(left0.dtype, right0.dtype);
  const dtype = both === "bool" ? "int32" : both;
  const [x, y] = [toDType(left0, dtype), toDType(right0, dtype)];
  if (x.rank === 0 || y.rank === 0)
    fail({
      where: "matmul",
      got: `${show(x.shape)} and ${show(y.shape)}`,
      expected: "at least one axis in each",
      write: "mul",
    });
  const k = x.shape[x.rank - 1] as number;
  const rows = y.rank === 1 ? (y.shape[0] as number) : (y.shape[y.rank - 2] as number);
  if (k !== rows) {
    fail({
      where: "matmul",
      got: `${show(x.shape)} and ${show(y.shape)}, whose contracted axes have ${k} and ${rows} elements`,
      expected: "[..., n, k] and [..., k, m]",
      write: "transpose one of them",
    });
  }
  const left = x.rank === 1 ? linear.reshapeTo(x, [1, k]) : x;
  const right = y.rank === 1 ? linear.reshapeTo(y, [k, 1]) : y;
  const out = product(left, right);
  const shape = out.shape.filter(
    (_, i) => !(x.rank === 1 && i === out.rank - 2) && !(y.rank === 1 && i === out.rank - 1),
  );
  return linear.reshapeTo(out, shape);
}

function product(left: Tensor, right: Tensor): Tensor {
  const batch = batchShape(left, right);
  const m = right.shape[right.rank - 1] as number;
  const [n, k] = left.shape.slice(-2) as [number, number];
  // One matrix on the right: the leading axes of the left are just more rows.
  if (right.rank === 2) {
    const flat = linear.reshapeTo(left, [sizeOf(left.shape.slice(0, -1)), k]);
    return linear.reshapeTo(apply(matmulPrimitive, [flat, right], null), [...left.shape.slice(0, -1), m]);
  }
  return apply(
    matmulPrimitive,
    [linear.broadcastTo(left, [...batch, n, k]), linear.broadcastTo(right, [...batch, k, m])],
    null,
  );
}

function batchShape(left: Tensor, right: Tensor): number[] {
  return broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
}

/** Σ a·b over the last axis. */
export function dot(a: TensorLike, b: TensorLike): Tensor {
  return sum(mul(a, b), -1);
}
