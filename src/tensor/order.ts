import { promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { normalAxis, range, sameShape, show, sizeOf } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { detach } from "../primitives/control.js";
import * as linear from "../primitives/linear.js";
import * as primitives from "../primitives/order.js";
import { type Axes, reducing } from "./axes.js";
import { add, mul, notEqual, where } from "./elementwise.js";
import { asLike, toDType, toFloat } from "./operands.js";
import { concat, expandDims } from "./shaping.js";

/**
 * Sorting, searching and quantiles. The order is that of the numbers with −0 equal to 0 and NaN above all of them, as in JAX and
 * PyTorch; sorting is stable in both directions. Sorted numbers have derivatives, places have none.
 */

export interface SortOptions {
  /** From the largest to the smallest; NaN comes first then. Default false. */
  readonly descending?: boolean;
}

/** The elements in order along an axis, the last by default. */
export function sort(x: TensorLike, axis = -1, { descending = false }: SortOptions = {}): Tensor {
  const a = asTensor(x);
  return apply(primitives.sort, [a], { axis: normalAxis("sort", axis, a.rank), descending });
}

/** The places, int32, of the elements in order: takeAlongAxis(x, argsort(x), axis) is sort(x). */
export function argsort(x: TensorLike, axis = -1, { descending = false }: SortOptions = {}): Tensor {
  const a = asTensor(x);
  return apply(primitives.argsort, [a], { axis: normalAxis("argsort", axis, a.rank), descending });
}

/**
 * [values, indices] of the k largest along an axis, from the largest down; of equal ones the first. NaN counts as the largest.
 * @throws where there are fewer than k
 */
export function topK(x: TensorLike, k: number, axis = -1): readonly [values: Tensor, indices: Tensor] {
  const a = asTensor(x);
  const at = normalAxis("topK", axis, a.rank);
  const n = a.shape[at] as number;
  if (!Number.isInteger(k) || k < 0 || k > n)
    fail({
      where: "topK",
      got: `k = ${k} on axis ${axis} of ${show(a.shape)}`,
      expected: `a whole number in [0, ${n}]`,
    });
  const first = (sorted: Tensor): Tensor => linear.sliceAxis(sorted, at, 0, k);
  return [first(sort(a, at, { descending: true })), first(argsort(a, at, { descending: true }))];
}

/**
 * Where values would go in rising numbers, int32: before equal ones ("left") or behind them ("right"). `sorted` [n] takes values of any
 * shape; `sorted` [...b, n] takes values [...b, m]. That the numbers rise is not checked.
 */
export function searchsorted(
  sorted: TensorLike,
  values: TensorLike,
  { side = "left" }: { readonly side?: "left" | "right" } = {},
): Tensor {
  const a = asTensor(sorted);
  const v = asLike(values, a);
  const dtype = promote(a.dtype, v.dtype);
  const lead = a.shape.slice(0, -1);
  if (a.rank === 0 || (a.rank > 1 && !sameShape(lead, v.shape.slice(0, -1))))
    fail({
      where: "searchsorted",
      got: `sorted ${show(a.shape)} and values ${show(v.shape)}`,
      expected: "sorted [n] and any values, or [..., n] and [..., m]",
    });
  const flat = a.rank === 1 ? linear.reshapeTo(v, [v.size]) : v;
  const out = apply(primitives.searchsorted, [toDType(a, dtype), toDType(flat, dtype)], { right: side === "right" });
  return linear.reshapeTo(out, v.shape);
}

/**
 * The q-quantiles over the axes, all by default, interpolated linearly between the two nearest elements; NaN where one is NaN. Several
 * q make a new first axis.
 * @throws where a q is outside [0, 1], or there is no element
 */
export function quantile(x: TensorLike, q: number | readonly number[], axes?: Axes): Tensor {
  const list = typeof q === "number" ? [q] : q;
  if (list.length === 0) fail({ where: "quantile", got: "no q", expected: "a number, or some" });
  const all = list.map((one) => expandDims(quantileOf("quantile", x, one, axes), 0));
  const out = concat(all);
  return typeof q === "number" ? linear.reshapeTo(out, out.shape.slice(1)) : out;
}

/** The middle element over the axes, all by default; of an even number the mean of the two in the middle; NaN where one is NaN. */
export function median(x: TensorLike, axes?: Axes): Tensor {
  return quantileOf("median", x, 0.5, axes);
}

function quantileOf(name: string, x: TensorLike, q: number, axes: Axes | undefined): Tensor {
  if (!(q >= 0 && q <= 1)) fail({ where: name, got: `q = ${q}`, expected: "a number in [0, 1]" });
  return reducing(name, toFloat(x), axes, (a, list) => {
    const count = sizeOf(list.map((axis) => a.shape[axis] as number));
    if (count === 0)
      fail({ where: name, got: `${show(a.shape)}, empty on the axes ${show(list)}`, expected: "at least one element" });
    const others = range(a.rank).filter((axis) => !list.includes(axis));
    const shape = others.map((axis) => a.shape[axis] as number);
    const sorted = sort(linear.reshapeTo(linear.permute(a, [...others, ...list]), [...shape, count]));
    const pick = (i: number): Tensor => linear.reshapeTo(linear.sliceAxis(sorted, -1, i, i + 1), shape);
    const place = q * (count - 1);
    const low = Math.floor(place);
    const weight = place - low;
    const between = weight === 0 ? pick(low) : add(mul(pick(low), 1 - weight), mul(pick(low + 1), weight));
    // A NaN is last. The mask only lets it through, so it is no jump of the quantile.
    const last = pick(count - 1);
    return where(apply(detach, [notEqual(last, last)], null), last, between);
  });
}
