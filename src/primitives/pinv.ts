import { onHost } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { pseudoinverse } from "../kernel/linalg/spectral.js";
import { finiteStack, sinkOf } from "../kernel/linalg/stack.js";
import type { NDArray } from "../kernel/ndarray.js";
import { rectangles, singularOf } from "./decompose.js";
import { minus, plus } from "./linear.js";
import { adjoint, matrices, product } from "./matrix.js";
import type { Named } from "./solve.js";

export interface PinvParams extends Named {
  /** Singular values up to this times the largest count as zero. */
  readonly cutoff: number;
}

/**
 * The pseudoinverse of Moore and Penrose: a [..., m, n] -> p [..., n, m]. At constant rank (Golub and Pereyra 1973)
 * dp = −p da p + p pᵀ daᵀ (1 − a p) + (1 − p a) daᵀ pᵀ p. It jumps where the rank changes.
 */
export const pinv: Primitive<PinvParams> = {
  name: "pinv",
  type: ([a], { where }) => {
    const { shape, dtype } = matrices(where, a as Type);
    const [m, n] = shape.slice(-2) as [number, number];
    return { shape: [...shape.slice(0, -2), n, m], dtype };
  },
  run: ([a], { where, cutoff }, out) => {
    const stack = finiteStack(where, a as NDArray);
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < stack.count; r++) {
      const parts = singularOf(where, a as NDArray, stack, r);
      sink.put(r, pseudoinverse(parts, stack.rows, stack.columns, cutoff));
    }
    return sink.done();
  },
  needs: "all",
  jvp: ([t], [input], _params, p) => {
    if (!t) return null;
    const [a, back, q] = [input as Tensor, adjoint(t), adjoint(p)];
    const first = product(p, product(q, back));
    const second = product(back, product(q, p));
    return plus(
      minus(minus(first, product(product(first, a), p)), product(p, product(t, p))),
      minus(second, product(p, product(a, second))),
    );
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(pinv, [a as Tensor], params),
  reads: (_params, [a]) => [leading((a as Type).shape, (a as Type).shape.length - 2)],
  smooth: "kink",
  smoothOn: () => ["jump"],
  lower: onHost,
  laws: rectangles.map((input) => ({ inputs: [input], params: { where: "pinv", cutoff: 1e-12 } })),
};
