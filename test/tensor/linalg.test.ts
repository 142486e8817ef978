import { describe, expect, test } from "vitest";
import {
  abs,
  cholesky,
  choleskySolve,
  concat,
  det,
  diag,
  diagonal,
  eigh,
  eigvalsh,
  exp,
  eye,
  grad,
  hessian,
  inverse,
  jvp,
  log,
  logdet,
  lstsq,
  matmul,
  matrixExp,
  matrixNorm,
  max,
  mul,
  pinv,
  qr,
  sin,
  slogdet,
  solve,
  sqrt,
  square,
  sum,
  svd,
  svdvals,
  type Tensor,
  tensor,
  trace,
  triangularSolve,
  tril,
  triu,
  vmap,
  zeros,
} from "../../src/index.js";
import { message } from "../runtime/message.js";
import { f64, flat, flipped, hilbert, hilbertMatrix, near, random, skew } from "./linalgSupport.js";

/** What factors and solutions satisfy, at random, graded, deficient and ill-conditioned matrices; degenerate derivatives. */

const EPS = 2 ** -52;
const identity = (n: number): Tensor => eye(n, f64);
const spd = (a: Tensor): Tensor => matmul(a, flipped(a)).add(identity(a.shape.at(-1) as number));

/** Square matrices: all sizes, batches, and those that are difficult. The tolerance is n · 30 ulp of the largest element. */
const squares: readonly (readonly [string, Tensor])[] = [
  ...[0, 1, 2, 3, 7, 20].map((n) => [`[${n}, ${n}]`, random(n + 1, n, n)] as const),
  ["[2, 3, 4, 4]", random(5, 2, 3, 4, 4)],
  ["[0, 3, 3]", zeros([0, 3, 3], f64)],
  ["Hilbert 8", hilbertMatrix(8)],
  ["Hilbert 12", hilbertMatrix(12)],
  ["zero", zeros([3, 3], f64)],
  ["the identity", identity(4)],
  ["of rank one", random(8, 5, 1).matmul(random(9, 1, 5))],
  ["graded", mul(random(6, 5, 5), tensor([1, 1e-5, 1e-10, 1e-15, 1e-20], f64))],
  ["huge", random(3, 3, 3).mul(1e300)],
  ["tiny", random(4, 3, 3).mul(1e-300)],
  ["a permutation", tensor([[0, 1, 0], [0, 0, 1], [1, 0, 0]], f64)], // biome-ignore format: a matrix
];
const rectangles: readonly (readonly [string, Tensor])[] = [
  ["[5, 3]", random(1, 5, 3)],
  ["[3, 5]", random(2, 3, 5)],
  ["[2, 4, 1]", random(3, 2, 4, 1)],
  ["[3, 0]", zeros([3, 0], f64)],
  ["[0, 3]", zeros([0, 3], f64)],
  ["Hilbert 10 by 6", hilbertMatrix(10, 6)],
  ["with a column of zeros", concat([random(4, 5, 2), zeros([5, 1], f64)], 1)],
  ["with a column twice", matmul(random(4, 5, 2), tensor([[1, 0, 1], [0, 1, 0]], f64))], // biome-ignore format: a matrix
];

/** 30 ulp of the largest element, per row. */
function close(what: string, got: Tensor, expected: Tensor): void {
  expect(got.shape).toEqual(expected.shape);
  const [x, y] = [flat(got), flat(expected)];
  const scale = Math.max(0, ...y.map(Math.abs));
  const bound = 30 * Math.max(1, ...expected.shape.slice(-2)) * EPS * scale;
  const far = Math.max(0, ...x.map((value, i) => Math.abs(value - (y[i] as number))));
  expect(far <= bound, `${what}: off by ${far / (EPS * scale)} ulp`).toBe(true);
}

function orthonormal(what: string, columns: Tensor): void {
  const far = skew(columns);
  expect(far <= 30 * Math.max(...columns.shape.slice(-2)) * EPS, `${what}: ${far / EPS} ulp from orthonormal`).toBe(
    true,
  );
}

