import type { DType } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import type { AxisRead } from "../kernel/affine.js";
import type { ConvSpec } from "../kernel/convSpec.js";
import type { Builder, Value } from "../kernel/expr/block.js";

interface Known {
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface Types {
  readonly inputs: readonly Known[];
  readonly out: Known;
}

/** What a primitive becomes in a plan: a rule that knows loops and scalars, and no machine. Nodes are tensors. */
export type Lowering<P, Node> =
  /** Element by element: inputs and output have one shape. */
  | {
      readonly kind: "map";
      readonly build: (b: Builder, args: readonly Value[], params: P, types: Types) => Value;
    }
  /** The numbers of the first input, unchanged. */
  | { readonly kind: "same" }
  /**
   * The numbers of the first input, which are looked at: `broken` is a bool array that is true where the kernel might throw. Compiled code
   * computes on, and says that it was. Null: only the kernel knows.
   */
  | { readonly kind: "check"; readonly broken: (node: Node) => Node | null }
  /** Other operations that give the same; null: its kernel. */
  | { readonly kind: "compose"; readonly of: (node: Node) => Node | null }
  /** One number everywhere. */
  | { readonly kind: "fill"; readonly value: number }
  /** Each axis of the input is read at a place that is linear in one axis of the output. */
  | { readonly kind: "view"; readonly axes: (params: P, input: Shape, out: Shape) => readonly AxisRead[] }
  /** The same numbers in the same order. */
  | { readonly kind: "reshape" }
  /** `low` zeros in front of each axis and `interior` zeros between its elements. */
  | {
      readonly kind: "pad";
      readonly low: (params: P) => readonly number[];
      readonly interior: (params: P) => readonly number[];
    }
  /** Inputs one after another along an axis. */
  | { readonly kind: "concat"; readonly axis: (params: P) => number }
  | {
      readonly kind: "reduce";
      readonly op: "sum" | "max" | "min";
      readonly axes: (params: P) => readonly number[];
    }
  | { readonly kind: "matmul" }
  | { readonly kind: "conv"; readonly spec: (params: P, input: Shape, kernel: Shape) => ConvSpec }
  /** Words of the random stream of a key from a run on; see primitives/bits. */
  | { readonly kind: "bits"; readonly words: (params: P) => { readonly size: number; readonly lane: -1 | 0 | 1 } }
  /** Both words of a block of a key: [..., 2]. */
  | { readonly kind: "block"; readonly domain: (params: P) => number }
  | { readonly kind: "part"; readonly index: (params: P) => number }
  | { readonly kind: "loop" }
  | { readonly kind: "branch" }
  /** Its reference kernel. */
  | { readonly kind: "host" };

export const onHost: { readonly kind: "host" } = { kind: "host" };
export const asIs: { readonly kind: "same" } = { kind: "same" };
