import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { detach } from "../primitives/control.js";
import { type Axes, reducing } from "./axes.js";
import {
  abs,
  div,
  equal,
  greater,
  less,
  logicalAnd,
  logicalOr,
  maximum,
  mul,
  pow,
  sqrt,
  square,
  toDType,
  where,
} from "./elementwise.js";
import { max, sum } from "./reducing.js";

/** Lengths of vectors, and vectors of length one. */

/**
 * The p-norm (Σ |x|^p)^(1/p) over the axes, 2 by default; `Infinity` is the largest |x|. Without overflow or underflow on the way, and
 * 0 over no elements. Its derivative at 0, where there is none, is the shortest subgradient, 0, and second derivatives there are NaN.
 * @throws where p is below 1, which is no norm
 */
export function norm(x: TensorLike, axes?: Axes, p = 2): Tensor {
  if (!(p >= 1))
    fail({
      where: "norm",
      got: `p = ${p}`,
      expected: "p of at least 1, or Infinity",
      write: "x.abs().pow(p).sum() for a sum of powers",
    });
  return reducing("norm", x, axes, (a, list) => {
    const x = isFloat(a.dtype) ? a : toDType(a, "float32");
    const empty = list.some((axis) => x.shape[axis] === 0);
    const all = { axis: list };
    if (p === 1 || empty) return sum(abs(x), all);
    const largest = max(abs(x), { ...all, keepDims: true });
    if (p === Infinity) return sum(largest, all);
    return scaled(x, largest, list, p);
  });
}

/** With the largest element divided out where powers could overflow or vanish, a constant that cancels in every derivative. */
function scaled(x: Tensor, largest: Tensor, axis: readonly number[], p: number): Tensor {
  const fixed = (t: Tensor): Tensor => apply(detach, [t], null);
  // Squares of what lies between 1/far and far are safe; `least` is the smallest number whose reciprocal can be written.
  const [far, least] = x.dtype === "float64" ? [2 ** 500, 2 ** -1022] : [2 ** 50, 2 ** -126];
  const ends = logicalOr(equal(largest, 0), equal(largest, Infinity));
  const plain = p === 2 ? logicalOr(ends, logicalAnd(greater(largest, 1 / far), less(largest, far))) : ends;
  const unit = fixed(where(plain, 1, maximum(largest, least)));
  const z = div(x, unit);
  const powers = sum(p === 2 ? square(z) : pow(abs(z), p), { axis });
  const zero = fixed(equal(powers, 0));
  const some = where(zero, 1, powers);
  const root = p === 2 ? sqrt(some) : pow(some, 1 / p);
  // At 0 a function with value and first derivative 0 takes over, whose second derivative comes out as 0 · ∞.
  return where(zero, pow(powers, 1.5), mul(root, sum(unit, { axis })));
}

export interface NormaliseOptions {
  /** Over which vectors run, the last by default. */
  readonly axis?: number | readonly number[];
  /** Of the norm. Default 2. */
  readonly p?: number;
  /** Vectors shorter than it are divided by it: 0 stays 0. Default 1e-12. */
  readonly eps?: number;
}

/** x / max(‖x‖, eps): vectors of length one. */
export function normalise(x: TensorLike, { axis = -1, p = 2, eps = 1e-12 }: NormaliseOptions = {}): Tensor {
  if (!(eps > 0)) fail({ where: "normalise", got: `eps = ${eps}`, expected: "a positive number" });
  const a = asTensor(x);
  const all = { axis, keepDims: true };
  // The choice is detached, since both sides agree where it changes; a norm at 0 would give second derivatives of NaN.
  const short = apply(detach, [less(norm(a, all, p), eps)], null);
  return div(a, where(short, eps, norm(where(short, 1, a), all, p)));
}

/** The cosine of the angle between vectors along an axis, the last by default; 0 where one is shorter than `eps` (see `normalise`). */
export function cosineSimilarity(
  a: TensorLike,
  b: TensorLike,
  { axis = -1, eps = 1e-12 }: Omit<NormaliseOptions, "p"> = {},
): Tensor {
  return sum(mul(normalise(a, { axis, eps }), normalise(b, { axis, eps })), axis);
}
