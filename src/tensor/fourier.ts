import { promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { normalAxis, sameShape, show } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { fft as primitive } from "../primitives/fourier.js";
import { negate, sliceAxis, zerosLike } from "../primitives/linear.js";
import { partsOf } from "../primitives/tuple.js";
import { div } from "./elementwise.js";
import { toDType, toFloat } from "./operands.js";
import { concat, flip } from "./shaping.js";

/**
 * Fourier transforms. Complex numbers are pairs of tensors of one shape, their real and imaginary parts; gradients are those of the two
 * parts, so ∂f/∂re and ∂f/∂im. Computed in float64 for every length in O(n log n), rounded once.
 */
export interface Complex {
  readonly re: Tensor;
  readonly im: Tensor;
}

/** `im` left out is 0. */
export interface ComplexLike {
  readonly re: TensorLike;
  readonly im?: TensorLike;
}

/** One axis, or several one after another. */
export type FourierAxes = number | readonly number[];

/** X[k] = Σ x[j] e^(−2πi jk/n) along the axes, the last by default. @throws where an axis is empty */
export function fft(x: ComplexLike, axes: FourierAxes = -1): Complex {
  const a = complex("fft", x);
  return along(a, axesOf("fft", axes, a.re.rank), false);
}

/** The inverse of `fft`: x[j] = 1/n Σ X[k] e^(2πi jk/n). */
export function ifft(x: ComplexLike, axes: FourierAxes = -1): Complex {
  const a = complex("ifft", x);
  return along(a, axesOf("ifft", axes, a.re.rank), true);
}

/** `fft` of real numbers: of the last of the axes only the first ⌊n/2⌋ + 1 frequencies, which determine the others. */
export function rfft(x: TensorLike, axes: FourierAxes = -1): Complex {
  const a = complex("rfft", { re: x });
  const list = axesOf("rfft", axes, a.re.rank);
  const last = list[list.length - 1] as number;
  const { re, im } = along(a, [last], false);
  const half = Math.floor((a.re.shape[last] as number) / 2) + 1;
  return along({ re: sliceAxis(re, last, 0, half), im: sliceAxis(im, last, 0, half) }, list.slice(0, -1), false);
}

/**
 * The inverse of `rfft`: real numbers, n of them on the last of the axes. The imaginary parts of the frequencies 0 and n/2, which are 0
 * for real numbers, are not read.
 * @throws where n does not belong to the number of frequencies
 */
export function irfft(x: ComplexLike, n?: number, axes: FourierAxes = -1): Tensor {
  const whole = complex("irfft", x);
  const list = axesOf("irfft", axes, whole.re.rank);
  const last = list[list.length - 1] as number;
  const half = whole.re.shape[last] as number;
  const size = n ?? 2 * (half - 1);
  if (size < 1 || Math.floor(size / 2) + 1 !== half)
    fail({
      where: "irfft",
      got: `n = ${size} of ${half} frequencies`,
      expected: half === 1 ? "n = 1" : `n = ${2 * half - 2} or ${2 * half - 1}`,
      write: "slice or pad the frequencies to ⌊n/2⌋ + 1",
    });
  const { re, im } = along(whole, list.slice(0, -1), true);
  // The frequencies above n/2 are the conjugates of those below.
  const mirror = (part: Tensor): Tensor => flip(sliceAxis(part, last, 1, size - half + 1), last);
  const full = { re: concat([re, mirror(re)], last), im: concat([im, negate(mirror(im))], last) };
  return along(full, [last], true).re;
}

function axesOf(where: string, axes: FourierAxes, rank: number): number[] {
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) => normalAxis(where, axis, rank));
  if (list.length === 0 || new Set(list).size !== list.length)
    fail({ where, got: `axes ${show(list)}`, expected: "at least one axis, and each once" });
  return list;
}

function complex(where: string, { re, im }: ComplexLike): Complex {
  const a = toFloat(re);
  if (im === undefined) return { re: a, im: zerosLike(a) };
  const b = toFloat(asTensor(im));
  if (!sameShape(a.shape, b.shape))
    fail({ where, got: `re ${show(a.shape)} and im ${show(b.shape)}`, expected: "parts of one shape" });
  const dtype = promote(a.dtype, b.dtype);
  return { re: toDType(a, dtype), im: toDType(b, dtype) };
}

function along(x: Complex, axes: readonly number[], inverse: boolean): Complex {
  return axes.reduce(({ re, im }: Complex, axis) => {
    const [a, b] = partsOf(apply(primitive, [re, im], { axis, inverse })) as [Tensor, Tensor];
    const n = a.shape[axis] as number;
    return inverse ? { re: div(a, n), im: div(b, n) } : { re: a, im: b };
  }, x);
}
