import type { ConvSpec } from "../../kernel/convSpec.js";
import { gcd, type WindowAxis } from "../../kernel/window.js";

/**
 * Places of one axis of the output that meet the same places of the window: first, first + every, … With an input dilated by d the window
 * falls on different input places for each remainder of the output place, and no zero in between is ever multiplied. Tap m is place
 * window + m · windowGap of the window; it reads input place step · j + at + m · gap for the j-th place of the output.
 */
export interface AxisPhase {
  readonly first: number;
  readonly count: number;
  readonly taps: number;
  readonly at: number;
  readonly gap: number;
  readonly window: number;
  readonly windowGap: number;
}

export interface AxisPlan {
  readonly axis: WindowAxis;
  /** Input places from one place of a phase to the next. */
  readonly step: number;
  /** Output places from one place of a phase to the next. */
  readonly every: number;
  readonly phases: readonly AxisPhase[];
  /** The most places a phase has. */
  readonly places: number;
  /** The least that any tap adds to step · j, and how much more the furthest adds. */
  readonly low: number;
  readonly reach: number;
}

/** One of something for each axis, the last fastest. */
export type Triple<T> = readonly [T, T, T];

/** The axes of a convolution, led by trivial ones to three. */
export function threeAxes(spec: ConvSpec): Triple<WindowAxis> {
  const axes = spec.sizes.map((input, k) => ({
    input,
    window: spec.window[k] as number,
    size: spec.outs[k] as number,
    stride: spec.stride[k] as number,
    inputDilation: spec.inputDilation[k] as number,
    kernelDilation: spec.kernelDilation[k] as number,
    low: spec.low[k] as number,
  }));
  const trivial = { input: 1, window: 1, size: 1, stride: 1, inputDilation: 1, kernelDilation: 1, low: 0 };
  while (axes.length < 3) axes.unshift(trivial);
  return axes as unknown as Triple<WindowAxis>;
}

export function planAxis(axis: WindowAxis): AxisPlan {
  const { window, size, stride, inputDilation, kernelDilation, low } = axis;
  const shared = gcd(stride, inputDilation);
  const every = inputDilation / shared;
  const repeat = gcd(kernelDilation, inputDilation);
  const windowGap = inputDilation / repeat;
  const phases = Array.from({ length: Math.min(every, size) }, (_, first): AxisPhase => {
    const reached = (w: number): number => stride * first + kernelDilation * w - low;
    let w = 0;
    while (w < Math.min(windowGap, window) && reached(w) % inputDilation !== 0) w++;
    const taps = w < windowGap && w < window ? Math.ceil((window - w) / windowGap) : 0;
    const at = taps > 0 ? reached(w) / inputDilation : 0;
    const count = Math.ceil((size - first) / every);
    return { first, count, taps, at, gap: kernelDilation / repeat, window: w, windowGap };
  });
  const met = phases.filter(({ taps }) => taps > 0);
  const least = met.length > 0 ? Math.min(...met.map(({ at }) => at)) : 0;
  const most = met.length > 0 ? Math.max(...met.map(({ at, taps, gap }) => at + (taps - 1) * gap)) : 0;
  const places = phases[0]?.count ?? 0;
  return { axis, step: stride / shared, every, phases, places, low: least, reach: most - least };
}

/** `parts` runs of n things, as equal as possible: the first `more` have `size` + 1, the rest `size`. */
export function evenly(n: number, parts: number): { readonly size: number; readonly more: number } {
  return { size: Math.floor(n / parts), more: n % parts };
}

/** Where slices begin, in elements. Space is dense and row-major. */
export interface ConvStrides {
  readonly input: { readonly batch: number; readonly group: number; readonly channel: number };
  /** turned: the window is read back to front on every axis. */
  readonly kernel: {
    readonly group: number;
    readonly filter: number;
    readonly channel: number;
    readonly turned: boolean;
  };
  readonly output: { readonly batch: number; readonly group: number; readonly filter: number };
}

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** Input, kernel and output as the primitive has them, all dense. */
export function denseStrides(spec: ConvSpec): ConvStrides {
  const { groups, channels, filters } = spec;
  const [input, window, out] = [product(spec.sizes), product(spec.window), product(spec.outs)];
  return {
    input: { batch: groups * channels * input, group: channels * input, channel: input },
    kernel: { group: filters * channels * window, filter: channels * window, channel: window, turned: false },
    output: { batch: groups * filters * out, group: filters * out, filter: out },
  };
}

/** The numbers of a kind: how they lie in a vector and which instructions handle them. */
export interface Lanes {
  /** Bytes of an element. */
  readonly width: 4 | 8;
  readonly count: 2 | 4;
  readonly splat: string;
  readonly add: string;
  readonly mul: string;
  /** a · b + c rounded once, where that is allowed. */
  readonly fused: string | null;
  readonly load: string;
  readonly store: string;
  readonly storeLane: string;
}

export function lanesOf(dtype: "float32" | "float64", fused: boolean): Lanes {
  const single = dtype === "float32";
  const type = single ? "f32x4" : "f64x2";
  return {
    width: single ? 4 : 8,
    count: single ? 4 : 2,
    splat: single ? "v128.load32_splat" : "v128.load64_splat",
    add: `${type}.add`,
    mul: `${type}.mul`,
    fused: fused ? `${type}.relaxed_madd` : null,
    load: single ? "i32.load" : "i64.load",
    store: single ? "i32.store" : "i64.store",
    storeLane: single ? "v128.store32_lane" : "v128.store64_lane",
  };
}
