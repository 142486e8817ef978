import {
  arange,
  erf,
  exp,
  grad,
  logSoftmax,
  matmul,
  mean,
  relu,
  sigmoid,
  softmax,
  softplus,
  sqrt,
  square,
  sum,
  type Tensor,
  take,
  takeAlong,
  tanh,
  variance,
  vmap,
  where,
} from "../../src/index.js";
import { checkTheme, type Program } from "./harness.js";

const perceptron =
  (activation: (x: Tensor) => Tensor): Program =>
  ({ w1, b1, w2, b2 }, { x, y }) =>
    mean(
      square(
        matmul(activation(matmul(x, w1).add(b1)), w2)
          .add(b2)
          .sub(y),
      ),
    );

/** (x − mean) / √(variance + ε) over one axis. */
function normalised(x: Tensor, axis: number, epsilon: number): Tensor {
  const over = { axis, keepDims: true };
  return x.sub(mean(x, over)).div(sqrt(variance(x, over).add(epsilon)));
}

checkTheme("network", {
  "MLP with tanh": perceptron(tanh),
  "MLP with relu": perceptron(relu),
  "MLP with gelu": perceptron((x) => x.mul(0.5).mul(erf(x.div(Math.SQRT2)).add(1))),
  "MLP with softplus": perceptron(softplus),
  "MLP with sigmoid": perceptron(sigmoid),
  "MLP with silu": perceptron((x) => x.mul(sigmoid(x))),

  "Jacobian of an MLP": ({ x }, { w1, b1, w2, b2 }) => softmax(matmul(tanh(matmul(x, w1).add(b1)), w2).add(b2)),

  "per-example gradient norms": ({ w, b }, { x, y }) => {
    type Weights = { w: Tensor; b: Tensor };
    const one = (q: Weights, row: Tensor, target: Tensor): Tensor =>
      square(tanh(matmul(row, q.w).add(q.b)).sub(target));
    const each = vmap(grad(one) as (q: Weights, row: Tensor, target: Tensor) => Weights, { inAxes: [null, 0, 0] });
    const g = each({ w, b }, x, y);
    return { mean: mean(g.w, 0), norms: sqrt(square(g.w).sum(1).add(square(g.b))) };
  },

  "layer norm": ({ x, scale, shift }, { t }) => sum(square(tanh(normalised(x, -1, 1e-5).mul(scale).add(shift)).sub(t))),

  "batch norm": ({ w, scale, shift }, { x, t }) =>
    mean(square(sigmoid(normalised(matmul(x, w), 0, 1e-3).mul(scale).add(shift)).sub(t))),

  "masked attention": ({ q, k, v }, { x, t }) => {
    const seen = arange(5).expandDims(1).greaterEqual(arange(5));
    const scores = matmul(matmul(x, q), matmul(x, k).transpose()).div(2);
    return mean(square(matmul(softmax(where(seen, scores, -Infinity)), matmul(x, v)).sub(t)));
  },

  "two attention heads": ({ q, k, v, o }, { x, t }) => {
    const heads = (w: Tensor): Tensor => matmul(x, w).reshape([3, 2, 2]).transpose([1, 0, 2]);
    const a = softmax(matmul(heads(q), heads(k).transpose([0, 2, 1])).div(Math.SQRT2));
    const out = matmul(matmul(a, heads(v)).transpose([1, 0, 2]).reshape([3, 4]), o);
    return mean(square(x.add(out).sub(t)));
  },

  "word embeddings": ({ e, w }, { words, next }) => {
    const logits = logSoftmax(matmul(tanh(take(e, words)), w));
    return mean(takeAlong(logits, next.expandDims(1))).neg();
  },

  "variational autoencoder": ({ enc, dec }, { x, noise }) => {
    const h = matmul(x, enc);
    const [m, logvar] = [h.slice(0, 2, { axis: 1 }), h.slice(2, 4, { axis: 1 })];
    const z = m.add(exp(logvar.mul(0.5)).mul(noise));
    const kl = sum(exp(logvar).add(square(m)).sub(1).sub(logvar)).mul(0.5);
    return sum(square(tanh(matmul(z, dec)).sub(x)))
      .mul(0.5)
      .add(kl);
  },
});
