import {
  abs,
  erfc,
  exp,
  eye,
  lgamma,
  log,
  log1p,
  logSoftmax,
  matmul,
  maximum,
  mean,
  softplus,
  solve,
  square,
  sum,
  type Tensor,
  takeAlong,
  where,
} from "../../src/index.js";
import { checkTheme, type Leaves } from "./harness.js";

const affine = ({ w, b }: Leaves, { x }: Leaves): Tensor => matmul(x, w).add(b);

checkTheme("regression", {
  linear: (p, d) => mean(square(affine(p, d).sub(d.y))),

  "ridge through its closed form": ({ loglambda }, { x, y, z, t }) => {
    const curvature = matmul(x.transpose(), x).add(eye(4, { dtype: "float64" }).mul(exp(loglambda)));
    return mean(square(matmul(z, solve(curvature, matmul(x.transpose(), y))).sub(t)));
  },

  logistic: (p, d) => {
    const z = affine(p, d);
    return mean(softplus(z).sub(d.y.mul(z))).add(sum(square(p.w)).mul(0.05));
  },

  softmax: (p, d) => mean(takeAlong(logSoftmax(affine(p, d)), d.y.expandDims(1))).neg(),

  Poisson: (p, d) => {
    const eta = affine(p, d);
    return mean(
      exp(eta)
        .sub(d.y.mul(eta))
        .add(lgamma(d.y.toDType("float64").add(1))),
    );
  },

  Huber: (p, d) => {
    const r = abs(affine(p, d).sub(d.y));
    return mean(where(r.less(1), square(r).mul(0.5), r.sub(0.5)));
  },

  "Student t": ({ w, logscale, logdf }, { x, y }) => {
    const df = exp(logdf);
    const z = y.sub(matmul(x, w)).div(exp(logscale));
    const half = df.add(1).div(2);
    const norm = lgamma(half)
      .sub(lgamma(df.div(2)))
      .sub(log(df.mul(Math.PI)).mul(0.5))
      .sub(logscale);
    return mean(norm.sub(half.mul(log1p(square(z).div(df))))).neg();
  },

  quantile: (p, d) => {
    const r = d.y.sub(affine(p, d));
    return mean(maximum(r.mul(0.3), r.mul(-0.7)));
  },

  probit: (p, d) => {
    const sign = d.y.mul(2).sub(1);
    return mean(log(erfc(sign.neg().mul(affine(p, d)).div(Math.SQRT2)).mul(0.5))).neg();
  },

  "negative binomial": ({ w, logr }, { x, y }) => {
    const r = exp(logr);
    const mu = exp(matmul(x, w));
    const counts = lgamma(r.add(y))
      .sub(lgamma(r))
      .sub(lgamma(y.toDType("float64").add(1)));
    const failures = r.mul(log(r.div(r.add(mu))));
    return mean(counts.add(failures).add(y.mul(log(mu.div(r.add(mu)))))).neg();
  },

  "factorisation machine": ({ w, v }, { x, y }) => {
    const pairs = square(matmul(x, v))
      .sub(matmul(square(x), square(v)))
      .sum(1)
      .mul(0.5);
    return mean(square(matmul(x, w).add(pairs).sub(y)));
  },
});
