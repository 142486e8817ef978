import { fail } from "../base/errors.js";
import { onHost } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as kernel from "../kernel/linalg/eigh.js";
import { finiteStack, naming, type Stack, sinkOf, symmetrised, turned } from "../kernel/linalg/stack.js";
import { type Singular, svd as svdOf } from "../kernel/linalg/svd.js";
import type { NDArray } from "../kernel/ndarray.js";
import { minus, negate, plus, zerosLike } from "./linear.js";
import { adjoint, antisymmetric, columnProducts, matrices, product, squareMatrices, symmetric } from "./matrix.js";
import { type GapParams, gapQuotient } from "./quotient.js";
import type { Named } from "./solve.js";
import { part, tuple, tupleType, tupleValue } from "./tuple.js";

/**
 * Eigenvalues and singular values. The values alone are primitives of their own: they are continuous everywhere and have derivatives
 * where they are equal too. Vectors turn by an angle per pair, a quotient over the difference of the two values; where that is zero they
 * have no derivative, and one that needs it is an error (`gapQuotient`). Their sign is a convention, so as values they jump.
 */

const dominant: LawInput = { shape: [3, 3], from: [-0.3, 0.3], dominant: true };
const squares: readonly LawInput[] = [
  [3, 3],
  [1, 1],
  [0, 0],
  [2, 2, 2],
].map((shape) => ({ ...dominant, shape }));
export const rectangles: readonly LawInput[] = [
  [3, 3],
  [4, 2],
  [2, 4],
  [2, 3, 2],
  [3, 0],
  [1, 1],
].map((shape) => ({
  ...dominant,
  shape,
}));

function lead({ shape }: Type): ReturnType<typeof leading> {
  return leading(shape, shape.length - 2);
}

const stuck = (where: string, a: NDArray, r: number): never =>
  fail({ where, what: `the iteration on ${naming(a.shape, r)} did not converge` });

function eigenOf(where: string, a: NDArray, stack: Stack, r: number, vectors: boolean): kernel.Eigen {
  return kernel.eigh(symmetrised(stack.at(r), stack.rows), stack.rows, vectors) ?? stuck(where, a, r);
}

export function singularOf(where: string, a: NDArray, stack: Stack, r: number): Singular {
  return svdOf(stack.at(r), stack.rows, stack.columns) ?? stuck(where, a, r);
}

/** The eigenvalues of (a + aᵀ)/2, rising: a [..., n, n] -> [..., n]. dλᵢ = vᵢᵀ da vᵢ. */
export const eigvalsh: Primitive<Named> = {
  name: "eigvalsh",
  type: ([a], { where }) => {
    const { shape, dtype } = squareMatrices(where, a as Type);
    return { shape: shape.slice(0, -1), dtype };
  },
  run: ([a], { where }, out) => {
    const stack = finiteStack(where, a as NDArray);
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < stack.count; r++) sink.put(r, eigenOf(where, a as NDArray, stack, r, false).values);
    return sink.done();
  },
  needs: "all",
  jvp: ([t], [a], params) => {
    if (!t) return null;
    const vectors = part(apply(eigh, [a as Tensor], params), 1);
    return columnProducts(vectors, product(symmetric(t), vectors));
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(eigvalsh, [a as Tensor], params),
  reads: (_params, [a]) => [lead(a as Type)],
  smooth: "kink",
  lower: onHost,
  laws: squares.map((input) => ({ inputs: [input], params: { where: "eigvalsh" } })),
};

