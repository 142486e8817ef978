import type { Tensor } from "../graph/tensor.js";
import { sliceAxis } from "../primitives/linear.js";
import { less, lessEqual, logicalAnd, mul } from "../tensor/elementwise.js";
import { sum } from "../tensor/reducing.js";
import { cumsum, expandDims } from "../tensor/shaping.js";
import { floatType, type Stream, uniform } from "./uniform.js";

/**
 * Indices by inversion: how many running sums of the weights lie at or before the fraction u of their total. An index of
 * weight 0 is never drawn, not even where u · total rounds to the total.
 * @param weights [...batch, size], not negative, of any positive sum
 * @returns int32 [...batch]
 */
export function categorical(stream: Stream, weights: Tensor): Tensor {
  const u = uniform(stream, weights.shape.slice(0, -1), floatType("categorical", weights));
  return countBefore(u, weights, lessEqual);
}

/** The running sums of weights [...batch, size] that are `before` u [...batch] · total: int32 [...batch]. */
export function countBefore(u: Tensor, weights: Tensor, before: typeof less): Tensor {
  const sums = cumsum(weights, -1);
  const size = weights.shape[weights.rank - 1] as number;
  const total = sliceAxis(sums, -1, size - 1, size);
  const passed = before(sums, mul(expandDims(u, -1), total));
  return sum(logicalAnd(passed, less(sums, total)), -1);
}
