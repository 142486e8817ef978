import { type DType, isFloat, promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import { type Flat, flatten } from "../base/tree.js";
import { asTensor, isTensorLike, type TensorLike } from "../graph/leaves.js";
import { apply, isTensor, type Tensor } from "../graph/tensor.js";
import { settled, validate } from "../primitives/check.js";
import { detach } from "../primitives/control.js";
import { pathName } from "../transforms/trees.js";
import { abs, add, less, logicalNot, mul, sign, sub, toDType, where } from "./elementwise.js";
import { concat, slice } from "./shaping.js";

/** What the methods of `odeint` see of a problem: leaves of trees, all of one float dtype. */
export interface System {
  readonly dtype: "float32" | "float64";
  /** Of the leaves: `y.position`. */
  readonly names: readonly string[];
  readonly start: readonly Tensor[];
  /** [times] */
  readonly times: Tensor;
  /** dy/dt at (y, t) */
  readonly slope: (y: readonly Tensor[], t: Tensor) => Tensor[];
}

export type Slope<Y, P> = (y: Y, t: Tensor, params: P) => unknown;

/** The leaves of y0, the times and the right-hand side in their common dtype. @throws where they do not fit */
export function systemOf(
  f: Slope<never, never>,
  y0: unknown,
  times: TensorLike,
  params: unknown,
): System & { readonly flat: Flat<TensorLike> } {
  const flat = flatten("odeint", y0, isTensorLike);
  const dtype = floatOf([...flat.leaves, times]);
  const start = flat.leaves.map((x) => toDType(asTensor(x, dtype), dtype));
  const names = flat.paths.map((path) => pathName("y", path));
  const args = params === undefined ? [] : [withNumbers(params, dtype)];
  const call = f as unknown as (...args: unknown[]) => unknown;
  const slope = (y: readonly Tensor[], t: Tensor): Tensor[] => {
    const out = flatten("odeint", call(flat.rebuild(y), t, ...args), isTensorLike);
    if (out.structure !== flat.structure)
      fail({ where: "odeint", got: "dy/dt of another structure", expected: "the tree of y" });
    return out.leaves.map((x, k) =>
      rate(asTensor(x, dtype), pathName("dy/dt", out.paths[k] as string), y[k] as Tensor),
    );
  };
  return { flat, dtype, names, start, times: checkedTimes(times, dtype), slope };
}

function rate(x: Tensor, name: string, { shape, dtype }: Tensor): Tensor {
  if (isFloat(x.dtype) && sameShape(x.shape, shape)) return toDType(x, dtype);
  return fail({ where: "odeint", got: `${name} ${x.dtype}${show(x.shape)}`, expected: `${dtype}${show(shape)}` });
}

/** Bare numbers take the dtype of the system. */
function withNumbers(params: unknown, dtype: DType): unknown {
  const { leaves, rebuild } = flatten("odeint", params, isTensorLike);
  return rebuild(leaves.map((x) => asTensor(x, dtype)));
}

/** The dtype of the tensors among them; bare numbers are float64. */
function floatOf(values: readonly TensorLike[]): "float32" | "float64" {
  const tensors = values.filter((x) => isTensor(x)).map((x) => x.dtype);
  return (tensors.length === 0 ? "float64" : promote(tensors.reduce(promote), "float32")) as "float32" | "float64";
}

/** @throws on reading, where they are not finite or turn back */
function checkedTimes(given: TensorLike, dtype: DType): Tensor {
  const all = toDType(asTensor(given, dtype), dtype);
  if (all.rank !== 1)
    fail({ where: "odeint", got: `times of shape ${show(all.shape)}`, expected: "[times], the first that of y0" });
  const times = apply(validate, [all], {
    where: "odeint",
    name: "times",
    expected: "finite numbers",
    holds: Number.isFinite,
    interval: [-Infinity, Infinity],
  });
  if (all.size < 2) return times;
  const [first, rest] = [slice(times, 0, 1), slice(times, 1)];
  const steps = sub(rest, slice(times, 0, -1));
  const back = less(mul(steps, sign(sub(slice(times, -1), first))), 0);
  const none = apply(validate, [where(back, steps, 0)], {
    where: "odeint",
    name: "diff(times)",
    expected: "all times in one direction, from the first to the last",
    holds: (x) => x === 0,
    interval: [0, 0],
  });
  return concat([first, add(rest, fixed(none))]);
}

/** Steers the method, and has no derivative. */
export function fixed(x: Tensor): Tensor {
  return apply(detach, [x], null);
}

/** The identity on a number. @throws on reading, with the number, where `when` (bool []) holds */
export function refuse(
  x: Tensor,
  when: Tensor,
  complaint: { readonly name: string; readonly expected: string; readonly write: string },
): Tensor {
  const shown = apply(validate, [fixed(where(when, x, NaN))], { where: "odeint", ...complaint, holds: Number.isNaN });
  return apply(settled, [x, less(shown, Infinity)], { where: "odeint", got: complaint.name, ...complaint });
}

/** Infinite or NaN, element by element. */
export function notFinite(x: Tensor): Tensor {
  return logicalNot(less(abs(x), Infinity));
}

/** y + h Σ wᵢ kᵢ, leaf by leaf. */
export function along(
  y: readonly Tensor[],
  h: Tensor,
  slopes: readonly (readonly Tensor[])[],
  weights: readonly number[],
): Tensor[] {
  return y.map((x, k) => add(x, mul(h, mixed(slopes, weights, k))));
}

/** Σ wᵢ kᵢ of one leaf. */
export function mixed(slopes: readonly (readonly Tensor[])[], weights: readonly number[], leaf: number): Tensor {
  const terms = weights.flatMap((w, i) => (w === 0 ? [] : [mul(slopes[i]?.[leaf] as Tensor, w)]));
  return terms.reduce((a, b) => add(a, b));
}

/** An explicit Runge–Kutta method: row i of `a` has the weights of the slopes before slope i. */
export interface Tableau {
  readonly a: readonly (readonly number[])[];
  readonly c: readonly number[];
}

/** All slopes of one step; the first may be known from the step before. */
export function stages(
  { a, c }: Tableau,
  slope: System["slope"],
  y: readonly Tensor[],
  t: Tensor,
  h: Tensor,
  first: readonly Tensor[] = slope(y, t),
): (readonly Tensor[])[] {
  const slopes = [first];
  for (let i = 1; i < a.length; i++)
    slopes.push(slope(along(y, h, slopes, a[i] as readonly number[]), add(t, mul(h, c[i] as number))));
  return slopes;
}