describe.each([...squares, ...rectangles])("factors of a matrix: %s", (_name, a) => {
  test("qr", () => {
    const [q, r] = qr(a);
    close("q r", matmul(q, r), a);
    orthonormal("q", q);
    expect(flat(tril(r, -1)).every((x) => x === 0)).toBe(true);
    expect(flat(diagonal(r)).every((x) => x >= 0)).toBe(true);
  });

  test("svd", () => {
    const [u, s, vh] = svd(a);
    close("u s vh", matmul(u.mul(s.expandDims(-2)), vh), a);
    orthonormal("u", u);
    orthonormal("v", flipped(vh));
    const values = flat(s);
    const k = s.shape.at(-1) as number;
    expect(values.every((x, i) => x >= 0 && (i % k === 0 || x <= (values[i - 1] as number)))).toBe(true);
    expect(flat(svdvals(a))).toEqual(values);
  });

  test("pinv satisfies the conditions of Penrose", () => {
    const p = pinv(a);
    const size =
      flat(p)
        .concat(0)
        .reduce((x, y) => Math.max(x, Math.abs(y)), 0) * Math.max(...flat(a).concat(0).map(Math.abs));
    const [ap, pa] = [matmul(a, p), matmul(p, a)];
    near("a p symmetric", ap, flipped(ap), 100 * EPS * Math.max(1, size));
    near("p a symmetric", pa, flipped(pa), 100 * EPS * Math.max(1, size));
    if (size < 1e12) {
      near("a p a", matmul(ap, a), a, 100 * EPS * Math.max(1, size));
      near("p a p", matmul(pa, p), p, 100 * EPS * Math.max(1, size));
    }
  });
});

describe.each(squares)("square matrices: %s", (_name, a) => {
  const symmetric = a.mul(0.5).add(flipped(a).mul(0.5));

  test("eigh", () => {
    const [values, vectors] = eigh(a);
    close("v λ vᵀ", matmul(vectors.mul(values.expandDims(-2)), flipped(vectors)), symmetric);
    orthonormal("v", vectors);
    const list = flat(values);
    const n = values.shape.at(-1) as number;
    expect(list.every((x, i) => i % n === 0 || x >= (list[i - 1] as number))).toBe(true);
    expect(flat(eigvalsh(a))).toEqual(list);
  });
});

describe.each(squares.filter(([name]) => !["huge", "tiny"].includes(name)))(
  "definite matrices: a aᵀ + 1 of %s",
  (_name, a) => {
    test("cholesky, its determinant and its solutions", () => {
      const m = spd(a);
      const l = cholesky(m);
      close("L Lᵀ", matmul(l, flipped(l)), m);
      expect(flat(triu(l, 1)).every((x) => x === 0)).toBe(true);
      near("logdet", logdet(m), slogdet(m)[1], 1e-12);
      const x = random(11, ...m.shape);
      near("choleskySolve", matmul(m, choleskySolve(l, x)), x, 1e-12);
      near("triangularSolve", matmul(l, triangularSolve(l, x)), x, 1e-13);
      near("transposed", matmul(flipped(l), triangularSolve(l, x, { transposed: true })), x, 1e-13);
      near("upper", matmul(flipped(l), triangularSolve(flipped(l), x, { lower: false })), x, 1e-13);
      const unit = tril(l, -1).add(identity(l.shape.at(-1) as number));
      near("unit", matmul(unit, triangularSolve(l, x, { unitDiagonal: true })), x, 1e-12);
    });
  },
);

describe.each(squares.filter(([name]) => name.startsWith("[")))("well-conditioned matrices: %s", (_name, a) => {
  test("solve, inverse and determinants", () => {
    const x = random(12, ...a.shape);
    near("a (a⁻¹ b)", matmul(a, solve(a, x)), x, 1e-12);
    near(
      "inverse",
      matmul(a, inverse(a)),
      matmul(identity(a.shape.at(-1) as number), x)
        .mul(0)
        .add(identity(a.shape.at(-1) as number)),
      1e-11,
    );
    const [sign, logabs] = slogdet(a);
    near("det", sign.mul(exp(logabs)), det(a), 1e-12);
    near("det of the transpose", det(flipped(a)), det(a), 1e-12);
  });
});

