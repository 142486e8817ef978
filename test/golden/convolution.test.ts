import {
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  exp,
  logSoftmax,
  matmul,
  maxPool2d,
  mean,
  relu,
  sin,
  softplus,
  square,
  sum,
  takeAlong,
  tanh,
} from "../../src/index.js";
import { checkTheme } from "./harness.js";

checkTheme("convolution", {
  "1-D, padded": ({ x, w }, { t }) => mean(square(tanh(conv1d(x, w, { padding: 1 })).sub(t))),
  "2-D": ({ w, b }, { x, t }) => mean(square(tanh(conv2d(x, w).add(b.reshape([3, 1, 1]))).sub(t))),
  "2-D, strided and padded": ({ x, w }) => sum(sin(conv2d(x, w, { stride: 2, padding: 1 }))),
  "2-D, dilated": ({ x, w }) => sum(square(tanh(conv2d(x, w, { dilation: 2 })))),
  "2-D, grouped": ({ x, w }) => sum(softplus(conv2d(x, w, { groups: 2 }))),
  "2-D, transposed": ({ x, w }) => sum(square(tanh(convTranspose2d(x, w, { stride: 2 })))),
  "max pool": ({ x }) => sum(sin(maxPool2d(x, 2))),
  "average pool": ({ x }) => sum(exp(avgPool2d(x, 2))),

  "a small network": ({ k1, k2, w }, { x, y }) => {
    const first = maxPool2d(relu(conv2d(x, k1, { padding: 1 })), 2);
    const h = mean(tanh(conv2d(first, k2)), [2, 3]);
    return mean(takeAlong(logSoftmax(matmul(h, w)), y.expandDims(1))).neg();
  },
});
