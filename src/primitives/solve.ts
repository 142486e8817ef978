import { fail } from "../base/errors.js";
import { range } from "../base/shape.js";
import { onHost } from "../graph/lowering.js";
import { leading, letters, linked, type ReadLink } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { lu, luSolve } from "../kernel/linalg/lu.js";
import { brief, finiteStack, naming, sinkOf, stackOf } from "../kernel/linalg/stack.js";
import * as kernel from "../kernel/linalg/triangular.js";
import type { NDArray } from "../kernel/ndarray.js";
import { allBatched, minus, negate } from "./linear.js";
import { adjoint, apartAgain, besideEachOther, equations, masked, product } from "./matrix.js";

/**
 * Systems of linear equations: linear in the right side, which may hold anything (a NaN stays in its column). Matrices must be finite.
 * With a x = b the tangent is a⁻¹ (db − da x): the same operation again, so every order of derivatives is there.
 */

/** The function in whose name errors speak. */
export interface Named {
  readonly where: string;
}

export interface SolveParams extends Named {
  /** The equation is aᵀ x = b. */
  readonly transposed: boolean;
}

const rightSide: LawInput = { shape: [3, 2] };
const dominant: LawInput = { shape: [3, 3], from: [-0.3, 0.3], dominant: true };

/** One matrix and many right sides are one larger right side: the matrix is factored once. */
function batchSolve<P>(self: Primitive<P>): Primitive<P>["batch"] {
  return (inputs, batched, params, size) => {
    const [a, b] = inputs as [Tensor, Tensor];
    if (!batched[0]) return apartAgain(apply(self, [a, besideEachOther(b)], params), size, b.shape.at(-1) as number);
    return apply(self, allBatched([a, b], batched, size), params);
  };
}

/** Right sides keep to their batch axes and their column. */
function columnsOf({ shape }: Type): readonly ReadLink[] {
  return letters(
    shape,
    [...range(shape.length - 2), shape.length - 1].map((axis) => [axis, axis] as const),
  );
}

/** a [...b, n, n], b [...b, n, k] -> x [...b, n, k] with a x = b, by elimination with partial pivoting. @throws on a singular a */
export const solve: Primitive<SolveParams> = {
  name: "solve",
  type: ([a, b], { where }) => equations(where, a as Type, b as Type),
  run: ([a, b], { where, transposed }, out) => {
    const [left, right] = [finiteStack(where, a as NDArray), stackOf(b as NDArray)];
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < left.count; r++) {
      const factors = lu(left.at(r), left.rows);
      if (factors.noise >= 0) {
        const n = left.rows;
        const pivot = factors.lu[factors.noise * (n + 1)] as number;
        singular(where, a as NDArray, r, `whose pivot ${factors.noise} is ${brief(pivot)}, zero up to rounding`);
      }
      sink.put(r, luSolve(factors, left.rows, right.at(r), right.columns, transposed));
    }
    return sink.done();
  },
  needs: "all",
  jvp: ([s, t], [a], params, out) => {
    const turned = s && params.transposed ? adjoint(s) : s;
    const rest = right(t ?? null, turned ? product(turned, out) : null);
    return rest && apply(solve, [a as Tensor, rest], params);
  },
  transpose: (ct, _linear, [a], { where, transposed }) => [
    null,
    apply(solve, [a as Tensor, ct], { where, transposed: !transposed }),
  ],
  linear: [1],
  batch: (...args) => batchSolve(solve)(...args),
  reads: (_params, [a, b]) => [leading((a as Type).shape, (a as Type).shape.length - 2), columnsOf(b as Type)],
  smooth: "smooth",
  // A random matrix that crosses the singular ones is a denominator that crosses 0.
  smoothOn: () => ["jump", "smooth"],
  lower: onHost,
  laws: [
    { inputs: [dominant, rightSide], params: { where: "solve", transposed: false } },
    { inputs: [dominant, rightSide], params: { where: "solve", transposed: true } },
    {
      inputs: [{ ...dominant, shape: [2, 2, 2] }, { shape: [2, 2, 3] }],
      params: { where: "solve", transposed: false },
    },
    { inputs: [{ ...dominant, shape: [0, 0] }, { shape: [0, 2] }], params: { where: "solve", transposed: false } },
  ],
};

