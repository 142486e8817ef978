import type { Tensor } from "../graph/tensor.js";
import * as on from "./elementwise.js";

/** One step of Chandrupatla's method, element by element. */

/** The root lies between x1, the latest place, and x2; x3 is the place before. The next place is the part t of the way from x1 to x2. */
export interface Bracket {
  readonly x1: Tensor;
  readonly x2: Tensor;
  readonly x3: Tensor;
  readonly f1: Tensor;
  readonly f2: Tensor;
  readonly f3: Tensor;
  readonly t: Tensor;
}

/** The end where |f| is smaller. */
export function best({ x1, x2, f1, f2 }: Bracket): Tensor {
  return on.where(on.less(on.abs(f1), on.abs(f2)), x1, x2);
}

/** The width that may remain: a part of the root, and never less than numbers can resolve. */
function enough(state: Bracket, tolerance: number): Tensor {
  const tiny = state.x1.dtype === "float64" ? 2 ** -1020 : 2 ** -124;
  return on.add(on.mul(on.abs(best(state)), tolerance), tiny);
}

/** Whether the bracket is still too wide. */
export function open(state: Bracket, tolerance: number): Tensor {
  const { x1, x2, f1, f2 } = state;
  const hit = on.logicalOr(on.equal(f1, 0), on.equal(f2, 0));
  const wide = on.logicalNot(on.lessEqual(on.abs(on.sub(x2, x1)), enough(state, tolerance)));
  return on.logicalAnd(wide, on.logicalNot(hit));
}

/** The bracket after one more value of f; one that is narrow enough stays as it is. */
export function narrower(state: Bracket, f: (x: Tensor) => Tensor, tolerance: number): Bracket {
  const { x1, x2, f1, f2, t } = state;
  const x = on.add(x1, on.mul(t, on.sub(x2, x1)));
  const y = f(x);
  const same = on.equal(on.sign(y), on.sign(f1));
  const next = {
    x1: x,
    f1: y,
    x2: on.where(same, x2, x1),
    f2: on.where(same, f2, f1),
    x3: on.where(same, x1, x2),
    f3: on.where(same, f1, f2),
  };
  const after: Bracket = { ...next, t: part({ ...next, t }, tolerance) };
  const moving = open(state, tolerance);
  const keys = Object.keys(state) as (keyof Bracket)[];
  return Object.fromEntries(keys.map((key) => [key, on.where(moving, after[key], state[key])])) as unknown as Bracket;
}

/** Inverse quadratic interpolation where it stays inside, else the middle; never nearer to an end than the tolerance. */
function part(state: Bracket, tolerance: number): Tensor {
  const { x1, x2, x3, f1, f2, f3 } = state;
  const { sub, div, mul } = on;
  const xi = div(sub(x1, x2), sub(x3, x2));
  const phi = div(sub(f1, f2), sub(f3, f2));
  const safe = on.logicalAnd(on.less(on.square(phi), xi), on.less(on.square(sub(1, phi)), sub(1, xi)));
  const alpha = div(sub(x3, x1), sub(x2, x1));
  const first = mul(div(f1, sub(f2, f1)), div(f3, sub(f2, f3)));
  const second = mul(alpha, mul(div(f1, sub(f3, f1)), div(f2, sub(f3, f2))));
  const t = on.where(safe, on.add(first, second), 0.5);
  const least = on.minimum(div(mul(enough(state, tolerance), 0.5), on.abs(sub(x2, x1))), 0.5);
  return on.maximum(least, on.minimum(sub(1, least), t));
}
