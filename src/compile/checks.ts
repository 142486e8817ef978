import type { Tensor } from "../graph/tensor.js";
import { apply } from "../graph/tensor.js";
import { max } from "../primitives/reduce.js";
import { brokenIn, neededInputs } from "./program.js";

/** One bool per check of a graph that compiled code can make: whether it is broken anywhere. @param given nodes that are known before */
export function brokenChecks(outputs: readonly Tensor[], given: (node: Tensor) => boolean): Tensor[] {
  const seen = new Set<Tensor>();
  const flags: Tensor[] = [];
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || given(node) || node.value !== null || node.primitive === null) continue;
    seen.add(node);
    stack.push(...neededInputs(node));
    const broken = node.size > 0 ? brokenIn(node) : null;
    if (broken !== null)
      flags.push(broken.rank === 0 ? broken : apply(max, [broken], { axes: broken.shape.map((_, axis) => axis) }));
  }
  return flags.reverse();
}
