import { allocate, type TypedArray } from "../base/dtype.js";
import { fromLines, toLines } from "./lines.js";
import { dense, elements, type NDArray } from "./ndarray.js";

/**
 * Sorting and searching. The order is that of the numbers, −0 equal to 0, with NaN above all of them (last when rising, first when
 * falling); equal elements keep their order in both directions.
 */

/** Negative where a comes before b, 0 where they are equal. */
function order(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** Sorted numbers along an axis. */
export function sort(a: NDArray, axis: number, descending: boolean): NDArray {
  const x = toLines(a, axis);
  const n = a.shape[axis] as number;
  const out = x.slice();
  for (let from = 0; from < out.length; from += n) {
    const line = out.subarray(from, from + n).sort();
    if (descending) line.reverse();
    restoreZeros(line, x, from);
  }
  return fromLines(out, a.dtype, a.shape, axis);
}

/** The typed arrays' own sort puts −0 before 0; here they are equal and stay in the order they came in. */
function restoreZeros(line: TypedArray, x: TypedArray, from: number): void {
  let to = line.indexOf(0);
  if (to < 0) return;
  for (let i = from; i < from + line.length; i++) if (x[i] === 0) line[to++] = x[i] as number;
}

/** The places of the sorted numbers, int32. */
export function argsort(a: NDArray, axis: number, descending: boolean): NDArray {
  const x = toLines(a, axis);
  const n = a.shape[axis] as number;
  const out = new Int32Array(x.length);
  const sign = descending ? -1 : 1;
  for (let from = 0; from < out.length; from += n) {
    const line = out.subarray(from, from + n);
    for (let i = 0; i < n; i++) line[i] = i;
    line.sort((i, j) => sign * order(x[from + i] as number, x[from + j] as number) || i - j);
  }
  return fromLines(out, "int32", a.shape, axis);
}

/**
 * How many of the rising numbers `sorted` [...b, n] come before each of `values` [...b, m]; with `right`, or are equal to it.
 * Binary search.
 */
export function searchsorted(sorted: NDArray, values: NDArray, right: boolean): NDArray {
  const [x, v] = [elements(sorted), elements(values)];
  const [n, m] = [sorted.shape.at(-1) as number, values.shape.at(-1) as number];
  const out = allocate("int32", v.length);
  const most = right ? 0 : -1;
  for (let k = 0; k < v.length; k++) {
    const from = Math.floor(k / m) * n;
    let [low, high] = [0, n];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(x[from + middle] as number, v[k] as number) <= most) low = middle + 1;
      else high = middle;
    }
    out[k] = low;
  }
  return dense(out, "int32", values.shape);
}
