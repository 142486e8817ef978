import { fail } from "../base/errors.js";
import { range, show } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { permute } from "../primitives/linear.js";
import { add, div, mul, sqrt, sub } from "./elementwise.js";
import { norm } from "./norms.js";
import { dot, matmul, mean, variance } from "./reducing.js";

/** Second moments of data. */

export interface StandardiseOptions {
  /** Over which moments are taken, the last by default. */
  readonly axis?: number | readonly number[];
  /** Added to the variance, so that constant data become 0 and not NaN. Default 1e-5. */
  readonly eps?: number;
}

/** (x − mean) / √(variance + eps): mean 0 and, but for eps, variance 1 (divisor n). */
export function standardise(x: TensorLike, { axis = -1, eps = 1e-5 }: StandardiseOptions = {}): Tensor {
  if (!(eps >= 0)) fail({ where: "standardise", got: `eps = ${eps}`, expected: "a number of at least 0" });
  const a = asTensor(x);
  const all = { axis, keepDims: true };
  return div(sub(a, mean(a, all)), sqrt(add(variance(a, all), eps)));
}

/**
 * The covariance matrix of variables in rows and observations in columns, with divisor m − ddof.
 * x [..., n, m] -> [..., n, n]; x [m] -> [], the variance
 * @throws where there are not more observations than ddof
 */
export function cov(x: TensorLike, { ddof = 1 }: { ddof?: number } = {}): Tensor {
  const a = observations("cov", x);
  if (a.rank === 1) return variance(a, -1, ddof);
  const m = a.shape.at(-1) as number;
  if (!(m > ddof))
    fail({ where: "cov", got: `${m} observations and ddof ${ddof}`, expected: "more observations than ddof" });
  const centred = sub(a, mean(a, { axis: -1, keepDims: true }));
  return mul(matmul(centred, turned(centred)), 1 / (m - ddof));
}

/**
 * Pearson's correlation coefficients of variables in rows and observations in columns; NaN beside a variable that is constant.
 * x [..., n, m] -> [..., n, n]; x [m] -> [], which is 1
 */
export function corrcoef(x: TensorLike): Tensor {
  const a = observations("corrcoef", x);
  const centred = sub(a, mean(a, { axis: -1, keepDims: true }));
  const unit = div(centred, norm(centred, { axis: -1, keepDims: true }));
  return a.rank === 1 ? dot(unit, unit) : matmul(unit, turned(unit));
}

function observations(where: string, x: TensorLike): Tensor {
  const a = asTensor(x);
  if (a.rank > 0 && a.shape.at(-1) !== 0) return a;
  return fail({
    where,
    got: show(a.shape),
    expected: "variables in rows and at least one observation of them in columns",
  });
}

/** With the last two axes exchanged. */
function turned(a: Tensor): Tensor {
  return permute(a, [...range(a.rank - 2), a.rank - 1, a.rank - 2]);
}
