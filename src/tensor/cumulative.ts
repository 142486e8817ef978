import { normalAxis } from "../base/shape.js";
import type { TensorLike } from "../graph/leaves.js";
import { apply, type Primitive, type Tensor } from "../graph/tensor.js";
import * as primitives from "../primitives/cumulative.js";
import { sumOver } from "../primitives/linear.js";
import { type Axes, reducing } from "./axes.js";
import { equal, greater, logicalNot } from "./elementwise.js";
import { meet, noBool, toBool, toDType, toFloat, type Unary } from "./operands.js";

/** Running operations along an axis, and reductions that are not sums. */

export interface CumulativeOptions {
  /** From the last element to the first. Default false. */
  readonly reverse?: boolean;
}

type Cumulative = (x: TensorLike, axis?: number, options?: CumulativeOptions) => Tensor;

function running(name: string, primitive: Primitive<primitives.CumulativeParams>, prepare: Unary): Cumulative {
  return (x, axis = -1, { reverse = false } = {}) => {
    const a = prepare(x);
    return apply(primitive, [a], { axis: normalAxis(name, axis, a.rank), reverse });
  };
}

/** Products of all elements up to each. Derivatives of every order are right where elements are 0. Whole numbers wrap at 32 bits. */
export const cumprod: Cumulative = running("cumprod", primitives.cumprod, noBool);
/** The largest of all elements up to each; of equal ones the first gets the derivative. From a NaN on it is NaN. */
export const cummax: Cumulative = running("cummax", primitives.cummax, noBool);
/** The smallest of all elements up to each; of equal ones the first gets the derivative. From a NaN on it is NaN. */
export const cummin: Cumulative = running("cummin", primitives.cummin, noBool);
/** log Σ e^x of all elements up to each, without overflow; −∞ (with derivative 0) as long as all are. */
export const cumlogsumexp: Cumulative = running("cumlogsumexp", primitives.cumlogsumexp, toFloat);

/**
 * y[i] = a[i]·y[i−1] + b[i] along an axis, from y[−1] = 0; with `reverse` from the other end, as in discounted returns
 * G[t] = r[t] + γ·G[t+1] = linearRecurrence(γ, r, -1, { reverse: true }). a and b broadcast.
 */
export function linearRecurrence(
  a: TensorLike,
  b: TensorLike,
  axis = -1,
  { reverse = false }: CumulativeOptions = {},
): Tensor {
  const [x, y] = meet("linearRecurrence", a, b).map(toFloat) as [Tensor, Tensor];
  return apply(primitives.recurrence, [x, y], { axis: normalAxis("linearRecurrence", axis, x.rank), reverse });
}

/** The product over the axes, 1 over no elements. Derivatives of every order are right where elements are 0. */
export function prod(x: TensorLike, axes?: Axes): Tensor {
  return reducing("prod", noBool(x), axes, (a, list) => apply(primitives.prod, [a], { axes: list }));
}

/** How many are not 0, int32. NaN is not 0. */
export function countNonzero(x: TensorLike, axes?: Axes): Tensor {
  return reducing("countNonzero", toBool(x), axes, (a, list) => sumOver(toDType(a, "int32"), list));
}

/** Whether one is not 0; false over no elements. */
export function any(x: TensorLike, axes?: Axes): Tensor {
  return greater(
    reducing("any", toBool(x), axes, (a, list) => sumOver(toDType(a, "int32"), list)),
    0,
  );
}

/** Whether none is 0; true over no elements. */
export function all(x: TensorLike, axes?: Axes): Tensor {
  return equal(
    reducing("all", logicalNot(x), axes, (a, list) => sumOver(toDType(a, "int32"), list)),
    0,
  );
}
