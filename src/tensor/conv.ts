import { type DType, promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { type Shape, show } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { type ConvParams, convBack, convolve } from "../primitives/conv.js";
import { reshapeTo } from "../primitives/linear.js";
import { toDType } from "./elementwise.js";
import { together } from "./operands.js";
import { type Padding, type PerAxis, pairsOf, perAxis, placement, type WindowOptions } from "./windows.js";

/**
 * Convolutions. As everywhere in machine learning the kernel is not turned over: this is the cross-correlation of signal processing.
 *
 * There is one layout: examples, channels, space ([n, c, ...space], PyTorch's NCHW), kernels [out channels, channels per group,
 * ...window]. Space comes last because the code then reads the same for any number of axes of space, an image [c, height, width] is a
 * stack of matrices, and rows of space lie together in memory, which is what the loops run along. Data in TensorFlow's layout
 * [n, height, width, c] come over with transpose(x, [0, 3, 1, 2]). The axis of examples may be left out, as for one example under
 * `vmap`.
 */
export interface ConvOptions extends WindowOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Channels fall into so many groups that do not meet; as many as there are channels: depthwise. Default 1. */
  readonly groups?: number;
}

export interface ConvTransposeOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** What the convolution that this transposes would pad; it is cut off the result. Default 0. */
  readonly padding?: Exclude<Padding, "same">;
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Default 1. */
  readonly groups?: number;
  /** Places added behind: with a stride, convolutions of several sizes give one. Less than the stride or the dilation. Default 0. */
  readonly outputPadding?: PerAxis;
}

/**
 * x [n, c, length] (or [c, length]) and kernel [o, c / groups, window] -> [n, o, ⌊(padded − dilation · (window − 1) − 1) / stride⌋ + 1]:
 * out[n, o, p] = Σ over c, w of kernel[o, c, w] · x[n, c, stride · p + dilation · w − padding].
 * @throws where channels, groups or ranks do not fit, or the window is larger than the padded input
 */
export function conv1d(x: TensorLike, kernel: TensorLike, options: ConvOptions = {}): Tensor {
  return forward("conv1d", x, kernel, 1, options);
}

/** x [n, c, height, width] (or [c, height, width]) and kernel [o, c / groups, h, w] -> [n, o, ...]; see `conv1d`. */
export function conv2d(x: TensorLike, kernel: TensorLike, options: ConvOptions = {}): Tensor {
  return forward("conv2d", x, kernel, 2, options);
}

/**
 * The transpose of `conv1d` as a linear map of its input (PyTorch's definition): x [n, c, length] (or [c, length]) and kernel
 * [c, o / groups, window] -> [n, o, (length − 1) · stride − padding + dilation · (window − 1) + 1 + outputPadding], where padding counts
 * both ends.
 * @throws where channels, groups or ranks do not fit, or nothing would be left
 */
export function convTranspose1d(x: TensorLike, kernel: TensorLike, options: ConvTransposeOptions = {}): Tensor {
  return backward("convTranspose1d", x, kernel, 1, options);
}

/** x [n, c, height, width] (or [c, height, width]) and kernel [c, o / groups, h, w] -> [n, o, ...]; see `convTranspose1d`. */
export function convTranspose2d(x: TensorLike, kernel: TensorLike, options: ConvTransposeOptions = {}): Tensor {
  return backward("convTranspose2d", x, kernel, 2, options);
}

function forward(where: string, x: TensorLike, kernel: TensorLike, count: number, options: ConvOptions): Tensor {
  const [a, k] = operands(where, x, kernel, count, "[o, c / groups, ...window]");
  const groups = groupsOf(where, options.groups, k.shape[0] as number, "output channels", k.shape);
  const [channels, each] = [a.shape[1] as number, k.shape[1] as number];
  if (channels !== groups * each)
    fail({
      where,
      got: `${channels} channels in ${show(a.shape)}, ${each} in the kernel ${show(k.shape)} and ${groups} ${groups === 1 ? "group" : "groups"}`,
      expected: `${groups * each} channels, as many as the kernel has in all groups`,
    });
  const { stride, dilation, low, size } = placement(where, a.shape, k.shape.slice(2), options);
  const inputDilation = size.map(() => 1);
  return asGiven(x, convolve(a, k, { stride, inputDilation, kernelDilation: dilation, low, size, groups }), count);
}

