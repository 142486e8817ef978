import { fail } from "../base/errors.js";
import { normalAxis, show } from "../base/shape.js";
import { onHost } from "../graph/lowering.js";
import { kept } from "../graph/reads.js";
import { apply, type LawCase, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as kernel from "../kernel/fft.js";
import type { NDArray } from "../kernel/ndarray.js";
import { floats, pair } from "./fit.js";
import { allBatched, zerosLike } from "./linear.js";
import { entries, partsOf, tupleType, tupleValue } from "./tuple.js";

export interface FourierParams {
  readonly axis: number;
  /** e^(+2πi jk/n) instead of e^(−2πi jk/n); neither is divided by n. */
  readonly inverse: boolean;
}

const cases: readonly LawCase<FourierParams>[] = [
  { shape: [2, 4], axis: 1, inverse: false },
  { shape: [3, 2], axis: 0, inverse: true },
  { shape: [7], axis: 0, inverse: false },
].map(({ shape, axis, inverse }) => ({ inputs: [{ shape }, { shape }], params: { axis, inverse } }));

/**
 * The discrete Fourier transform along one axis, of real and imaginary parts to real and imaginary parts. Its matrix is symmetric, so in
 * pairs of real numbers it is the transpose of the one with the other sign.
 */
export const fft: Primitive<FourierParams> = {
  name: "fft",
  type: ([re, im], { axis }) => {
    const type = floats("fft", pair("fft", re as Type, im as Type));
    normalAxis("fft", axis, type.shape.length);
    if (type.shape[axis] === 0)
      fail({ where: "fft", got: `${show(type.shape)}, empty on axis ${axis}`, expected: "at least one element" });
    return tupleType([type, type]);
  },
  run: ([re, im], { axis, inverse }) => tupleValue(kernel.fft(re as NDArray, im as NDArray, axis, inverse)),
  needs: "all",
  jvp: ([s, t], [re, im], params) =>
    s || t ? apply(fft, [s ?? zerosLike(re as Tensor), t ?? zerosLike(im as Tensor)], params) : null,
  transpose: (ct, linear, [re], { axis, inverse }) => {
    const [s, t] = entries(ct).map((part) => part ?? zerosLike(re as Tensor)) as [Tensor, Tensor];
    const back = partsOf(apply(fft, [s, t], { axis, inverse: !inverse }));
    return back.map((part, k) => (linear[k] ? part : null));
  },
  linear: "any",
  batch: (inputs, batched, { axis, inverse }, size) =>
    apply(fft, allBatched(inputs, batched, size), { axis: axis + 1, inverse }),
  reads: ({ axis }, inputs) => inputs.map(({ shape }) => kept(shape, [axis], true)),
  smooth: "smooth",
  lower: onHost,
  laws: cases,
};
