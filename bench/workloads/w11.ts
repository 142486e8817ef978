import {
  conv2d,
  exp,
  mean,
  mul,
  neg,
  relu,
  sgd,
  slice,
  square,
  sub,
  type Tensor,
  upsample,
  valueAndGrad,
  zeros,
} from "samplegrad";
import { symmetric } from "../data.js";
import { training } from "../training.js";
import type { Running, Scale, Workload } from "../workload.js";

type Kernels = {
  /** [16, 1, 3, 3] and [16, 1, 1] */
  k1: Tensor;
  b1: Tensor;
  /** [32, 16, 3, 3] and [32, 1, 1] */
  k2: Tensor;
  b2: Tensor;
  /** [2, 32, 3, 3] and [2, 1, 1] */
  k3: Tensor;
  b3: Tensor;
};

type Images = {
  /** [batch, 1, side, side] */
  x: Tensor;
  /** [batch, 1, side, side] */
  y: Tensor;
};

const full = { batch: 16, side: 32 };
const small = { batch: 2, side: 8 };

/** W11: three convolutions with a step down and a step up, Gaussian log-likelihood of each pixel, gradient descent. No random choice. */
function start(scale: Scale): Running {
  const { batch, side } = scale === "full" ? full : small;
  const params: Kernels = {
    k1: symmetric(112, [16, 1, 3, 3], 9 ** -0.5),
    k2: symmetric(113, [32, 16, 3, 3], 144 ** -0.5),
    k3: symmetric(114, [2, 32, 3, 3], 288 ** -0.5),
    b1: zeros([16, 1, 1]),
    b2: zeros([32, 1, 1]),
    b3: zeros([2, 1, 1]),
  };
  const cost = ({ k1, b1, k2, b2, k3, b3 }: Kernels, { x, y }: Images): Tensor => {
    const h1 = relu(conv2d(x, k1, { padding: 1 }).add(b1));
    const h2 = relu(conv2d(h1, k2, { padding: 1, stride: 2 }).add(b2));
    const out = conv2d(upsample(h2, 2), k3, { padding: 1 }).add(b3);
    const [loc, logVariance] = [slice(out, 0, 1, { axis: 1 }), slice(out, 1, 2, { axis: 1 })];
    return mul(mean(logVariance.add(mul(square(sub(y, loc)), exp(neg(logVariance))))), 0.5);
  };
  const slope = valueAndGrad(cost);
  const x = symmetric(110, [batch, 1, side, side], 1);
  const y = mul(x, 0.5).add(mul(symmetric(111, [batch, 1, side, side], 1), 0.3));
  return training(params, { x, y }, sgd({ learningRate: 1e-2 }), (p, d) => slope(p, d));
}

export const w11: Workload = {
  name: "W11",
  check: { kind: "last", steps: 20 },
  variants: [{ name: "raw", start }],
};
