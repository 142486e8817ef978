import {
  adam,
  expectation,
  full,
  log,
  matmul,
  mul,
  Normal,
  pathwise,
  sample,
  sin,
  softplus,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "samplegrad";
import { symmetric } from "../data.js";
import { ofExpectation } from "../training.js";
import type { Running, Scale, Workload } from "../workload.js";

/** Mean-field: a mean and a spread for every weight. */
type Posterior = {
  means: Tensor[];
  /** The spread is softplus(rho). */
  rhos: Tensor[];
};

type Points = {
  /** [points, 1] */
  x: Tensor;
  /** [points, 1] */
  y: Tensor;
};

const big = { points: 256, units: 50, samples: 16 };
const small = { points: 16, units: 5, samples: 4 };

/** W9: a Bayesian network 1-50-50-1 under a mean-field posterior, 16 draws of all weights, pathwise, KL in closed form, Adam. */
function start(scale: Scale): Running {
  const { points, units, samples } = scale === "full" ? big : small;
  const shapes = [
    [1, units],
    [1, units],
    [units, units],
    [1, units],
    [units, 1],
    [1, 1],
  ];
  const params: Posterior = {
    means: shapes.map((shape, i) => symmetric(91 + i, shape, i % 2 === 0 ? (shape[0] as number) ** -0.5 : 0.01)),
    rhos: shapes.map((shape) => full(shape, -3)),
  };
  const cost = ({ means, rhos }: Posterior, { x, y }: Points): Tensor => {
    const spreads = rhos.map((rho) => softplus(rho));
    const [w0, b0, w1, b1, w2, b2] = means.map((loc, i) =>
      sample(Normal({ loc, scale: spreads[i] as Tensor }), { name: `w${i}`, estimator: pathwise() }),
    ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const h0 = tanh(mul(x, w0).add(b0));
    const h1 = tanh(matmul(h0, w1).add(b1));
    const missed = mul(sum(square(matmul(h1, w2).add(b2).sub(y))), 50);
    return means.reduce((total, m, i) => {
      const s = spreads[i] as Tensor;
      return total.add(sum(sub(mul(square(s).add(square(m)).sub(1), 0.5), log(s))));
    }, missed);
  };
  return ofExpectation(expectation(cost, { samples }), params, data(points), adam({ learningRate: 1e-3 }));
}

/** sin 2x with noise, on a grid from −2 to 2. */
function data(points: number): Points {
  const x = tensor(
    Float32Array.from({ length: points }, (_, i) => -2 + (4 * i) / (points - 1)),
    { shape: [points, 1] },
  );
  return { x, y: sin(mul(x, 2)).add(mul(symmetric(90, [points, 1], 1), 0.1)) };
}

export const w09: Workload = {
  name: "W9",
  check: { kind: "last", steps: 100 },
  variants: [{ name: "distributions", start }],
};
