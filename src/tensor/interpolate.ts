import { promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes, show } from "../base/shape.js";
import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { validate } from "../primitives/check.js";
import { detach } from "../primitives/control.js";
import { broadcastTo, reshapeTo, sliceAxis } from "../primitives/linear.js";
import { add, clamp, div, greater, less, maximum, minimum, mul, sub, toDType, where } from "./elementwise.js";
import { together } from "./operands.js";
import { searchsorted } from "./order.js";
import { take, takeAlong } from "./shaping.js";

/** What stands beyond an end: the value there, the line through the last two points, or a number. */
export type Beyond = "clamp" | "extrapolate" | number;

export interface InterpOptions {
  /** Below the first knot. Default "clamp". */
  readonly left?: Beyond;
  /** Above the last knot. Default "clamp". */
  readonly right?: Beyond;
}

/**
 * The piecewise linear function through the points (xp, fp), at x; differentiable in all three. At a knot the slope is that to its right, at
 * a clamped end half of it. x [...s], xp [n], fp [n] -> [...s]; or, with knots or values for each of a batch, x [...b, m], xp [...b, n],
 * fp [...b, n] -> [...b, m], where the axes b broadcast
 * @throws where there are fewer than two knots; on reading, where they do not increase
 */
export function interp(
  x: TensorLike,
  xp: TensorLike,
  fp: TensorLike,
  { left = "clamp", right = "clamp" }: InterpOptions = {},
): Tensor {
  const [points, knots, values] = floats(x, xp, fp);
  for (const beyond of [left, right]) {
    if (typeof beyond !== "number" && beyond !== "clamp" && beyond !== "extrapolate")
      fail({ where: "interp", got: `"${beyond}" beyond an end`, expected: '"clamp", "extrapolate" or a number' });
  }
  const n = knots.shape.at(-1) ?? 0;
  if (n < 2 || values.shape.at(-1) !== n)
    fail({
      where: "interp",
      got: `xp ${show(knots.shape)} and fp ${show(values.shape)}`,
      expected: "the same number of knots and values along the last axis, at least 2",
    });
  if (knots.rank > 1 || values.rank > 1) return batched(points, knots, values, left, right);
  const flat = reshapeTo(points, [points.size]);
  return reshapeTo(along(flat, knots, values, left, right), points.shape);
}

/** All three in one floating dtype. */
function floats(x: TensorLike, xp: TensorLike, fp: TensorLike): [Tensor, Tensor, Tensor] {
  const [points, knots, values] = together(x, xp, fp) as [Tensor, Tensor, Tensor];
  const both = promote(knots.dtype, values.dtype);
  const all = promote(promote(points.dtype, both), "float32");
  return [toDType(points, all), toDType(knots, all), toDType(values, all)];
}

function batched(x: Tensor, xp: Tensor, fp: Tensor, left: Beyond, right: Beyond): Tensor {
  if (x.rank === 0) return reshapeTo(batched(reshapeTo(x, [1]), xp, fp, left, right), outer(xp, fp));
  const batch = broadcastShapes("interp", x.shape.slice(0, -1), outer(xp, fp));
  const wide = (t: Tensor): Tensor => broadcastTo(t, [...batch, t.shape.at(-1) as number]);
  return along(wide(x), xp.rank === 1 ? xp : wide(xp), fp.rank === 1 ? fp : wide(fp), left, right);
}

/** The axes in front of the last, of both. */
function outer(xp: Tensor, fp: Tensor): number[] {
  return broadcastShapes("interp", xp.shape.slice(0, -1), fp.shape.slice(0, -1));
}

/** x [...b, m] with knots and values [n] or [...b, n]. */
function along(x: Tensor, xp: Tensor, fp: Tensor, left: Beyond, right: Beyond): Tensor {
  const n = xp.shape.at(-1) as number;
  const [lower, upper] = [trimmed(xp, 0, n - 1), trimmed(xp, 1, n)];
  const widths = apply(validate, [sub(upper, lower)], {
    where: "interp",
    name: "diff(xp)",
    expected: "xp to increase strictly",
    holds: (step: number) => step > 0,
    interval: [0, Infinity],
    write: "sort the points first, and drop repeated ones",
  });
  const [first, last] = [trimmed(xp, 0, 1), trimmed(xp, n - 1, n)];
  // The kinks at knots leave values continuous, so the choice of the piece has no derivative. The clamp shows that there are kinks.
  const inside = clamp(x, first, last);
  const inner = trimmed(xp, 1, n - 1);
  const piece = apply(detach, [searchsorted(inner, inside, { side: "right" })], null);
  const t = div(sub(inside, lookup(lower, piece)), lookup(widths, piece));
  const [from, to] = [lookup(trimmed(fp, 0, n - 1), piece), lookup(trimmed(fp, 1, n), piece)];
  const slope = (i: number): Tensor =>
    div(sub(trimmed(fp, i + 1, i + 2), trimmed(fp, i, i + 1)), trimmed(widths, i, i + 1));
  let out = add(mul(sub(1, t), from), mul(t, to));
  if (left === "extrapolate") out = add(out, mul(minimum(sub(x, first), 0), slope(0)));
  if (right === "extrapolate") out = add(out, mul(maximum(sub(x, last), 0), slope(n - 2)));
  if (typeof left === "number") out = where(less(x, first), left, out);
  return typeof right === "number" ? where(greater(x, last), right, out) : out;
}

function trimmed(a: Tensor, start: number, stop: number): Tensor {
  return sliceAxis(a, a.rank - 1, start, stop);
}

/** Elements of the last axis of a table [n] or [...b, n] at index [...b, m]. */
function lookup(table: Tensor, index: Tensor): Tensor {
  return table.rank === 1 ? take(table, index) : takeAlong(table, index);
}