/** db − da x; null: zero. */
function right(t: Tensor | null, pulled: Tensor | null): Tensor | null {
  return pulled === null ? t : t === null ? negate(pulled) : minus(t, pulled);
}

function singular(where: string, a: NDArray, r: number, what: string): never {
  return fail({
    where,
    got: `${naming(a.shape, r)}, ${what}`,
    expected: "an invertible matrix",
    write: "pinv(a) where least squares will do, or add a multiple of eye(n)",
  });
}

export interface TriangleParams extends Named, kernel.Triangle {
  /** The diagonal is that of a Cholesky or QR factor, and is never 0. */
  readonly factor?: boolean;
}

/**
 * t [...b, n, n], b [...b, n, k] -> x [...b, n, k] with t x = b, where only one triangle of t is read.
 * @throws where an element of the diagonal is zero
 */
export const triangularSolve: Primitive<TriangleParams> = {
  name: "triangularSolve",
  type: ([t, b], { where }) => equations(where, t as Type, b as Type),
  run: ([t, b], params, out) => {
    const { where, unit } = params;
    const [left, rightSides] = [finiteStack(where, t as NDArray), stackOf(b as NDArray)];
    const sink = sinkOf(out.dtype, out.shape);
    for (let r = 0; r < left.count; r++) {
      const [matrix, x] = [left.at(r), rightSides.at(r)];
      const zero = unit ? -1 : kernel.zeroPivot(matrix, left.rows);
      if (zero >= 0) singular(where, t as NDArray, r, `whose element [${zero}, ${zero}] on the diagonal is 0`);
      kernel.triangularSolve(matrix, left.rows, x, rightSides.columns, params);
      sink.put(r, x);
    }
    return sink.done();
  },
  needs: "all",
  jvp: ([s, tb], [t], params, out) => {
    const inside = s && triangleOf(s, params);
    const turned = inside && params.transposed ? adjoint(inside) : inside;
    const rest = right(tb ?? null, turned ? product(turned, out) : null);
    return rest && apply(triangularSolve, [t as Tensor, rest], params);
  },
  transpose: (ct, _linear, [t], params) => [
    null,
    apply(triangularSolve, [t as Tensor, ct], { ...params, transposed: !params.transposed }),
  ],
  linear: [1],
  batch: (...args) => batchSolve(triangularSolve)(...args),
  reads: ({ lower, transposed }, [t, b], out) => {
    // Substitution from the top reads nothing below the row it is at, and from the bottom nothing above.
    const [lo, hi] = lower !== transposed ? [-Infinity, 0] : [0, Infinity];
    const row = out.shape.length - 2;
    const from = ({ shape }: Type, axis: number): ReadLink => linked(shape, axis, out.shape, row, 1, lo, hi);
    return [
      [...leading((t as Type).shape, row), from(t as Type, row), from(t as Type, row + 1)],
      [...columnsOf(b as Type), from(b as Type, row)],
    ];
  },
  smooth: "smooth",
  smoothOn: (_inputs, { unit, factor }) => [unit || factor ? "smooth" : "jump", "smooth"],
  lower: onHost,
  laws: [
    ...[true, false].flatMap((lower) =>
      [true, false].map((transposed) => ({
        inputs: [dominant, rightSide],
        params: { where: "triangularSolve", lower, transposed, unit: false },
      })),
    ),
    {
      inputs: [{ shape: [3, 3] }, rightSide],
      params: { where: "triangularSolve", lower: true, transposed: false, unit: true },
    },
    {
      inputs: [{ ...dominant, shape: [2, 2, 2] }, { shape: [2, 2, 3] }],
      params: { where: "triangularSolve", lower: false, transposed: true, unit: false },
    },
    {
      inputs: [{ ...dominant, shape: [0, 0] }, { shape: [0, 2] }],
      params: { where: "triangularSolve", lower: true, transposed: false, unit: false },
    },
  ],
};

/** The part that is read. */
function triangleOf(a: Tensor, { lower, unit }: TriangleParams): Tensor {
  return masked(a, (i, j) => (i === j ? !unit : lower ? j < i : j > i));
}
