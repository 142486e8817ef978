import type { Reads } from "./reads.js";
import type { Tensor } from "./tensor.js";

/** What a node reads: its inputs, and which elements of each. A part of a tuple reads what the operation behind it reads for that part. */
export interface Access {
  readonly inputs: readonly Tensor[];
  readonly reads: Reads;
}

export function accessOf(node: Tensor): Access {
  const { primitive, inputs, params } = node;
  if (primitive === null) return { inputs: [], reads: [] };
  const [whole] = inputs;
  if (node.parts) return { inputs, reads: inputs.map(() => []) };
  if (!whole?.parts || whole.primitive === null) return { inputs, reads: primitive.reads(params, inputs, node, 0) };
  const { index } = params as { readonly index: number };
  return { inputs: whole.inputs, reads: whole.primitive.reads(whole.params, whole.inputs, node, index) };
}
