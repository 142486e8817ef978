import { anywhere } from "./range.js";
import { apply, placeholder, type Tensor, type Type } from "./tensor.js";
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

/** Numbers that are known, repeated or not: they may stay inside a body. */
export function isConstant(node: Tensor, but: ReadonlySet<Tensor> = none): boolean {
  const [input] = node.inputs;
  if (but.has(node)) return false;
  if (node.primitive?.name === "broadcast" && input !== undefined) return isConstant(input, but);
  return node.primitive === null && node.value !== null;
}

const none: ReadonlySet<Tensor> = new Set();

export interface Closed {
  readonly body: Body;
  /** What the further inputs of the body stand for. */
  readonly captured: readonly Tensor[];
}

/**
 * Closes the body of a loop: what does not depend on its `inputs` stays outside, and is computed once.
 * @param given nodes that become inputs though they are constants: somebody may differentiate by them
 */
export function closeLoop(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  given: ReadonlySet<Tensor> = none,
): Closed {
  return close(inputs, outputs, new Set(between(inputs, outputs)), given);
}

/** Closes a branch: everything built since `from` happens in it, and only when it is taken. */
export function closeBranch(inputs: readonly Tensor[], outputs: readonly Tensor[], from: number): Closed {
  const nodes = ancestors(outputs, (node) => node.id >= from);
  return close(inputs, outputs, new Set(nodes.filter((node) => node.id >= from)));
}

/** What a graph takes from outside, plain constants excepted. */
export function capturedBy(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  inside: (node: Tensor) => boolean,
  given: ReadonlySet<Tensor> = none,
): Tensor[] {
  const own = new Set(inputs);
  const found = new Set<Tensor>();
  const capture = (node: Tensor): void => {
    if (!own.has(node) && !inside(node) && !isConstant(node, given)) found.add(node);
  };
  for (const node of ancestors(outputs, inside)) if (inside(node) && !own.has(node)) node.inputs.forEach(capture);
  outputs.forEach(capture);
  return [...found];
}

/** Whatever a graph takes from outside becomes one more input. */
function close(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  inside: ReadonlySet<Tensor>,
  given: ReadonlySet<Tensor> = none,
): Closed {
  const captured = capturedBy(inputs, outputs, (node) => inside.has(node), given);
  const holes = captured.map((node, i) => bodyInput(node, node.label ?? `captured ${i}`));
  const map = new Map(captured.map((node, i) => [node, holes[i] as Tensor]));
  const done = map.size === 0 ? [...outputs] : substitute(outputs, map).outputs;
  return { body: new Body([...inputs, ...holes], done), captured };
}

/** An input of a body. */
export function bodyInput(type: Type, label: string): Tensor {
  return anywhere(placeholder({ shape: type.shape, dtype: type.dtype }, label));
}

/**
 * The same graph in which no two loops share a body, so that what is inside them can be told apart.
 * @param from nodes with a smaller id are somebody else's, and stay what they are
 */
export function unshared(outputs: readonly Tensor[], from = 0): Tensor[] {
  const map = new Map<Tensor, Tensor>();
  copyLevel(outputs, map, from);
  return outputs.map((node) => map.get(node) ?? node);
}

/** @param from null: a body, all of whose nodes are copied */
function copyLevel(outputs: readonly Tensor[], map: Map<Tensor, Tensor>, from: number | null): void {
  for (const node of ancestors(outputs, ({ id }) => from === null || id >= from)) {
    if (map.has(node) || node.primitive === null || (from !== null && node.id < from)) continue;
    const inputs = node.inputs.map((input) => map.get(input) ?? input);
    const loop = bodiesOf(node).length > 0;
    if (from !== null && !loop && inputs.every((input, k) => input === node.inputs[k])) continue;
    const copy = apply(node.primitive, inputs, loop ? copyParams(node.params as LoopParams) : node.params);
    copy.value = node.value;
    map.set(node, copy);
  }
}

interface LoopParams {
  readonly body?: Body;
  readonly branches?: readonly Body[];
  readonly parts: readonly Type[];
}

function copyParams({ body, branches, ...rest }: LoopParams): LoopParams {
  const bodies = {
    ...(body ? { body: copyBody(body) } : {}),
    ...(branches ? { branches: branches.map(copyBody) } : {}),
  };
  return { ...rest, ...bodies, parts: [...rest.parts] };
}

/** The same body with nodes of its own. */
export function copyBody({ inputs, outputs }: Body): Body {
  const fresh = inputs.map((input) => bodyInput(input, input.label as string));
  const map = new Map(inputs.map((input, k) => [input, fresh[k] as Tensor]));
  copyLevel(outputs, map, null);
  return new Body(
    fresh,
    outputs.map((node) => map.get(node) ?? node),
  );
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
