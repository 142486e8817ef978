import { fail } from "../base/errors.js";
import { pointwise } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { elements, type NDArray } from "../kernel/ndarray.js";

export interface Demand {
  /** "Bernoulli" */
  readonly where: string;
  /** The parameter: "probs" */
  readonly name: string;
  /** "a probability in [0, 1]" */
  readonly expected: string;
  readonly holds: (x: number) => boolean;
}

/** The identity that looks at its numbers when they are computed. @throws naming the first element that does not fit */
export const validate: Primitive<Demand> = {
  name: "validate",
  type: ([a]) => ({ shape: (a as Type).shape, dtype: (a as Type).dtype }),
  run: ([a], { where, name, expected, holds }) => {
    const x = elements(a as NDArray);
    for (let i = 0; i < x.length; i++) {
      if (!holds(x[i] as number)) fail({ where, got: `${name}${place(i, (a as NDArray).shape)} = ${x[i]}`, expected });
    }
    return a as NDArray;
  },
  needs: "all",
  jvp: ([t]) => t as Tensor | null,
  transpose: (ct) => [ct],
  linear: "any",
  batch: ([a], _batched, params) => apply(validate, [a as Tensor], params),
  reads: (_params, _inputs, out) => [pointwise(out.shape)],
  smooth: "smooth",
  laws: [{ inputs: [{ shape: [2, 3] }], params: { where: "law", name: "x", expected: "a number", holds: (x) => x === x } }],
};

/** Row-major index of element i, as `[1, 2]`; nothing for a scalar. */
function place(i: number, shape: readonly number[]): string {
  const index: number[] = [];
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(rest % (shape[axis] as number));
    rest = Math.floor(rest / (shape[axis] as number));
  }
  return shape.length === 0 ? "" : `[${index.join(", ")}]`;
}
