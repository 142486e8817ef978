import { allocate, type TypedArray } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { type Shape, sizeOf } from "../base/shape.js";
import { contiguous, dense, elements, empty, type NDArray } from "./ndarray.js";

/** Moves numbers without changing them; views where strides can say it. */

export function broadcast(a: NDArray, shape: Shape): NDArray {
  const extra = shape.length - a.shape.length;
  const strides = shape.map((n, axis) =>
    axis < extra || (a.shape[axis - extra] === 1 && n !== 1) ? 0 : (a.strides[axis - extra] as number),
  );
  return { ...a, shape, strides };
}

export function reshape(a: NDArray, shape: Shape): NDArray {
  return dense(elements(a), a.dtype, shape);
}

export function transpose(a: NDArray, order: readonly number[]): NDArray {
  return { ...a, shape: order.map((i) => a.shape[i] as number), strides: order.map((i) => a.strides[i] as number) };
}

export function slice(a: NDArray, start: readonly number[], step: readonly number[], shape: Shape): NDArray {
  const offset = start.reduce((total, n, axis) => total + n * (a.strides[axis] as number), a.offset);
  return { ...a, shape, strides: a.strides.map((stride, axis) => stride * (step[axis] as number)), offset };
}

export function flip(a: NDArray, axes: readonly number[]): NDArray {
  let offset = a.offset;
  const strides = a.strides.map((stride, axis) => {
    if (!axes.includes(axis)) return stride;
    offset += stride * Math.max(0, (a.shape[axis] as number) - 1);
    return -stride;
  });
  return { ...a, strides, offset };
}

/** Copies `a` into the part of `out` that starts at `offset` with `strides`. */
function place(a: NDArray, out: TypedArray, offset: number, strides: readonly number[]): void {
  const x = elements(a);
  const index = new Array<number>(a.shape.length).fill(0);
  let to = offset;
  for (let i = 0; i < x.length; i++) {
    out[to] = x[i] as number;
    for (let axis = a.shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      to += strides[axis] as number;
      if (next < (a.shape[axis] as number)) {
        index[axis] = next;
        break;
      }
      to -= next * (strides[axis] as number);
      index[axis] = 0;
    }
  }
}

export function pad(a: NDArray, low: readonly number[], interior: readonly number[], shape: Shape): NDArray {
  const out = empty(a.dtype, shape);
  const offset = low.reduce((total, n, axis) => total + n * (out.strides[axis] as number), 0);
  place(
    a,
    out.data,
    offset,
    out.strides.map((stride, axis) => stride * ((interior[axis] as number) + 1)),
  );
  return out;
}

export function concat(
  inputs: readonly NDArray[],
  axis: number,
  type: { dtype: NDArray["dtype"]; shape: Shape },
): NDArray {
  const out = empty(type.dtype, type.shape);
  let from = 0;
  for (const a of inputs) {
    place(a, out.data, from * (out.strides[axis] as number), out.strides);
    from += a.shape[axis] as number;
  }
  return out;
}

/** Running sum along `axis`; float sums are kept in float64 and rounded at each store. */
export function cumsum(a: NDArray, axis: number, reverse: boolean): NDArray {
  const x = contiguous(a);
  const n = a.shape[axis] as number;
  const inner = sizeOf(a.shape.slice(axis + 1));
  const out = allocate(a.dtype, sizeOf(a.shape));
  const runs = n === 0 ? 0 : out.length / n;
  for (let r = 0; r < runs; r++) {
    const start = Math.floor(r / inner) * n * inner + (r % inner);
    let total = 0;
    for (let i = 0; i < n; i++) {
      const at = start + (reverse ? n - 1 - i : i) * inner;
      total += x.data[at] as number;
      out[at] = total;
    }
  }
  return dense(out, a.dtype, a.shape);
}

/** out[..., j, rest] = a[..., index[..., j], rest] over `batch` leading axes. @throws where an index is outside. */
export function gather(a: NDArray, index: NDArray, batch: number): NDArray {
  const lead = sizeOf(a.shape.slice(0, batch));
  const n = a.shape[batch] as number;
  const m = index.shape[batch] as number;
  const rest = sizeOf(a.shape.slice(batch + 1));
  const x = elements(a);
  const at = elements(index);
  const out = empty(a.dtype, [...a.shape.slice(0, batch), m, ...a.shape.slice(batch + 1)]);
  for (let b = 0; b < lead; b++) {
    for (let j = 0; j < m; j++) {
      const from = (b * n + checked("gather", at[b * m + j] as number, n)) * rest;
      for (let r = 0; r < rest; r++) out.data[(b * m + j) * rest + r] = x[from + r] as number;
    }
  }
  return out;
}

/** The transpose of `gather`: adds updates [..., m, rest] into zeros [..., n, rest]. */
export function scatterAdd(updates: NDArray, index: NDArray, batch: number, n: number): NDArray {
  const lead = sizeOf(updates.shape.slice(0, batch));
  const m = updates.shape[batch] as number;
  const rest = sizeOf(updates.shape.slice(batch + 1));
  const x = elements(updates);
  const at = elements(index);
  const out = empty(updates.dtype, [...updates.shape.slice(0, batch), n, ...updates.shape.slice(batch + 1)]);
  // Many small numbers in one place would each be rounded to float32.
  const sums = updates.dtype === "float32" ? new Float64Array(out.data.length) : out.data;
  for (let b = 0; b < lead; b++) {
    for (let j = 0; j < m; j++) {
      const to = (b * n + checked("scatterAdd", at[b * m + j] as number, n)) * rest;
      for (let r = 0; r < rest; r++) sums[to + r] = (sums[to + r] as number) + (x[(b * m + j) * rest + r] as number);
    }
  }
  if (sums !== out.data) out.data.set(sums);
  return out;
}

function checked(where: string, index: number, n: number): number {
  if (index >= 0 && index < n) return index;
  return fail({ where, got: `index ${index}`, expected: `an index in [0, ${n - 1}]` });
}
