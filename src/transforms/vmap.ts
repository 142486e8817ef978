import { fail } from "../base/errors.js";
import type { AnyPrimitive, AxisName, Tensor } from "../graph/tensor.js";
import { between } from "../graph/walk.js";
import { broadcastTo } from "../primitives/linear.js";

/**
 * Rebuilds what lies between `inputs` and `outputs` over a new axis 0: each input is replaced by its entry of `batched`, which has
 * that axis. What does not depend on an input stays as it is, computed once.
 * @param axisName collectives over this axis (`others`) see it
 * @returns the outputs, and whether each has the axis
 */
export function batchGraph(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  batched: readonly Tensor[],
  size: number,
  axisName: AxisName | null = null,
): { outputs: Tensor[]; batched: boolean[] } {
  const map = new Map<Tensor, Tensor>();
  inputs.forEach((input, i) => {
    map.set(input, batched[i] as Tensor);
  });
  for (const node of between(inputs, outputs)) {
    if (map.has(node)) continue;
    const primitive = node.primitive as AnyPrimitive;
    const ins = node.inputs.map((input) => map.get(input) ?? input);
    const out = primitive.batch(
      ins,
      node.inputs.map((input) => map.has(input)),
      node.params,
      size,
      axisName,
    );
    if (!node.parts && (out.rank !== node.rank + 1 || out.shape[0] !== size)) {
      fail({ where: `vmap of ${primitive.name}`, got: `shape [${out.shape}]`, expected: `[${[size, ...node.shape]}]` });
    }
    map.set(node, out);
  }
  return { outputs: outputs.map((node) => map.get(node) ?? node), batched: outputs.map((node) => map.has(node)) };
}

/** As `batchGraph`, with the axis on every output. */
export function batchAll(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  values: readonly Tensor[],
  size: number,
  axisName: AxisName | null = null,
): Tensor[] {
  const result = batchGraph(outputs, inputs, values, size, axisName);
  return result.outputs.map((node, i) => (result.batched[i] ? node : broadcastTo(node, [size, ...node.shape])));
}
