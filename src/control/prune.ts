import { Body, bodiesOf } from "../graph/body.js";
import { type AnyPrimitive, apply, type Tensor, type Type } from "../graph/tensor.js";
import { again, ancestors } from "../graph/walk.js";
import { zerosLike } from "../primitives/linear.js";
import { pick } from "../primitives/tuple.js";
import type { CondParams } from "./branch.js";
import { isScan } from "./flow.js";
import type { ScanParams } from "./loop.js";

/**
 * The graph without the results of loops that nobody takes, the carries that only feed themselves, and the inputs that then nobody
 * reads: differentiating asks a loop for all it might need, and a random choice that reaches nothing is none. Before a graph is analysed, and
 * at the last stage, when nothing will be asked for any more.
 * @param from nodes with a smaller id are somebody else's, and stay what they are
 */
export function pruned(outputs: readonly Tensor[], from = 0): Tensor[] {
  const nodes = ancestors(outputs, ({ id }) => id >= from).filter(({ id }) => id >= from);
  if (!nodes.some((node) => bodiesOf(node).length > 0)) return [...outputs];
  const { uses } = usesOf(nodes, outputs);
  const map = new Map<Tensor, Tensor>();
  const become = (node: Tensor): Tensor => map.get(node) ?? node;
  for (const node of nodes) {
    const use = uses.get(node);
    if (use) map.set(node, smaller(node, use, become));
    else if (node.primitive === pick && uses.has(node.inputs[0] as Tensor)) {
      const { outputs: kept } = uses.get(node.inputs[0] as Tensor) as Use;
      const index = kept.indexOf((node.params as { index: number }).index);
      // A result that no output reaches goes with what it was a part of.
      if (index >= 0) map.set(node, apply(pick, [become(node.inputs[0] as Tensor)], { index }));
    } else if (node.inputs.some((input) => map.has(input))) map.set(node, again(node, node.inputs.map(become)));
  }
  return outputs.map(become);
}

/** What of a loop is needed: numbers of its parts and of the inputs of its bodies, in order. */
interface Use {
  readonly outputs: readonly number[];
  readonly inputs: readonly number[];
  /** Inputs that are there for their place only: first carries that no step reads. */
  readonly unread: ReadonlySet<number>;
}

function usesOf(
  nodes: readonly Tensor[],
  outputs: readonly Tensor[],
): { readonly live: ReadonlySet<Tensor>; readonly uses: ReadonlyMap<Tensor, Use> } {
  const live = new Set(outputs);
  const wanted = new Map<Tensor, Set<number>>();
  const uses = new Map<Tensor, Use>();
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Tensor;
    if (!live.has(node)) continue;
    const [whole] = node.inputs;
    if (node.primitive === pick && whole && bodiesOf(whole).length > 0) {
      wanted.set(whole, (wanted.get(whole) ?? new Set()).add((node.params as { index: number }).index));
      live.add(whole);
      continue;
    }
    const bodies = bodiesOf(node);
    if (bodies.length === 0) {
      for (const input of node.inputs) live.add(input);
      continue;
    }
    const use = isScan(node)
      ? useOfScan(node, wanted.get(node) ?? new Set())
      : useOfCond(node, wanted.get(node) ?? new Set());
    uses.set(node, use);
    const shift = node.inputs.length - (bodies[0] as Body).inputs.length;
    for (const input of node.inputs.slice(0, shift)) live.add(input);
    for (const k of use.inputs) if (!use.unread.has(k)) live.add(node.inputs[k + shift] as Tensor);
  }
  return { live, uses };
}

/** What the outputs of a body depend on, looking into the loops in it. */
function reachedBy(outputs: readonly Tensor[]): ReadonlySet<Tensor> {
  return usesOf(ancestors(outputs), outputs).live;
}

function useOfScan(node: Tensor, wanted: ReadonlySet<number>): Use {
  const { body, carries, alive, length } = node.params as ScanParams;
  const needed = new Set(wanted);
  if (alive !== null) needed.add(alive);
  // A carry that a needed result reads is needed as well.
  for (;;) {
    const reached = reachedBy([...needed].map((k) => body.outputs[k] as Tensor));
    const more = body.inputs.slice(0, carries).flatMap((hole, k) => (reached.has(hole) && !needed.has(k) ? [k] : []));
    if (more.length === 0) {
      const inputs = inputsOf(body, reached, (k) => needed.has(k) && k < carries);
      const unread = inputs.filter((k) => alive === null && length > 0 && !reached.has(body.inputs[k] as Tensor));
      return { outputs: [...needed].sort((a, b) => a - b), inputs, unread: new Set(unread) };
    }
    for (const k of more) needed.add(k);
  }
}

function useOfCond(node: Tensor, wanted: ReadonlySet<number>): Use {
  const { branches } = node.params as CondParams;
  const outputs = [...wanted].sort((a, b) => a - b);
  const reached = branches.map((branch) => reachedBy(outputs.map((k) => branch.outputs[k] as Tensor)));
  const all = branches[0].inputs.map((_, k) => k);
  return {
    outputs,
    inputs: all.filter((k) => branches.some((branch, b) => reached[b]?.has(branch.inputs[k] as Tensor))),
    unread: new Set(),
  };
}

function inputsOf({ inputs }: Body, reached: ReadonlySet<Tensor>, carry: (k: number) => boolean): number[] {
  return inputs.flatMap((hole, k) => (reached.has(hole) || carry(k) ? [k] : []));
}

function smaller(node: Tensor, use: Use, become: (node: Tensor) => Tensor): Tensor {
  const cut = ({ inputs, outputs }: Body): Body =>
    new Body(
      use.inputs.map((k) => inputs[k] as Tensor),
      pruned(use.outputs.map((k) => outputs[k] as Tensor)),
    );
  const parts = use.outputs.map((k) => (node.parts as readonly Type[])[k] as Type);
  const primitive = node.primitive as AnyPrimitive;
  if (!isScan(node)) {
    const { branches } = node.params as CondParams;
    const ins = [node.inputs[0] as Tensor, ...use.inputs.map((k) => node.inputs[k + 1] as Tensor)];
    return apply(primitive, ins.map(become), { branches: branches.map(cut), parts });
  }
  const params = node.params as ScanParams;
  const { carries, stacked } = params;
  const ins = use.inputs.map((k) => {
    const input = node.inputs[k] as Tensor;
    return use.unread.has(k) ? zerosLike(input) : become(input);
  });
  const kept = use.inputs.filter((k) => k < carries);
  return apply(primitive, ins, {
    ...params,
    body: cut(params.body),
    parts,
    carries: kept.length,
    stacked: use.inputs.filter((k) => k >= carries && k < carries + stacked).length,
    alive: params.alive === null ? null : kept.indexOf(params.alive),
  });
}
