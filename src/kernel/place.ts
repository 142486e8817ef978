import { fail } from "../base/errors.js";
import { type Shape, sizeOf } from "../base/shape.js";
import { contiguous, dense, elements, empty, type NDArray } from "./ndarray.js";

/** Windows at computed places, and who writes last. */

/**
 * For each of `size` places the number of the last of the updates that go there, −1 where none does: index [...b, m] -> [...b, size].
 * @throws where an index is outside
 */
export function lastWriter(index: NDArray, size: number): NDArray {
  const at = elements(index);
  const m = index.shape.at(-1) as number;
  const lead = index.shape.slice(0, -1);
  const out = new Int32Array(sizeOf(lead) * size).fill(-1);
  for (let k = 0; k < at.length; k++) {
    const place = at[k] as number;
    if (place < 0 || place >= size)
      fail({
        where: "scatter",
        got: `index ${place}`,
        expected: size === 0 ? "no index into an empty axis" : `an index in [0, ${size - 1}]`,
      });
    out[Math.floor(k / m) * size + place] = k % m;
  }
  return dense(out, "int32", [...lead, size]);
}

/** Where a window of `sizes` starts in `shape`: counted from the back when negative, then moved inside. */
function startOf(start: ArrayLike<number>, from: number, shape: Shape, sizes: Shape): number[] {
  return shape.map((n, axis) => {
    const s = start[from + axis] as number;
    return Math.min(Math.max(s < 0 ? s + n : s, 0), n - (sizes[axis] as number));
  });
}

/** Calls `row(inWhole, inWindow, count)` for each innermost row of the windows of one array each, one start per element of a batch. */
function eachWindow(
  shape: Shape,
  sizes: Shape,
  start: NDArray,
  row: (whole: number, window: number, count: number) => void,
): void {
  const starts = elements(start);
  const rank = shape.length;
  const [whole, window] = [sizeOf(shape), sizeOf(sizes)];
  const count = rank === 0 ? 1 : (sizes[rank - 1] as number);
  if (window === 0) return;
  for (let b = 0; b < sizeOf(start.shape.slice(0, -1)); b++) {
    const first = startOf(starts, b * rank, shape, sizes);
    for (let w = 0; w < window; w += count) {
      let rest = w;
      let [at, step] = [0, 1];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const n = sizes[axis] as number;
        at += step * ((first[axis] as number) + (rest % n));
        rest = Math.floor(rest / n);
        step *= shape[axis] as number;
      }
      row(b * whole + at, b * window + w, count);
    }
  }
}

/** x [...b, ...shape] at start [...b, rank] -> [...b, ...sizes]. */
export function dynamicSlice(x: NDArray, start: NDArray, sizes: Shape): NDArray {
  const batch = start.shape.slice(0, -1);
  const from = elements(x);
  const out = empty(x.dtype, [...batch, ...sizes]);
  eachWindow(x.shape.slice(batch.length), sizes, start, (whole, window, count) => {
    for (let i = 0; i < count; i++) out.data[window + i] = from[whole + i] as number;
  });
  return out;
}

/** A copy of x [...b, ...shape] with update [...b, ...sizes] written at start [...b, rank]. */
export function dynamicUpdateSlice(x: NDArray, update: NDArray, start: NDArray): NDArray {
  const batch = start.shape.length - 1;
  const from = elements(update);
  const out = dense(contiguous(x).data.slice(), x.dtype, x.shape);
  eachWindow(x.shape.slice(batch), update.shape.slice(batch), start, (whole, window, count) => {
    for (let i = 0; i < count; i++) out.data[whole + i] = from[window + i] as number;
  });
  return out;
}
