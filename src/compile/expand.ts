import type { Tensor } from "../graph/tensor.js";
import { substitute } from "../graph/walk.js";
import { neededInputs } from "./program.js";

/**
 * The outputs with every operation that is made of others replaced by these, again and again until none is left.
 * @param given nodes that are known before
 */
export function expand(outputs: readonly Tensor[], given: (node: Tensor) => boolean): readonly Tensor[] {
  let now = outputs;
  for (;;) {
    const replaced = compositions(now, given);
    if (replaced.size === 0) return now;
    now = substitute(now, replaced).outputs;
  }
}

function compositions(outputs: readonly Tensor[], given: (node: Tensor) => boolean): Map<Tensor, Tensor> {
  const seen = new Set<Tensor>();
  const found = new Map<Tensor, Tensor>();
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || given(node) || node.value !== null || node.primitive === null) continue;
    seen.add(node);
    stack.push(...neededInputs(node));
    const { lower } = node.primitive;
    const made = lower.kind === "compose" ? lower.of(node) : null;
    if (made !== null) found.set(node, made);
  }
  return found;
}
