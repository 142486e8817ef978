import { allocate } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { range, sameShape, show } from "../base/shape.js";
import { apply, leaf, type Tensor, type Type } from "../graph/tensor.js";
import { dense } from "../kernel/ndarray.js";
import { half, matmul, times } from "./contract.js";
import { floats } from "./fit.js";
import { broadcastTo, minus, pad, permute, plus, reshapeTo, slice, sumOver, zerosLike } from "./linear.js";
import { where } from "./pointwise.js";

/** What the rules of matrix primitives are written with, out of primitives: everything acts on the last two axes. */

export function product(a: Tensor, b: Tensor): Tensor {
  return apply(matmul, [a, b], null);
}

/** aᵀ of every matrix. */
export function adjoint(a: Tensor): Tensor {
  return permute(a, [...range(a.rank - 2), a.rank - 1, a.rank - 2]);
}

/** (a + aᵀ) / 2 */
export function symmetric(a: Tensor): Tensor {
  return times(half(a), plus(a, adjoint(a)));
}

/** (a − aᵀ) / 2 */
export function antisymmetric(a: Tensor): Tensor {
  return times(half(a), minus(a, adjoint(a)));
}

/** a where `keep(row, column)`, and 0 elsewhere, whatever stood there. */
export function masked(a: Tensor, keep: (row: number, column: number) => boolean): Tensor {
  const [n, m] = a.shape.slice(-2) as [number, number];
  const data = allocate("bool", n * m);
  for (let i = 0; i < n * m; i++) data[i] = keep(Math.floor(i / m), i % m) ? 1 : 0;
  const mask = broadcastTo(leaf(dense(data, "bool", [n, m])), a.shape);
  return apply(where, [mask, a, zerosLike(a)], null);
}

/** The identity, in the place of every matrix of `a` [..., n, m]: [..., n, n]. */
export function identityBeside(a: Type): Tensor {
  const n = a.shape.at(-2) as number;
  const data = allocate(a.dtype, n * n);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return broadcastTo(leaf(dense(data, a.dtype, [n, n])), [...a.shape.slice(0, -1), n]);
}

/** The elements (i, i + offset): [..., n, m] -> [..., count]. */
export function diagonalOf(a: Tensor, offset = 0): Tensor {
  const [n, m] = a.shape.slice(-2) as [number, number];
  const lead = a.shape.slice(0, -2);
  const count = Math.max(0, offset < 0 ? Math.min(n + offset, m) : Math.min(n, m - offset));
  const start = count === 0 ? 0 : offset < 0 ? -offset * m : offset;
  const flat = reshapeTo(a, [...lead, n * m]);
  const stop = count === 0 ? 0 : start + (count - 1) * (m + 1) + 1;
  return apply(slice, [flat], {
    start: [...lead.map(() => 0), start],
    stop: [...lead, stop],
    step: [...lead.map(() => 1), m + 1],
  });
}

/** A vector on the diagonal (i, i + offset) of a square matrix of zeros: [..., n] -> [..., n + |offset|, n + |offset|]. */
export function diagonalMatrix(a: Tensor, offset = 0): Tensor {
  const lead = a.shape.slice(0, -1);
  const n = a.shape.at(-1) as number;
  const size = n + Math.abs(offset);
  if (n === 0) return zerosLike({ shape: [...lead, size, size], dtype: a.dtype });
  const none = lead.map(() => 0);
  const start = offset < 0 ? -offset * size : offset;
  const length = n + (n - 1) * size;
  const flat = apply(pad, [a], {
    low: [...none, start],
    high: [...none, size * size - start - length],
    interior: [...none, size],
  });
  return reshapeTo(flat, [...lead, size, size]);
}

/** Σ over i of a[..., i, c] · b[..., i, c]: the inner products of equal columns. */
export function columnProducts(a: Tensor, b: Tensor): Tensor {
  return sumOver(times(a, b), [a.rank - 2]);
}

/** Every row of a [..., n, m] times a vector [..., m]. */
export function scaleColumns(a: Tensor, by: Tensor): Tensor {
  return times(a, broadcastTo(reshapeTo(by, [...by.shape.slice(0, -1), 1, by.shape.at(-1) as number]), a.shape));
}

/** A number per matrix, in all of its elements. */
export function spreadOver(x: Tensor, a: Tensor): Tensor {
  return broadcastTo(reshapeTo(x, [...x.shape, 1, 1]), a.shape);
}

/** The matrices behind a new axis 0 become columns of one: [size, ...b, n, k] -> [...b, n, size · k], for a shared left side. */
export function besideEachOther(a: Tensor): Tensor {
  const [size, n, k] = [a.shape[0], a.shape.at(-2), a.shape.at(-1)] as [number, number, number];
  const inner = range(a.rank - 2).map((i) => i + 1);
  return reshapeTo(permute(a, [...inner, 0, a.rank - 1]), [...a.shape.slice(1, -2), n, size * k]);
}

/** Undoes `besideEachOther`, for `size` matrices of k columns. */
export function apartAgain(a: Tensor, size: number, k: number): Tensor {
  const split = reshapeTo(a, [...a.shape.slice(0, -1), size, k]);
  return permute(split, [a.rank - 1, ...range(a.rank - 1), a.rank]);
}

export function squareMatrices(where: string, a: Type): Type {
  const type = matrices(where, a);
  if (type.shape.at(-1) !== type.shape.at(-2))
    fail({ where, got: show(type.shape), expected: "square matrices, [..., n, n]" });
  return type;
}

export function matrices(where: string, a: Type): Type {
  const type = floats(where, a);
  if (type.shape.length < 2) fail({ where, got: show(type.shape), expected: "matrices, a shape of at least two axes" });
  return type;
}

/** a [...b, n, n] and right sides [...b, n, k] of one dtype. */
export function equations(where: string, a: Type, b: Type): Type {
  const { shape, dtype } = squareMatrices(where, a);
  const fits = b.shape.length === shape.length && sameShape(b.shape.slice(0, -1), shape.slice(0, -1));
  if (!fits || b.dtype !== dtype)
    fail({
      where,
      got: `${dtype}${show(shape)} and ${b.dtype}${show(b.shape)}`,
      expected: "[..., n, n] and [..., n, k] of one dtype",
    });
  return { shape: b.shape, dtype };
}
