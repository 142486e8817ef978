import type { Body } from "../graph/body.js";
import { Tensor } from "../graph/tensor.js";
import { ancestors } from "../graph/walk.js";
import { Constants, Expressions, mayMerge } from "../transforms/simplify/keys.js";

/** The nodes a body has, by what they compute. */
class Known {
  readonly standsFor = new WeakMap<Tensor, Tensor>();
  private readonly expressions = new Expressions();
  private readonly constants = new Constants();

  add(outputs: readonly Tensor[]): void {
    for (const node of ancestors(outputs, (each) => !this.standsFor.has(each)))
      if (!this.standsFor.has(node)) this.standsFor.set(node, this.find(node));
  }

  private find(node: Tensor): Tensor {
    const { primitive, params } = node;
    if (primitive === null) return node.value === null ? node : this.constants.shared(node);
    const inputs = node.inputs.map((input) => this.standsFor.get(input) as Tensor);
    const same = inputs.every((input, k) => input === node.inputs[k]);
    const make = (): Tensor => (same ? node : new Tensor(node, { primitive, inputs, params }));
    return mayMerge(node as typeof node & { primitive: typeof primitive }, node)
      ? this.expressions.shared({ primitive, inputs, params }, make)
      : make();
  }
}

const knownOf = new WeakMap<Body, Known>();

/**
 * The node of a body that computes what `node` does. Every derivative of a loop builds what it needs of a step anew; the step must not
 * be asked for the same numbers once more each time.
 */
export function sameIn(body: Body, node: Tensor): Tensor {
  const known = knownOf.get(body) ?? new Known();
  if (!knownOf.has(body)) {
    knownOf.set(body, known);
    known.add(body.outputs);
  }
  known.add([node]);
  return known.standsFor.get(node) as Tensor;
}
