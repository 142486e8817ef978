import {
  cos,
  digamma,
  erf,
  erfinv,
  exp,
  grad,
  hessian,
  integrate,
  jvp,
  lgamma,
  log,
  log1p,
  logSoftmax,
  logsumexp,
  matmul,
  mean,
  sin,
  softplus,
  square,
  stack,
  sum,
  type Tensor,
  tanh,
  tensor,
  vmap,
  xlog1py,
  xlogy,
} from "../../src/index.js";
import { checkTheme } from "./harness.js";

const f64 = { dtype: "float64" } as const;
const halfLogTau = 0.5 * Math.log(2 * Math.PI);
/** The cdf of a standard normal variable. */
const phi = (z: Tensor): Tensor => erf(z.div(Math.SQRT2)).add(1).mul(0.5);
const gradient = (f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) => grad(f) as (x: Tensor) => Tensor;

checkTheme("density", {
  "mixture of normals": ({ logits, mean: centre, logscale }, { x }) => {
    const z = x.sub(centre).mul(exp(logscale.neg()));
    const logs = logSoftmax(logits).sub(square(z).mul(0.5)).sub(logscale).sub(halfLogTau);
    return mean(logsumexp(logs, 1)).neg();
  },

  "KL of two Dirichlet laws": (p) => {
    const [a, b] = [exp(p.a), exp(p.b)];
    const norm = (c: Tensor): Tensor => lgamma(sum(c)).sub(sum(lgamma(c)));
    const score = digamma(a).sub(digamma(sum(a)));
    return norm(a)
      .sub(norm(b))
      .add(sum(a.sub(b).mul(score)));
  },

  "KL of two gamma laws": (p) => {
    const [a, r] = [exp(p.a).at(0), exp(p.a).at(1)];
    const [b, s] = [exp(p.b).at(0), exp(p.b).at(1)];
    const shapes = a.sub(b).mul(digamma(a)).sub(lgamma(a)).add(lgamma(b));
    return shapes.add(b.mul(log(r.div(s)))).add(a.mul(s.div(r).sub(1)));
  },

  "KL of two normal laws": ({ m, n, s, t }) =>
    sum(
      t
        .sub(s)
        .add(
          exp(s.mul(2))
            .add(square(m.sub(n)))
            .mul(exp(t.mul(-2)))
            .mul(0.5),
        )
        .sub(0.5),
    ),

  "beta likelihood": (p, { x }) => {
    const [a, b] = [softplus(p.a), softplus(p.b)];
    const norm = lgamma(a)
      .add(lgamma(b))
      .sub(lgamma(a.add(b)));
    return mean(
      xlogy(a.sub(1), x)
        .add(xlog1py(b.sub(1), x.neg()))
        .sub(norm),
    ).neg();
  },

  "Black-Scholes and its Greeks": ({ spot, vol, rate }) => {
    const price = ({ s, v }: { s: Tensor; v: Tensor }): Tensor => {
      const one = log(s.div(100)).add(rate).add(square(v).mul(0.5)).div(v);
      return s.mul(phi(one)).sub(
        exp(rate.neg())
          .mul(100)
          .mul(phi(one.sub(v))),
      );
    };
    const greeks = vmap(grad(price) as (q: { s: Tensor; v: Tensor }) => { s: Tensor; v: Tensor })({ s: spot, v: vol });
    return sum(vmap(price)({ s: spot, v: vol })).add(sum(greeks.s.mul(greeks.v)));
  },

  "truncated normal (erf, log, erfinv)": ({ m, s }, { u }) => {
    const scale = exp(s);
    const cdf = (x: number): Tensor => phi(m.neg().add(x).div(scale));
    const [low, high] = [cdf(-1), cdf(2)];
    const z = erfinv(
      low
        .add(u.mul(high.sub(low)))
        .mul(2)
        .sub(1),
    ).mul(Math.SQRT2);
    return mean(sin(m.add(scale.mul(z))));
  },

  "an integral in closed form": ({ a, b }) => integrate((x) => exp(x.mul(a).neg()).mul(sin(x)), 0, b).value,

  "third derivative": ({ x }) => {
    const f = (t: Tensor): Tensor =>
      sin(t)
        .mul(exp(t.mul(0.5)))
        .div(square(t).add(1));
    return sum(square(vmap(gradient(gradient(gradient(f))))(x)));
  },

  "score matching (trace of a Hessian)": ({ w, v }, { x }) => {
    const energy = (row: Tensor): Tensor => sum(softplus(matmul(row, w)).mul(v));
    const one = (row: Tensor): Tensor => {
      const h = hessian(energy)(row) as Tensor;
      return sum(square(gradient(energy)(row)))
        .mul(0.5)
        .add(h.at(0).at(0))
        .add(h.at(1).at(1));
    };
    return mean(vmap(one)(x));
  },

  "normalizing flow (log |det J|)": ({ w, u }, { x }) => {
    const flow = (row: Tensor): Tensor => row.add(matmul(tanh(matmul(row, w)), u));
    const one = (row: Tensor): Tensor => {
      const column = (i: number): Tensor => jvp(flow, row, tensor(i === 0 ? [1, 0] : [0, 1], f64)).tangent as Tensor;
      const [j, k] = [column(0), column(1)];
      const det = j
        .at(0)
        .mul(k.at(1))
        .sub(k.at(0).mul(j.at(1)));
      return sum(square(flow(row)))
        .mul(0.5)
        .sub(log(square(det)).mul(0.5));
    };
    return mean(vmap(one)(x));
  },

  "polar coordinates": (p) => {
    const [r, a] = [p.r.at(0), p.r.at(1)];
    return stack([r.mul(cos(a)), r.mul(sin(a)), log1p(square(r.mul(sin(a))))]);
  },

  "physics-informed loss (second derivatives inside)": ({ w, b, v }, { x }) => {
    const u = (t: Tensor): Tensor => sum(v.mul(tanh(w.mul(t).add(b))));
    const residual = (t: Tensor): Tensor =>
      gradient(gradient(u))(t)
        .add(square(u(t)))
        .sub(sin(t));
    return mean(square(vmap(residual)(x))).add(square(u(tensor(0, f64))));
  },
});
