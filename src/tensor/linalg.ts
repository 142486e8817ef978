import { type DType, isFloat, promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes, type Shape, show, sizeOf } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import * as decompose from "../primitives/decompose.js";
import * as determinant from "../primitives/determinant.js";
import * as exponential from "../primitives/expm.js";
import * as factor from "../primitives/factor.js";
import { broadcastTo, reshapeTo } from "../primitives/linear.js";
import { adjoint, apartAgain, besideEachOther, diagonalOf, identityBeside, product } from "../primitives/matrix.js";
import { pinv as pinvPrimitive } from "../primitives/pinv.js";
import * as equations from "../primitives/solve.js";
import { partsOf } from "../primitives/tuple.js";
import { abs, log, mul, toDType } from "./elementwise.js";
import { norm } from "./norms.js";
import { together } from "./operands.js";
import { max, sum } from "./reducing.js";

/**
 * Dense linear algebra. Matrices are the last two axes, the others are a batch. Everything is computed in float64 and rounded to float32
 * at the end for float32. A matrix must hold finite numbers; right sides may hold anything.
 */

/** A stack of matrices of floats. */
function matrices(where: string, x: TensorLike, square = false): Tensor {
  const a = asTensor(x);
  const [n, m] = a.shape.slice(-2);
  if (a.rank < 2 || (square && n !== m))
    fail({
      where,
      got: show(a.shape),
      expected: square ? "square matrices, [..., n, n]" : "matrices, a shape of at least two axes",
    });
  return isFloat(a.dtype) ? a : toDType(a, "float32");
}

type System = (a: Tensor, b: Tensor) => Tensor;

/**
 * Calls `f` with matrices a [...c, m, n] and right sides b [...c, m, k] of one dtype. As in NumPy 2, b with one axis is a vector and the
 * result is one, and b with more is a matrix of columns; the leading axes broadcast.
 */
function system(where: string, a: TensorLike, b: TensorLike, f: System, square = true): Tensor {
  const [first, y] = together(a, b) as [Tensor, Tensor];
  const x = matrices(where, first, square);
  const vector = y.rank === 1;
  const rows = vector ? y.shape[0] : y.shape.at(-2);
  if (y.rank === 0 || rows !== x.shape.at(-2))
    fail({
      where,
      got: `a ${show(x.shape)} and b ${show(y.shape)}`,
      expected: `b of [${x.shape.at(-2)}] or [..., ${x.shape.at(-2)}, k]`,
      write: y.rank > 1 ? "b.expandDims(-1) if b is a stack of vectors" : undefined,
    });
  const dtype: DType = promote(x.dtype, y.dtype);
  const [left, right] = [toDType(x, dtype), toDType(vector ? reshapeTo(y, [...y.shape, 1]) : y, dtype)];
  const out = broadcasting(where, left, right, f);
  return vector ? reshapeTo(out, out.shape.slice(0, -1)) : out;
}

function broadcasting(where: string, a: Tensor, b: Tensor, f: System): Tensor {
  const [own, other] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [n, k] = b.shape.slice(-2) as [number, number];
  if (own.length === 0 && other.length > 0) {
    // One matrix for all: factored once.
    const size = sizeOf(other);
    const out = apartAgain(f(a, besideEachOther(reshapeTo(b, [size, n, k]))), size, k);
    return reshapeTo(out, [...other, ...out.shape.slice(1)]);
  }
  const lead: Shape = broadcastShapes(where, own, other);
  return f(broadcastTo(a, [...lead, ...a.shape.slice(-2)]), broadcastTo(b, [...lead, n, k]));
}

/**
 * The lower triangle L with L Lᵀ = a, for symmetric positive definite a [..., n, n]. Of an a that is not symmetric it is the one of
 * (a + aᵀ)/2. @throws on reading, naming the first matrix that is not positive definite
 */
export function cholesky(a: TensorLike): Tensor {
  return apply(factor.cholesky, [matrices("cholesky", a, true)], { where: "cholesky" });
}

/**
 * x with a x = b, for a [..., n, n] and b [n] or [..., n, k]; leading axes broadcast. A stack of vectors [..., n] is written
 * b.expandDims(-1), as in NumPy 2. @throws on reading, naming the first matrix that is singular up to rounding
 */
