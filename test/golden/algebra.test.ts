import {
  arange,
  cholesky,
  det,
  eigh,
  exp,
  eye,
  log,
  log1p,
  matmul,
  matrixExp,
  pinv,
  qr,
  sin,
  slogdet,
  solve,
  sqrt,
  square,
  sum,
  svd,
  type Tensor,
  tanh,
  trace,
  triangularSolve,
} from "../../src/index.js";
import { checkTheme } from "./harness.js";

const f64 = { dtype: "float64" } as const;
const identity = (n: number): Tensor => eye(n, f64);
const spd = (m: Tensor): Tensor => matmul(m, m.transpose()).add(identity(m.shape[0] as number));
const symmetric = (m: Tensor): Tensor => m.add(m.transpose()).div(2);
/** The logarithm of the determinant of L Lᵀ, halved. */
const logDiagonal = (l: Tensor): Tensor => log(sum(l.mul(identity(l.shape[0] as number)), 1)).sum();
const upwards = (n: number): Tensor => arange(n, f64).add(1);

checkTheme("algebra", {
  "Gaussian process": ({ amplitude, length, noise }, { x, y }) => {
    const distance = square(x.expandDims(1).sub(x)).sum(-1);
    const smooth = exp(distance.mul(-0.5).mul(exp(length.mul(-2))));
    const l = cholesky(
      exp(amplitude)
        .mul(smooth)
        .add(identity(7).mul(exp(noise))),
    );
    const z = triangularSolve(l, y.expandDims(1), { lower: true });
    return sum(square(z))
      .mul(0.5)
      .add(logDiagonal(l))
      .add(3.5 * Math.log(2 * Math.PI));
  },

  "multivariate normal": ({ m, mean: centre }, { x }) => {
    const l = cholesky(spd(m));
    const z = triangularSolve(l, x.sub(centre).transpose(), { lower: true });
    return sum(square(z)).mul(0.5).add(logDiagonal(l).mul(5));
  },

  "Cholesky factor": ({ m }) => cholesky(spd(m)),
  solve: ({ a, b }) => sum(tanh(solve(a.add(identity(3).mul(3)), b))),

  "upper triangular solve, transposed": ({ a, b }) => {
    const upper = arange(3).expandDims(1).lessEqual(arange(3));
    const u = a.mul(upper).add(identity(3).mul(2));
    return sum(sin(triangularSolve(u, b.expandDims(1), { lower: false, transposed: true })));
  },

  "log determinant": ({ a }) => slogdet(a.add(identity(4).mul(0.5)))[1].add(sum(sin(a))),
  eigenvalues: ({ m }) => sum(sin(eigh(symmetric(m))[0]).mul(upwards(4))),

  "projector on two eigenvectors": ({ m }, { t }) => {
    const top = eigh(symmetric(m))[1].slice(2, 4, { axis: 1 });
    return sum(tanh(matmul(top, top.transpose())).mul(t));
  },

  // JAX has them from the largest to the smallest.
  "singular values": ({ a }) => sum(log1p(svd(a)[1]).mul(upwards(3))),

  "low-rank approximation": ({ a }, { t }) => {
    const [u, s, vh] = svd(a);
    const near = matmul(u.slice(0, 2, { axis: 1 }).mul(s.slice(0, 2)), vh.slice(0, 2));
    return sum(tanh(near).mul(t));
  },

  "least squares by QR": ({ a, b }) => {
    const [q, r] = qr(a);
    const x = triangularSolve(r, matmul(q.transpose(), b).expandDims(1), { lower: false }).squeeze(1);
    return sum(square(matmul(a, x).sub(b))).add(sum(sin(x)));
  },

  "square root of a matrix, implicit": ({ m }) => {
    const [values, vectors] = eigh(spd(m));
    return sum(sin(matmul(vectors.mul(sqrt(values)), vectors.transpose())));
  },

  "Kronecker-factored curvature": ({ a, b }) => {
    const product = spd(a)
      .reshape([2, 1, 2, 1])
      .mul(spd(b).reshape([1, 2, 1, 2]));
    const big = product.reshape([4, 4]).add(0.1);
    return slogdet(big)[1].add(trace(solve(big, identity(4))));
  },

  determinant: ({ a }) => det(a).add(trace(matmul(a, a))),
  "matrix exponential": ({ a }) => sum(sin(matrixExp(a))),
  pseudoinverse: ({ a }) => sum(sin(pinv(a))),
});
