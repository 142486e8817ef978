import { fail } from "../base/errors.js";
import { range, type Shape, show, sizeOf } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import * as intervals from "../graph/interval.js";
import { letters, type ReadLink } from "../graph/reads.js";
import { apply, type LawCase, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { convLoop } from "../kernel/conv.js";
import type { ConvSpec } from "../kernel/convSpec.js";
import type { NDArray } from "../kernel/ndarray.js";
import { type WindowAxis, windowAxes } from "../kernel/window.js";
import { flip, permute, plus, reshapeTo, zerosLike } from "./linear.js";
import { windowLink } from "./windowLink.js";

/**
 * Convolution over any number of axes, linear in one operand at a time.
 *
 * Per axis, output place p reads input place i through window place w where
 *
 *     inputDilation · i = stride · p + kernelDilation · w − low.
 *
 * The output's `size` is a parameter instead of the padding behind, so that i, w and p play the same part: the derivative with respect
 * to the input solves for i, that with respect to the kernel for w, and both are this primitive again. See Dumoulin and Visin,
 * "A guide to convolution arithmetic for deep learning", arXiv:1603.07285, for the usual special cases.
 */
export interface ConvParams {
  readonly stride: readonly number[];
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  /** Zeros in front, in steps of the dilated input; below zero, what is cut off. */
  readonly low: readonly number[];
  /** Places of the output; what a window meets behind the input is zero. */
  readonly size: readonly number[];
  /** Channels fall into so many groups of neighbours that do not meet. */
  readonly groups: number;
}

/** Input [n, groups · c, ...input], kernel [groups · o, c, ...window] -> [n, groups · o, ...size]. */
export const conv: Primitive<ConvParams> = {
  name: "conv",
  type: ([input, kernel], params) => convType(input as Type, kernel as Type, params),
  run: ([x, kernel], params, out) =>
    convLoop(
      x as NDArray,
      kernel as NDArray,
      axesOf(x as NDArray, kernel as NDArray, params),
      params.groups,
      out.dtype,
    ),
  needs: "all",
  jvp: ([s, t], [x, kernel], params) => {
    const first = s && convolve(s, kernel as Tensor, params);
    const second = t && convolve(x as Tensor, t, params);
    return first && second ? plus(first, second) : (first ?? second ?? null);
  },
  transpose: (ct, [first], [x, kernel], params) =>
    first
      ? [convBack(ct, kernel as Tensor, params, (x as Tensor).shape.slice(2)), null]
      : [null, convAcross(x as Tensor, ct, params, (kernel as Tensor).shape.slice(2))],
  linear: "one",
  batch: ([x, kernel], batched, params, size) => {
    if (!batched[1]) return batchInput(x as Tensor, kernel as Tensor, params);
    return batched[0]
      ? batchBoth(x as Tensor, kernel as Tensor, params, size)
      : batchKernel(x as Tensor, kernel as Tensor, params, size);
  },
  reads: (params, [x, kernel], out) => [
    inputLinks(x as Type, kernel as Type, out, params),
    letters((kernel as Type).shape, [[0, 1]]),
  ],
  smooth: "smooth",
  range: ([x, k], _params, { inputs: [, kernel] }) =>
    intervals.summed(
      intervals.times(intervals.hull(x as Interval, intervals.exactly(0)), k as Interval),
      sizeOf((kernel as Tensor).shape.slice(1)),
    ),
  lower: { kind: "conv", spec: specOf },
  laws: lawCases(),
  words: ({ stride, inputDilation, kernelDilation, low, size, groups }) =>
    `conv to ${show(size)}, stride ${show(stride)}, from ${show(low.map((n) => 0 - n))}, dilation ${show(kernelDilation)} and ${show(inputDilation)}, ${groups} groups`,
};

export function convolve(x: Tensor, kernel: Tensor, params: ConvParams): Tensor {
  return apply(conv, [x, kernel], params);
}

function axesOf(x: Type, kernel: Type, params: ConvParams): WindowAxis[] {
  return windowAxes(x.shape, kernel.shape.slice(2), params);
}

function specOf(params: ConvParams, input: Shape, kernel: Shape): ConvSpec {
  const { groups, size, stride, inputDilation, kernelDilation, low } = params;
  return {
    batch: input[0] as number,
    groups,
    channels: kernel[1] as number,
    filters: (kernel[0] as number) / groups,
    sizes: input.slice(2),
    window: kernel.slice(2),
    outs: size,
    stride,
    inputDilation,
    kernelDilation,
    low,
  };
}

function convType(x: Type, kernel: Type, params: ConvParams): Type {
  const { stride, inputDilation, kernelDilation, low, size, groups } = params;
  const count = size.length;
  const positive = [stride, inputDilation, kernelDilation].flat().every((n) => Number.isInteger(n) && n >= 1);
  const lists = [stride, inputDilation, kernelDilation, low].every((list) => list.length === count);
  const whole = [...low, ...size].every(Number.isInteger) && size.every((n) => n >= 0);
  if (count === 0 || !positive || !lists || !whole)
    fail({
      where: "conv",
      got: `stride ${show(stride)}, dilation ${show(kernelDilation)} and ${show(inputDilation)}, low ${show(low)}, size ${show(size)}`,
      expected: "one whole number per axis, strides and dilations of at least 1",
    });
  const [outputs = 0, c = 0] = kernel.shape;
  const ranks = x.shape.length === count + 2 && kernel.shape.length === count + 2;
  const channels = groups >= 1 && outputs % groups === 0 && x.shape[1] === groups * c;
  if (!ranks || !channels || x.dtype !== kernel.dtype || x.dtype === "bool")
    fail({
      where: "conv",
      got: `${x.dtype}${show(x.shape)} and ${kernel.dtype}${show(kernel.shape)}`,
      expected: `[n, ${groups} · c, ...] and [${groups} · o, c, ...] of one dtype and rank ${count + 2}`,
    });
  return { shape: [x.shape[0] as number, outputs, ...size], dtype: x.dtype };
}

/** Axis 1 in two: [a, groups · b, ...rest] -> [a, groups, b, ...rest]. */
function grouped(a: Tensor, groups: number, axis: number): Tensor {
  const n = a.shape[axis] as number;
  return reshapeTo(a, [...a.shape.slice(0, axis), groups, n / groups, ...a.shape.slice(axis + 1)]);
}

/** Axes `axis` and the next in one. */
function merged(a: Tensor, axis: number): Tensor {
  const [m, n] = [a.shape[axis] as number, a.shape[axis + 1] as number];
  return reshapeTo(a, [...a.shape.slice(0, axis), m * n, ...a.shape.slice(axis + 2)]);
}

/** The first axes in another order, the rest in place. */
function lead(a: Tensor, order: readonly number[]): Tensor {
  return permute(a, [...order, ...range(a.rank).slice(order.length)]);
}

/**
 * The transpose with respect to the input, which has `size` places: ct [n, groups · o, ...] and kernel [groups · o, c, ...window] ->
 * [n, groups · c, ...size]. Solved for i, with the window turned over (w' = window − 1 − w):
 * stride · p = inputDilation · i + kernelDilation · w' − (kernelDilation · (window − 1) − low).
 */
export function convBack(ct: Tensor, kernel: Tensor, params: ConvParams, size: Shape): Tensor {
  const { stride, inputDilation, kernelDilation, low, groups } = params;
  const window = kernel.shape.slice(2);
  const swapped = merged(lead(grouped(kernel, groups, 0), [0, 2, 1]), 0);
  const turned = apply(flip, [swapped], { axes: window.map((_, axis) => axis + 2) });
  return convolve(ct, turned, {
    stride: inputDilation,
    inputDilation: stride,
    kernelDilation,
    low: window.map((n, axis) => (kernelDilation[axis] as number) * (n - 1) - (low[axis] as number)),
    size,
    groups,
  });
}

/**
 * The transpose with respect to the kernel, whose window is `size`: x [n, groups · c, ...] and ct [n, groups · o, ...] ->
 * [groups · o, c, ...size]. Solved for w: inputDilation · i = kernelDilation · w + stride · p − low, where the cotangent is the window
 * that slides, examples are what is summed over and input channels are the examples.
 */
function convAcross(x: Tensor, ct: Tensor, params: ConvParams, size: Shape): Tensor {
  const { stride, kernelDilation, groups } = params;
  const input = merged(lead(grouped(x, groups, 1), [2, 1, 0]), 1);
  const window = merged(lead(grouped(ct, groups, 1), [1, 2, 0]), 0);
  const out = convolve(input, window, { ...params, stride: kernelDilation, kernelDilation: stride, size });
  return lead(out, [1, 0]);
}

/** [b, n, groups · c, ...]: more examples. */
function batchInput(x: Tensor, kernel: Tensor, params: ConvParams): Tensor {
  const [b, n] = x.shape as [number, number];
  return split(convolve(merged(x, 0), kernel, params), 0, b, n);
}

/** Kernels [b, groups · o, c, ...]: more output channels of each group, so that the input is not repeated. */
function batchKernel(x: Tensor, kernel: Tensor, params: ConvParams, b: number): Tensor {
  const { groups } = params;
  const o = (kernel.shape[1] as number) / groups;
  const all = merged(merged(lead(grouped(kernel, groups, 1), [1, 0, 2]), 0), 0);
  const out = split(split(convolve(x, all, params), 1, groups, b * o), 2, b, o);
  return merged(lead(out, [2, 0, 1, 3]), 2);
}

/** Both: more groups. */
function batchBoth(x: Tensor, kernel: Tensor, params: ConvParams, b: number): Tensor {
  const [n, outputs] = [x.shape[1] as number, kernel.shape[1] as number];
  if (b === 0) return zerosLike({ shape: [0, n, outputs, ...params.size], dtype: x.dtype });
  const input = merged(lead(x, [1, 0, 2]), 1);
  const out = convolve(input, merged(kernel, 0), { ...params, groups: b * params.groups });
  return lead(split(out, 1, b, outputs), [1, 0, 2]);
}

/** Axis `axis` of m · n in two; said in full, since one of them may be 0. */
function split(a: Tensor, axis: number, m: number, n: number): Tensor {
  return reshapeTo(a, [...a.shape.slice(0, axis), m, n, ...a.shape.slice(axis + 1)]);
}

/** The example, the group of channels, and the window on every axis. */
function inputLinks(x: Type, kernel: Type, out: Type, params: ConvParams): ReadLink[] {
  const links = [...letters(x.shape, [[0, 0]])];
  const { groups } = params;
  const [c, o] = [kernel.shape[1] as number, (kernel.shape[0] as number) / groups];
  if (groups > 1 && c > 0 && o > 0)
    links.push({
      in: { axis: 1, div: c, mod: groups },
      out: { axis: 1, div: o, mod: groups },
      step: 1,
      lo: 0,
      hi: 0,
    });
  axesOf(x, kernel, params).forEach((axis, k) => {
    if (axis.input > 0 && axis.size > 0 && axis.window > 0) links.push(windowLink(x.shape, out.shape, k + 2, axis));
  });
  return links;
}

function lawCases(): LawCase<ConvParams>[] {
  const plain = { stride: [1], inputDilation: [1], kernelDilation: [1], low: [0], size: [3], groups: 1 };
  return [
    { inputs: [{ shape: [2, 2, 5] }, { shape: [3, 2, 3] }], params: { ...plain, low: [1], size: [5] } },
    {
      inputs: [{ shape: [1, 4, 6] }, { shape: [4, 2, 2] }],
      params: { ...plain, stride: [2], kernelDilation: [3], low: [2], size: [4], groups: 2 },
    },
    {
      inputs: [{ shape: [2, 3, 3] }, { shape: [6, 1, 2] }],
      params: { ...plain, stride: [2], inputDilation: [3], low: [-1], size: [4], groups: 3 },
    },
    {
      inputs: [{ shape: [1, 1, 3] }, { shape: [1, 1, 3] }],
      params: { ...plain, inputDilation: [2], low: [1], size: [5] },
    },
    {
      inputs: [{ shape: [1, 1, 3] }, { shape: [1, 1, 4] }],
      params: { ...plain, inputDilation: [2], low: [2], size: [6] },
    },
    {
      inputs: [{ shape: [1, 2, 3, 4] }, { shape: [2, 1, 2, 3] }],
      params: { stride: [1, 3], inputDilation: [2, 1], kernelDilation: [1, 2], low: [1, 2], size: [5, 2], groups: 2 },
    },
    {
      inputs: [{ shape: [1, 1, 2, 2, 2] }, { shape: [1, 1, 2, 1, 2] }],
      params: {
        stride: [1, 1, 1],
        inputDilation: [1, 1, 1],
        kernelDilation: [1, 1, 1],
        low: [0, 0, 1],
        size: [1, 2, 3],
        groups: 1,
      },
    },
    { inputs: [{ shape: [0, 2, 4] }, { shape: [2, 2, 2] }], params: plain },
    { inputs: [{ shape: [2, 0, 4] }, { shape: [2, 0, 2] }], params: plain },
    { inputs: [{ shape: [2, 2, 4] }, { shape: [0, 1, 2] }], params: { ...plain, groups: 2 } },
  ];
}