export function solve(a: TensorLike, b: TensorLike): Tensor {
  const params = { where: "solve", transposed: false };
  return system("solve", a, b, (x, y) => apply(equations.solve, [x, y], params));
}

export interface TriangularOptions {
  /** Which triangle is read; the other may hold anything finite. Default true. */
  readonly lower?: boolean;
  /** The equation is aᵀ x = b. Default false. */
  readonly transposed?: boolean;
  /** The diagonal counts as ones and is not read. Default false. */
  readonly unitDiagonal?: boolean;
}

/** x with t x = b for a triangle t [..., n, n], b as for `solve`. @throws on reading, where an element of the diagonal is zero */
export function triangularSolve(
  t: TensorLike,
  b: TensorLike,
  { lower = true, transposed = false, unitDiagonal: unit = false }: TriangularOptions = {},
): Tensor {
  const params = { where: "triangularSolve", lower, transposed, unit };
  return system("triangularSolve", t, b, (x, y) =>
    apply(equations.triangularSolve, [x, y], { ...params, factor: isFactor(x) }),
  );
}

/** Whether a matrix is a Cholesky factor, moved or not: its diagonal is never 0. */
function isFactor(a: Tensor): boolean {
  let at = a;
  while (at.primitive !== null && ["broadcast", "reshape", "named", "alias", "transpose"].includes(at.primitive.name))
    at = at.inputs[0] as Tensor;
  return at.primitive === factor.cholesky;
}

/** x with a x = b from L = cholesky(a): L [..., n, n], b as for `solve`. */
export function choleskySolve(l: TensorLike, b: TensorLike): Tensor {
  return system("choleskySolve", l, b, (x, y) => {
    const params = { where: "choleskySolve", lower: true, transposed: false, unit: false, factor: true };
    const half = apply(equations.triangularSolve, [x, y], params);
    return apply(equations.triangularSolve, [x, half], { ...params, transposed: true });
  });
}

/** The inverse of a [..., n, n]. Where it is multiplied with something, `solve` is quicker and more accurate. @throws as `solve` */
export function inverse(a: TensorLike): Tensor {
  const x = matrices("inverse", a, true);
  return apply(equations.solve, [x, identityBeside(x)], { where: "inverse", transposed: false });
}

/**
 * The determinant of a [..., n, n], with derivatives at singular matrices too: the first always, later ones for up to two rows and where
 * a is invertible. Of a large matrix it may be no float: `slogdet`, or `logdet`.
 */
export function det(a: TensorLike): Tensor {
  return apply(determinant.det, [matrices("det", a, true)], { where: "det" });
}

/** The sign of the determinant and the logarithm of its magnitude: 0 and −∞ for a singular matrix, where the derivative throws. */
export function slogdet(a: TensorLike): [sign: Tensor, logabs: Tensor] {
  const x = matrices("slogdet", a, true);
  const params = { where: "slogdet" };
  return [apply(determinant.signdet, [x], params), apply(determinant.logabsdet, [x], params)];
}

/** log det a of symmetric positive definite a [..., n, n]. @throws on reading, naming the first matrix that is not positive definite */
export function logdet(a: TensorLike): Tensor {
  const l = apply(factor.cholesky, [matrices("logdet", a, true)], { where: "logdet" });
  return mul(sum(log(diagonalOf(l)), -1), 2);
}

/**
 * a [..., m, n] = q r with orthonormal columns q [..., m, k] and an upper triangle r [..., k, n], k = min(m, n). The diagonal of r is not
 * negative, so both are unique and smooth where the first k columns are independent (LAPACK, NumPy and JAX leave signs open).
 */
export function qr(a: TensorLike): [q: Tensor, r: Tensor] {
  const x = matrices("qr", a);
  const [m, n] = x.shape.slice(-2) as [number, number];
  return partsOf(apply(m > n ? factor.qr : factor.qrWide, [x], { where: "qr" })) as [Tensor, Tensor];
}

/**
 * Eigenvalues [..., n], rising, and eigenvectors, the columns of [..., n, n], of the symmetric matrix (a + aᵀ)/2. The largest element of
 * each vector is positive. Vectors of equal eigenvalues have no derivative, and one that needs it throws, even if the derivative of the
 * whole exists, as that of V f(λ) Vᵀ does. The values have one: `eigvalsh`.
 */
