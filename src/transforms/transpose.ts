import { fail } from "../base/errors.js";
import type { AnyPrimitive, Tensor } from "../graph/tensor.js";
import { between } from "../graph/walk.js";
import { joined } from "../primitives/tuple.js";
import { linearize } from "./jvp.js";

/**
 * Runs a linear graph backwards: cotangents of its outputs become cotangents of its `unknowns`. Each node hands on what its
 * transpose rule says; contributions that meet are added.
 */
export function transposeLinear(
  outputs: readonly (Tensor | null)[],
  unknowns: readonly Tensor[],
  cotangents: readonly Tensor[],
): (Tensor | null)[] {
  const collected = new Map<Tensor, Tensor>();
  const collect = (node: Tensor, ct: Tensor): void => {
    const before = collected.get(node);
    collected.set(node, before ? joined(before, ct) : ct);
  };
  outputs.forEach((node, i) => {
    if (node) collect(node, cotangents[i] as Tensor);
  });
  const live = outputs.filter((node): node is Tensor => node !== null);
  const linear = between(unknowns, live);
  const carries = new Set(linear);
  const sources = new Set(unknowns);
  for (let i = linear.length - 1; i >= 0; i--) {
    const node = linear[i] as Tensor;
    const ct = collected.get(node);
    if (!ct || sources.has(node)) continue;
    const primitive = node.primitive as AnyPrimitive;
    const which = node.inputs.map((input) => carries.has(input));
    if (!primitive.transpose)
      fail({ where: primitive.name, what: "a tangent reached a primitive that has no transpose rule" });
    primitive.transpose(ct, which, node.inputs, node.params).forEach((share, k) => {
      if (share && which[k]) collect(node.inputs[k] as Tensor, share);
    });
    collected.delete(node);
  }
  return unknowns.map((node) => collected.get(node) ?? null);
}

/** Cotangents of the inputs from those of the outputs: linearise, then transpose. Null: exactly zero. */
export function pullCotangents(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  cotangents: readonly Tensor[],
): (Tensor | null)[] {
  const map = linearize(outputs, inputs);
  return transposeLinear(map.outputs, map.tangents, cotangents);
}
