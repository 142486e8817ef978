import {
  arange,
  concat,
  cos,
  cumlogsumexp,
  cummax,
  cumprod,
  einsum,
  exp,
  fft,
  ifft,
  interp,
  irfft,
  log1p,
  matmul,
  prod,
  rfft,
  scatterAdd,
  sin,
  sort,
  square,
  sum,
  take,
  tanh,
  tensor,
  topK,
  zeros,
} from "../../src/index.js";
import { checkTheme } from "./harness.js";

const f64 = { dtype: "float64" } as const;

checkTheme("array", {
  einsum: ({ a, b, c }) => {
    const turned = a.transpose([0, 2, 1]);
    const chained = sum(sin(matmul(einsum("bij,jk->bik", turned, b), c)));
    return chained.add(einsum("bij,jk,ki->", turned, b, c));
  },

  "bilinear form by einsum": ({ a, x, y }) => einsum("ni,ij,nj->n", x, a, y),

  "power spectrum": ({ x }, { w }) => {
    const { re, im } = fft({ re: x, im: zeros([8], f64) });
    return sum(log1p(square(re).add(square(im))).mul(w));
  },

  "complex spectrum": (p) => {
    const { re, im } = fft({ re: p.re, im: p.im });
    return { im: ifft({ re: square(re).add(square(im)), im: zeros([2, 6], f64) }).im, re: sin(re) };
  },

  "real spectrum": ({ x }) => {
    const { re, im } = rfft(x);
    const damping = exp(arange(4, f64).mul(-0.3));
    return square(irfft({ re: re.mul(damping), im: im.mul(damping) }, 7));
  },

  interpolation: ({ y, x }) => sum(square(interp(tanh(x).mul(2), tensor([-2, -0.7, 0.1, 0.8, 2], f64), y))),

  "cumulative product": ({ x }, { w }) => sum(cumprod(x, 1).mul(w)).add(prod(cos(x))),
  "cumulative product with a zero": ({ x }, { w }) => sum(cumprod(x).mul(w)),
  "running maximum": ({ x }, { w }) => sum(sin(cummax(x, 1)).mul(w)),

  "running log-sum-exp": ({ x }, { w }) =>
    sum(cumlogsumexp(x, 1).mul(w)).add(sum(cumlogsumexp(x, 0, { reverse: true }).at(0))),

  "sort: one-dimensional optimal transport": ({ x, y }) => sum(sort(x).sub(sort(y)).abs().pow(1.5)),

  "top k": ({ x }) => sum(exp(topK(x, 3)[0]).mul([3, 2, 1])),

  "median and quantile by sorting": ({ x }) => {
    const s = sort(x);
    return s
      .at(3)
      .pow(3)
      .add(s.at(1).mul(s.at(2)).mul(0.25));
  },

  "segment sums (scatter)": ({ x, w }, { group }) => sum(log1p(scatterAdd(zeros([3], f64), group, exp(x))).mul(w)),

  "graph convolution (gather and scatter)": ({ h, w }, { from, to }) => {
    const messages = take(tanh(matmul(h, w)), from);
    return sum(sin(scatterAdd(h, to, messages)));
  },

  "padded differences": (p) => {
    const x = p.x.pad([
      [1, 0],
      [0, 2],
    ]);
    const steps = x.slice(1).sub(x.slice(0, -1));
    const picked = concat([x.slice(0, undefined, { axis: 1, step: 2 })], 1).flip(1);
    return sum(square(steps)).add(sum(sin(picked)));
  },
});
