import {
  concat,
  expectation,
  log,
  mul,
  Normal,
  pathwise,
  sample,
  scan,
  sgd,
  sigmoid,
  slice,
  softplus,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  zeros,
} from "samplegrad";
import { type Affine, affine, layer, symmetric } from "../data.js";
import { ofExpectation } from "../training.js";
import type { Running, Scale, Workload } from "../workload.js";

type Recurrent = {
  /** Gates r, u, n of the input beside the latent before: [inputs + latents, 3 · units] */
  input: Affine;
  /** The same gates of the state before: [units, 3 · units] */
  state: Affine;
  /** To mean and spread of the latent: [units, 2 · latents] */
  latent: Affine;
  /** [latents, 1] */
  out: Affine;
};

type Series = {
  /** [steps, batch, inputs] */
  x: Tensor;
  /** [steps, batch, 1] */
  y: Tensor;
};

const full = { steps: 100, batch: 32, inputs: 8, units: 32, latents: 8 };
const small = { steps: 4, batch: 3, inputs: 2, units: 4, latents: 2 };

/** W12: a GRU whose input is joined by a Gaussian latent of its own making, pathwise through all steps, gradient descent. */
function start(scale: Scale): Running {
  const { steps, batch, inputs, units, latents } = scale === "full" ? full : small;
  const params: Recurrent = {
    input: { w: symmetric(122, [inputs + latents, 3 * units], (inputs + latents) ** -0.5), b: zeros([3 * units]) },
    state: { w: symmetric(123, [units, 3 * units], units ** -0.5), b: zeros([3 * units]) },
    latent: affine(124, units, 2 * latents),
    out: affine(125, latents, 1),
  };
  const part = (x: Tensor, k: number, size: number): Tensor => slice(x, k * size, (k + 1) * size, { axis: 1 });
  const cost = (p: Recurrent, series: Series): Tensor => {
    const step = ({ h, z }: { h: Tensor; z: Tensor }, { x, y }: Series) => {
      const [i, s] = [layer(p.input, concat([x, z], 1)), layer(p.state, h)];
      const gate = (k: number): Tensor => sigmoid(part(i, k, units).add(part(s, k, units)));
      const c = tanh(part(i, 2, units).add(gate(0).mul(part(s, 2, units))));
      const next = c.add(gate(1).mul(sub(h, c)));
      const head = layer(p.latent, next);
      const [loc, spread] = [part(head, 0, latents), softplus(part(head, 1, latents))];
      const drawn = sample(Normal({ loc, scale: spread }), { name: "z", estimator: pathwise() });
      const missed = sum(square(sub(layer(p.out, drawn), y)));
      const kl = sum(sub(mul(square(loc).add(square(spread)).sub(1), 0.5), log(spread)));
      return [{ h: next, z: drawn }, missed.add(mul(kl, 0.1))] as const;
    };
    const [, costs] = scan(step, { h: zeros([batch, units]), z: zeros([batch, latents]) }, series);
    return sum(costs).div(batch * steps);
  };
  const series = { x: symmetric(120, [steps, batch, inputs], 1), y: symmetric(121, [steps, batch, 1], 1) };
  return ofExpectation(expectation(cost), params, series, sgd({ learningRate: 0.1 }));
}

export const w12: Workload = {
  name: "W12",
  check: { kind: "last", steps: 20 },
  variants: [{ name: "distributions", start }],
};
