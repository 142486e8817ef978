import type { TypedArray } from "../../base/dtype.js";
import type { AnyPrimitive, Primitive, Tensor, Type } from "../../graph/tensor.js";
import type { NDArray } from "../../kernel/ndarray.js";
import type { Call } from "./keys.js";

/** What an identity may ask, and what it builds with: everything it makes is simplified too. */
export interface Build {
  apply<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor;
  constant(data: TypedArray, type: Type): Tensor;
  /** The numbers of a constant, or of a scalar constant repeated. */
  numbers(node: Tensor): NDArray | null;
  /** The one number that all elements of a constant are, bit for bit. */
  number(node: Tensor): number | null;
  /** Whether nobody notices when a node is not computed: nothing it is computed from can throw, or acts on the world. */
  canBeDropped(node: Tensor): boolean;
}

/**
 * One rewriting. It is exact: the new node has the same numbers, bit for bit, for all inputs (±0, infinities and subnormal numbers
 * included; only the payload of a NaN, which nothing can see, may differ), and the same tangents.
 */
export interface Identity {
  readonly name: string;
  readonly of: readonly AnyPrimitive[];
  /** Why no bit changes; what is not said is said by the name. */
  readonly why: string;
  /** What stands for the operation; null where the identity does not apply. */
  readonly rewrite: (call: Call, out: Type, build: Build) => Tensor | null;
}

/** The operand of `node` if it is a `primitive` of one operand that has not been computed. */
export function operand(node: Tensor | undefined, primitive: AnyPrimitive): Tensor | null {
  return node?.primitive === primitive && node.value === null ? (node.inputs[0] as Tensor) : null;
}
