import { fail } from "../base/errors.js";
import { range, type Shape, show, sizeOf } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import { eye } from "../graph/leaves.js";
import { onHost } from "../graph/lowering.js";
import { leading, type ReadLink } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";
import { windowMaxLoop, windowPeaksLoop } from "../kernel/pool.js";
import { type WindowAxis, windowAxes } from "../kernel/window.js";
import { divide, times } from "./contract.js";
import { convolve } from "./conv.js";
import { broadcastTo, onesLike, reshapeTo, sumOver } from "./linear.js";
import { convert } from "./pointwise.js";
import { windowLink } from "./windowLink.js";

/** The largest element under a sliding window. Window sums are convolutions. */

/** A window over the last axes of a tensor; all axes before them are rows. */
export interface WindowParams {
  readonly window: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Places in front of the input where a window may begin; they, and those behind, hold nothing. */
  readonly low: readonly number[];
  /** Places of the output. */
  readonly size: readonly number[];
}

/**
 * [...rows, ...input] -> [...rows, ...size]: out[p] = max over w of x[stride · p + dilation · w − low]. Where several elements of a
 * window are the largest they share the derivative equally, as in `max`.
 * @throws where a window meets no element at all
 */
export const windowMax: Primitive<WindowParams> = {
  name: "windowMax",
  type: ([x], params) => ({
    shape: [...windowRows("windowMax", x as Type, params), ...params.size],
    dtype: (x as Type).dtype,
  }),
  run: ([x], params, out) => windowMaxLoop(x as NDArray, axesOf(x as NDArray, params), out.dtype),
  needs: "all",
  jvp: ([t], [x], params) => (t ? shareOfPeaks(t, x as Tensor, params) : null),
  transpose: null,
  linear: [],
  batch: ([x], _batched, params) => apply(windowMax, [x as Tensor], params),
  reads: (params, [x], out) => [windowLinks(x as Type, out.shape, params)],
  smooth: "kink",
  range: ([x]) => x as Interval,
  lower: onHost,
  laws: lawCases(),
  words: ({ window, stride }) => `windowMax ${show(window)}, stride ${show(stride)}`,
};

/**
 * Which elements of each window are the largest: [...rows, ...input] -> bool [...rows, places of the window, ...size]. Never one
 * outside the input.
 */
export const windowPeaks: Primitive<WindowParams> = {
  name: "windowPeaks",
  type: ([x], params) => ({
    shape: [...windowRows("windowPeaks", x as Type, params), sizeOf(params.window), ...params.size],
    dtype: "bool",
  }),
  run: ([x], params) => windowPeaksLoop(x as NDArray, axesOf(x as NDArray, params)),
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: ([x], _batched, params) => apply(windowPeaks, [x as Tensor], params),
  reads: (params, [x], out) => {
    const links = windowLinks(x as Type, out.shape, params);
    const rank = (x as Type).shape.length - params.window.length;
    // The axis of window places comes before those of space.
    return [links.map((link) => (link.out && link.out.axis >= rank ? { ...link, out: later(link.out) } : link))];
  },
  smooth: "jump",
  lower: onHost,
  laws: lawCases(),
};

const later = <T extends { readonly axis: number }>(digit: T): T => ({ ...digit, axis: digit.axis + 1 });

function axesOf(x: Type, { window, dilation, ...params }: WindowParams): WindowAxis[] {
  return windowAxes(x.shape, window, { ...params, kernelDilation: dilation, inputDilation: window.map(() => 1) });
}

function windowLinks(x: Type, out: Shape, params: WindowParams): ReadLink[] {
  const rows = x.shape.length - params.window.length;
  const axes = axesOf(x, params);
  const space = axes.flatMap((axis, k) => (axis.size > 0 ? [windowLink(x.shape, out, rows + k, axis)] : []));
  return [...leading(x.shape, rows), ...space];
}