describe.each(hilbert.map((exact) => [exact.n, exact] as const))("Hilbert %i against 60 digits", (n, exact) => {
  const a = hilbertMatrix(n);

  test("eigenvalues and singular values, to a few ulp of the largest", () => {
    const values = tensor(exact.eigenvalues, f64);
    near("eigvalsh", eigvalsh(a), values, 16 * EPS);
    near("svdvals", svdvals(a), values.flip(0), 16 * EPS);
  });

  test("the smallest singular value, to a few digits more", () => {
    // One-sided Jacobi on a column-scaled Hilbert matrix: each has the relative accuracy that the scaled matrix allows.
    const scaled = mul(a, tensor(Float64Array.from({ length: n }, (_, i) => 10 ** (-3 * i))));
    const [u, s, vh] = svd(scaled);
    const back = matmul(u.mul(s), vh);
    const columns = max(abs(back.sub(scaled)), 0).div(max(abs(scaled), 0));
    expect(Math.max(...flat(columns))).toBeLessThan(100 * EPS);
  });

  if (n > 8) return;
  test("determinant, Cholesky factor and inverse, as far as the condition lets them", () => {
    const condition = (exact.eigenvalues[n - 1] as number) / (exact.eigenvalues[0] as number);
    const relative = (x: number, y: number): number => Math.abs(x / y - 1);
    expect(relative(det(a).item(), exact.det)).toBeLessThan(condition * EPS);
    near("cholesky", cholesky(a), tensor(exact.cholesky, f64), condition * EPS);
    near("inverse", inverse(a), tensor(exact.inverse, f64), condition * EPS);
  });
});

describe("what solutions mean", () => {
  test("shapes of right sides: one axis is a vector, more are columns, leading axes broadcast (NumPy 2)", () => {
    const a = random(1, 3, 3);
    const shapes = (m: Tensor, b: Tensor): readonly number[] => solve(m, b).shape;
    expect(shapes(a, random(2, 3))).toEqual([3]);
    expect(shapes(a, random(2, 3, 2))).toEqual([3, 2]);
    expect(shapes(a, random(2, 5, 3, 2))).toEqual([5, 3, 2]);
    expect(shapes(random(1, 4, 3, 3), random(2, 3))).toEqual([4, 3]);
    expect(shapes(random(1, 4, 1, 3, 3), random(2, 5, 3, 2))).toEqual([4, 5, 3, 2]);
    expect(shapes(a, zeros([3, 0], f64))).toEqual([3, 0]);
    expect(shapes(a, zeros([0, 3, 2], f64))).toEqual([0, 3, 2]);
    expect(shapes(zeros([0, 3, 3], f64), random(2, 3))).toEqual([0, 3]);
    const b = random(2, 5, 3, 2);
    near("one matrix, five right sides", solve(a, b).at(3), solve(a, b.at(3)), 0);
  });

  test("a column of b that is not finite stays alone", () => {
    const x = solve(random(1, 3, 3), tensor([[1, NaN], [2, 0], [3, Infinity]], f64)); // biome-ignore format: a matrix
    expect(flat(x).map(Number.isFinite)).toEqual([true, false, true, false, true, false]);
  });

  test("integers are taken for float32, dtypes are promoted", () => {
    expect(solve(tensor([[2, 0], [0, 4]], { dtype: "int32" }), tensor([2, 4])).toArray()).toEqual([1, 1]); // biome-ignore format: a matrix
    expect(solve(tensor([[2, 0], [0, 4]]), tensor([2, 4], f64)).dtype).toBe("float64"); // biome-ignore format: a matrix
  });

  test("least squares: the residual is orthogonal to the columns, and the shortest solution is a combination of rows", () => {
    const [tall, wide, b] = [random(1, 6, 3), random(2, 3, 6), random(3, 6, 2)];
    const residual = b.sub(matmul(tall, lstsq(tall, b)));
    near("aᵀ r", matmul(flipped(tall), residual), zeros([3, 2], f64), 1e-14);
    const x = lstsq(wide, b.slice(0, 3));
    near("a x", matmul(wide, x), b.slice(0, 3), 1e-14);
    near("shortest", x, matmul(pinv(wide), b.slice(0, 3)), 1e-13);
    near("square", lstsq(tall.slice(0, 3), b.slice(0, 3)), solve(tall.slice(0, 3), b.slice(0, 3)), 1e-13);
  });

  test("the exponential: of a diagonal, of a rotation, of a nilpotent, of a sum that commutes, its determinant", () => {
    const d = tensor([-800, -1, 0, 20], f64);
    near("diagonal", matrixExp(diag(d)), diag(exp(d)), 1e-14);
    near("rotation", matrixExp(tensor([[0, -2], [2, 0]], f64)), tensor([[Math.cos(2), -Math.sin(2)], [Math.sin(2), Math.cos(2)]], f64), 1e-15); // biome-ignore format: matrices
    expect(matrixExp(tensor([[0, 3, 1], [0, 0, 2], [0, 0, 0]], f64)).toArray()).toEqual([[1, 3, 4], [0, 1, 2], [0, 0, 1]]); // biome-ignore format: matrices
    const a = random(1, 4, 4);
    near("det", log(det(matrixExp(a))), trace(a), 1e-13);
    near("inverse", matmul(matrixExp(a.mul(7)), matrixExp(a.mul(-7))), identity(4), 1e-8);
    expect(matrixExp(zeros([2, 0, 0], f64)).shape).toEqual([2, 0, 0]);
  });

  test("norms", () => {
    const a = tensor([[1, -2, 0], [3, 4, -5]], f64); // biome-ignore format: a matrix
    const s = flat(svdvals(a));
    const by = (kind: "fro" | "nuc" | number): number => matrixNorm(a, kind).item();
    expect([by(1), by(Infinity)]).toEqual([6, 12]);
    near("fro", matrixNorm(a), tensor(Math.sqrt(55), f64), EPS);
    near("nuc", matrixNorm(a, "nuc"), tensor((s[0] as number) + (s[1] as number), f64), EPS);
    expect(by(2)).toBe(s[0]);
    expect(matrixNorm(random(1, 2, 3, 4, 4), 2).shape).toEqual([2, 3]);
  });
});

