import type { Shape } from "../base/shape.js";
import { linked, type ReadLink, whole } from "../graph/reads.js";
import { gcd, type WindowAxis } from "../kernel/window.js";

/**
 * Which places of an input a window reads from, on one axis: the axis `at` of input and output. With p = every · j + r,
 *
 *     inputDilation · i = stride · (every · j + r) + kernelDilation · w − low, every = inputDilation / gcd(stride, inputDilation),
 *
 * so that i − stride / gcd · j is bounded by 0 ≤ r < every and the window. Where `every` does not divide the size, j is no digit; then p
 * itself is taken with a whole slope, and the interval is wider.
 */
export function windowLink(inShape: Shape, outShape: Shape, at: number, axis: WindowAxis): ReadLink {
  const { window, size, stride, inputDilation, kernelDilation, low } = axis;
  const shared = gcd(stride, inputDilation);
  const every = inputDilation / shared;
  const width = kernelDilation * (window - 1) - low;
  if (size % every === 0)
    return {
      in: whole(inShape, at),
      out: { axis: at, div: every, mod: size / every },
      step: stride / shared,
      lo: Math.ceil(-low / inputDilation),
      hi: Math.floor((stride * (every - 1) + width) / inputDilation),
    };
  // A slope of 0 would say nothing.
  const step = Math.max(1, Math.floor(stride / inputDilation));
  const drift = (stride - step * inputDilation) * (size - 1);
  const lo = Math.ceil((Math.min(0, drift) - low) / inputDilation);
  const hi = Math.floor((Math.max(0, drift) + width) / inputDilation);
  return linked(inShape, at, outShape, at, step, lo, hi);
}
