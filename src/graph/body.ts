import { placeholder, type Tensor } from "./tensor.js";
import { ancestors, between, substitute } from "./walk.js";

/**
 * A graph that a loop or a branch holds: its inputs are placeholders of its own, and everything it needs comes in through them, but
 * for plain constants. `outputs` only grows: differentiating a loop asks it for more.
 */
export class Body {
  readonly inputs: readonly Tensor[];
  readonly outputs: Tensor[];

  constructor(inputs: readonly Tensor[], outputs: Tensor[]) {
    this.inputs = inputs;
    this.outputs = outputs;
  }
}

/** The bodies a node holds. */
export function bodiesOf(node: Tensor): readonly Body[] {
  if (typeof node.params !== "object" || node.params === null) return [];
  const { body, branches } = node.params as { readonly body?: unknown; readonly branches?: unknown };
  if (body instanceof Body) return [body];
  return Array.isArray(branches) ? branches.filter((each): each is Body => each instanceof Body) : [];
}

/** Numbers that are known: they may stay inside a body. */
export function isConstant(node: Tensor): boolean {
  return node.primitive === null && node.value !== null;
}

export interface Closed {
  readonly body: Body;
  /** What the further inputs of the body stand for. */
  readonly captured: readonly Tensor[];
}

/** Closes the body of a loop: what does not depend on its `inputs` stays outside, and is computed once. */
export function closeLoop(inputs: readonly Tensor[], outputs: readonly Tensor[]): Closed {
  return close(inputs, outputs, new Set(between(inputs, outputs)));
}

/** Closes a branch: everything built since `from` happens in it, and only when it is taken. */
export function closeBranch(inputs: readonly Tensor[], outputs: readonly Tensor[], from: number): Closed {
  const nodes = ancestors(outputs, (node) => node.id >= from);
  return close(inputs, outputs, new Set(nodes.filter((node) => node.id >= from)));
}

/** Whatever a graph takes from outside becomes one more input. */
function close(inputs: readonly Tensor[], outputs: readonly Tensor[], inside: ReadonlySet<Tensor>): Closed {
  const outside = new Map<Tensor, Tensor>();
  const own = new Set(inputs);
  const captured: Tensor[] = [];
  const capture = (node: Tensor): void => {
    if (own.has(node) || inside.has(node) || isConstant(node) || outside.has(node)) return;
    captured.push(node);
    outside.set(node, placeholder(node, `captured ${captured.length - 1}`));
  };
  for (const node of inside) if (!own.has(node)) node.inputs.forEach(capture);
  outputs.forEach(capture);
  const placeholders = captured.map((node) => outside.get(node) as Tensor);
  const done = outside.size === 0 ? [...outputs] : substitute(outputs, outside).outputs;
  return { body: new Body([...inputs, ...placeholders], done), captured };
}

/** A copy with placeholders and nodes of its own. */
export function copyBody({ inputs, outputs }: Body): { body: Body; map: Map<Tensor, Tensor> } {
  const fresh = inputs.map((input) => placeholder(input, input.label as string));
  const { outputs: copied, map } = substitute(outputs, new Map(inputs.map((input, k) => [input, fresh[k] as Tensor])));
  return { body: new Body(fresh, copied), map };
}

/** Whether a node of a body depends on any of `inputs`: the nodes that do. */
export function depending(inputs: readonly Tensor[], outputs: readonly Tensor[]): Set<Tensor> {
  return new Set(between(inputs, outputs));
}

/** All nodes, those of bodies included. */
export function everyNode(outputs: readonly Tensor[]): Tensor[] {
  const found: Tensor[] = [];
  const stack: (readonly Tensor[])[] = [outputs];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    for (const node of ancestors(next)) {
      found.push(node);
      for (const body of bodiesOf(node)) stack.push(body.outputs);
    }
  }
  return found;
}
