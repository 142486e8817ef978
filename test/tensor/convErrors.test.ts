import { describe, expect, test } from "vitest";
import { apply, type Type } from "../../src/graph/tensor.js";
import {
  avgPool1d,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  maxPool1d,
  maxPool2d,
  ones,
  repeat,
  resize,
  tile,
  upsample,
} from "../../src/index.js";
import { conv } from "../../src/primitives/conv.js";
import { windowMax, windowPeaks } from "../../src/primitives/pool.js";
import { message } from "../runtime/message.js";

const image = ones([1, 3, 5, 5]);
const signal = ones([1, 4, 5]);

describe("what does not fit is a sentence", () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "channels",
      () => conv2d(image, ones([4, 2, 3, 3])),
      "conv2d: got 3 channels in [1, 3, 5, 5], 2 in the kernel [4, 2, 3, 3] and 1 group, expected 2 channels, as many as the kernel has in all groups.",
    ],
    [
      "channels of groups",
      () => conv1d(signal, ones([4, 4, 3]), { groups: 2 }),
      "conv1d: got 4 channels in [1, 4, 5], 4 in the kernel [4, 4, 3] and 2 groups, expected 8 channels, as many as the kernel has in all groups.",
    ],
    [
      "groups that do not divide",
      () => conv1d(signal, ones([5, 2, 3]), { groups: 2 }),
      "conv1d: got 5 output channels in the kernel [5, 2, 3] and 2 groups, expected a multiple of the groups.",
    ],
    [
      "no groups",
      () => conv1d(signal, ones([4, 4, 3]), { groups: 0 }),
      "conv1d: got groups 0, expected a whole number of at least 1.",
    ],
    [
      "a window larger than the input",
      () => conv2d(image, ones([4, 3, 3, 6])),
      "conv2d: got a window 6 wide on axis 3 of [1, 3, 5, 5], which is 5 wide with padding, expected at least 1, and no wider than that; more padding, a smaller window or dilation.",
    ],
    [
      "... with dilation and padding",
      () => conv1d(signal, ones([4, 4, 4]), { dilation: 3, padding: [[1, 2]] }),
      "conv1d: got a window 10 wide on axis 2 of [1, 4, 5], which is 8 wide with padding, expected at least 1, and no wider than that; more padding, a smaller window or dilation.",
    ],
    [
      "no places",
      () => conv1d(ones([1, 4, 0]), ones([4, 4, 1]), { padding: "same" }),
      "conv1d: got a window 1 wide on axis 2 of [1, 4, 0], which is 0 wide with padding, expected at least 1, and no wider than that; more padding, a smaller window or dilation.",
    ],
    [
      "a window of no places",
      () => conv1d(signal, ones([4, 4, 0])),
      "conv1d: got a window 0 wide on axis 2 of [1, 4, 5], which is 5 wide with padding, expected at least 1, and no wider than that; more padding, a smaller window or dilation.",
    ],
    [
      "rank of the input",
      () => conv2d(signal.at(0), ones([4, 3, 3, 3])),
      "conv2d: got input [4, 5] and kernel [4, 3, 3, 3], expected input [n, c, ...space] or [c, ...space] and kernel [o, c / groups, ...window] with 2 axes of space.",
    ],
    [
      "rank of the kernel",
      () => conv1d(signal, ones([4, 3])),
      "conv1d: got input [1, 4, 5] and kernel [4, 3], expected input [n, c, ...space] or [c, ...space] and kernel [o, c / groups, ...window] with 1 axis of space.",
    ],
    [
      "stride 0",
      () => conv2d(image, ones([4, 3, 3, 3]), { stride: 0 }),
      "conv2d: got stride 0, expected a whole number of at least 1, or 2 of them.",
    ],
    [
      "strides of too many axes",
      () => conv2d(image, ones([4, 3, 3, 3]), { stride: [1, 1, 1] }),
      "conv2d: got stride [1, 1, 1], expected a whole number of at least 1, or 2 of them.",
    ],
    [
      "a fractional dilation",
      () => conv1d(signal, ones([4, 4, 3]), { dilation: 1.5 }),
      "conv1d: got dilation 1.5, expected a whole number of at least 1.",
    ],
    [
      "negative padding",
      () => conv1d(signal, ones([4, 4, 3]), { padding: -1 }),
      'conv1d: got padding -1, expected "same", "valid", a whole number of at least 0, or an array of one number or pair.',
    ],
    [
      "a bare pair on one axis",
      () => conv1d(signal, ones([4, 4, 3]), { padding: [1, 2] }),
      'conv1d: got padding [1,2], expected "same", "valid", a whole number of at least 0, or an array of one number or pair; [[1, 2]].',
    ],
    [
      "a word for padding",
      () => conv2d(image, ones([4, 3, 3, 3]), { padding: "full" as "same" }),
      'conv2d: got padding "full", expected "same", "valid", a whole number of at least 0, or 2 numbers or pairs.',
    ],
    [
      "channels of a transposed convolution",
      () => convTranspose2d(image, ones([4, 3, 3, 3])),
      "convTranspose2d: got 3 channels in [1, 3, 5, 5] and 4 in the kernel [4, 3, 3, 3], expected equal numbers: the kernel of a transposed convolution has its input channels first.",
    ],
    [
      "groups of a transposed convolution",
      () => convTranspose1d(signal, ones([4, 1, 3]), { groups: 3 }),
      "convTranspose1d: got 4 input channels in the kernel [4, 1, 3] and 3 groups, expected a multiple of the groups.",
    ],
    [
      "outputPadding",
      () => convTranspose1d(signal, ones([4, 1, 3]), { stride: 2, outputPadding: 2 }),
      "convTranspose1d: got outputPadding 2 with stride 2 and dilation 1, expected less than one of them.",
    ],
    [
      "nothing left",
      () => convTranspose1d(signal, ones([4, 1, 1]), { padding: 3 }),
      "convTranspose1d: got 5 places on axis 2 of [1, 4, 5] and a window of 1, which leave -1, expected at least 1 of each; less padding.",
    ],
    [
      "same, transposed",
      () => convTranspose1d(signal, ones([4, 1, 3]), { padding: "same" as "valid" }),
      'convTranspose1d: got padding "same", expected numbers.',
    ],
    [
      "pooling without enough axes",
      () => maxPool2d([1, 2, 3], 2),
      "maxPool2d: got input [3], expected at least 2 axes.",
    ],
    [
      "a pooling window of no places",
      () => maxPool1d(signal, 0),
      "maxPool1d: got window 0, expected a whole number of at least 1.",
    ],
    [
      "a pooling window larger than the input",
      () => avgPool1d(signal, 6),
      "avgPool1d: got a window 6 wide on axis 2 of [1, 4, 5], which is 5 wide with padding, expected at least 1, and no wider than that; more padding, a smaller window or dilation.",
    ],
    [
      "a window over padding only",
      () => maxPool1d(signal, 2, { padding: 2 }),
      "maxPool1d: got window 0 of axis 2 of [1, 4, 5] (2 places, dilation 1) without an element, expected at least one element to choose from.",
    ],
    [
      "... that a dilation makes",
      () => maxPool1d(ones([1]), 2, { dilation: 2, padding: 1 }),
      "maxPool1d: got window 0 of axis 0 of [1] (2 places, dilation 2) without an element, expected at least one element to choose from.",
    ],
    [
      "... in a mean",
      () => avgPool1d(signal, 2, { padding: 2, countIncludePad: false }),
      "avgPool1d: got window 0 of axis 2 of [1, 4, 5] (2 places, dilation 1) without an element, expected at least one element to choose from.",
    ],
    [
      "a factor for two kinds of shape",
      () => upsample(signal, 2),
      "upsample: got factor 2 for [1, 4, 5], expected one number for each axis of space; [2] for the last axis, [2, 2] for the last two.",
    ],
    [
      "a size for more axes than there are",
      () => resize([1, 2], [3, 3]),
      "resize: got size [3, 3] for [2], expected one number for each of the last axes.",
    ],
    [
      "a size of nothing",
      () => resize(image, 0),
      "resize: got size 0, expected a whole number of at least 1, or 2 of them.",
    ],
    [
      "a fractional factor",
      () => upsample(image, 1.5),
      "upsample: got factor 1.5, expected a whole number of at least 1, or 2 of them.",
    ],
    [
      "bilinear on one axis",
      () => resize(signal, [3], { mode: "bilinear" }),
      'resize: got mode "bilinear" over 1 axis, expected "nearest", "linear", or over two axes "bilinear".',
    ],
    [
      "an unknown mode",
      () => resize(image, 3, { mode: "cubic" as "linear" }),
      'resize: got mode "cubic" over 2 axes, expected "nearest", "linear", or over two axes "bilinear".',
    ],
    [
      "alignCorners of nearest",
      () => resize(image, 3, { alignCorners: true }),
      'resize: got alignCorners with mode "nearest", expected mode "linear" or "bilinear".',
    ],
    [
      "nothing to resize",
      () => resize(ones([1, 3, 0, 5]), 2),
      "resize: got [1, 3, 0, 5], empty on axis 2, expected at least one element to take from.",
    ],
    [
      "repeat a negative number of times",
      () => repeat([1], -1),
      "repeat: got times -1, expected a whole number of at least 0.",
    ],
    [
      "repeat along no axis",
      () => repeat([1], 2, 1),
      "repeat: got axis 1 of a tensor of rank 1, expected an axis in [-1, 0].",
    ],
    [
      "tile a fractional number of times",
      () => tile([1], [0.5]),
      "tile: got reps [0.5], expected a whole number of at least 0.",
    ],
  ];
  test.each(cases)("%s", (_what, body, text) => {
    expect(message(body)).toBe(text);
  });
});

