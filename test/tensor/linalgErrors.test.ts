import { describe, expect, test } from "vitest";
import {
  cholesky,
  choleskySolve,
  det,
  diag,
  diagonal,
  eigh,
  expectation,
  eye,
  grad,
  hessian,
  inverse,
  kron,
  logdet,
  lstsq,
  matrixExp,
  matrixNorm,
  Normal,
  ones,
  outer,
  pathwise,
  pinv,
  qr,
  sample,
  slogdet,
  solve,
  sum,
  svd,
  type Tensor,
  type TensorLike,
  tensor,
  triangularSolve,
  tril,
  vmap,
  zeros,
} from "../../src/index.js";
import { message } from "../runtime/message.js";
import { f64 } from "./linalgSupport.js";

/** The sentences: shapes when the call is written, numbers when they are computed, naming the first matrix that does not fit. */

const square = ones([2, 2], f64);
const singular = tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]], f64); // biome-ignore format: a matrix

describe("shapes, at once", () => {
  const needsSquare = [cholesky, inverse, det, logdet, eigh, matrixExp] as readonly ((a: TensorLike) => unknown)[];
  test.each(needsSquare.map((f) => [f.name, f] as const))("%s wants square matrices", (name, f) => {
    const expected = "expected square matrices, [..., n, n].";
    expect(message(() => f(zeros([2, 3])))).toBe(`${name}: got [2, 3], ${expected}`);
    expect(message(() => f(zeros([3])))).toBe(`${name}: got [3], ${expected}`);
  });

  const cases: readonly (readonly [string, () => unknown])[] = [
    ["qr: got [3], expected matrices, a shape of at least two axes.", () => qr(zeros([3]))],
    ["svd: got [], expected matrices, a shape of at least two axes.", () => svd(1)],
    ["solve: got a [2, 2] and b [3], expected b of [2] or [..., 2, k].", () => solve(square, zeros([3]))],
    [
      "solve: got a [2, 2] and b [2, 3, 1], expected b of [2] or [..., 2, k]; b.expandDims(-1) if b is a stack of vectors.",
      () => solve(square, zeros([2, 3, 1])),
    ],
    ["solve: got a [2, 2] and b [], expected b of [2] or [..., 2, k].", () => solve(square, 1)],
    ["solve: got [2, 3], expected square matrices, [..., n, n].", () => solve(zeros([2, 3]), zeros([2]))],
    [
      "triangularSolve: got shapes [3] and [4], which differ on axis -1 (3 and 4), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
      () => triangularSolve(zeros([3, 2, 2]), zeros([4, 2, 1])),
    ],
    [
      "choleskySolve: got a [2, 2] and b [3, 1], expected b of [2] or [..., 2, k]; b.expandDims(-1) if b is a stack of vectors.",
      () => choleskySolve(square, zeros([3, 1])),
    ],
    ["lstsq: got a [4, 2] and b [2], expected b of [4] or [..., 4, k].", () => lstsq(zeros([4, 2]), zeros([2]))],
    ["pinv: got cutoff -1, expected a number of at least 0.", () => pinv(square, { cutoff: -1 })],
    ['matrixNorm: got 3, expected "fro", "nuc", 1, 2 or Infinity.', () => matrixNorm(square, 3)],
    ["diagonal: got [3], expected matrices, a shape of at least two axes.", () => diagonal(zeros([3]))],
    ["diag: got [], expected vectors, a shape of at least one axis.", () => diag(1)],
    ["diag: got offset 0.5, expected a whole number.", () => diag(zeros([2]), 0.5)],
    ["tril: got [3], expected matrices, a shape of at least two axes.", () => tril(zeros([3]))],
    ["outer: got [], expected vectors, a shape of at least one axis.", () => outer(1, zeros([2]))],
    ["kron: got [3], expected matrices, a shape of at least two axes.", () => kron(square, zeros([3]))],
  ];
  test.each(cases)("%s", (text, f) => {
    expect(message(f)).toBe(text);
  });
});