describe("where values are equal", () => {
  /** Two equal pairs: Q diag(1, 1, 2, 2) Qᵀ. */
  const [q] = qr(random(1, 4, 4));
  const double = matmul(q.mul(tensor([1, 1, 2, 2], f64)), flipped(q));

  test("a symmetric function of eigenvalues has the gradient V f′(λ) Vᵀ", () => {
    for (const a of [identity(3), double, zeros([3, 3], f64)]) {
      const [values, vectors] = eigh(a);
      const expected = matmul(vectors.mul(values.add(Math.PI / 2).sin()), flipped(vectors));
      near("Σ sin λ", grad((m: Tensor) => sum(sin(eigvalsh(m))))(a), expected, 1e-13);
      near("Σ sin λ of eigh", grad((m: Tensor) => sum(sin(eigh(m)[0])))(a), expected, 1e-13);
    }
  });

  test("singular values, equal ones and a zero", () => {
    near("nuclear norm", grad((m: Tensor) => matrixNorm(m, "nuc"))(q), q, 1e-13);
    const deficient = diag(tensor([2, 1, 0], f64));
    near("Σ s²", grad((m: Tensor) => sum(square(svdvals(m))))(deficient), deficient.mul(2), 1e-13);
    near("of svd", grad((m: Tensor) => sum(square(svd(m)[1])))(deficient), deficient.mul(2), 1e-13);
  });

  test("the vector of a single value has its gradient, whatever the others are", () => {
    const a = diag(tensor([1, 1, 3], f64));
    const w = random(2, 3, 3);
    const slope = grad((m: Tensor) => {
      const top = eigh(m)[1].slice(2, 3, { axis: 1 });
      return sum(matmul(top, flipped(top)).mul(w));
    })(a);
    // d(v vᵀ) for the third axis: (dA)_{i3} / (3 − 1) between the axes i and 3.
    const s = (i: number): number => ((flat(w)[3 * i + 2] as number) + (flat(w)[6 + i] as number)) / 4;
    near("projector", slope, tensor([[0, 0, s(0)], [0, 0, s(1)], [s(0), s(1), 0]], f64), 1e-15); // biome-ignore format: a matrix
  });

  test("no tangent moves nothing", () => {
    const { tangent } = jvp((m: Tensor) => eigh(m)[1], double, zeros([4, 4], f64));
    expect(flat(tangent as Tensor)).toEqual(new Array(16).fill(0));
  });

  test("a derivative that needs their vectors is refused, where it exists too: V f(λ) Vᵀ, a second derivative, a polar factor", () => {
    const root = (m: Tensor): Tensor => {
      const [values, vectors] = eigh(m);
      return sum(matmul(vectors.mul(sqrt(values)), flipped(vectors)).mul(random(2, 4, 4)));
    };
    expect(message(() => grad(root)(double).toArray())).toBe(
      "eigh: values 0 and 1 of a matrix [4, 4] are equal up to rounding (1), and their vectors have no derivative; take eigvalsh or svdvals where the values are enough, or a matrix whose values differ.",
    );
    // The first pair of a diagonal matrix has no tangent of its own, and turns at second order all the same.
    const crossing = tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0]], f64); // biome-ignore format: a matrix
    expect(
      message(() =>
        (jvp((m: Tensor) => eigh(m)[1], diag(tensor([1, 1, 2], f64)), crossing).tangent as Tensor).toArray(),
      ),
    ).toMatch(/^eigh: values 0 and 1 of a matrix \[3, 3\] are equal/);
    expect(message(() => hessian((m: Tensor) => sum(sin(eigvalsh(m))))(identity(2)).toArray())).toBe(
      "eigvalsh: values 0 and 1 of matrix [0] of [4, 2, 2] are equal up to rounding (1), and their vectors have no derivative; take what needs no values (det, solve, matmul), or a matrix whose values differ.",
    );
    const polar = (m: Tensor): Tensor => {
      const [u, , vh] = svd(m);
      return sum(matmul(u, vh).mul(random(3, 4, 4)));
    };
    expect(message(() => grad(polar)(q).toArray())).toMatch(/^svd: values 0 and 1 of a matrix \[4, 4\] are equal/);
    expect(message(() => grad((m: Tensor) => sum(sin(svd(m)[0])))(diag(tensor([2, 1, 0, 0], f64))).toArray())).toMatch(
      /^svd: /,
    );
    const thin = concat([random(4, 5, 2), zeros([5, 1], f64)], 1);
    expect(message(() => grad((m: Tensor) => sum(sin(svd(m)[0])))(thin).toArray())).toBe(
      "svd: value 2 of a matrix [5, 3] is zero up to rounding, and its vectors have no derivative; take eigvalsh or svdvals where the values are enough, or a matrix whose values differ.",
    );
  });
});

