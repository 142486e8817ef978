import type { TypedArray } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { announceRead, currentRuntime, insideTransform } from "../graph/trace.js";
import { contiguous, elements, type NDArray } from "../kernel/ndarray.js";

/** Nested arrays of numbers, as deep as the tensor's rank. */
export type Nested = number | Nested[];

/**
 * Computes the tensors together (what they share, once) and keeps their values. Outside every transform their inputs are dropped,
 * so memory is freed; inside one they are kept, or a gradient would be cut silently.
 */
export function readAll(tensors: readonly Tensor[]): NDArray[] {
  for (const t of tensors) announceRead(t);
  if (tensors.every((t) => t.value !== null)) return tensors.map((t) => t.value as NDArray);
  const missing = [...new Set(tensors.filter((t) => t.value === null))];
  const values = currentRuntime().run(missing, new Map());
  missing.forEach((t, i) => {
    t.value = contiguous(values[i] as NDArray);
    if (insideTransform()) return;
    t.primitive = null;
    t.inputs = [];
  });
  return tensors.map((t) => t.value as NDArray);
}

/** A copy of the numbers, row-major. */
export function numbers(t: Tensor): TypedArray {
  return elements(readAll([t])[0] as NDArray).slice();
}

export function item(t: Tensor): number {
  if (t.size !== 1)
    fail({
      where: "item",
      got: `a tensor ${show(t.shape)}`,
      expected: "one element",
      write: "toArray() or await data()",
    });
  return numbers(t)[0] as number;
}

export function toArray(t: Tensor): Nested {
  const flat = numbers(t);
  const nest = (axis: number, from: number, size: number): Nested => {
    if (axis === t.rank) return flat[from] as number;
    const n = t.shape[axis] as number;
    const step = n === 0 ? 0 : size / n;
    return Array.from({ length: n }, (_, i) => nest(axis + 1, from + i * step, step));
  };
  return nest(0, 0, t.size);
}
