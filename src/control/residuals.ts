import { isConstant } from "../graph/body.js";
import type { Tensor } from "../graph/tensor.js";
import { ancestors, between } from "../graph/walk.js";

/**
 * What the derivative of a loop needs of each step. The tangent's graph takes numbers from the step: those are either kept, one row a
 * step, or computed again from others.
 */

/** Operations that cost about as much as reading their operands: computing them again is as cheap as loading what was kept. */
export const cheap: ReadonlySet<string> = new Set(
  (
    "add sub mul div neg alias named validate relate settled abs sign sqrt exp log expm1 log1p sin cos tanh sigmoid softplus " +
    "maximum minimum where equal notEqual less lessEqual greater greaterEqual and or not convert cast " +
    "broadcast reshape transpose slice pad flip concat stopGradient detach box limit shadow"
  ).split(" "),
);

/**
 * The nodes of a step to keep, so that `wanted` can be computed from them and from what is there anyway. Starting with everything
 * wanted, a node is traded for its inputs where it is cheap to compute and the inputs are no larger than what they replace.
 * @param free stacked inputs and constants: nothing needs to be kept of them
 */
export function chooseKept(wanted: readonly Tensor[], free: ReadonlySet<Tensor>, carries: readonly Tensor[]): Tensor[] {
  const kept = new Set(wanted.filter((node) => !free.has(node)));
  const isCarry = new Set(carries);
  for (const node of ancestors(wanted).reverse()) {
    if (!kept.has(node) || isCarry.has(node) || node.primitive === null) continue;
    if (!cheap.has(node.primitive.name)) continue;
    const more = node.inputs.filter((input) => !free.has(input) && !isConstant(input) && !kept.has(input));
    if (new Set(more).size > 0 && sizeOfAll(more) > node.size) continue;
    kept.delete(node);
    for (const input of more) kept.add(input);
  }
  return [...kept].sort((a, b) => a.id - b.id);
}

/** What the tangents `step` take, beside the `directions` that they are linear in, from the graph they are tangents of. */
export function takenBy(directions: readonly (Tensor | null)[], step: readonly Tensor[]): Tensor[] {
  const unknown = directions.filter((d): d is Tensor => d !== null);
  const linear = new Set(between(unknown, step));
  const used = [...linear].flatMap(({ inputs }) => inputs).concat(step);
  return [...new Set(used)].filter((node) => !linear.has(node) && !isConstant(node));
}

/** Under "recompute" only the carries are kept: the rest of the step runs again. */
export function keepCarries(wanted: readonly Tensor[], carries: readonly Tensor[]): Tensor[] {
  return carries.filter((carry) => between([carry], wanted).some((node) => wanted.includes(node)));
}

function sizeOfAll(nodes: readonly Tensor[]): number {
  return [...new Set(nodes)].reduce((total, node) => total + node.size, 0);
}
