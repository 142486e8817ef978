import { fail } from "../base/errors.js";
import { onHost } from "../graph/lowering.js";
import { leading, linked } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { cholesky as choleskyOf } from "../kernel/linalg/cholesky.js";
import { qr as qrOf } from "../kernel/linalg/qr.js";
import { brief, finiteStack, naming, sinkOf, symmetrised } from "../kernel/linalg/stack.js";
import type { NDArray } from "../kernel/ndarray.js";
import { half, times } from "./contract.js";
import { minus, sliceAxis } from "./linear.js";
import { adjoint, masked, matrices, product, squareMatrices, symmetric } from "./matrix.js";
import { type Named, triangularSolve } from "./solve.js";
import { part, tuple, tupleType, tupleValue } from "./tuple.js";

/** A matrix as a product of simpler ones, found in finitely many steps. */

const dominant: LawInput = { shape: [3, 3], from: [-0.3, 0.3], dominant: true };

/**
 * The lower triangle L with L Lᵀ = (a + aᵀ)/2: both halves of a [..., n, n] are read and share the derivative evenly, as in JAX.
 * dL = L Φ(L⁻¹ da L⁻ᵀ), where Φ takes the lower triangle with half of the diagonal (Murray 2016, arXiv:1602.07527).
 * @throws naming the first matrix that is not positive definite
 */
export const cholesky: Primitive<Named> = {
  name: "cholesky",
  type: ([a], { where }) => squareMatrices(where, a as Type),
  run: ([a], { where }, out) => {
    const stack = finiteStack(where, a as NDArray);
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < stack.count; r++) {
      const n = stack.rows;
      const l = symmetrised(stack.at(r), n);
      const bad = choleskyOf(l, n);
      if (bad >= 0)
        fail({
          where,
          got: `${naming(out.shape, r)}, whose leading minor of order ${bad + 1} is not positive (pivot ${brief(l[bad * (n + 1)] as number)})`,
          expected: "a positive definite matrix",
          write: "add a small multiple of eye(n) where rounding is the cause, or take eigh(a)",
        });
      sink.put(r, l);
    }
    return sink.done();
  },
  needs: "all",
  jvp: ([t], _inputs, { where }, l) => {
    if (!t) return null;
    const params = { where, lower: true, transposed: false, unit: false };
    // L⁻¹ da L⁻ᵀ is symmetric, so its transpose does.
    const once = apply(triangularSolve, [l, symmetric(t)], params);
    const inner = apply(triangularSolve, [l, adjoint(once)], params);
    return product(l, lowerHalf(inner));
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(cholesky, [a as Tensor], params),
  reads: (_params, [a], out) => {
    // Row i of L comes from the leading block of i + 1 rows and columns.
    const { shape } = a as Type;
    const row = shape.length - 2;
    const above = [row, row + 1].map((axis) => linked(shape, axis, out.shape, row, 1, -Infinity, 0));
    return [[...leading(shape, row), ...above]];
  },
  smooth: "smooth",
  lower: onHost,
  laws: [
    [3, 3],
    [1, 1],
    [0, 0],
    [2, 2, 2],
  ].map((shape) => ({
    inputs: [{ ...dominant, shape }],
    params: { where: "cholesky" },
  })),
};

/** The lower triangle with half of the diagonal. */
function lowerHalf(a: Tensor): Tensor {
  return minus(
    masked(a, (i, j) => j <= i),
    times(
      half(a),
      masked(a, (i, j) => i === j),
    ),
  );
}

function qrRun(where: string, a: NDArray, out: Type): NDArray {
  const stack = finiteStack(where, a);
  const [q, r] = (out.parts as readonly Type[]).map(({ dtype, shape }) => sinkOf(dtype, shape));
  for (let i = 0; i < stack.count; i++) {
    const factors = qrOf(stack.at(i), stack.rows, stack.columns);
    q?.put(i, factors.q);
    r?.put(i, factors.r);
  }
  return tupleValue([q, r].map((sink) => sink?.done() as NDArray));
}

/**
 * With x = da₁ r₁⁻¹ of the first k columns, Ω = qᵀ dq is the antisymmetric matrix with the lower triangle of qᵀ x, dq = x − q (qᵀ x − Ω) and
 * dr = qᵀ da − Ω r. @throws where the first k columns depend on each other
 */
function qrTangent(where: string, t: Tensor, out: Tensor): Tensor {
  const [q, r] = [part(out, 0), part(out, 1)];
  const k = r.shape.at(-2) as number;
  const [t1, r1] = [sliceAxis(t, -1, 0, k), sliceAxis(r, -1, 0, k)];
  const x = adjoint(apply(triangularSolve, [r1, adjoint(t1)], { where, lower: false, transposed: true, unit: false }));
  const inside = product(adjoint(q), x);
  const below = masked(inside, (i, j) => j < i);
  const turn = minus(below, adjoint(below));
  const dq = minus(x, product(q, minus(inside, turn)));
  const dr = minus(product(adjoint(q), t), product(turn, r));
  return tuple([dq, masked(dr, (i, j) => j >= i)], out.parts as readonly Type[]);
}

/**
 * a [..., m, n] -> q [..., m, k] with orthonormal columns and r [..., k, n], an upper triangle whose diagonal is not negative,
 * k = min(m, n).
 */
function qrOfShape(name: string, tall: boolean, cases: readonly (readonly number[])[]): Primitive<Named> {
  const self: Primitive<Named> = {
    name,
    type: ([a], { where }) => {
      const { shape, dtype } = matrices(where, a as Type);
      const [m, n] = shape.slice(-2) as [number, number];
      if (m > n !== tall)
        fail({
          where,
          got: `${m} rows and ${n} columns`,
          expected: tall ? "more rows than columns" : "no more rows than columns",
        });
      const k = Math.min(m, n);
      return tupleType(
        [
          [m, k],
          [k, n],
        ].map((own) => ({ shape: [...shape.slice(0, -2), ...own], dtype })),
      );
    },
    run: ([a], { where }, out) => qrRun(where, a as NDArray, out),
    needs: "all",
    jvp: ([t], _inputs, { where }, out) => (t ? qrTangent(where, t, out) : null),
    transpose: null,
    linear: [],
    batch: ([a], _batched, params) => apply(self, [a as Tensor], params),
    reads: (_params, [a], out) => {
      // A column comes from the columns up to it.
      const { shape } = a as Type;
      const column = shape.length - 1;
      return [[...leading(shape, column - 1), linked(shape, column, out.shape, column, 1, -Infinity, 0)]];
    },
    smooth: "smooth",
    // The last column of a square q turns around where the determinant crosses zero. A tall matrix loses its rank in isolated places only.
    smoothOn: () => [tall ? "smooth" : "jump"],
    lower: onHost,
    laws: cases.map((shape) => ({ inputs: [{ ...dominant, shape }], params: { where: "qr" } })),
  };
  return self;
}

/** Of more rows than columns. */
export const qr: Primitive<Named> = qrOfShape("qr", true, [
  [4, 3],
  [2, 3, 2],
  [3, 0],
]);
/** Of no more rows than columns. */
export const qrWide: Primitive<Named> = qrOfShape("qrWide", false, [
  [3, 3],
  [2, 4],
  [2, 2, 2],
  [1, 1],
  [0, 0],
]);
