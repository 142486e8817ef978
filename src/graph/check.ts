import { fail, SamplegradError } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import { bodiesOf } from "./body.js";
import type { Tensor, Type } from "./tensor.js";
import { ancestors } from "./walk.js";

/** What a graph may be at one stage of the pipeline. */
export interface Grammar {
  /** The stage, for errors: "after rewriting". */
  readonly stage?: string;
  /** Names of primitives that must be gone. */
  readonly forbidden?: readonly string[];
  /** The only placeholders there may be; any by default. */
  readonly placeholders?: readonly Tensor[];
}

/**
 * Checks that a graph is legal: ids grow along edges, every node has the type its primitive infers, leaves have numbers or a label,
 * and nothing is left that the stage forbids.
 * @throws a sentence that names the first node that is wrong
 */
export function checkGraph(outputs: readonly Tensor[], { stage, forbidden = [], placeholders }: Grammar = {}): void {
  const where = stage === undefined ? "graph" : `graph ${stage}`;
  outputs.forEach((output, i) => {
    if (!output) fail({ where, got: `${output} as output ${i}`, expected: "a node" });
  });
  const banned = new Set(forbidden);
  const known = placeholders && new Set(placeholders);
  // Inputs are looked at before they are entered, so a hole in the graph is a sentence too.
  for (const node of ancestors(outputs, (node) => edgesFit(where, node))) {
    if (node.primitive === null) checkLeaf(where, node, known);
    else if (banned.has(node.primitive.name))
      fail({ where, got: naming(node), expected: `no ${node.primitive.name} here` });
    else checkType(where, node);
    checkValue(where, node);
    for (const body of bodiesOf(node)) checkGraph(body.outputs, { stage, forbidden, placeholders: body.inputs });
  }
}

/** `%7 = matmul float32[2, 3]` */
function naming(node: Tensor): string {
  const what = node.primitive?.name ?? (node.label === null ? "leaf" : `placeholder "${node.label}"`);
  return `%${node.id} = ${what} ${shown(node)}`;
}

function shown({ dtype, shape, parts }: Type): string {
  return parts ? parts.map(shown).join(", ") : `${dtype}${show(shape)}`;
}

function edgesFit(where: string, node: Tensor): true {
  node.inputs.forEach((input, i) => {
    if (!input) fail({ where, got: `${input} as input ${i} of ${naming(node)}`, expected: "a node" });
    if (input.id >= node.id)
      fail({
        where,
        got: `${naming(node)} with the later input ${naming(input)}`,
        expected: "ids that grow along edges",
      });
  });
  return true;
}

function checkLeaf(where: string, node: Tensor, known: ReadonlySet<Tensor> | undefined): void {
  if (node.inputs.length > 0)
    fail({
      where,
      got: `${naming(node)} with ${node.inputs.length} inputs and no primitive`,
      expected: "a leaf without inputs",
    });
  if (node.value !== null) return;
  if (node.label === null)
    fail({
      where,
      got: `${naming(node)} without numbers and without a label`,
      expected: "a constant or a placeholder",
    });
  if (known && !known.has(node))
    fail({ where, got: naming(node), expected: "no placeholder but the arguments of the trace" });
}

function checkType(where: string, node: Tensor): void {
  const type = inferred(where, node);
  if (type.dtype !== node.dtype || !sameShape(type.shape, node.shape)) {
    fail({ where, got: naming(node), expected: `${shown(type)}, which its primitive infers` });
  }
}

function inferred(where: string, node: Tensor): Type {
  try {
    return (node.primitive as NonNullable<Tensor["primitive"]>).type(node.inputs, node.params);
  } catch (error) {
    if (!(error instanceof SamplegradError)) throw error;
    return fail({ where, what: `${naming(node)} does not fit its inputs: ${error.message.replace(/\.$/, "")}` });
  }
}

function checkValue(where: string, node: Tensor): void {
  if (node.value === null || (node.value.dtype === node.dtype && sameShape(node.value.shape, node.shape))) return;
  fail({ where, got: `${naming(node)} with numbers ${shown(node.value)}`, expected: "numbers of its own type" });
}
