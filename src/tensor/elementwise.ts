import { broadcastShapes } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import * as contract from "../primitives/contract.js";
import * as control from "../primitives/control.js";
import * as elementary from "../primitives/elementary.js";
import * as linear from "../primitives/linear.js";
import * as point from "../primitives/pointwise.js";
import * as special from "../primitives/special.js";
import { type Binary, binary, meet, noBool, toBool, toFloat, type Unary, unary } from "./operands.js";

export { toDType } from "./operands.js";

/** Element by element, with broadcasting and promotion: bool < uint32 < int32 < float32 < float64; bare numbers adapt. */

export const add: Binary = binary("add", linear.add, noBool);
export const sub: Binary = binary("sub", linear.sub, noBool);
export const mul: Binary = binary("mul", contract.mul, noBool);
export const div: Binary = binary("div", contract.divide, toFloat);
export const pow: Binary = (a, b) => (b === 2 ? square(toFloat(a)) : binary("pow", point.pow, toFloat)(a, b));
export const maximum: Binary = binary("maximum", point.maximum);
export const minimum: Binary = binary("minimum", point.minimum);
export const less: Binary = binary("less", point.less);
export const lessEqual: Binary = binary("lessEqual", point.lessEqual);
export const greater: Binary = binary("greater", point.greater);
export const greaterEqual: Binary = binary("greaterEqual", point.greaterEqual);
export const equal: Binary = binary("equal", point.equals);
export const notEqual: Binary = binary("notEqual", point.notEquals);
export const logicalAnd: Binary = binary("logicalAnd", point.and, toBool);
export const logicalOr: Binary = binary("logicalOr", point.or, toBool);
export const logicalNot: Unary = (x) => apply(point.not, [toBool(x)], null);

export const neg: Unary = (x) => apply(linear.neg, [noBool(x)], null);
export const exp: Unary = unary(elementary.exp);
export const log: Unary = unary(elementary.log);
export const log1p: Unary = unary(elementary.log1p);
export const expm1: Unary = unary(elementary.expm1);
export const sin: Unary = unary(elementary.sin);
export const cos: Unary = unary(elementary.cos);
export const tanh: Unary = unary(elementary.tanh);
export const sqrt: Unary = unary(elementary.sqrt);
export const abs: Unary = unary(elementary.abs);
export const sign: Unary = unary(elementary.sign);
export const floor: Unary = unary(elementary.floor);
export const ceil: Unary = unary(elementary.ceil);
export const round: Unary = unary(elementary.round);
export const sigmoid: Unary = unary(elementary.sigmoid);
export const softplus: Unary = unary(elementary.softplus);
export const erf: Unary = unary(special.erf);
export const erfc: Unary = unary(special.erfc);
export const erfinv: Unary = unary(special.erfinv);
export const ndtri: Unary = unary(special.ndtri);
export const lgamma: Unary = unary(special.lgamma);
export const digamma: Unary = unary(special.digamma);

/** The n-th derivative of digamma. */
export function polygamma(n: number, x: TensorLike): Tensor {
  return apply(special.polygamma, [toFloat(x)], { n });
}

/** The regularised upper incomplete gamma function Q(a, x); differentiable in x. */
export const igammac: Binary = binary("igammac", special.igammac, toFloat);

export function square(x: TensorLike): Tensor {
  const a = noBool(x);
  return apply(contract.mul, [a, a], null);
}

export function reciprocal(x: TensorLike): Tensor {
  return div(1, toFloat(x));
}

/** max(x, 0), with derivative 0 at negative and 1 at positive x, ½ at 0. */
export function relu(x: TensorLike): Tensor {
  return maximum(toFloat(x), 0);
}

export function clamp(x: TensorLike, low: TensorLike, high: TensorLike): Tensor {
  return minimum(maximum(x, low), high);
}

/** mask ? a : b, element by element. */
export function where(mask: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = meet("where", a, b);
  const m = toBool(mask);
  const shape = broadcastShapes("where", m.shape, x.shape);
  return apply(
    point.where,
    [linear.broadcastTo(m, shape), linear.broadcastTo(x, shape), linear.broadcastTo(y, shape)],
    null,
  );
}

/** log(e^a + e^b) without overflow; smooth, also where a = b, and −∞ where both are. */
export function logaddexp(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = meet("logaddexp", a, b);
  // Which is the larger does not matter to the derivatives, so the choice is detached.
  const fixed = (mask: Tensor): Tensor => apply(control.detach, [mask], null);
  const first = fixed(greaterEqual(x, y));
  const [high, low] = [where(first, x, y), where(first, y, x)];
  const finite = fixed(equal(sub(high, high), 0));
  return add(high, softplus(where(finite, sub(low, high), -Infinity)));
}

/** log σ(x) = −softplus(−x) */
export function logSigmoid(x: TensorLike): Tensor {
  return neg(softplus(neg(x)));
}

/** x · log y, and 0 where x = 0 whatever y is. */
export function xlogy(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = meet("xlogy", x, y);
  return mul(a, log(where(idle(a, logicalAnd(greater(b, 0), less(b, Infinity))), 1, b)));
}

/** x · log(1 + y), and 0 where x = 0 whatever y is. */
export function xlog1py(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = meet("xlog1py", x, y);
  return mul(a, log1p(where(idle(a, logicalAnd(greater(b, -1), less(b, Infinity))), 0, b)));
}

/** Where a = 0 stands before a logarithm that is not finite. Detached: the product is continuous there. */
function idle(a: Tensor, finite: Tensor): Tensor {
  return apply(control.detach, [logicalAnd(equal(a, 0), logicalNot(finite))], null);
}

/** The identity without a derivative. A sample keeps its influence through it. */
export function stopGradient(x: TensorLike): Tensor {
  return apply(control.stopGradient, [asTensor(x)], null);
}

/** Gives a node a name, for `explain`, printing and adjoints. */
export function named(x: TensorLike, name: string): Tensor {
  return apply(linear.named, [asTensor(x)], { name });
}
