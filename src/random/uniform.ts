import { fail } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import { constant } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { randomBits, unitUniform } from "../primitives/bits.js";
import { ndtri } from "../primitives/special.js";
import { asKey, type KeyLike } from "./key.js";

/**
 * Where a sampler takes its words: a key and the number of the run. Element e of run s reads word s·size + e of the key's stream,
 * so the noise of a run does not depend on how runs are batched, split or ordered.
 */
export interface Stream {
  /** uint32 [2] */
  readonly key: Tensor;
  /** uint32 [], the run */
  readonly run: Tensor;
}

export type FloatType = "float32" | "float64";

export function streamOf(where: string, k: KeyLike | undefined): Stream {
  return { key: asKey(where, k), run: constant(0, "uint32") };
}

/** Uniform on the open interval (0, 1), of the given shape. */
export function uniform({ key, run }: Stream, shape: Shape, dtype: FloatType = "float32"): Tensor {
  const bits = (lane: -1 | 0 | 1): Tensor => apply(randomBits, [key, run], { shape, lane });
  const words = dtype === "float64" ? [bits(0), bits(1)] : [bits(-1)];
  return apply(unitUniform, words, { dtype });
}

/** Standard normals: the inverse cdf of uniforms, so that antithetic and quasi-random plans work. */
export function normal(stream: Stream, shape: Shape, dtype: FloatType = "float32"): Tensor {
  return apply(ndtri, [uniform(stream, shape, dtype)], null);
}

export function floatType(where: string, { dtype }: Tensor): FloatType {
  return dtype === "float32" || dtype === "float64"
    ? dtype
    : fail({ where, got: `${dtype} parameters`, expected: "float32 or float64" });
}
