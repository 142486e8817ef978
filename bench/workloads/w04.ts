import { expectation, log, mean, Normal, sample, scoreFunction, stopGradient, sub, type Tensor } from "samplegrad";
import { ofExpectation, ofLoss } from "../gradient.js";
import type { Running, Workload } from "../workload.js";
import { type Gaussian, gaussian, million, numbers, wave } from "./million.js";

/** W4: the gradient of W3 by the score function, with the mean of the batch as baseline. */
function distributions(samples: number): Running {
  const estimator = scoreFunction({ baseline: "leaveOneOut" });
  const cost = (normal: Gaussian): Tensor => wave(sample(Normal(normal), { name: "x", estimator }));
  return ofExpectation(expectation(cost, { samples, chunk: samples }), gaussian(0.5, 1.2), numbers);
}

function raw(samples: number): Running {
  const surrogate = ({ loc, scale }: Gaussian, k: Tensor): Tensor => {
    const x = stopGradient(loc.add(scale.mul(Normal({}).sample(k, { sampleShape: [samples] }))));
    const f = wave(x);
    const logProb = sub(x.sub(loc).div(scale).square().mul(-0.5), log(scale));
    return mean(logProb.mul(f.sub(mean(f))));
  };
  return ofLoss(surrogate, gaussian(0.5, 1.2), numbers);
}

export const w04: Workload = {
  name: "W4",
  check: { kind: "mean", steps: 20 },
  variants: [
    { name: "distributions", start: (scale) => distributions(million(scale)) },
    { name: "raw", start: (scale) => raw(million(scale)) },
  ],
};
