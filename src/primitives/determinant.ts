import { onHost } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Smoothness, type Tensor, type Type } from "../graph/tensor.js";
import { determinant, type LU, logDeterminant, lu } from "../kernel/linalg/lu.js";
import { cofactors } from "../kernel/linalg/spectral.js";
import { finiteStack, sinkOf } from "../kernel/linalg/stack.js";
import type { NDArray } from "../kernel/ndarray.js";
import { times } from "./contract.js";
import { singularOf } from "./decompose.js";
import { flip, minus, sumOver } from "./linear.js";
import { adjoint, identityBeside, masked, product, spreadOver, squareMatrices } from "./matrix.js";
import { type Named, solve } from "./solve.js";

/** One number from a square matrix: the determinant, and its sign and logarithm for matrices whose determinant no float can hold. */

const dominant: LawInput = { shape: [3, 3], from: [-0.3, 0.3], dominant: true };
const cases = [
  [3, 3],
  [2, 2],
  [1, 1],
  [0, 0],
  [2, 3, 3],
].map((shape) => ({ ...dominant, shape }));

interface OfFactors {
  readonly value: (factors: LU, n: number) => number;
  /** The gradient [..., n, n]; null: piecewise constant. */
  readonly gradient: ((a: Tensor, where: string) => Tensor) | null;
  /** What a random matrix meets where it crosses the singular ones. */
  readonly crosses?: Smoothness;
  readonly laws: readonly LawInput[];
}

function ofFactors(name: string, { value, gradient, crosses, laws }: OfFactors): Primitive<Named> {
  const self: Primitive<Named> = {
    name,
    type: ([a], { where }) => {
      const { shape, dtype } = squareMatrices(where, a as Type);
      return { shape: shape.slice(0, -2), dtype };
    },
    run: ([a], { where }, out) => {
      const stack = finiteStack(where, a as NDArray);
      const sink = sinkOf(out.dtype, out.shape);
      for (let r = 0; r < stack.count; r++) sink.put(r, [value(lu(stack.at(r), stack.rows), stack.rows)]);
      return sink.done();
    },
    needs: "all",
    jvp: ([t], [a], { where }) => (t && gradient ? inner(gradient(a as Tensor, where), t) : null),
    transpose: null,
    linear: [],
    batch: ([a], _batched, params) => apply(self, [a as Tensor], params),
    reads: (_params, [a]) => [leading((a as Type).shape, (a as Type).shape.length - 2)],
    smooth: gradient === null ? "jump" : "smooth",
    smoothOn: () => [crosses ?? (gradient === null ? "jump" : "smooth")],
    lower: onHost,
    laws: laws.map((input) => ({ inputs: [input], params: { where: name } })),
  };
  return self;
}

/** Σ a·b over the matrix. */
function inner(a: Tensor, b: Tensor): Tensor {
  return sumOver(times(a, b), [a.rank - 2, a.rank - 1]);
}

/** The determinant, a polynomial: its first derivative, the cofactors, exists at singular matrices too. */
export const det: Primitive<Named> = ofFactors("det", {
  value: determinant,
  gradient: (a, where) => apply(cofactor, [a], { where }),
  laws: [...cases, { shape: [3, 3] }],
});

/** The sign of the determinant, 0 where it is zero. */
export const signdet: Primitive<Named> = ofFactors("signdet", {
  value: (factors, n) => logDeterminant(factors, n).sign,
  gradient: null,
  laws: cases,
});

/** log |det a|, −∞ where it is zero; its derivative a⁻ᵀ is an error there. */
export const logabsdet: Primitive<Named> = ofFactors("logabsdet", {
  value: (factors, n) => logDeterminant(factors, n).logAbs,
  gradient: (a, where) => apply(solve, [a, identityBeside(a)], { where, transposed: true }),
  crosses: "jump",
  laws: cases,
});

/**
 * C[i, j], the derivative of the determinant in a[i, j]. Where a is invertible C = det(a) a⁻ᵀ, and with it dC = (⟨C, da⟩ − C daᵀ) a⁻ᵀ; at a
 * singular a of three or more rows the derivative is an error.
 */
export const cofactor: Primitive<Named> = {
  name: "cofactor",
  type: ([a], { where }) => squareMatrices(where, a as Type),
  run: ([a], { where }, out) => {
    const stack = finiteStack(where, a as NDArray);
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < stack.count; r++) sink.put(r, cofactors(singularOf(where, a as NDArray, stack, r), stack.rows));
    return sink.done();
  },
  needs: "all",
  jvp: ([t], [a], { where }, out) => {
    const n = out.shape.at(-1) as number;
    if (!t || n < 2) return null;
    if (n === 2) return small(t);
    const trace = times(spreadOver(inner(out, t), out), identityBeside(out));
    return adjoint(apply(solve, [a as Tensor, minus(trace, product(t, adjoint(out)))], { where, transposed: false }));
  },
  transpose: null,
  linear: [],
  batch: ([a], _batched, params) => apply(cofactor, [a as Tensor], params),
  reads: (_params, [a]) => [leading((a as Type).shape, (a as Type).shape.length - 2)],
  smooth: "smooth",
  lower: onHost,
  laws: cases.map((input) => ({ inputs: [input], params: { where: "det" } })),
};

/** The cofactors of a matrix of two rows are its elements: linear. */
function small(a: Tensor): Tensor {
  const turned = apply(flip, [a], { axes: [a.rank - 2, a.rank - 1] });
  return minus(
    masked(turned, (i, j) => i === j),
    masked(turned, (i, j) => i !== j),
  );
}
