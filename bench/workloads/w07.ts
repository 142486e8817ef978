import {
  adam,
  Bernoulli,
  div,
  expectation,
  log,
  log1p,
  mul,
  neg,
  randomKey,
  relu,
  sample,
  scoreFunction,
  sigmoid,
  softplus,
  sub,
  sum,
  type Tensor,
  Uniform,
} from "samplegrad";
import { type Affine, affine, binary, layer } from "../data.js";
import { ofExpectation } from "../training.js";
import type { Running, Scale, Workload } from "../workload.js";

type DiscreteVae = {
  hidden: Affine;
  logits: Affine;
  back: Affine;
  pixels: Affine;
};

const full = { batch: 64, pixels: 784, units: 200 };
const small = { batch: 4, pixels: 30, units: 12 };

const TEMPERATURE = 0.5;

/** Latents of one run from their logits [batch, units]. */
type Latents = (logits: Tensor) => Tensor;

/** The concrete relaxation: a draw that is differentiable, and close to 0 or 1. Maddison, Mnih & Teh 2017. */
const relaxed: Latents = (logits) => {
  const u = Uniform({ low: 1e-6, high: 1 - 1e-6 }).sample(randomKey("noise"), { sampleShape: logits.shape });
  return sigmoid(div(logits.add(log(u)).sub(log1p(neg(u))), TEMPERATURE));
};

const hard: Latents = (logits) =>
  sample(Bernoulli({ logits }), { name: "z", estimator: scoreFunction({ baseline: "leaveOneOut" }) });

/** An autoencoder with binary latents, KL to fair coins in closed form, Adam. */
function start(latents: Latents, samples: number, scale: Scale): Running {
  const { batch, pixels, units } = scale === "full" ? full : small;
  const params: DiscreteVae = {
    hidden: affine(71, pixels, units),
    logits: affine(72, units, units),
    back: affine(73, units, units),
    pixels: affine(74, units, pixels),
  };
  const cost = (p: DiscreteVae, x: Tensor): Tensor => {
    const logits = layer(p.logits, relu(layer(p.hidden, x)));
    const out = layer(p.pixels, relu(layer(p.back, latents(logits))));
    const missed = sum(sub(softplus(out), mul(out, x)));
    const kl = sum(mul(sigmoid(logits), logits).sub(softplus(logits)).add(Math.log(2)));
    return missed.add(kl).div(batch);
  };
  const x = binary(70, [batch, pixels], 0.2);
  return ofExpectation(expectation(cost, { samples }), params, x, adam({ learningRate: 1e-3 }));
}

/** W7: relaxed latents, one run. */
export const w07: Workload = {
  name: "W7",
  check: { kind: "last", steps: 20 },
  variants: [{ name: "distributions", start: (scale) => start(relaxed, 1, scale) }],
};

/** W7b: hard latents, four runs, score function with what the others cost as baseline. */
export const w07b: Workload = {
  name: "W7b",
  check: { kind: "last", steps: 20 },
  variants: [{ name: "distributions", start: (scale) => start(hard, 4, scale) }],
};
