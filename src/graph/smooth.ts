import { rangeOf } from "./range.js";
import { type AnyPrimitive, type Smoothness, smoothness, type Tensor } from "./tensor.js";

const rank: Record<Smoothness, number> = { smooth: 2, kink: 1, jump: 0 };

/**
 * How often a composition through input k of this node may be differentiated, at the numbers its inputs may have: 1/x is smooth for a
 * positive x and jumps for one that crosses 0; |x| is smooth for a positive x. A singular point counts only where random choices can
 * reach it: at a number that they do not move (x/θ at θ = 0) it is a matter of one value of a parameter.
 */
export function smoothnessAt(node: Tensor, k: number): Smoothness {
  const primitive = node.primitive as AnyPrimitive;
  const general = smoothness(primitive, k);
  if (!primitive.smoothOn) return general;
  const ranges = node.inputs.map(rangeOf);
  const here = primitive.smoothOn(ranges, node.params)[k] ?? general;
  return rank[here] > rank[general] || ranges[k]?.random ? here : general;
}