describe("the primitives themselves", () => {
  const f32 = (...shape: number[]): Type => ({ shape, dtype: "float32" });
  const plain = { stride: [1], inputDilation: [1], kernelDilation: [1], low: [0], size: [3], groups: 1 };
  const pool = { window: [2], stride: [1], dilation: [1], low: [0], size: [3] };
  test.each([
    [
      "types",
      () => conv.type([f32(1, 2, 5), { shape: [3, 2, 3], dtype: "float64" }], plain),
      "conv: got float32[1, 2, 5] and float64[3, 2, 3], expected [n, 1 · c, ...] and [1 · o, c, ...] of one dtype and rank 3.",
    ],
    [
      "parameters",
      () => conv.type([f32(1, 2, 5), f32(3, 2, 3)], { ...plain, stride: [0] }),
      "conv: got stride [0], dilation [1] and [1], low [0], size [3], expected one whole number per axis, strides and dilations of at least 1.",
    ],
    [
      "windowMax",
      () => windowMax.type([f32(3)], { ...pool, size: [4] }),
      "windowMax: got window 3 of axis 0 of [3] (2 places, dilation 1) without an element, expected at least one element to choose from.",
    ],
    [
      "windowPeaks",
      () => apply(windowPeaks, [ones([4])], { ...pool, stride: [1, 1] }),
      "windowPeaks: got float32[4], window [2], stride [1, 1], dilation [1], low [0], size [3], expected numbers, and one whole number for each of the last axes.",
    ],
  ] as const)("%s", (_what, body, text) => {
    expect(message(body)).toBe(text);
  });
});