/** The axes before the window. @throws where the window does not fit, or meets no element at some place of the output */
export function windowRows(where: string, x: Type, params: WindowParams): Shape {
  const { window, stride, dilation, low, size } = params;
  const lists = [stride, dilation, low, size].every((list) => list.length === window.length);
  const positive = [...window, ...stride, ...dilation].every((n) => Number.isInteger(n) && n >= 1);
  const whole = [...low, ...size].every(Number.isInteger) && size.every((n) => n >= 0);
  const rank = x.shape.length - window.length;
  if (!lists || !positive || !whole || rank < 0 || x.dtype === "bool")
    fail({
      where,
      got: `${x.dtype}${show(x.shape)}, window ${show(window)}, stride ${show(stride)}, dilation ${show(dilation)}, low ${show(low)}, size ${show(size)}`,
      expected: "numbers, and one whole number for each of the last axes",
    });
  axesOf(x, params).forEach((axis, k) => {
    const blind = range(axis.size).find((p) => !meets(axis, p));
    if (blind !== undefined)
      fail({
        where,
        got: `window ${blind} of axis ${rank + k} of ${show(x.shape)} (${axis.window} places, dilation ${axis.kernelDilation}) without an element`,
        expected: "at least one element to choose from",
      });
  });
  return x.shape.slice(0, rank);
}

/** Whether the window at place p meets an element of the input. */
function meets({ input, window, stride, kernelDilation, low }: WindowAxis, p: number): boolean {
  const first = Math.max(0, Math.ceil((low - stride * p) / kernelDilation));
  return first < window && stride * p + kernelDilation * first - low < input;
}

/** The tangent of the maximum: the mean over the elements of the window that reach it. */
function shareOfPeaks(t: Tensor, x: Tensor, params: WindowParams): Tensor {
  const at = x.rank - params.window.length;
  const mask = apply(convert, [apply(windowPeaks, [x], params)], { dtype: x.dtype });
  return apply(divide, [sumOver(times(patches(t, params), mask), [at]), sumOver(mask, [at])], null);
}

/** What each window sees, zeros outside: [...rows, ...input] -> [...rows, places of the window, ...size]. Linear. */
function patches(x: Tensor, { window, dilation, ...params }: WindowParams): Tensor {
  const rows = x.shape.slice(0, x.rank - window.length);
  const places = sizeOf(window);
  // One channel in, one channel out per place of the window: kernels that pick.
  const picks = reshapeTo(eye(places, { dtype: x.dtype }), [places, 1, ...window]);
  const flat = reshapeTo(x, [sizeOf(rows), 1, ...x.shape.slice(rows.length)]);
  const geometry = { ...params, kernelDilation: dilation, inputDilation: window.map(() => 1), groups: 1 };
  return reshapeTo(convolve(flat, picks, geometry), [...rows, places, ...params.size]);
}

/** Window sums over the last axes, zeros outside: [...rows, ...input] -> [...rows, ...size]. Linear: a convolution with ones. */
export function windowSum(x: Tensor, { window, dilation, ...params }: WindowParams): Tensor {
  const rows = x.shape.slice(0, x.rank - window.length);
  const flat = reshapeTo(x, [sizeOf(rows), 1, ...x.shape.slice(rows.length)]);
  const ones = onesLike({ shape: [1, 1, ...window], dtype: x.dtype });
  const geometry = { ...params, kernelDilation: dilation, inputDilation: window.map(() => 1), groups: 1 };
  return reshapeTo(convolve(flat, ones, geometry), [...rows, ...params.size]);
}

/** How many elements of the input each window meets, as large as `x`'s windows: [...rows, ...size]. */
export function windowCount(x: Tensor, params: WindowParams): Tensor {
  const lead = x.rank - params.window.length;
  const count = windowSum(onesLike({ shape: x.shape.slice(lead), dtype: x.dtype }), params);
  return broadcastTo(count, [...x.shape.slice(0, lead), ...params.size]);
}

function lawCases(): { inputs: LawInput[]; params: WindowParams }[] {
  const input = (shape: Shape): LawInput => ({ shape, distinct: true });
  return [
    { inputs: [input([2, 5])], params: { window: [3], stride: [1], dilation: [1], low: [1], size: [5] } },
    { inputs: [input([6])], params: { window: [2], stride: [2], dilation: [2], low: [1], size: [3] } },
    {
      inputs: [input([2, 1, 4, 3])],
      params: { window: [2, 2], stride: [2, 1], dilation: [1, 1], low: [0, 1], size: [2, 4] },
    },
  ];
}