describe("numbers, when they are computed", () => {
  const read = (x: Tensor): unknown => x.toArray();
  const invertible = "expected an invertible matrix; pinv(a) where least squares will do, or add a multiple of eye(n).";
  const definite =
    "expected a positive definite matrix; add a small multiple of eye(n) where rounding is the cause, or take eigh(a).";
  /** [3, 2, 3, 3] whose matrix [2, 0] is `bad` and the others the identity. */
  const batch = (bad: Tensor): Tensor => {
    const place = diag(tensor([0, 0, 0, 0, 1, 0], f64))
      .at(4)
      .reshape([3, 2, 1, 1]);
    return eye(3, f64).add(place.mul(bad.sub(eye(3, f64))));
  };

  const cases: readonly (readonly [string, () => unknown])[] = [
    [
      `cholesky: got matrix [2, 0] of [3, 2, 3, 3], whose leading minor of order 3 is not positive (pivot -0.5), ${definite}`,
      () => read(cholesky(batch(diag(tensor([4, 1, -0.5], f64))))),
    ],
    [
      `cholesky: got a matrix [2, 2], whose leading minor of order 2 is not positive (pivot -3), ${definite}`,
      () => read(cholesky(tensor([[1, 2], [2, 1]]))), // biome-ignore format: a matrix
    ],
    [
      `logdet: got a matrix [2, 2], whose leading minor of order 1 is not positive (pivot 0), ${definite}`,
      () => read(logdet(zeros([2, 2]))),
    ],
    [
      "cholesky: got a matrix [1, 1], whose element [0, 0] is NaN, expected finite numbers.",
      () => read(cholesky(tensor([[NaN]]))),
    ],
    [
      `solve: got a matrix [3, 3], whose pivot 2 is 1.11e-16, zero up to rounding, ${invertible}`,
      () => read(solve(singular, tensor([1, 2, 3], f64))),
    ],
    [
      `inverse: got matrix [2, 0] of [3, 2, 3, 3], whose pivot 1 is 0, zero up to rounding, ${invertible}`,
      () => read(inverse(batch(diag(tensor([1, 0, 1], f64))))),
    ],
    [
      `lstsq: got a matrix [2, 2], whose pivot 1 is 0, zero up to rounding, ${invertible}`,
      () => read(lstsq(square, ones([2], f64))),
    ],
    [
      `lstsq: got a matrix [2, 2], whose element [1, 1] on the diagonal is 0, ${invertible}`,
      () => read(lstsq(ones([3, 2], f64), ones([3], f64))),
    ],
    [
      `triangularSolve: got a matrix [2, 2], whose element [0, 0] on the diagonal is 0, ${invertible}`,
      () => read(triangularSolve(zeros([2, 2]), ones([2]))),
    ],
    [
      `qr: got a matrix [2, 2], whose element [1, 1] on the diagonal is 0, ${invertible}`,
      () => read(grad((a: Tensor) => sum(qr(a)[0]))(square)),
    ],
    [
      `slogdet: got a matrix [2, 2], whose pivot 1 is 0, zero up to rounding, ${invertible}`,
      () => read(grad((a: Tensor) => slogdet(a)[1])(square)),
    ],
    [
      `det: got a matrix [3, 3], whose pivot 2 is 1.11e-16, zero up to rounding, ${invertible}`,
      () => read(hessian((a: Tensor) => det(a))(singular) as Tensor),
    ],
    ...(
      [
        inverse,
        det,
        (a: Tensor) => eigh(a)[0],
        (a: Tensor) => svd(a)[1],
        (a: Tensor) => qr(a)[1],
        pinv,
        matrixExp,
      ] as ((a: Tensor) => Tensor)[]
    ).map((f, i): readonly [string, () => unknown] => [
      `${["inverse", "det", "eigh", "svd", "qr", "pinv", "matrixExp"][i]}: got matrix [1] of [2, 2, 2], whose element [0, 1] is Infinity, expected finite numbers.`,
      () => read(f(tensor([[[1, 0], [0, 1]], [[1, Infinity], [0, 1]]]))), // biome-ignore format: matrices
    ]),
  ];
  test.each(cases)("%s", (text, f) => {
    expect(message(f)).toBe(text);
  });

  test("badly scaled is not singular", () => {
    expect(read(solve(diag(tensor([1e-200, 1, 1e200], f64)), tensor([1, 1, 1], f64)))).toEqual([1e200, 1, 1e-200]);
    const tight = tensor([[1, 1], [1, 1 + 2 ** -52]], f64); // biome-ignore format: a matrix
    expect(read(solve(tight, tensor([1, 1], f64)))).toEqual([1, 0]);
  });

  test("an unused triangle may hold anything finite", () => {
    expect(read(triangularSolve(tensor([[2, 1e30], [0, 4]], f64), tensor([2, 4], f64)))).toEqual([1, 1]); // biome-ignore format: a matrix
  });

  test("the same sentence under vmap", () => {
    expect(message(() => read(vmap((a: Tensor) => inverse(a))(batch(singular).reshape([6, 3, 3]))))).toBe(
      `inverse: got matrix [4] of [6, 3, 3], whose pivot 2 is 1.11e-16, zero up to rounding, ${invertible}`,
    );
  });
});

test("a cotangent that is not finite is carried on, in its column", () => {
  const weights = tensor([[NaN, 1], [1, 1]], f64); // biome-ignore format: a matrix
  const slope = grad((b: Tensor) => sum(solve(eye(2, f64), b).mul(weights)))(ones([2, 2], f64));
  expect(slope.toArray()).toEqual([[NaN, 1], [NaN, 1]]); // biome-ignore format: a matrix
});

test("a pathwise sample goes through a solution: E 1ᵀ a⁻¹ x has the gradient a⁻ᵀ 1 in the mean of x", () => {
  const a = tensor([[2, 1], [0, 4]], f64); // biome-ignore format: a matrix
  const E = expectation((loc: Tensor) =>
    sum(solve(a, sample(Normal({ loc, scale: 1 }), { name: "x", estimator: pathwise() }))),
  );
  const { mean } = E.valueAndGrad(tensor([1, 2], f64), { key: 0 }).grad;
  expect(mean.toArray()).toEqual([0.5, 0.125]);
});

test("a pathwise sample in a matrix goes through its Cholesky factor, and not through the vectors of eigh, whose signs jump", () => {
  const program = (f: (a: Tensor) => Tensor) =>
    expectation((loc: Tensor) => {
      const x = sample(Normal({ loc, scale: 0.1 }), { name: "x", estimator: pathwise() });
      return sum(f(eye(2, f64).mul(4).add(x)));
    });
  const run = (f: (a: Tensor) => Tensor): unknown =>
    program(f).valueAndGrad(tensor(1, f64), { key: 0 }).grad.mean.toArray();
  expect(run(cholesky)).toBeGreaterThan(0);
  expect(message(() => run((a) => eigh(a)[1]))).toMatch(/^sample "x": /);
});
