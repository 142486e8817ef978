import { allocate, type DType, type TypedArray } from "../base/dtype.js";
import { sizeOf } from "../base/shape.js";
import { dense, elements, type NDArray } from "./ndarray.js";
import { type Phase, phasesOf, placesOf, type WindowAxis } from "./window.js";

/** Windows over the last axes of x; all axes before them are rows. Only places of the input count, never the padding. */

/** The largest element that each window meets: [...rows, ...input] -> [...rows, ...size]. NaN where it meets one. */
export function windowMaxLoop(x: NDArray, axes: readonly WindowAxis[], dtype: DType): NDArray {
  const lead = x.shape.slice(0, x.shape.length - axes.length);
  const [inPlaces, outPlaces] = [placesOf(axes, "input"), placesOf(axes, "size")];
  const from = elements(x);
  const out = allocate(dtype, sizeOf(lead) * outPlaces);
  const best = new Float64Array(outPlaces);
  const [phase] = phasesOf(axes);
  for (let row = 0; phase && row < sizeOf(lead); row++) {
    largest(from, row * inPlaces, best.fill(-Infinity), phase);
    out.set(best, row * outPlaces);
  }
  return dense(out, dtype, [...lead, ...axes.map(({ size }) => size)]);
}

/** Whether the element at place w of the window is as large as the largest: [...rows, ...input] -> bool [...rows, window, ...size]. */
export function windowPeaksLoop(x: NDArray, axes: readonly WindowAxis[]): NDArray {
  const lead = x.shape.slice(0, x.shape.length - axes.length);
  const [inPlaces, outPlaces] = [placesOf(axes, "input"), placesOf(axes, "size")];
  const window = placesOf(axes, "window");
  const from = elements(x);
  const out = allocate("bool", sizeOf(lead) * window * outPlaces);
  const best = new Float64Array(outPlaces);
  const [phase] = phasesOf(axes);
  for (let row = 0; phase && row < sizeOf(lead); row++) {
    largest(from, row * inPlaces, best.fill(-Infinity), phase);
    eachRun(phase, (tap, to, at, count) => {
      const base = (row * window + tap) * outPlaces;
      for (let j = 0, i = row * inPlaces + at; j < count; j++, i += phase.step)
        if (from[i] === best[to + j]) out[base + to + j] = 1;
    });
  }
  return dense(out, "bool", [...lead, window, ...axes.map(({ size }) => size)]);
}

function largest(from: TypedArray, base: number, best: Float64Array, phase: Phase): void {
  eachRun(phase, (_tap, to, at, count) => {
    for (let j = to, i = base + at; j < to + count; j++, i += phase.step) {
      const v = from[i] as number;
      if (v > (best[j] as number) || Number.isNaN(v)) best[j] = v;
    }
  });
}

function eachRun({ runs }: Phase, visit: (tap: number, to: number, from: number, count: number) => void): void {
  runs.forEach((run, tap) => {
    for (let r = 0; r < run.length; r += 3) visit(tap, run[r] as number, run[r + 1] as number, run[r + 2] as number);
  });
}
