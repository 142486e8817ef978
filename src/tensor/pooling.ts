import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { show, sizeOf } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { divide } from "../primitives/contract.js";
import { type WindowParams, windowCount, windowMax, windowRows, windowSum } from "../primitives/pool.js";
import { mul, toDType } from "./elementwise.js";
import { type Padding, type PerAxis, perAxis, placement, type WindowOptions } from "./windows.js";

/**
 * Pooling over the last axis or the last two; all axes before them ([n, c] of an image) are kept. Over all of space it is
 * `mean(x, [-2, -1])` and `max(x, [-2, -1])`.
 */
export interface PoolOptions extends WindowOptions {
  /** Default: the window, so that windows lie side by side. */
  readonly stride?: PerAxis;
  /** Padding is never the largest element. Default "valid". */
  readonly padding?: Padding;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether the zeros of the padding are counted in the mean, as in PyTorch; false: the mean of the real elements. Default true. */
  readonly countIncludePad?: boolean;
}

/**
 * The largest element under each window: x [..., length] -> [..., ⌊(padded − dilation · (window − 1) − 1) / stride⌋ + 1]. Equally
 * large elements of a window share the derivative equally, as in `max`; PyTorch gives it all to the first. NaN where a window meets one.
 * @throws where the window is larger than the padded input, or some window would meet only padding
 */
export function maxPool1d(x: TensorLike, window: PerAxis, options: PoolOptions = {}): Tensor {
  return maxPool("maxPool1d", x, window, 1, options);
}

/** x [..., height, width] -> [..., ...]; see `maxPool1d`. */
export function maxPool2d(x: TensorLike, window: PerAxis, options: PoolOptions = {}): Tensor {
  return maxPool("maxPool2d", x, window, 2, options);
}

/**
 * The mean under each window: x [..., length] -> [..., ⌊(padded − dilation · (window − 1) − 1) / stride⌋ + 1].
 * @throws where the window is larger than the padded input, or without countIncludePad some window would meet only padding
 */
export function avgPool1d(x: TensorLike, window: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return avgPool("avgPool1d", x, window, 1, options);
}

/** x [..., height, width] -> [..., ...]; see `avgPool1d`. */
export function avgPool2d(x: TensorLike, window: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return avgPool("avgPool2d", x, window, 2, options);
}

function maxPool(where: string, x: TensorLike, window: PerAxis, count: number, options: PoolOptions): Tensor {
  const a = asTensor(x);
  const numbers = a.dtype === "bool" ? toDType(a, "int32") : a;
  const params = windowsOf(where, numbers, window, count, options);
  windowRows(where, numbers, params);
  return apply(windowMax, [numbers], params);
}

function avgPool(
  where: string,
  x: TensorLike,
  window: PerAxis,
  count: number,
  { countIncludePad = true, ...options }: AvgPoolOptions,
): Tensor {
  const a = asTensor(x);
  const floats = isFloat(a.dtype) ? a : toDType(a, "float32");
  const params = windowsOf(where, floats, window, count, options);
  const total = windowSum(floats, params);
  if (countIncludePad) return mul(total, 1 / sizeOf(params.window));
  windowRows(where, floats, params);
  return apply(divide, [total, windowCount(floats, params)], null);
}

function windowsOf(where: string, a: Tensor, window: PerAxis, count: number, options: PoolOptions): WindowParams {
  if (a.rank < count)
    fail({ where, got: `input ${show(a.shape)}`, expected: `at least ${count === 1 ? "1 axis" : `${count} axes`}` });
  const taps = perAxis(where, "window", window, count, 1);
  return { window: taps, ...placement(where, a.shape, taps, { ...options, stride: options.stride ?? taps }) };
}
