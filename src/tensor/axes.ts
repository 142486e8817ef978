import { normalAxes } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { reshapeTo } from "../primitives/linear.js";

/** Which axes a reduction runs over: all by default; `keepDims` leaves them with size 1. */
export interface ReduceOptions {
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
}

/** An axis, several, or options. */
export type Axes = number | readonly number[] | ReduceOptions;

function options(axes: Axes | undefined): ReduceOptions {
  return axes === undefined
    ? {}
    : typeof axes === "number" || Array.isArray(axes)
      ? { axis: axes as number }
      : (axes as ReduceOptions);
}

/** Reduces by `f`, which drops the axes it is given: ordinary and sorted. */
export function reducing(
  where: string,
  x: TensorLike,
  axes: Axes | undefined,
  f: (a: Tensor, list: number[]) => Tensor,
): Tensor {
  const a = asTensor(x);
  const { axis, keepDims = false } = options(axes);
  const list = normalAxes(where, axis, a.rank);
  const out = f(a, list);
  return keepDims ? reshapeTo(out, kept(a, list)) : out;
}

/** The shape of a with size 1 on the axes. */
export function kept(a: Tensor, list: readonly number[]): number[] {
  return a.shape.map((n, i) => (list.includes(i) ? 1 : n));
}
