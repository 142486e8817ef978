import { Body, bodiesOf } from "../graph/body.js";
import { type AnyPrimitive, apply, type Tensor, type Type } from "../graph/tensor.js";
import { again, ancestors } from "../graph/walk.js";
import { simplify } from "../transforms/simplify/index.js";
import { pruned } from "./prune.js";

/** `simplify`, with what nobody takes of loops left out and their bodies simplified too: what a graph is before it runs. */
export function simplified(outputs: readonly Tensor[]): Tensor[] {
  return simplifiedLevel(pruned(outputs));
}

function simplifiedLevel(outputs: readonly Tensor[]): Tensor[] {
  const map = new Map<Tensor, Tensor>();
  for (const node of ancestors(outputs)) {
    const inputs = node.inputs.map((input) => map.get(input) ?? input);
    if (bodiesOf(node).length > 0) map.set(node, withBodies(node, inputs));
    else if (inputs.some((input, k) => input !== node.inputs[k])) map.set(node, again(node, inputs));
  }
  return simplify(outputs.map((node) => map.get(node) ?? node));
}

function withBodies(node: Tensor, inputs: readonly Tensor[]): Tensor {
  const { body, branches, ...rest } = node.params as { readonly body?: Body; readonly branches?: readonly Body[] };
  const simple = (each: Body): Body => new Body(each.inputs, simplifiedLevel(each.outputs));
  // The parts of the original may still grow.
  const parts = [...(node.parts as readonly Type[])];
  const params = body ? { ...rest, parts, body: simple(body) } : { ...rest, parts, branches: branches?.map(simple) };
  return apply(node.primitive as AnyPrimitive, inputs, params);
}
