import { matmul, type Tensor, tensor, zeros } from "samplegrad";

/** Parameters and data of the workloads: every peer makes the same numbers, by a hash of the index. */

/** n numbers in (0, 1): lowbias32 (Wellons 2018) of the index plus an offset for the seed. */
export function uniform(seed: number, n: number): Float64Array {
  const out = new Float64Array(n);
  const offset = Math.imul(seed, 0x9e3779b9);
  for (let i = 0; i < n; i++) {
    let x = (i + offset) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x21f0aaad);
    x ^= x >>> 15;
    x = Math.imul(x, 0x735a2d97);
    x ^= x >>> 15;
    out[i] = ((x >>> 0) + 0.5) / 2 ** 32;
  }
  return out;
}

/** Uniform on (−bound, bound), float32. */
export function symmetric(seed: number, shape: readonly number[], bound: number): Tensor {
  return tensor(
    Float32Array.from(uniform(seed, sizeOf(shape)), (u) => (2 * u - 1) * bound),
    { shape },
  );
}

/** 1 with probability p, else 0, float32. */
export function binary(seed: number, shape: readonly number[], p: number): Tensor {
  return tensor(
    Float32Array.from(uniform(seed, sizeOf(shape)), (u) => (u < p ? 1 : 0)),
    { shape },
  );
}

/** A layer of a network. */
export type Affine = {
  /** [inputs, outputs] */
  w: Tensor;
  /** [outputs] */
  b: Tensor;
};

/** Weights within ±1/√inputs, no bias. */
export function affine(seed: number, inputs: number, outputs: number): Affine {
  return { w: symmetric(seed, [inputs, outputs], inputs ** -0.5), b: zeros([outputs]) };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** x [..., inputs] -> [..., outputs] */
export function layer({ w, b }: Affine, x: Tensor): Tensor {
  return matmul(x, w).add(b);
}
