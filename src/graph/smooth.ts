import { type AnyPrimitive, type Smoothness, smoothness, type Tensor } from "./tensor.js";

/** How often a composition through input k of this node may be differentiated; see `Primitive.smooth`. */
export function smoothnessAt(node: Tensor, k: number): Smoothness {
  return smoothness(node.primitive as AnyPrimitive, k);
}
