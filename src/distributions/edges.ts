import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { detach } from "../primitives/control.js";
import {
  abs,
  equal,
  erfc,
  greater,
  greaterEqual,
  lessEqual,
  logicalAnd,
  mul,
  notEqual,
  where,
} from "../tensor/elementwise.js";

/**
 * Formulas at the edges of a support. A branch that is not taken is not computed at a bad point either: its infinite derivative,
 * times the 0 the branch gets, would be NaN. Masks are detached, because a sample never leaves its own support: to a pathwise
 * sample they are no discontinuity.
 */

/** f(x) where the mask holds, `otherwise` elsewhere; f sees the harmless `spare` in place of the x outside. */
export function within(
  mask: Tensor,
  x: Tensor,
  spare: TensorLike,
  f: (x: Tensor) => Tensor,
  otherwise: TensorLike,
): Tensor {
  const inside = apply(detach, [mask], null);
  return where(inside, f(where(inside, x, spare)), otherwise);
}

/** x · y, and 0 where x = 0 though y be infinite. */
export function weighted(x: Tensor, y: Tensor): Tensor {
  const idle = apply(detach, [logicalAnd(equal(x, 0), equal(abs(y), Infinity))], null);
  return mul(x, where(idle, 0, y));
}

/** The probabilities of quantiles: NaN outside [0, 1]. */
export function unitInterval(q: Tensor): Tensor {
  const inside = apply(detach, [logicalAnd(greaterEqual(q, 0), lessEqual(q, 1))], null);
  return where(inside, q, NaN);
}

/** The standard normal cdf. erfc keeps the relative precision of the lower tail; infinite z have derivative 0. */
export function normalCdf(z: Tensor): Tensor {
  const top = where(apply(detach, [greater(z, 0)], null), 1, 0);
  return within(notEqual(abs(z), Infinity), z, 0, (y) => mul(erfc(mul(y, -Math.SQRT1_2)), 0.5), top);
}
