import {
  Bernoulli,
  expectation,
  less,
  matmul,
  mean,
  mul,
  sample,
  scoreFunction,
  sigmoid,
  softplus,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  toDType,
  transpose,
  Uniform,
} from "samplegrad";
import { ofExpectation, ofLoss } from "../gradient.js";
import type { Running, Workload } from "../workload.js";
import { type Slides, sizes, sums, target, units, weights } from "./slides.js";

/**
 * W1: the net of the talk with binary units, S runs, score function. With S > 1 the baseline of a run is the mean cost of the
 * others, with one run there is none.
 */
function distributions(samples: number): Running {
  const estimator = scoreFunction({ baseline: samples === 1 ? "none" : "leaveOneOut" });
  const cost = (w: Slides): Tensor => {
    const a = sample(Bernoulli({ logits: units(w) }), { name: "a", estimator });
    return mul(square(sub(target, matmul(a, w.W2))), 0.5);
  };
  return ofExpectation(expectation(cost, { samples, chunk: Math.max(2, samples) }), weights(), sums);
}

function raw(samples: number): Running {
  const surrogate = (w: Slides, k: Tensor): Tensor => {
    const z = units(w);
    const u = Uniform({ low: 0, high: 1 }).sample(k, { sampleShape: [samples, 8] });
    const a = toDType(less(u, stopGradient(sigmoid(z))), "float32");
    const loss = mul(square(sub(target, matmul(a, w.W2))), 0.5);
    const fixed = stopGradient(loss);
    const advantage = samples === 1 ? fixed : sub(fixed, mul(sub(sum(fixed), fixed), 1 / (samples - 1)));
    const logProb = sub(matmul(a, transpose(z)), sum(softplus(z)));
    return mean(loss.add(logProb.mul(advantage)));
  };
  return ofLoss(surrogate, weights(), sums);
}

export const w01: readonly Workload[] = sizes.map((size) => ({
  name: `W1-${size}`,
  check: { kind: "mean", steps: size < 10_000 ? 2000 : 200 },
  variants: [
    { name: "distributions", start: (scale) => distributions(scale === "full" ? size : Math.min(size, 20)) },
    { name: "raw", start: (scale) => raw(scale === "full" ? size : Math.min(size, 20)) },
  ],
}));
