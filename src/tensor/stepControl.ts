import { constant } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import * as on from "./elementwise.js";
import { along, fixed, notFinite, type System } from "./odeSystem.js";
import { sum } from "./reducing.js";
import { at } from "./shaping.js";

/** How large a step may be, by the error of the last one. */

export interface Control {
  readonly rtol: number;
  readonly atol: number;
  readonly maxSteps: number;
  readonly firstStep: number | undefined;
}

/** Root mean square over all leaves. */
export function norm(parts: readonly Tensor[], like: Tensor): Tensor {
  const size = parts.reduce((n, x) => n + x.size, 0);
  const total = parts.reduce((s, x) => on.add(s, sum(on.square(x))), constant(0, like.dtype) as Tensor);
  return on.sqrt(on.div(total, Math.max(1, size)));
}

/** What is remembered of the steps before, none of which has a derivative. */
export interface Memory {
  /** Size of the next step, without its sign. */
  readonly h: Tensor;
  /** Error of the last step that was accepted, 1 where it was as large as allowed. */
  readonly error: Tensor;
  /** Whether the last try was rejected. */
  readonly rejected: Tensor;
}

/**
 * Sizes of the next step after this one is accepted, or rejected: PI control with β = 0.04 and safety factor 0.9.
 * Source: Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I (1993), II.4; K. Gustafsson (1991).
 */
export function resized(
  size: Tensor,
  error: Tensor,
  { h, error: before, rejected }: Memory,
  last: Tensor,
): { readonly grown: Tensor; readonly shrunk: Tensor } {
  const bad = notFinite(error);
  const own = on.pow(on.where(bad, 1, error), 0.2 - 0.75 * 0.04);
  const factor = on.clamp(on.div(on.div(own, on.pow(before, 0.04)), 0.9), 0.1, 5);
  const free = on.div(size, factor);
  const careful = on.where(rejected, on.minimum(free, size), free);
  // Cut short by a time, a step does not speak against the size that was meant.
  const grown = on.where(last, on.maximum(careful, h), careful);
  const shrunk = on.div(size, on.where(bad, 5, on.minimum(on.div(own, 0.9), 5)));
  return { grown, shrunk };
}

/** Ten units of the last place of t. */
export function smallest({ dtype }: System, t: Tensor, target: Tensor): Tensor {
  return on.mul(on.maximum(on.abs(t), on.abs(target)), 10 * (dtype === "float64" ? 2 ** -52 : 2 ** -23));
}

/** A size for which the first step of order 5 has a small error. Source: Hairer, Nørsett & Wanner, II.4. */
export function firstStep({ start, times, slope }: System, k: readonly Tensor[], { rtol, atol }: Control): Tensor {
  const t = fixed(at(times, 0));
  const direction = fixed(on.sign(on.sub(at(times, -1), t)));
  const [y, f] = [start.map(fixed), k.map(fixed)];
  const allowed = y.map((x) => on.add(on.mul(on.abs(x), rtol), atol));
  const size = (x: readonly Tensor[]): Tensor =>
    norm(
      x.map((each, i) => on.div(each, allowed[i] as Tensor)),
      t,
    );
  const [ofY, ofSlope] = [size(y), size(f)];
  const small = on.logicalOr(on.less(ofY, 1e-5), on.less(ofSlope, 1e-5));
  const guess = on.where(small, 1e-6, on.mul(on.div(ofY, on.where(small, 1, ofSlope)), 0.01));
  const moved = along(y, on.mul(guess, direction), [f], [1]);
  const there = slope(moved, on.add(t, on.mul(guess, direction)));
  const bend = on.div(size(there.map((x, i) => on.sub(x, f[i] as Tensor))), guess);
  const most = on.maximum(ofSlope, on.where(notFinite(bend), ofSlope, bend));
  const flat = on.lessEqual(most, 1e-15);
  const second = on.where(
    flat,
    on.maximum(on.mul(guess, 1e-3), 1e-6),
    on.pow(on.div(0.01, on.where(flat, 1, most)), 0.2),
  );
  return fixed(on.minimum(on.mul(guess, 100), second));
}
