import { allocate, type DType, type TypedArray } from "../base/dtype.js";
import { matmulLoop } from "./contract.js";
import { dense, elements, type NDArray } from "./ndarray.js";
import { type Phase, phasesOf, placesOf, type WindowAxis } from "./window.js";

/** Columns of patches that are worth one matrix product; examples with fewer places share one. */
const COLUMNS = 512;

/**
 * Convolution (as everywhere in machine learning without turning the kernel over, that is, cross-correlation).
 * x [n, groups · c, ...input], kernel [groups · o, c, ...window] -> [n, groups · o, ...size]:
 *
 *     out[n, g·o + j, p] = Σ over k < c and w of kernel[g·o + j, k, w] · x[n, g·c + k, i(p, w)]
 *
 * Each group is a matrix product of the kernel with the patches that the window sees (im2col), a few examples at a time. Sums are taken
 * in the order (channel, window place) whatever else is in the batch, in float64.
 */
export function convLoop(
  x: NDArray,
  kernel: NDArray,
  axes: readonly WindowAxis[],
  groups: number,
  dtype: DType,
): NDArray {
  const n = x.shape[0] as number;
  const [outputs, c] = kernel.shape as [number, number];
  const out = allocate(dtype, n * outputs * placesOf(axes, "size"));
  const from = elements(x);
  // Without examples or channels there is nothing to add, and nothing to plan.
  for (const phase of out.length > 0 && from.length > 0 ? phasesOf(axes) : []) {
    const weights = weightsOf(kernel, groups, placesOf(axes, "window"), phase);
    const most = Math.max(1, Math.floor(COLUMNS / phase.places.length));
    for (let first = 0; first < n; first += most) {
      const block = { first, count: Math.min(most, n - first), channels: c, outputs: outputs / groups, groups };
      const patches = allocate(dtype, c * phase.taps.length * block.count * phase.places.length);
      const matrix = dense(patches, dtype, [c * phase.taps.length, block.count * phase.places.length]);
      for (let g = 0; g < groups; g++) {
        fillPatches(from, placesOf(axes, "input"), patches, g, block, phase);
        const rows = matmulLoop(weights[g] as NDArray, matrix, dtype).data;
        placeRows(rows, out, placesOf(axes, "size"), g, block, phase);
      }
    }
  }
  return dense(out, dtype, [n, outputs, ...axes.map(({ size }) => size)]);
}

/** Some examples of one convolution; channels and outputs of each group. */
interface Block {
  readonly first: number;
  readonly count: number;
  readonly channels: number;
  readonly outputs: number;
  readonly groups: number;
}

/** For every group the matrix [o, c · taps] of the kernel's elements at the taps of a phase. */
function weightsOf(kernel: NDArray, groups: number, window: number, { taps }: Phase): NDArray[] {
  const [outputs, c] = kernel.shape as [number, number];
  const o = outputs / groups;
  const from = elements(kernel);
  return Array.from({ length: groups }, (_, g) => {
    const data = allocate(kernel.dtype, o * c * taps.length);
    for (let row = 0, next = 0; row < o * c; row++) {
      const start = (g * o * c + row) * window;
      for (let t = 0; t < taps.length; t++) data[next++] = from[start + (taps[t] as number)] as number;
    }
    return dense(data, kernel.dtype, [o, c * taps.length]);
  });
}

/**
 * The patches [channels · taps, count · places] of one group. What lies outside the input is never written: it stays 0 from group to
 * group.
 */
function fillPatches(
  from: TypedArray,
  inPlaces: number,
  patches: TypedArray,
  group: number,
  { first, count, channels, groups }: Block,
  { runs, step, places }: Phase,
): void {
  const width = count * places.length;
  for (let e = 0; e < count; e++) {
    for (let k = 0; k < channels; k++) {
      const base = (((first + e) * groups + group) * channels + k) * inPlaces;
      for (let t = 0; t < runs.length; t++) {
        const run = runs[t] as Int32Array;
        const row = (k * runs.length + t) * width + e * places.length;
        for (let r = 0; r < run.length; r += 3) {
          let to = row + (run[r] as number);
          const end = to + (run[r + 2] as number);
          for (let i = base + (run[r + 1] as number); to < end; to++, i += step) patches[to] = from[i] as number;
        }
      }
    }
  }
}

/** The product [outputs, count · places] of one group to the places of its phase. */
function placeRows(
  rows: TypedArray,
  out: TypedArray,
  outPlaces: number,
  group: number,
  { first, count, outputs, groups }: Block,
  { places }: Phase,
): void {
  let next = 0;
  for (let j = 0; j < outputs; j++) {
    for (let e = 0; e < count; e++) {
      const base = (((first + e) * groups + group) * outputs + j) * outPlaces;
      for (let p = 0; p < places.length; p++) out[base + (places[p] as number)] = rows[next++] as number;
    }
  }
}
