import type { Builder, Value } from "../block.js";
import { exp } from "./exp.js";
import { magnitude } from "./kit.js";
import { log1pInside } from "./log.js";

/** e^(−|x|), the one exponential from which sigmoid, softplus and logSigmoid of x and of −x are made. */
function fading(b: Builder, x: Value): Value {
  return exp(b, b.unary("neg", magnitude(b, x)));
}

/** 1/(1 + e^(−x)), with full relative accuracy in the left tail. */
export function sigmoid(b: Builder, x: Value): Value {
  const e = fading(b, x);
  const one = b.like(x, 1);
  return b.div(b.select(b.compare("lt", x, b.like(x, 0)), e, one), b.add(e, one));
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)). */
export function softplus(b: Builder, x: Value): Value {
  return b.add(b.binary("pmax", x, b.like(x, 0)), log1pInside(b, fading(b, x)));
}

/** log sigmoid(x) = min(x, 0) − log(1 + e^(−|x|)). */
export function logSigmoid(b: Builder, x: Value): Value {
  return b.sub(b.binary("pmin", x, b.like(x, -0)), log1pInside(b, fading(b, x)));
}
