import { apply, type Tensor } from "./tensor.js";

/** Every node the outputs are computed from, leaves first. Never recurses; `stop` nodes are listed but not entered. */
export function ancestors(outputs: readonly Tensor[], enter: (node: Tensor) => boolean = () => true): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [...outputs];
  while (stack.length > 0) {
    const node = stack.pop() as Tensor;
    if (seen.has(node)) continue;
    seen.add(node);
    if (!enter(node)) continue;
    for (const input of node.inputs) if (!seen.has(input)) stack.push(input);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** The nodes on paths from `sources` to `outputs`, sources included, leaves first. */
export function between(sources: readonly Tensor[], outputs: readonly Tensor[]): Tensor[] {
  const first = sources.reduce((least, s) => Math.min(least, s.id), Number.POSITIVE_INFINITY);
  const reached = new Set<Tensor>(sources);
  // A node older than every source cannot depend on one.
  const nodes = ancestors(outputs, (node) => node.id >= first);
  for (const node of nodes) if (node.inputs.some((input) => reached.has(input))) reached.add(node);
  return nodes.filter((node) => reached.has(node));
}

/**
 * The outputs with some nodes replaced: everything between is rebuilt, the rest is shared.
 * @param rebuild how to apply a primitive to new inputs; by default as it was.
 */
export function substitute(
  outputs: readonly Tensor[],
  replaced: ReadonlyMap<Tensor, Tensor>,
  rebuild: (node: Tensor, inputs: readonly Tensor[]) => Tensor = again,
): { outputs: Tensor[]; map: Map<Tensor, Tensor> } {
  const map = new Map(replaced);
  for (const node of between([...replaced.keys()], outputs)) {
    if (map.has(node)) continue;
    map.set(
      node,
      rebuild(
        node,
        node.inputs.map((input) => map.get(input) ?? input),
      ),
    );
  }
  return { outputs: outputs.map((node) => map.get(node) ?? node), map };
}

export function again(node: Tensor, inputs: readonly Tensor[]): Tensor {
  return apply(node.primitive as NonNullable<typeof node.primitive>, inputs, node.params);
}
