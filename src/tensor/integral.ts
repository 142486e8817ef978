import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes, range as indices, show } from "../base/shape.js";
import { asTensor, constant, type TensorLike, tensor } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { detach } from "../primitives/control.js";
import { broadcastTo } from "../primitives/linear.js";
import * as on from "./elementwise.js";
import { type Grid, gridOf, type Method, type Tails } from "./grid.js";
import { min, sum } from "./reducing.js";
import { at, cumsum, expandDims } from "./shaping.js";

/** One rule applied to one integrand, as a graph. */

/** x − a and b − x at the nodes, without rounding; infinite where the end is. */
export interface Distance {
  readonly toA: Tensor;
  readonly toB: Tensor;
}

/** Values [..., m] at nodes [..., m]. */
export type Integrand = (x: Tensor, distance: Distance) => TensorLike;

export interface Ends {
  readonly range: "finite" | "half" | "line";
  /** Of "half" the finite end is a. */
  readonly a: Tensor;
  readonly b: Tensor;
  /** Of "half": which of the user's ends is the finite one, and whether the other is +∞. */
  readonly near: "a" | "b";
  readonly up: boolean;
  /** −1 where an infinite end is on the wrong side. */
  readonly sign: number;
  readonly dtype: "float32" | "float64";
}

export interface Attempt {
  readonly value: Tensor;
  readonly error: Tensor;
  /** ∫ |f| */
  readonly total: Tensor;
  readonly evaluations: number;
  readonly nodes: Tensor;
  readonly values: Tensor;
}

/**
 * @param drops whether nodes next to an end, or far towards an infinite one, at which f is not finite are left out: there ∞/∞ and 0 · ∞ stand
 * for 0. f is then called twice. What lies beyond their neighbours is part of the error.
 */
export function attempt(f: Integrand, ends: Ends, method: Method, order: number, drops: boolean): Attempt {
  const grid = gridOf(ends.range, method, order, ends.dtype);
  const m = grid.at.length;
  const { x, distance, width, moved } = place(ends, grid);
  let values = valuesAt(f, x, distance);
  let kept: Tensor | null = null;
  if (drops && grid.tails) {
    const dropped = unusable(values, x, grid.tails);
    const middle = expandDims(at(x, grid.middle, -1), -1);
    values = on.where(dropped, 0, valuesAt(f, on.where(dropped, middle, x), distance));
    kept = on.logicalNot(dropped);
  }
  const g = on.mul(values, width);
  return {
    value: on.mul(weighted(g, grid.weights[0] as Float64Array), ends.sign),
    ...judge(apply(detach, [on.abs(g)], null), apply(detach, [g], null), grid, kept, f.length < 2 ? moved : null),
    evaluations: kept ? 2 * m : m,
    nodes: x,
    values,
  };
}

function valuesAt(f: Integrand, x: Tensor, distance: Distance): Tensor {
  const values = asTensor(f(x, distance), x.dtype);
  const m = x.shape.at(-1) as number;
  if (values.rank > 0 && values.shape.at(-1) !== m)
    fail({
      where: "integrate",
      got: `values ${show(values.shape)} of f at nodes ${show(x.shape)}`,
      expected: `a last axis of ${m}, one value for each node, or one number`,
      write: "f(x) element by element, with axes of its own in front",
    });
  const floats = isFloat(values.dtype) ? values : on.toDType(values, x.dtype);
  return broadcastTo(floats, broadcastShapes("integrate", floats.shape, x.shape));
}

interface Placed {
  /** [...s, m] */
  readonly x: Tensor;
  readonly distance: Distance;
  /** What weights are multiplied by: the length of the interval. */
  readonly width: Tensor;
  /** Nodes that would have rounded to an end. */
  readonly moved: Tensor | null;
}

function place({ range, dtype, near, up, sign, ...ends }: Ends, grid: Grid): Placed {
  const where = tensor(grid.at, { dtype });
  const far = constant(sign * Infinity, dtype);
  const width = constant(1, dtype);
  if (range === "line") return { x: where, distance: { toA: far, toB: far }, width, moved: null };
  if (range === "finite") return between(ends.a, ends.b, where, tensor(grid.left, { dtype: "bool" }));
  const a = expandDims(ends.a, -1);
  const { inside, moved } = nudged(where, a);
  const close = on.mul(where, sign);
  const distance = near === "a" ? { toA: close, toB: far } : { toA: far, toB: close };
  return { x: up ? on.add(a, inside) : on.sub(a, inside), distance, width, moved };
}

