import { range } from "../base/shape.js";
import { Body } from "../graph/body.js";
import { type Primitive, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { broadcastTo, permute } from "../primitives/linear.js";
import { part, tuple } from "../primitives/tuple.js";
import { batchGraph } from "../transforms/vmap.js";
import type { MakeScan, ScanParams } from "./loop.js";

/** The batched scan is the scan of the batched step; time stays the first axis of what is stacked, the batch comes second. */
export function batchedScan(make: MakeScan): Primitive<ScanParams>["batch"] {
  return (inputs, batched, params, size, axisName) => {
    const { body, carries, stacked } = params;
    const has = [...batched];
    let step = batchedStep(params, has, size, axisName);
    for (;;) {
      const more = range(carries).filter((k) => step.batched[k] && !has[k]);
      if (more.length === 0) break;
      for (const k of more) has[k] = true;
      step = batchedStep(params, has, size, axisName);
    }
    const outputs = step.outputs.map((node, k) =>
      k < carries && has[k] && !step.batched[k] ? broadcastTo(node, [size, ...node.shape]) : node,
    );
    const values = inputs.map((input, k) => {
      if (k < carries) return has[k] && !batched[k] ? broadcastTo(input, [size, ...input.shape]) : input;
      return k < carries + stacked && has[k] ? swapFirst(input) : input;
    });
    const made = make(values, { ...params, body: new Body(step.inputs, outputs) });
    const types = params.parts.map(({ shape, dtype }): Type => ({ shape: [size, ...shape], dtype }));
    return tuple(
      body.outputs.map((_, k) => {
        const whole = part(made, k);
        if (k < carries ? has[k] : step.batched[k]) return k < carries ? whole : swapFirst(whole);
        return broadcastTo(whole, [size, ...whole.shape]);
      }),
      types,
    );
  };
}

function batchedStep(
  { body }: ScanParams,
  has: readonly boolean[],
  size: number,
  axisName: Parameters<Primitive<ScanParams>["batch"]>[4],
): { inputs: Tensor[]; outputs: Tensor[]; batched: boolean[] } {
  const inputs = body.inputs.map((input, k) =>
    has[k] ? placeholder({ shape: [size, ...input.shape], dtype: input.dtype }, input.label as string) : input,
  );
  const which = body.inputs.filter((_, k) => has[k]);
  const values = inputs.filter((_, k) => has[k]);
  return { inputs, ...batchGraph(body.outputs, which, values, size, axisName) };
}

/** [a, b, ...] -> [b, a, ...] */
function swapFirst(x: Tensor): Tensor {
  return permute(x, [1, 0, ...range(x.rank).slice(2)]);
}
