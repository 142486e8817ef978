import { allocate, type DType, isFloat, type TypedArray } from "../base/dtype.js";
import { fromLines, toLines } from "./lines.js";
import type { NDArray } from "./ndarray.js";

/** Running operations along an axis. Floats are kept in float64 along a line and rounded at each store. */

/** Walks every line: `start` before its first element, then `next(place)` for each, whose answer is stored there. */
function running(
  shape: readonly number[],
  axis: number,
  reverse: boolean,
  dtype: DType,
  start: (from: number) => void,
  next: (at: number) => number,
): NDArray {
  const n = shape[axis] as number;
  const out = allocate(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
  for (let from = 0; from < out.length; from += n) {
    start(from);
    for (let i = 0; i < n; i++) {
      const at = from + (reverse ? n - 1 - i : i);
      out[at] = next(at);
    }
  }
  return fromLines(out, dtype, shape, axis);
}

/** y[i] = a[i] · y[i − 1] + b[i] along an axis, from y[−1] = 0: the first a is not read. */
export function recurrence(a: NDArray, b: NDArray, axis: number, reverse: boolean): NDArray {
  const [x, z] = [toLines(a, axis), toLines(b, axis)];
  let y = 0;
  let first = true;
  return running(
    a.shape,
    axis,
    reverse,
    a.dtype,
    () => {
      first = true;
    },
    (at) => {
      y = first ? (z[at] as number) : (x[at] as number) * y + (z[at] as number);
      first = false;
      return y;
    },
  );
}

/** Whole numbers wrap at 32 bits. */
function product(dtype: DType): (a: number, b: number) => number {
  return isFloat(dtype) ? (a, b) => a * b : Math.imul;
}

export function cumprod(a: NDArray, axis: number, reverse: boolean): NDArray {
  const x = toLines(a, axis);
  const times = product(a.dtype);
  let total = 1;
  return running(
    a.shape,
    axis,
    reverse,
    a.dtype,
    () => {
      total = 1;
    },
    (at) => {
      total = times(total, x[at] as number);
      return total;
    },
  );
}

/** A run of `count` numbers multiplied: for `reduce`. */
export function prodRun(dtype: DType): (x: TypedArray, from: number, count: number) => number {
  const times = product(dtype);
  return (x, from, count) => {
    let total = 1;
    for (let i = from; i < from + count; i++) total = times(total, x[i] as number);
    return total;
  };
}

export type Better = (a: number, b: number) => boolean;

/** The running best and, with `places`, where it was first met (int32); from a NaN on it is that NaN. */
export function cumbest(a: NDArray, axis: number, reverse: boolean, better: Better, places: boolean): NDArray {
  const x = toLines(a, axis);
  let start = 0;
  let best = -1;
  return running(
    a.shape,
    axis,
    reverse,
    places ? "int32" : a.dtype,
    (from) => {
      start = from;
      best = -1;
    },
    (at) => {
      if (best < 0 || beats(x[at] as number, x[best] as number, better)) best = at;
      return places ? best - start : (x[best] as number);
    },
  );
}

function beats(a: number, b: number, better: Better): boolean {
  return Number.isNaN(a) ? !Number.isNaN(b) : better(a, b);
}

/** log Σ exp of all elements up to each, by the largest so far and the sum relative to it. */
export function cumlogsumexp(a: NDArray, axis: number, reverse: boolean): NDArray {
  const x = toLines(a, axis);
  let [top, sum] = [-Infinity, 0];
  return running(
    a.shape,
    axis,
    reverse,
    a.dtype,
    () => {
      [top, sum] = [-Infinity, 0];
    },
    (at) => {
      const v = x[at] as number;
      // Equal, both infinite too, counts one more; Infinity − Infinity would be NaN.
      if (v === top) sum += v === -Infinity ? 0 : 1;
      else if (v > top) [top, sum] = [v, 1 + (sum === 0 ? 0 : sum * Math.exp(top - v))];
      else sum += Math.exp(v - top);
      return sum === 0 ? top : top + Math.log(sum);
    },
  );
}
