import {
  Bernoulli,
  type Distribution,
  foldIn,
  type KeyLike,
  logSoftmax,
  matmul,
  mean,
  mul,
  Normal,
  named,
  neg,
  sample,
  sigmoid,
  softmax,
  softplus,
  sum,
  type Tensor,
  Uniform,
} from "samplegrad";
import type { Batch } from "./digits.js";

/**
 * The graph of the talk on real digits: x → W0 → σ → W1 → θ = σ(·) → a ~ Bernoulli(θ) → W2 → cost. The cost is the cross-entropy of
 * the ten classes: with the talk's squared error against one-hot labels the same net is far slower to learn.
 */
export type Weights = {
  /** [inputs, hidden] */
  W0: Tensor;
  /** [hidden, units] */
  W1: Tensor;
  /** [hidden, units]: the spread of the continuous layer; the others have none. */
  V1?: Tensor;
  /** [units, classes] */
  W2: Tensor;
};

/** What happens at a random choice: in training it is a node of the graph (`sample`), at test time plain draws. */
export type Draw = (d: Distribution<"logProb">) => Tensor;

export interface Layer {
  /** What it computes, for people. */
  readonly formula: string;
  readonly hasSpread: boolean;
  /** [batch, hidden] → [batch, units] */
  readonly units: (h: Tensor, weights: Weights, draw: Draw) => Tensor;
}

/** Binary units: no derivative goes through a draw, so the gradient needs the score function. */
export const bernoulliLayer: Layer = {
  formula: "a ~ Bernoulli(σ(W1 h))",
  hasSpread: false,
  units: (h, { W1 }, draw) => draw(Bernoulli({ probs: named(sigmoid(matmul(h, W1)), "θ") })),
};

/** Continuous units: a = μ + s·ε, and the derivative goes through the draw. */
export const normalLayer: Layer = {
  formula: "a ~ Normal(W1 h, softplus(V1 h))",
  hasSpread: true,
  units: (h, { W1, V1 }, draw) =>
    draw(Normal({ loc: named(matmul(h, W1), "μ"), scale: named(softplus(matmul(h, V1 as Tensor)), "s") })),
};

/** No random choice, for orientation. */
export const meanLayer: Layer = {
  formula: "a = σ(W1 h)",
  hasSpread: false,
  units: (h, { W1 }) => named(sigmoid(matmul(h, W1)), "a"),
};

const hidden = ({ W0 }: Weights, x: Tensor): Tensor => named(sigmoid(matmul(x, W0)), "h");

/** The cost of one run of the network: mean cross-entropy over the batch. */
export function costOf(layer: Layer): (weights: Weights, data: Batch) => Tensor {
  return (weights, { x, y }) => {
    const a = layer.units(hidden(weights, x), weights, (d) => sample(d, { name: "a" }));
    const o = named(matmul(a, weights.W2), "o");
    return mean(named(neg(sum(mul(y, logSoftmax(o)), -1)), "c"));
  };
}

/** Probabilities of the classes [batch, classes], averaged over `draws` draws of the random units. */
export function predict(layer: Layer, weights: Weights, x: Tensor, draws: number, key: KeyLike): Tensor {
  const all = (d: Distribution<"logProb">): Tensor => d.sample(key, { sampleShape: [draws] });
  const o = matmul(layer.units(hidden(weights, x), weights, all), weights.W2);
  return o.rank === 2 ? softmax(o) : mean(softmax(o), 0);
}

export interface Sizes {
  readonly inputs: number;
  readonly hidden: number;
  readonly units: number;
  readonly classes: number;
}

/** Uniform with variance 2/(in + out), Glorot & Bengio 2010; the same for every layer, so that they start alike. */
export function initialWeights(layer: Layer, { inputs, hidden, units, classes }: Sizes, key: KeyLike): Weights {
  const matrix = (name: string, rows: number, columns: number): Tensor => {
    const bound = Math.sqrt(6 / (rows + columns));
    return Uniform({ low: -bound, high: bound }).sample(foldIn(key, name), { sampleShape: [rows, columns] });
  };
  const weights = {
    W0: matrix("W0", inputs, hidden),
    W1: matrix("W1", hidden, units),
    W2: matrix("W2", units, classes),
  };
  return layer.hasSpread ? { ...weights, V1: matrix("V1", hidden, units) } : weights;
}
