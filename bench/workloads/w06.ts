import {
  adam,
  exp,
  expectation,
  mul,
  Normal,
  pathwise,
  relu,
  sample,
  softplus,
  square,
  sub,
  sum,
  type Tensor,
} from "samplegrad";
import { type Affine, affine, binary, layer } from "../data.js";
import { ofExpectation } from "../training.js";
import type { Running, Scale, Workload } from "../workload.js";

type Vae = {
  hidden: Affine;
  loc: Affine;
  logVariance: Affine;
  back: Affine;
  pixels: Affine;
};

const full = { batch: 128, pixels: 784, hidden: 400, latent: 20 };
const small = { batch: 8, pixels: 30, hidden: 16, latent: 4 };

/** W6: a variational autoencoder on binary pixels, Gaussian latents, pathwise, KL in closed form, Adam. */
function start(scale: Scale): Running {
  const { batch, pixels, hidden, latent } = scale === "full" ? full : small;
  const params: Vae = {
    hidden: affine(61, pixels, hidden),
    loc: affine(62, hidden, latent),
    logVariance: affine(63, hidden, latent),
    back: affine(64, latent, hidden),
    pixels: affine(65, hidden, pixels),
  };
  const cost = (p: Vae, x: Tensor): Tensor => {
    const h = relu(layer(p.hidden, x));
    const [loc, logVariance] = [layer(p.loc, h), layer(p.logVariance, h)];
    const z = sample(Normal({ loc, scale: exp(mul(logVariance, 0.5)) }), { name: "z", estimator: pathwise() });
    const logits = layer(p.pixels, relu(layer(p.back, z)));
    const missed = sum(sub(softplus(logits), mul(logits, x)));
    const kl = mul(sum(square(loc).add(exp(logVariance)).sub(logVariance).sub(1)), 0.5);
    return missed.add(kl).div(batch);
  };
  return ofExpectation(expectation(cost), params, binary(60, [batch, pixels], 0.2), adam({ learningRate: 1e-3 }));
}

export const w06: Workload = {
  name: "W6",
  check: { kind: "last", steps: 20 },
  variants: [{ name: "distributions", start }],
};