describe("determinants of singular matrices", () => {
  test("value 0, log −∞, and the derivative is the matrix of cofactors", () => {
    const a = tensor([[1, 2, 3], [2, 4, 6], [1, 0, 1]], f64); // biome-ignore format: a matrix
    expect(det(a).item()).toBe(0);
    expect(slogdet(a).map((x) => x.item())).toEqual([0, -Infinity]);
    near("cofactors", grad(det)(a), tensor([[4, 4, -4], [-2, -2, 2], [0, 0, 0]], f64), 1e-14); // biome-ignore format: a matrix
    expect(flat(grad(det)(zeros([3, 3], f64)))).toEqual(new Array(9).fill(0));
    expect(flat(grad(det)(zeros([1, 1], f64)))).toEqual([1]);
  });

  test("of two rows the second derivative exists everywhere", () => {
    const second = [[[[0, 0], [0, 1]], [[0, 0], [-1, 0]]], [[[0, -1], [0, 0]], [[1, 0], [0, 0]]]]; // biome-ignore format: blocks
    expect(
      hessian((m: Tensor) => det(m))(zeros([2, 2], f64))
        .add(0)
        .toArray(),
    ).toEqual(second);
  });

  test("the empty product", () => {
    const nothing = zeros([2, 0, 0], f64);
    expect(det(nothing).toArray()).toEqual([1, 1]);
    expect(slogdet(nothing).map((x) => x.toArray())).toEqual([[1, 1], [0, 0]]); // biome-ignore format: pairs
    expect(logdet(nothing).toArray()).toEqual([0, 0]);
  });
});

test("a loop over a batch gives the same numbers, bit by bit", () => {
  const batch = random(1, 3, 4, 4);
  const all = (m: Tensor): Tensor[] => [
    cholesky(spd(m)),
    inverse(m),
    det(m),
    ...slogdet(m),
    ...qr(m),
    ...eigh(m),
    ...svd(m),
    pinv(m),
    matrixExp(m),
  ];
  const mapped = vmap(all)(batch) as Tensor[];
  const direct = all(batch);
  for (let r = 0; r < 3; r++) {
    all(batch.at(r)).forEach((x, i) => {
      expect(flat((mapped[i] as Tensor).at(r))).toEqual(flat(x));
      expect(flat((direct[i] as Tensor).at(r))).toEqual(flat(x));
    });
  }
});