/** Eigenvalues [..., n], rising, and eigenvectors as the columns of [..., n, n], of (a + aᵀ)/2. dV = V W, with Wᵢⱼ = (Vᵀ da V)ᵢⱼ / (λⱼ − λᵢ). */
export const eigh: Primitive<Named> = {
  name: "eigh",
  type: ([a], { where }) => {
    const { shape, dtype } = squareMatrices(where, a as Type);
    return tupleType([
      { shape: shape.slice(0, -1), dtype },
      { shape, dtype },
    ]);
  },
  run: ([a], { where }, out, wanted) => {
    const stack = finiteStack(where, a as NDArray);
    const [values, vectors] = (out.parts as readonly Type[]).map(({ dtype, shape }) => sinkOf(dtype, shape));
    for (let r = 0; r < stack.count; r++) {
      const found = eigenOf(where, a as NDArray, stack, r, wanted.has(1));
      values?.put(r, found.values);
      if (found.vectors) vectors?.put(r, turned(found.vectors, stack.rows, stack.rows));
    }
    return tupleValue([values, vectors].map((sink) => sink?.done() as NDArray));
  },
  needs: "all",
  jvp: ([t], _inputs, { where }, out) => {
    if (!t) return null;
    const [values, vectors] = [part(out, 0), part(out, 1)];
    const pushed = product(symmetric(t), vectors);
    const turn = rotation(where, product(adjoint(vectors), pushed), values);
    return tuple([columnProducts(vectors, pushed), product(vectors, turn)], out.parts as readonly Type[]);
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(eigh, [a as Tensor], params),
  reads: (_params, [a]) => [lead(a as Type)],
  smooth: "kink",
  smoothOn: () => ["jump"],
  lower: onHost,
  laws: squares.map((input) => ({ inputs: [input], params: { where: "eigh" } })),
};

function quotient(inputs: readonly Tensor[], params: Omit<GapParams, "reverse">): Tensor {
  return apply(gapQuotient, inputs, { ...params, reverse: false });
}

/** The antisymmetric matrix sym(m)ᵢⱼ / (vⱼ − vᵢ). */
function rotation(where: string, m: Tensor, values: Tensor): Tensor {
  return quotient([symmetric(m), values, values], { where, what: "values", pairs: true });
}

/** The singular values, falling: a [..., m, n] -> [..., min(m, n)]. dsᵢ = uᵢᵀ da vᵢ. */
export const svdvals: Primitive<Named> = {
  name: "svdvals",
  type: ([a], { where }) => {
    const { shape, dtype } = matrices(where, a as Type);
    return { shape: [...shape.slice(0, -2), Math.min(...shape.slice(-2))], dtype };
  },
  run: ([a], { where }, out) => {
    const stack = finiteStack(where, a as NDArray);
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < stack.count; r++) sink.put(r, singularOf(where, a as NDArray, stack, r).values);
    return sink.done();
  },
  needs: "all",
  jvp: ([t], [a], params) => {
    if (!t) return null;
    const node = apply(svd, [a as Tensor], params);
    return columnProducts(part(node, 0), product(t, adjoint(part(node, 2))));
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(svdvals, [a as Tensor], params),
  reads: (_params, [a]) => [lead(a as Type)],
  smooth: "kink",
  lower: onHost,
  laws: rectangles.map((input) => ({ inputs: [input], params: { where: "svdvals" } })),
};

/** u [..., m, k], s [..., k] falling, vh [..., k, n] with a = u diag(s) vh, k = min(m, n). */
export const svd: Primitive<Named> = {
  name: "svd",
  type: ([a], { where }) => {
    const { shape, dtype } = matrices(where, a as Type);
    const [m, n] = shape.slice(-2) as [number, number];
    const [front, k] = [shape.slice(0, -2), Math.min(m, n)];
    return tupleType([[m, k], [k], [k, n]].map((own) => ({ shape: [...front, ...own], dtype })));
  },
  run: ([a], { where }, out) => {
    const stack = finiteStack(where, a as NDArray);
    const [u, s, vh] = (out.parts as readonly Type[]).map(({ dtype, shape }) => sinkOf(dtype, shape));
    for (let r = 0; r < stack.count; r++) {
      const { values, left, right } = singularOf(where, a as NDArray, stack, r);
      u?.put(r, turned(left, values.length, stack.rows));
      s?.put(r, values);
      vh?.put(r, right);
    }
    return tupleValue([u, s, vh].map((sink) => sink?.done() as NDArray));
  },
  needs: "all",
  jvp: ([t], _inputs, { where }, out) => {
    if (!t) return null;
    const [u, s, v] = [part(out, 0), part(out, 1), adjoint(part(out, 2))];
    const pushed = product(t, v);
    const inside = product(adjoint(u), pushed);
    // With X = uᵀ du and Y = vᵀ dv, inside = X s − s Y off the diagonal; its symmetric part gives X + Y, the other X − Y.
    const together = rotation(where, inside, s);
    const apart = quotient([antisymmetric(inside), negate(s), s], { where, what: "zero values", pairs: true });
    const du = outside(where, product(u, plus(together, apart)), u, pushed, s);
    const dv = outside(where, product(v, minus(together, apart)), v, product(adjoint(t), u), s);
    return tuple([du, columnProducts(u, pushed), adjoint(dv)], out.parts as readonly Type[]);
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(svd, [a as Tensor], params),
  reads: (_params, [a]) => [lead(a as Type)],
  smooth: "kink",
  smoothOn: () => ["jump"],
  lower: onHost,
  laws: rectangles.map((input) => ({ inputs: [input], params: { where: "svd" } })),
};

/** `inner` and what leads out of the space that the columns of q span: (1 − q qᵀ) pushed / s. */
function outside(where: string, inner: Tensor, q: Tensor, pushed: Tensor, s: Tensor): Tensor {
  const [m, k] = q.shape.slice(-2) as [number, number];
  if (m === k) return inner;
  const rest = (x: Tensor): Tensor => minus(x, product(q, product(adjoint(q), x)));
  const zeros = zerosLike({ shape: [...s.shape.slice(0, -1), m], dtype: s.dtype });
  return plus(inner, rest(quotient([rest(pushed), zeros, s], { where, what: "zero values", pairs: false })));
}