export function eigh(a: TensorLike): [values: Tensor, vectors: Tensor] {
  return partsOf(apply(decompose.eigh, [matrices("eigh", a, true)], { where: "eigh" })) as [Tensor, Tensor];
}

/**
 * The eigenvalues [..., n] of (a + aᵀ)/2, rising. Where some are equal the derivative is right for what treats them alike, such as Σ f(λ),
 * and a subgradient of the largest or smallest; for what else weighs them differently there is none.
 */
export function eigvalsh(a: TensorLike): Tensor {
  return apply(decompose.eigvalsh, [matrices("eigvalsh", a, true)], { where: "eigvalsh" });
}

/**
 * a [..., m, n] = u diag(s) vh with orthonormal columns u [..., m, k], falling s [..., k], orthonormal rows vh [..., k, n], k = min(m, n).
 * The largest element of each column of u is positive. Derivatives as for `eigh`; for the values alone take `svdvals`.
 */
export function svd(a: TensorLike): [u: Tensor, s: Tensor, vh: Tensor] {
  return partsOf(apply(decompose.svd, [matrices("svd", a)], { where: "svd" })) as [Tensor, Tensor, Tensor];
}

/** The singular values [..., k] of a [..., m, n], falling, k = min(m, n). */
export function svdvals(a: TensorLike): Tensor {
  return apply(decompose.svdvals, [matrices("svdvals", a)], { where: "svdvals" });
}

/**
 * The pseudoinverse [..., n, m] of a [..., m, n]. Singular values up to `cutoff` times the largest count as zero, by default max(m, n) ulp.
 * Its derivative is that at constant rank.
 */
export function pinv(a: TensorLike, { cutoff }: { readonly cutoff?: number } = {}): Tensor {
  const x = matrices("pinv", a);
  const ulp = x.dtype === "float64" ? Number.EPSILON : 2 ** -23;
  const limit = cutoff ?? Math.max(...x.shape.slice(-2)) * ulp;
  if (!(limit >= 0)) fail({ where: "pinv", got: `cutoff ${cutoff}`, expected: "a number of at least 0" });
  return apply(pinvPrimitive, [x], { where: "pinv", cutoff: limit });
}

/**
 * The x that minimises ‖a x − b‖², for a [..., m, n] of full rank and b [m] or [..., m, k]; with fewer rows than columns the shortest x
 * with a x = b. By QR, never by normal equations. @throws on reading, where the rank is not full: pinv(a).matmul(b) then
 */
export function lstsq(a: TensorLike, b: TensorLike): Tensor {
  return system("lstsq", a, b, leastSquares, false);
}

function leastSquares(a: Tensor, b: Tensor): Tensor {
  const [m, n] = a.shape.slice(-2) as [number, number];
  const where = "lstsq";
  if (m === n) return apply(equations.solve, [a, b], { where, transposed: false });
  const [q, r] = partsOf(apply(factor.qr, [m > n ? a : adjoint(a)], { where })) as [Tensor, Tensor];
  const triangle = { where, lower: false, transposed: m < n, unit: false, factor: true };
  return m > n
    ? apply(equations.triangularSolve, [r, product(adjoint(q), b)], triangle)
    : product(q, apply(equations.triangularSolve, [r, b], triangle));
}

/**
 * A norm of matrices [..., m, n] -> [...]: "fro" √Σ a², 2 the largest singular value, "nuc" the sum of them, 1 the largest sum of |a| over a
 * column, Infinity over a row.
 */
export function matrixNorm(a: TensorLike, kind: "fro" | "nuc" | 1 | 2 | number = "fro"): Tensor {
  const x = matrices("matrixNorm", a);
  if (kind === "fro") return norm(x, [-2, -1]);
  if (kind === "nuc") return sum(svdvals(x), -1);
  if (kind === 2) return max(svdvals(x), -1);
  if (kind === 1) return max(sum(abs(x), -2), -1);
  if (kind === Infinity) return max(sum(abs(x), -1), -1);
  return fail({ where: "matrixNorm", got: String(kind), expected: '"fro", "nuc", 1, 2 or Infinity' });
}

/** e^a = Σ aᵏ / k! of matrices a [..., n, n], by scaling and squaring (Higham 2005); not the exponential of the elements. */
export function matrixExp(a: TensorLike): Tensor {
  return apply(exponential.matrixExp, [matrices("matrixExp", a, true)], { where: "matrixExp" });
}
