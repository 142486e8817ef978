import { fail } from "../base/errors.js";
import { normalAxis, show } from "../base/shape.js";
import * as interval from "../graph/interval.js";
import { affine } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as move from "../kernel/move.js";
import { allBatched, sliceAxis, zerosLike } from "./linear.js";

/** Tensors one after another along an axis. Its transpose takes slices. */
export const concat: Primitive<{ readonly axis: number }> = {
  name: "concat",
  type: (inputs, { axis }) => {
    const [first] = inputs as [Type];
    normalAxis("concat", axis, first.shape.length);
    for (const { shape, dtype } of inputs) {
      if (
        dtype !== first.dtype ||
        shape.length !== first.shape.length ||
        shape.some((n, i) => i !== axis && n !== first.shape[i])
      ) {
        fail({
          where: "concat",
          got: inputs.map((x) => `${x.dtype}${show(x.shape)}`).join(", "),
          expected: `types that differ on axis ${axis} only`,
        });
      }
    }
    const length = inputs.reduce((total, { shape }) => total + (shape[axis] as number), 0);
    return { shape: first.shape.map((n, i) => (i === axis ? length : n)), dtype: first.dtype };
  },
  run: (inputs, { axis }, out) => move.concat(inputs, axis, out),
  needs: "all",
  jvp: (tangents, inputs, params) =>
    tangents.some((t) => t !== null)
      ? apply(
          concat,
          tangents.map((t, i) => t ?? zerosLike(inputs[i] as Tensor)),
          params,
        )
      : null,
  transpose: (ct, linear, inputs, { axis }) => {
    let from = 0;
    return inputs.map((input, i) => {
      const start = from;
      from += input.shape[axis] as number;
      return linear[i] ? sliceAxis(ct, axis, start, from) : null;
    });
  },
  linear: "any",
  batch: (inputs, batched, { axis }, size) => apply(concat, allBatched(inputs, batched, size), { axis: axis + 1 }),
  reads: ({ axis }, inputs, out) => {
    let from = 0;
    return inputs.map(({ shape }) => {
      const start = shape.map((_, i) => (i === axis ? -from : 0));
      from += shape[axis] as number;
      return affine(shape, out.shape, new Array(shape.length).fill(1), start);
    });
  },
  smooth: "smooth",
  range: (inputs) => inputs.reduce(interval.hull),
  lower: { kind: "concat", axis: ({ axis }) => axis },
  laws: [{ inputs: [{ shape: [2, 1] }, { shape: [2, 3] }], params: { axis: 1 } }],
};
