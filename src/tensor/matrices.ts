import { fail } from "../base/errors.js";
import { broadcastShapes, show } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { broadcastTo, reshapeTo } from "../primitives/linear.js";
import { diagonalMatrix, diagonalOf, masked } from "../primitives/matrix.js";
import { mul } from "./elementwise.js";
import { sum } from "./reducing.js";

/** Building matrices and taking them apart. Matrices are the last two axes; the others are a batch. */

function matrix(where: string, x: TensorLike): Tensor {
  const a = asTensor(x);
  if (a.rank < 2) fail({ where, got: show(a.shape), expected: "matrices, a shape of at least two axes" });
  return a;
}

function whole(where: string, offset: number): number {
  if (!Number.isInteger(offset)) fail({ where, got: `offset ${offset}`, expected: "a whole number" });
  return offset;
}

function vector(where: string, x: TensorLike): Tensor {
  const a = asTensor(x);
  if (a.rank === 0) fail({ where, got: "[]", expected: "vectors, a shape of at least one axis" });
  return a;
}

/** Vectors on the diagonals of zero matrices: [..., n] -> [..., n, n]. A positive offset lies above the main diagonal. */
export function diag(x: TensorLike, offset = 0): Tensor {
  return diagonalMatrix(vector("diag", x), whole("diag", offset));
}

/** The diagonals of matrices: [..., n, m] -> [..., min(n, m)]; fewer with an offset, which is positive above the main diagonal. */
export function diagonal(x: TensorLike, offset = 0): Tensor {
  return diagonalOf(matrix("diagonal", x), whole("diagonal", offset));
}

/** The sum of the diagonal: [..., n, m] -> [...]. */
export function trace(x: TensorLike, offset = 0): Tensor {
  return sum(diagonalOf(matrix("trace", x), whole("trace", offset)), -1);
}

/** The lower triangle with its diagonal (shifted up by `offset`), zeros above. */
export function tril(x: TensorLike, offset = 0): Tensor {
  const shift = whole("tril", offset);
  return masked(matrix("tril", x), (i, j) => j - i <= shift);
}

/** The upper triangle with its diagonal (shifted up by `offset`), zeros below. */
export function triu(x: TensorLike, offset = 0): Tensor {
  const shift = whole("triu", offset);
  return masked(matrix("triu", x), (i, j) => j - i >= shift);
}

/** All products of the elements of two vectors: [..., n] and [..., m] -> [..., n, m]. Leading axes broadcast. */
export function outer(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = [vector("outer", a), vector("outer", b)];
  const [n, m] = [x.shape.at(-1) as number, y.shape.at(-1) as number];
  const lead = broadcastShapes("outer", x.shape.slice(0, -1), y.shape.slice(0, -1));
  const rows = broadcastTo(reshapeTo(x, [...x.shape, 1]), [...lead, n, m]);
  return mul(rows, broadcastTo(reshapeTo(y, [...y.shape.slice(0, -1), 1, m]), [...lead, n, m]));
}

/** The Kronecker product, every element of a times the whole of b: [..., n, m] and [..., p, q] -> [..., n p, m q]. */
export function kron(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = [matrix("kron", a), matrix("kron", b)];
  const [n, m] = x.shape.slice(-2) as [number, number];
  const [p, q] = y.shape.slice(-2) as [number, number];
  const blocks = mul(
    reshapeTo(x, [...x.shape.slice(0, -2), n, 1, m, 1]),
    reshapeTo(y, [...y.shape.slice(0, -2), 1, p, 1, q]),
  );
  return reshapeTo(blocks, [...blocks.shape.slice(0, -4), n * p, m * q]);
}
