import { promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { zeros } from "./construct.js";
import { add, mul, toDType } from "./elementwise.js";
import { together } from "./operands.js";
import { at, broadcastTo } from "./shaping.js";

/**
 * The polynomial c₀ x^(n−1) + … + c_(n−1) at x by Horner's rule: the highest power first, as NumPy has it. Along axis 0 of the coefficients;
 * their other axes broadcast with x. coefficients [n, ...b], x [...c] -> b and c broadcast; 0 where n = 0
 * @throws where the coefficients are a scalar
 */
export function polyval(coefficients: TensorLike, x: TensorLike): Tensor {
  const [c] = together(coefficients, x) as [Tensor];
  if (c.rank === 0) fail({ where: "polyval", got: "a scalar", expected: "coefficients along axis 0" });
  const point = asTensor(x, c.dtype);
  const dtype = typeof x === "number" ? c.dtype : promote(c.dtype, point.dtype);
  const shape = broadcastShapes("polyval", c.shape.slice(1), point.shape);
  const n = c.shape[0] as number;
  if (n === 0) return zeros(shape, { dtype });
  let value = broadcastTo(toDType(at(c, 0), dtype), shape);
  for (let i = 1; i < n; i++) value = add(mul(value, x), at(c, i));
  return value;
}
