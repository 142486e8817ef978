import { expectation, mean, Normal, pathwise, sample, type Tensor } from "samplegrad";
import { ofExpectation, ofLoss } from "../gradient.js";
import type { Running, Workload } from "../workload.js";
import { type Gaussian, gaussian, million, numbers, wave } from "./million.js";

/** W3: d/d(μ, σ) of the mean of a million f(x), x ~ N(0.5, 1.2), pathwise. */
function distributions(samples: number): Running {
  const cost = (normal: Gaussian): Tensor => wave(sample(Normal(normal), { name: "x", estimator: pathwise() }));
  return ofExpectation(expectation(cost, { samples, chunk: samples }), gaussian(0.5, 1.2), numbers);
}

function raw(samples: number): Running {
  const loss = ({ loc, scale }: Gaussian, k: Tensor): Tensor =>
    mean(wave(loc.add(scale.mul(Normal({}).sample(k, { sampleShape: [samples] })))));
  return ofLoss(loss, gaussian(0.5, 1.2), numbers);
}

export const w03: Workload = {
  name: "W3",
  check: { kind: "mean", steps: 10 },
  variants: [
    { name: "distributions", start: (scale) => distributions(million(scale)) },
    { name: "raw", start: (scale) => raw(million(scale)) },
  ],
};
