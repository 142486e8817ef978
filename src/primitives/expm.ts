import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import { onHost } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as kernel from "../kernel/linalg/expm.js";
import { finiteStack, sinkOf, stackOf } from "../kernel/linalg/stack.js";
import type { NDArray } from "../kernel/ndarray.js";
import { concat } from "./concat.js";
import { allBatched, plus, sliceAxis, zerosLike } from "./linear.js";
import { adjoint, squareMatrices } from "./matrix.js";
import type { Named } from "./solve.js";

/**
 * The exponential of a matrix, and its derivative along another one. The second derivative is the first one of matrices of twice the size, so
 * the two are closed under differentiation, of any order.
 */

const shapes: readonly (readonly number[])[] = [
  [3, 3],
  [1, 1],
  [0, 0],
  [2, 2, 2],
];
const input = (shape: readonly number[]): LawInput => ({ shape, from: [-1, 1] });

export const matrixExp: Primitive<Named> = {
  name: "matrixExp",
  type: ([a], { where }) => squareMatrices(where, a as Type),
  run: ([a], { where }, out) => {
    const stack = finiteStack(where, a as NDArray);
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < stack.count; r++) sink.put(r, kernel.expm(stack.at(r), stack.rows));
    return sink.done();
  },
  needs: "all",
  jvp: ([t], [a], params) => (t ? apply(matrixExpAlong, [a as Tensor, t], params) : null),
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(matrixExp, [a as Tensor], params),
  reads: (_params, [a]) => [leading((a as Type).shape, (a as Type).shape.length - 2)],
  smooth: "smooth",
  lower: onHost,
  laws: shapes.map((shape) => ({ inputs: [input(shape)], params: { where: "matrixExp" } })),
};

/** L(a, e) = d/dt exp(a + t e) at t = 0: a, e [..., n, n] -> [..., n, n], linear in e, with L(aᵀ, ·) as its transpose. */
export const matrixExpAlong: Primitive<Named> = {
  name: "matrixExpAlong",
  type: ([a, e], { where }) => {
    const type = squareMatrices(where, a as Type);
    const other = e as Type;
    if (!sameShape(type.shape, other.shape) || type.dtype !== other.dtype)
      fail({
        where,
        got: `${type.dtype}${show(type.shape)} and ${other.dtype}${show(other.shape)}`,
        expected: "equal types",
      });
    return type;
  },
  run: ([a, e], { where }, out) => {
    const [stack, along] = [finiteStack(where, a as NDArray), stackOf(e as NDArray)];
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < stack.count; r++) sink.put(r, kernel.expmAlong(stack.at(r), along.at(r), stack.rows));
    return sink.done();
  },
  needs: "all",
  jvp: ([s, t], [a, e], params) => {
    const own = t && apply(matrixExpAlong, [a as Tensor, t], params);
    if (!s) return own ?? null;
    // exp [[a, e], [0, a]] holds L(a, e) in its corner; its derivative along [[s, 0], [0, s]] is one more L.
    const whole = blocks(a as Tensor, e as Tensor);
    const moved = corner(apply(matrixExpAlong, [whole, blocks(s, zerosLike(s))], params));
    return own ? plus(own, moved) : moved;
  },
  transpose: (ct, _linear, [a], params) => [null, apply(matrixExpAlong, [adjoint(a as Tensor), ct], params)],
  linear: [1],
  batch: (inputs, batched, params, size) => apply(matrixExpAlong, allBatched(inputs, batched, size), params),
  reads: (_params, inputs) => inputs.map(({ shape }) => leading(shape, shape.length - 2)),
  smooth: "smooth",
  lower: onHost,
  laws: shapes.map((shape) => ({ inputs: [input(shape), input(shape)], params: { where: "matrixExp" } })),
};

/** [[a, e], [0, a]] */
function blocks(a: Tensor, e: Tensor): Tensor {
  const beside = (x: Tensor, y: Tensor): Tensor => apply(concat, [x, y], { axis: a.rank - 1 });
  return apply(concat, [beside(a, e), beside(zerosLike(a), a)], { axis: a.rank - 2 });
}

/** The upper right block. */
function corner(a: Tensor): Tensor {
  const n = (a.shape.at(-1) as number) / 2;
  return sliceAxis(sliceAxis(a, -2, 0, n), -1, n, 2 * n);
}
