import { expectation, mean, Normal, pathwise, sample, type Tensor } from "samplegrad";
import { ofExpectation, ofLoss, reading } from "../gradient.js";
import type { Running, Workload } from "../workload.js";
import { type Gaussian, gaussian, numbers } from "./million.js";

/** W10: what a call costs at the least. Gradient of E[x²], x ~ N(1, 1), ten samples, pathwise; its numbers are read. */
function distributions(samples: number): Running {
  const cost = (normal: Gaussian): Tensor => sample(Normal(normal), { name: "x", estimator: pathwise() }).square();
  return reading(ofExpectation(expectation(cost, { samples }), gaussian(1, 1), numbers));
}

function raw(samples: number): Running {
  const loss = ({ loc, scale }: Gaussian, k: Tensor): Tensor =>
    mean(loc.add(scale.mul(Normal({}).sample(k, { sampleShape: [samples] }))).square());
  return reading(ofLoss(loss, gaussian(1, 1), numbers));
}

export const w10: Workload = {
  name: "W10",
  inner: 100,
  check: { kind: "mean", steps: 3000 },
  variants: [
    { name: "distributions", start: () => distributions(10) },
    { name: "raw", start: () => raw(10) },
  ],
};