/** @param part distances [m] to the nearer end, as part of the whole */
function between(start: Tensor, end: Tensor, part: Tensor, left: Tensor): Placed {
  const [a, b] = [expandDims(start, -1), expandDims(end, -1)];
  const width = on.sub(b, a);
  const close = on.mul(width, part);
  const rest = on.sub(width, close);
  const { inside, moved } = nudged(close, on.where(left, a, b));
  return {
    x: on.where(left, on.add(a, inside), on.sub(b, inside)),
    distance: { toA: on.where(left, close, rest), toB: on.where(left, rest, close) },
    width,
    moved,
  };
}

/** Distances from `end` that do not round to nothing beside it. By a constant, so that derivatives are those of the distances. */
function nudged(distance: Tensor, end: Tensor): { inside: Tensor; moved: Tensor } {
  const short = on.maximum(on.sub(on.mul(on.abs(end), epsilon(distance)), on.abs(distance)), 0);
  const nudge = apply(detach, [on.mul(short, on.sign(distance))], null);
  return { inside: on.add(distance, nudge), moved: apply(detach, [on.greater(short, 0)], null) };
}

function epsilon({ dtype }: Tensor): number {
  return dtype === "float32" ? 2 ** -23 : 2 ** -52;
}

/** Outer nodes without a finite value between them and the end. values [...k, ...s, m] at x [...s, m] -> [...s, m] */
function unusable(values: Tensor, x: Tensor, { outer }: Tails): Tensor {
  const finite = on.toDType(on.equal(on.sub(values, values), 0), "int32");
  const all = min(finite, indices(values.rank - x.rank));
  const [before, after] = [cumsum(all, -1), cumsum(all, -1, { reverse: true })];
  const outside = on.logicalOr(on.equal(before, 0), on.equal(after, 0));
  return apply(detach, [on.logicalAnd(tensor(outer, { dtype: "bool" }), outside)], null);
}

/** Σ g w over the last axis. */
function weighted(g: Tensor, weights: Float64Array): Tensor {
  return sum(on.mul(g, tensor(weights, { dtype: g.dtype })), -1);
}

/**
 * The error: what the last doubling of the nodes changed, which is about the error of the coarser rule, and no less than the square of what the
 * doubling before it changed, should the last one agree by chance; what may lie beyond the outermost nodes; what nodes that were moved carry; rounding.
 */
function judge(
  size: Tensor,
  g: Tensor,
  { weights, tails }: Grid,
  kept: Tensor | null,
  moved: Tensor | null,
): Pick<Attempt, "error" | "total"> {
  const [fine, coarse, coarser] = weights as [Float64Array, Float64Array, Float64Array?];
  const total = weighted(size, fine);
  const middle = weighted(g, coarse);
  let error = on.abs(on.sub(weighted(g, fine), middle));
  if (coarser) {
    const before = on.abs(on.sub(middle, weighted(g, coarser)));
    error = on.maximum(error, on.mul(before, on.div(before, on.where(on.equal(total, 0), 1, total))));
  }
  if (tails) error = on.add(error, weighted(on.where(outermost(size, kept), size, 0), tails.slope));
  if (moved) error = on.add(error, weighted(on.where(moved, size, 0), fine));
  error = on.add(error, on.mul(total, 4 * epsilon(total)));
  return { error: on.stopGradient(error), total };
}

/** The first and the last node that are kept. */
function outermost(size: Tensor, kept: Tensor | null): Tensor {
  const m = size.shape.at(-1) as number;
  if (kept === null) return tensor(indices(m).map((i) => i === 0 || i === m - 1));
  const count = on.toDType(kept, "int32");
  const ends = [cumsum(count, -1), cumsum(count, -1, { reverse: true })].map((n) => on.equal(n, 1));
  return on.logicalAnd(kept, on.logicalOr(ends[0] as Tensor, ends[1] as Tensor));
}
