import { isSingle } from "../graph/interval.js";
import type { TensorLike } from "../graph/leaves.js";
import { rangeOf } from "../graph/range.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { type Demand, validate } from "../primitives/check.js";
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
 * times the 0 the branch gets, would be NaN.
 */

/** What becomes of the mask of a support. */
export type Edge = (mask: Tensor) => Tensor;
/** A sample never leaves its own support: to a pathwise sample the mask is no discontinuity. */
export const fixed: Edge = (mask) => apply(detach, [mask], null);
/** A value of another law may cross the edge, where the density jumps. */
export const live: Edge = (mask) => mask;

/** f(x) where the mask holds, `otherwise` elsewhere; f sees the harmless `spare` in place of the x outside. */
export function within(
  mask: Tensor,
  x: Tensor,
  spare: TensorLike,
  f: (x: Tensor) => Tensor,
  otherwise: TensorLike,
  edge: Edge = fixed,
): Tensor {
  const inside = edge(mask);
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

const checks = ["alias", "named", "cast", "validate", "relate", "limit"];
const identities = new Set(checks);
const repeats = new Set([...checks, "broadcast"]);
const carriers = new Set([...checks, "broadcast", "reshape"]);

/** What a node only hands on. */
function behind(x: Tensor, through: ReadonlySet<string>): Tensor {
  let node = x;
  while (node.primitive && through.has(node.primitive.name)) node = node.inputs[0] as Tensor;
  return node;
}

/** How a value meets the edge of the law at the parameters `p`: `fixed` where it is this law's own sample. */
export function edgeOf(x: Tensor, family: unknown, p: { readonly [name: string]: Tensor }): Edge {
  const { primitive, params, inputs } = behind(x, identities);
  if (primitive?.name !== "sample" || (params as { family?: unknown }).family !== family) return live;
  const own = Object.values(p);
  return inputs.length === own.length && inputs.every((input, i) => isSame(input, own[i] as Tensor)) ? fixed : live;
}

/** Whether two parameters are one, though the law was written down twice. */
function isSame(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  const [from, other] = [behind(a, repeats), behind(b, repeats)];
  if (a.shape.join() !== b.shape.join()) return false;
  const [r, q] = [rangeOf(from), rangeOf(other)];
  return from === other || (isSingle(r) && isSingle(q) && r.lo === q.lo);
}

/**
 * A parameter for the score function, which loses the derivative towards an outcome of probability exactly 0: that never comes, so it is
 * never scored. Checked where the parameter was given as it is; a computed one may be rounded to the edge (a saturated sigmoid), where
 * its own derivative vanishes.
 */
export function scorable(x: Tensor, demand: Demand): Tensor {
  if (behind(x, carriers).primitive) return x;
  return apply(validate, [x], { ...demand, expected: `${demand.expected}, where the score function is right` });
}
