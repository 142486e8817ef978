import type { ConvSpec } from "../../src/kernel/convSpec.js";
import type { ConvStrides } from "../../src/wasm/conv/index.js";
import { type Lengths, sizesOf, total } from "./convRun.js";

/** Convolutions to test with: drawn ones, those that reach a branch no drawn one does, and the derivatives of one as convolutions. */

export type Draw = () => number;

/** Random numbers that are the same every time (mulberry32). */
export function randomly(seed: number): Draw {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (draw: Draw, low: number, high: number): number => low + Math.floor(draw() * (high - low + 1));

/** Everything that changes from spec to spec, sizes of all kinds, some of them empty. */
export function anySpec(draw: Draw): ConvSpec {
  const rank = pick(draw, 1, 3);
  const most = [0, 40, 12, 5][rank] as number;
  const axis = (low: number, high: number): number[] => Array.from({ length: rank }, () => pick(draw, low, high));
  const gap = (): number[] => (draw() < 0.5 ? axis(1, 1) : axis(1, 3));
  const [sizes, stride, inputDilation, kernelDilation] = [axis(1, most), gap(), gap(), gap()];
  const window = axis(1, draw() < 0.15 ? most : 4);
  return {
    batch: pick(draw, draw() < 0.05 ? 0 : 1, 3),
    groups: draw() < 0.7 ? 1 : pick(draw, 2, 4),
    channels: pick(draw, draw() < 0.05 ? 0 : 1, 5),
    filters: pick(draw, draw() < 0.05 ? 0 : 1, draw() < 0.3 ? 17 : 6),
    sizes: draw() < 0.03 ? sizes.map(() => 0) : sizes,
    window: draw() < 0.03 ? sizes.map(() => 0) : window,
    outs: draw() < 0.03 ? sizes.map(() => 0) : axis(1, most),
    stride,
    inputDilation,
    kernelDilation,
    low: axis(-3, 4),
  };
}

function line(size: number, window: number, out: number, more: Partial<ConvSpec> = {}): ConvSpec {
  return {
    ...{ batch: 2, groups: 1, channels: 3, filters: 4 },
    ...{ sizes: [size], window: [window], outs: [out], low: [1] },
    ...{ stride: [1], inputDilation: [1], kernelDilation: [1] },
    ...more,
  };
}

const square = (n: number): readonly number[] => [n, n];

function plane(size: number, window: number, out: number, more: Partial<ConvSpec> = {}): ConvSpec {
  const ones = square(1);
  return {
    ...line(0, 0, 0),
    ...{ sizes: square(size), window: square(window), outs: square(out), low: ones },
    ...{ stride: ones, inputDilation: ones, kernelDilation: ones },
    ...more,
  };
}

/** Larger than the drawn ones: what only happens with long rows, large windows or much to do. */
export const largeSpecs: { readonly [name: string]: ConvSpec } = {
  "rows in blocks": line(1300, 3, 1299),
  "rows in blocks, every second": line(1300, 4, 600, { stride: [2] }),
  "rows in blocks, every third": line(1900, 4, 600, { stride: [3] }),
  "rows in blocks, dilated input": line(800, 5, 1300, { inputDilation: [2] }),
  "a row as it lies": line(300, 3, 298, { low: [0] }),
  "one place behind the input": line(40, 3, 39, { low: [0] }),
  "one line behind the input": plane(12, 3, 11, { low: square(0), outs: [11, 10] }),
  "a row too long to write out": line(300, 3, 300),
  "a long window": line(300, 70, 240, { low: [-3] }),
  "a long window, far strides": line(5000, 33, 150, { stride: [40] }),
  "a long window, strides in phases": line(2000, 66, 150, { stride: [40], inputDilation: [2] }),
  "a long window with holes": line(300, 64, 300, { kernelDilation: [3], inputDilation: [2] }),
  "a large window": plane(20, 12, 19, { low: square(6) }),
  "channels 4096 bytes apart": plane(32, 3, 30, { channels: 9, low: square(0) }),
  "work for many units": plane(40, 3, 40, { batch: 1, channels: 12, filters: 17 }),
  "one place, four examples": plane(16, 16, 1, { batch: 4, low: square(0), filters: 7 }),
  "one place, two examples": plane(16, 18, 1, { batch: 2, filters: 1 }),
  "two places, three examples": line(64, 60, 2, { batch: 3, filters: 2 }),
  "few places, holes in the window": plane(33, 16, 3, { batch: 8, filters: 8, kernelDilation: square(2) }),
  "few places, many holes, strides": plane(40, 12, 4, { kernelDilation: square(3), stride: square(2), groups: 2 }),
  "few places, a long window": line(500, 490, 11, { filters: 1 }),
  "phases that no window meets": plane(9, 1, 20, { inputDilation: square(3), low: square(2) }),
};

const layer = (channels: number, filters: number, stride: number): ConvSpec =>
  plane(32, 3, 32 / stride, { channels, filters, stride: square(stride) });

/** Of an autoencoder for images of 32 × 32. */
export const layers: { readonly [name: string]: ConvSpec } = {
  "1 to 16": layer(1, 16, 1),
  "16 to 32, stride 2": layer(16, 32, 2),
  "32 to 2": layer(32, 2, 1),
};

/** Its derivative by the input has few places and a large window, turned over. */
export const fewInputs: ConvSpec = line(3, 90, 91, { groups: 2 });

/** A derivative of a convolution as a convolution over operands that lie as they do in the first. */
export interface Pass {
  readonly spec: ConvSpec;
  readonly strides: ConvStrides;
  readonly lengths: Lengths;
}

/** By the input: cotangent with the kernel, its window turned over and its two kinds of channels swapped. */
export function backward(of: ConvSpec): Pass {
  const { groups, channels, filters, window, kernelDilation, low } = of;
  const [input, places, output] = [total(of.sizes), total(window), total(of.outs)];
  const lengths = sizesOf(of);
  return {
    spec: {
      ...of,
      channels: filters,
      filters: channels,
      sizes: of.outs,
      outs: of.sizes,
      stride: of.inputDilation,
      inputDilation: of.stride,
      low: window.map((n, k) => (kernelDilation[k] as number) * (n - 1) - (low[k] as number)),
    },
    strides: {
      input: { batch: groups * filters * output, group: filters * output, channel: output },
      kernel: { group: filters * channels * places, filter: places, channel: channels * places, turned: true },
      output: { batch: groups * channels * input, group: channels * input, filter: input },
    },
    lengths: { input: lengths.output, kernel: lengths.kernel, output: lengths.input },
  };
}

/** By the kernel: input with the cotangent as the window; examples are summed over, input channels are the examples. */
export function across(of: ConvSpec): Pass {
  const { batch, groups, channels, filters } = of;
  const [input, places, output] = [total(of.sizes), total(of.window), total(of.outs)];
  const lengths = sizesOf(of);
  return {
    spec: {
      ...of,
      batch: channels,
      channels: batch,
      window: of.outs,
      outs: of.window,
      stride: of.kernelDilation,
      kernelDilation: of.stride,
    },
    strides: {
      input: { batch: input, group: channels * input, channel: groups * channels * input },
      kernel: { group: filters * output, filter: output, channel: groups * filters * output, turned: false },
      output: { batch: places, group: filters * channels * places, filter: channels * places },
    },
    lengths: { input: lengths.input, kernel: lengths.output, output: lengths.kernel },
  };
}

/** Flat places (input, window, output) that meet: inputDilation · i = stride · p + kernelDilation · w − low on every axis. */
function meetings(spec: ConvSpec): (readonly [number, number, number])[] {
  let all: (readonly [number, number, number])[] = [[0, 0, 0]];
  spec.sizes.forEach((size, k) => {
    const [window, out] = [spec.window[k] as number, spec.outs[k] as number];
    const [stride, dilation, gap] = [spec.stride[k], spec.inputDilation[k], spec.kernelDilation[k]] as number[];
    const here: (readonly [number, number, number])[] = [];
    for (let w = 0; w < window; w++)
      for (let p = 0; p < out; p++) {
        const i = ((stride as number) * p + (gap as number) * w - (spec.low[k] as number)) / (dilation as number);
        if (Number.isInteger(i) && i >= 0 && i < size) here.push([i, w, p]);
      }
    all = all.flatMap(([i, w, p]) => here.map(([a, b, c]) => [i * size + a, w * window + b, p * out + c] as const));
  });
  return all;
}

/** Which operand of the product input · kernel · cotangent is left out, and so summed up for. */
export type Side = "input" | "kernel" | "output";

/**
 * Σ over all products of the two other operands, by a loop over the definition: of input and kernel, of cotangent and kernel (side
 * "input"), or of input and cotangent (side "kernel").
 */
export function summed(spec: ConvSpec, side: Side, first: ArrayLike<number>, second: ArrayLike<number>): Float64Array {
  const { batch, groups, channels, filters } = spec;
  const [input, places, output] = [total(spec.sizes), total(spec.window), total(spec.outs)];
  const flat = Float64Array.from(first);
  const other = Float64Array.from(second);
  const sums = new Float64Array(sizesOf(spec)[side]);
  const met = Int32Array.from(meetings(spec).flat());
  for (let n = 0; n < batch; n++)
    for (let g = 0; g < groups; g++)
      for (let o = 0; o < filters; o++)
        for (let c = 0; c < channels; c++) {
          const x = ((n * groups + g) * channels + c) * input;
          const k = ((g * filters + o) * channels + c) * places;
          const y = ((n * groups + g) * filters + o) * output;
          for (let m = 0; m < met.length; m += 3) {
            const [i, w, p] = [x + (met[m] as number), k + (met[m + 1] as number), y + (met[m + 2] as number)];
            if (side === "output") sums[p] = (sums[p] as number) + (flat[i] as number) * (other[w] as number);
            else if (side === "input") sums[i] = (sums[i] as number) + (flat[p] as number) * (other[w] as number);
            else sums[w] = (sums[w] as number) + (flat[i] as number) * (other[p] as number);
          }
        }
  return sums;
}
