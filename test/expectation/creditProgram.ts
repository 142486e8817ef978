import type { Tensor } from "../../src/graph/tensor.js";
import { Bernoulli, sample } from "../../src/index.js";

/** Small programs whose value, gradient and variances are known by enumeration; numbers as printed, to eight digits. */
export interface CreditProgram {
  readonly name: string;
  readonly f: (params: never) => Tensor;
  readonly params: Readonly<Record<string, Tensor>>;
  /** Per site and leaf: who is charged with what. */
  readonly charged: readonly string[];
  readonly value: string;
  /** In the order of the parameters. */
  readonly gradient: string;
  /** Variance of one run without baseline: with credit / every site charged with everything. */
  readonly single: readonly [string, string];
  /** Mean of two runs with leave-one-out, likewise. */
  readonly pair: readonly [string, string];
}

export type P = { theta: Tensor; phi: Tensor; w: Tensor };

export const bits = (logits: Tensor, name = "a"): Tensor => sample(Bernoulli({ logits }), { name });
export const q = (x: Tensor): Tensor => x.square();
