import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { type AnyPrimitive, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { between } from "../graph/walk.js";
import { pick } from "../primitives/tuple.js";

/**
 * Tangents of the outputs along tangents of the inputs: one pass in topological order, each node by its own jvp rule.
 * @returns null where the derivative is exactly zero
 */
export function pushTangents(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  tangents: readonly (Tensor | null)[],
): (Tensor | null)[] {
  const known = new Map<Tensor, Tensor>();
  inputs.forEach((input, i) => {
    const t = tangents[i];
    if (t) known.set(input, t);
  });
  const given = new Set(inputs);
  const nodes = between(inputs, outputs);
  const wanted = wantedParts(nodes);
  for (const node of nodes) {
    if (given.has(node)) continue;
    const incoming = node.inputs.map((input) => known.get(input) ?? null);
    if (incoming.every((t) => t === null)) continue;
    const primitive = node.primitive as AnyPrimitive;
    const t = moves(node) ? primitive.jvp(incoming, node.inputs, node.params, node, wanted.get(node)) : null;
    if (t) known.set(node, t);
  }
  return outputs.map((node) => known.get(node) ?? null);
}

/** Of operations with several results, the parts that are taken. */
function wantedParts(nodes: readonly Tensor[]): Map<Tensor, Set<number>> {
  const wanted = new Map<Tensor, Set<number>>();
  for (const { primitive, inputs, params } of nodes) {
    if (primitive !== pick) continue;
    const [whole] = inputs as [Tensor];
    wanted.set(whole, (wanted.get(whole) ?? new Set()).add((params as { readonly index: number }).index));
  }
  return wanted;
}

/** Whether a node can have a tangent: integers have none. */
function moves({ dtype, parts }: Type): boolean {
  return parts ? parts.some((part) => isFloat(part.dtype)) : isFloat(dtype);
}

/** The linear map of tangents at this point, as a graph from fresh placeholders to tangents of the outputs. */
export function linearize(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
): { tangents: Tensor[]; outputs: (Tensor | null)[] } {
  const tangents = inputs.map((input, i) => {
    if (!isFloat(input.dtype)) fail({ where: "grad", got: `a ${input.dtype} input`, expected: "float32 or float64" });
    return placeholder(input, `tangent ${i}`);
  });
  return { tangents, outputs: pushTangents(outputs, inputs, tangents) };
}
