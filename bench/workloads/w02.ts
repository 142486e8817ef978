import {
  expectation,
  matmul,
  mean,
  mul,
  Normal,
  pathwise,
  sample,
  softplus,
  square,
  sub,
  type Tensor,
} from "samplegrad";
import { ofExpectation, ofLoss } from "../gradient.js";
import type { Running, Workload } from "../workload.js";
import { type Slides, sizes, sums, target, units, weights } from "./slides.js";

/** W2: the net of the talk with Gaussian units N(z, softplus(z)), S runs, pathwise. */
function distributions(samples: number): Running {
  const cost = (w: Slides): Tensor => {
    const z = units(w);
    const a = sample(Normal({ loc: z, scale: softplus(z) }), { name: "a", estimator: pathwise() });
    return mul(square(sub(target, matmul(a, w.W2))), 0.5);
  };
  return ofExpectation(expectation(cost, { samples, chunk: Math.max(2, samples) }), weights(), sums);
}

function raw(samples: number): Running {
  const loss = (w: Slides, k: Tensor): Tensor => {
    const z = units(w);
    const noise = Normal({}).sample(k, { sampleShape: [samples, 8] });
    const a = z.add(softplus(z).mul(noise));
    return mean(mul(square(sub(target, matmul(a, w.W2))), 0.5));
  };
  return ofLoss(loss, weights(), sums);
}

export const w02: readonly Workload[] = sizes.map((size) => ({
  name: `W2-${size}`,
  check: { kind: "mean", steps: size < 10_000 ? 2000 : 200 },
  variants: [
    { name: "distributions", start: (scale) => distributions(scale === "full" ? size : Math.min(size, 20)) },
    { name: "raw", start: (scale) => raw(scale === "full" ? size : Math.min(size, 20)) },
  ],
}));