function backward(
  where: string,
  x: TensorLike,
  kernel: TensorLike,
  count: number,
  options: ConvTransposeOptions,
): Tensor {
  const [a, k] = operands(where, x, kernel, count, "[c, o / groups, ...window]");
  const [channels, rows] = [a.shape[1] as number, k.shape[0] as number];
  if (channels !== rows)
    fail({
      where,
      got: `${channels} channels in ${show(a.shape)} and ${rows} in the kernel ${show(k.shape)}`,
      expected: "equal numbers: the kernel of a transposed convolution has its input channels first",
    });
  const params = transposed(where, a.shape, k.shape, options);
  return asGiven(x, convBack(a, k, params, params.size), count);
}

/** The convolution that is transposed, whose input has `size` places. */
function transposed(
  where: string,
  x: Shape,
  kernel: Shape,
  { stride = 1, padding = 0, dilation = 1, groups, outputPadding = 0 }: ConvTransposeOptions,
): ConvParams {
  const count = x.length - 2;
  const steps = perAxis(where, "stride", stride, count, 1);
  const gaps = perAxis(where, "dilation", dilation, count, 1);
  const more = perAxis(where, "outputPadding", outputPadding, count, 0);
  const pairs = pairsOf(where, padding, count) ?? fail({ where, got: 'padding "same"', expected: "numbers" });
  const size = pairs.map(([low, high], axis) => {
    const [step, gap, extra] = [steps[axis] as number, gaps[axis] as number, more[axis] as number];
    if (extra >= Math.max(step, gap))
      fail({
        where,
        got: `outputPadding ${extra} with stride ${step} and dilation ${gap}`,
        expected: "less than one of them",
      });
    const [n, window] = [x[axis + 2] as number, kernel[axis + 2] as number];
    const left = (n - 1) * step - low - high + gap * (window - 1) + 1 + extra;
    if (n >= 1 && window >= 1 && left >= 1) return left;
    return fail({
      where,
      got: `${n} places on axis ${axis + 2} of ${show(x)} and a window of ${window}, which leave ${left}`,
      expected: "at least 1 of each",
      write: "less padding",
    });
  });
  return {
    stride: steps,
    inputDilation: size.map(() => 1),
    kernelDilation: gaps,
    low: pairs.map(([low]) => low),
    size,
    groups: groupsOf(where, groups, kernel[0] as number, "input channels", kernel),
  };
}

/** Input [n, c, ...space] and kernel of one dtype. */
function operands(
  where: string,
  x: TensorLike,
  kernel: TensorLike,
  count: number,
  layout: string,
): readonly [Tensor, Tensor] {
  const [a, k] = together(x, kernel) as [Tensor, Tensor];
  if ((a.rank !== count + 1 && a.rank !== count + 2) || k.rank !== count + 2)
    fail({
      where,
      got: `input ${show(a.shape)} and kernel ${show(k.shape)}`,
      expected: `input [n, c, ...space] or [c, ...space] and kernel ${layout} with ${count} ${count === 1 ? "axis" : "axes"} of space`,
    });
  const both = promote(a.dtype, k.dtype);
  const dtype: DType = both === "bool" ? "int32" : both;
  const examples: Shape = a.rank === count + 2 ? a.shape : [1, ...a.shape];
  return [reshapeTo(toDType(a, dtype), examples), toDType(k, dtype)];
}

/** Without the axis of examples where the input had none. */
function asGiven(x: TensorLike, out: Tensor, count: number): Tensor {
  return asTensor(x).rank === count + 2 ? out : reshapeTo(out, out.shape.slice(1));
}

function groupsOf(where: string, groups: number | undefined, channels: number, what: string, kernel: Shape): number {
  const count = groups ?? 1;
  if (!Number.isInteger(count) || count < 1)
    fail({ where, got: `groups ${count}`, expected: "a whole number of at least 1" });
  if (channels % count !== 0)
    fail({
      where,
      got: `${channels} ${what} in the kernel ${show(kernel)} and ${count} groups`,
      expected: "a multiple of the groups",
    });
  return count;
}
