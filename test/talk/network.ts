import { Bernoulli, matmul, sample, sigmoid, square, type Tensor } from "../../src/index.js";
import { f64 } from "./judge.js";

/** The network of the talk: x → W⁽⁰⁾ → σ → W⁽¹⁾ → θ = σ(·) → a ~ Bernoulli(θ) → W⁽²⁾ → ½(y − a⁽²⁾)². */
export interface Weights {
  readonly W0: Tensor;
  readonly W1: Tensor;
  readonly W2: Tensor;
}
export interface Example {
  readonly x: Tensor;
  readonly y: Tensor;
}

export interface Numbers {
  readonly W0: readonly (readonly number[])[];
  readonly W1: readonly (readonly number[])[];
  readonly W2: readonly (readonly number[])[];
}

export const numbers: Numbers & { readonly x: readonly number[]; readonly y: readonly number[] } = {
  W0: [
    [0.5, -0.2],
    [0.1, 0.4],
    [-0.6, 0.3],
  ],
  W1: [
    [0.3, -0.7, 0.2],
    [1.1, 0.4, -0.5],
  ],
  W2: [[1.5, -0.8]],
  x: [1, 2],
  y: [2],
};

export const weights: Weights = { W0: f64(numbers.W0), W1: f64(numbers.W1), W2: f64(numbers.W2) };
export const example: Example = { x: f64(numbers.x), y: f64(numbers.y) };

/** The eight lines of the talk, each by its name. */
export type Line = "z0" | "a0" | "z1" | "theta" | "a1" | "z2" | "a2" | "L";
export function lines({ W0, W1, W2 }: Weights, { x, y }: Example): Record<Line, Tensor> {
  const z0 = matmul(W0, x);
  const a0 = sigmoid(z0);
  const z1 = matmul(W1, a0);
  const theta = sigmoid(z1);
  const a1 = sample(Bernoulli({ probs: theta }), { name: "a" });
  const z2 = matmul(W2, a1);
  const a2 = z2;
  const L = square(y.sub(a2)).mul(0.5);
  return { z0, a0, z1, theta, a1, z2, a2, L };
}

export const loss = (w: Weights, e: Example): Tensor => lines(w, e).L;

const sigma = (z: number): number => 1 / (1 + Math.exp(-z));
const times = (W: readonly (readonly number[])[], v: readonly number[]): number[] =>
  W.map((row) => row.reduce((total, w, i) => total + w * (v[i] as number), 0));

/** The same up to θ, by hand. */
export function byHand({ W0, W1 }: Numbers): { z0: number[]; a0: number[]; z1: number[]; theta: number[] } {
  const z0 = times(W0, numbers.x);
  const a0 = z0.map(sigma);
  const z1 = times(W1, a0);
  return { z0, a0, z1, theta: z1.map(sigma) };
}

export const outcomes: readonly (readonly number[])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

export function probability(w: Numbers, a: readonly number[]): number {
  return byHand(w).theta.reduce((p, t, i) => p * (a[i] === 1 ? t : 1 - t), 1);
}

/** E[f(a)], the sum over the four outcomes of a. */
export function expected(w: Numbers, f: (a: readonly number[]) => number): number {
  return outcomes.reduce((total, a) => total + probability(w, a) * f(a), 0);
}

export function costOf({ W2 }: Numbers, a: readonly number[]): number {
  return 0.5 * ((numbers.y[0] as number) - (times(W2, a)[0] as number)) ** 2;
}

/** The derivative of f in every weight, by differences. */
export function differences(f: (w: Numbers) => number, h = 1e-3): Numbers {
  const along = (name: keyof Numbers): readonly (readonly number[])[] =>
    numbers[name].map((row, i) =>
      row.map((_, j) => {
        const moved = (step: number): number =>
          f({ ...numbers, [name]: numbers[name].map((r, k) => r.map((v, l) => (k === i && l === j ? v + step : v))) });
        return (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
      }),
    );
  return { W0: along("W0"), W1: along("W1"), W2: along("W2") };
}
