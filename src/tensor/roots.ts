import { type DType, promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { broadcastShapes, type Shape, sameShape, show } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, isTensor, type Tensor } from "../graph/tensor.js";
import { relate, settled } from "../primitives/check.js";
import { detach, limit, shadow } from "../primitives/control.js";
import { alias, broadcastTo, reshapeTo } from "../primitives/linear.js";
import { gradients, jacobian } from "../transforms/grad.js";
import * as on from "./elementwise.js";
import { solve } from "./linalg.js";
import { max, sum } from "./reducing.js";
import { type Bracket, best, narrower, open } from "./shrink.js";
import { whileLoop } from "./while.js";

/**
 * Solutions of equations. They are found by iteration, which is no part of their derivative: that is the implicit function's, whatever way
 * the solution was found, and right up to the third order. A fourth throws.
 */

export interface RootOptions {
  /** Two places between which f changes its sign. They broadcast with f. */
  readonly bracket: readonly [TensorLike, TensorLike];
  /** How wide the interval around the root may be, as a part of the root. Default 4 units of the last place. */
  readonly tolerance?: number;
  /** Default 2200, more than bisection can need. */
  readonly maxIterations?: number;
}

/**
 * x with f(x) = 0 between two places, element by element: f(x)[i] must depend on x[i] alone. By Chandrupatla's method, inverse quadratic
 * interpolation with bisection where that is not safe. Where f jumps across 0, the place of the jump.
 * Source: T. R. Chandrupatla, A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function, Adv. Eng. Softw. 28 (1997).
 * @throws on reading, where f has one sign at both places, or the interval is still too wide in the end
 */
export function findRoot(f: (x: Tensor) => TensorLike, options: RootOptions): Tensor {
  const { bracket, maxIterations = 2200 } = options;
  const dtype = floatOf(bracket);
  const { tolerance = 4 * epsilon(dtype) } = options;
  checked("findRoot", tolerance, maxIterations);
  const call = (x: Tensor): Tensor => on.toDType(asTensor(f(x), dtype), dtype);
  const start = bracketed(call, bracket, dtype);
  const end = whileLoop(
    (state: Bracket) => on.greater(sum(open(state, tolerance)), 0),
    (state: Bracket) => narrower(state, call, tolerance),
    start,
    { limit: maxIterations, onLimit: "stop" },
  );
  const found = apply(settled, [best(end), open(end, tolerance)], {
    where: "findRoot",
    got: `an interval wider than the tolerance after ${maxIterations} steps`,
    expected: "a narrower one",
    write: "a larger maxIterations, or an f that is not NaN between the places",
  });
  return implicit("findRoot", found, (x) => {
    const y = call(x);
    return on.neg(on.div(y, gradients(sum(y), [x])[0] as Tensor));
  });
}

/** The places and the values of f there, in one shape. */
function bracketed(call: (x: Tensor) => Tensor, bracket: RootOptions["bracket"], dtype: DType): Bracket {
  const [a, b] = bracket.map((x) => fixed(on.toDType(asTensor(x, dtype), dtype))) as [Tensor, Tensor];
  const [atA, atB] = [fixed(call(a)), fixed(call(b))];
  const shape = [a, b, atA, atB].reduce((s: Shape, x) => broadcastShapes("findRoot", s, x.shape), []);
  const [x1, x2, f1, f2] = [a, b, atA, atB].map((x) => broadcastTo(x, shape)) as [Tensor, Tensor, Tensor, Tensor];
  const opposite = apply(relate, [f1, f2], {
    where: "findRoot",
    names: ["f(a)", "f(b)"],
    expected: "opposite signs",
    holds: (x, y) => Math.sign(x) * Math.sign(y) <= 0,
    broken: (x, y) => on.logicalNot(on.lessEqual(on.mul(on.sign(x), on.sign(y)), 0)),
  });
  return { x1, x2, x3: x1, f1: opposite, f2, f3: opposite, t: broadcastTo(asTensor(0.5, dtype), shape) };
}

export interface IterationOptions {
  /** The last step is at most tolerance · (1 + |x|) in every element. Default 1e-12, in float32 1e-6. */
  readonly tolerance?: number;
  /** Default 100 for `newton`, 10,000 for `fixedPoint`. */
  readonly maxIterations?: number;
}

/**
 * x with f(x) = 0 near x0, by Newton's method; f keeps the shape of x, whose elements may all depend on each other.
 * @throws on reading, where the steps do not become small, or a Jacobian is singular
 */
export function newton(f: (x: Tensor) => TensorLike, x0: TensorLike, options: IterationOptions = {}): Tensor {
  const { start, call } = equation("newton", f, x0);
  const step = newtonStep(call);
  const found = iterate("newton", (x) => on.add(x, step(x)), start, { maxIterations: 100, ...options });
  return implicit("newton", found, step);
}

/**
 * x with g(x) = x, by repeating g from x0; g keeps the shape of x. Its derivative solves one linear system with the Jacobian of g.
 * @throws on reading, where the steps do not become small
 */
export function fixedPoint(g: (x: Tensor) => TensorLike, x0: TensorLike, options: IterationOptions = {}): Tensor {
  const { start, call } = equation("fixedPoint", g, x0);
  const found = iterate("fixedPoint", call, start, { maxIterations: 10_000, ...options });
  return implicit(
    "fixedPoint",
    found,
    newtonStep((x) => on.sub(call(x), x)),
  );
}

function equation(where: string, f: (x: Tensor) => TensorLike, x0: TensorLike) {
  const dtype = floatOf([x0]);
  const start = fixed(on.toDType(asTensor(x0, dtype), dtype));
  const call = (x: Tensor): Tensor => {
    const y = on.toDType(asTensor(f(x), dtype), dtype);
    if (sameShape(x.shape, y.shape)) return y;
    return fail({ where, got: `values ${show(y.shape)} at x ${show(x.shape)}`, expected: "the shape of x" });
  };
  return { start, call };
}

/** −J⁻¹ f(x), in the shape of x. */
function newtonStep(call: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  return (x) => {
    // Differentiated at a node of its own: x may depend on what f captures.
    const at = apply(alias, [x], null);
    const y = call(at);
    const n = x.size;
    const step = solve(reshapeTo(jacobian(y, at), [n, n]), reshapeTo(on.neg(y), [n]));
    return reshapeTo(step, x.shape);
  };
}

/** Repeats `next` until x no longer moves. */
function iterate(
  where: string,
  next: (x: Tensor) => Tensor,
  start: Tensor,
  { tolerance = start.dtype === "float64" ? 1e-12 : 1e-6, maxIterations }: IterationOptions & { maxIterations: number },
): Tensor {
  checked(where, tolerance, maxIterations);
  interface State {
    readonly x: Tensor;
    readonly moved: Tensor;
  }
  // NaN counts as moving.
  const moves = ({ moved }: State): Tensor => on.logicalNot(on.lessEqual(moved, tolerance));
  const end = whileLoop(
    moves,
    ({ x }: State): State => {
      const y = next(x);
      return { x: y, moved: y.size === 0 ? sum(y) : max(on.div(on.abs(on.sub(y, x)), on.add(1, on.abs(y)))) };
    },
    { x: start, moved: asTensor(Infinity, start.dtype) } as State,
    { limit: maxIterations, onLimit: "stop" },
  );
  return apply(settled, [end.x, moves(end)], {
    where,
    got: `steps above the tolerance of ${tolerance} after ${maxIterations} iterations`,
    expected: "convergence",
    write: "a start nearer to the solution, or a larger maxIterations",
  });
}

/**
 * The solution with its derivatives: two steps of Newton's method from a constant, each of which doubles the number of orders that are right.
 * Their values are 0 up to rounding and are not computed, so a vanishing derivative of f spoils no value.
 */
function implicit(where: string, found: Tensor, step: (x: Tensor) => Tensor): Tensor {
  let x = fixed(found);
  for (let i = 0; i < 2; i++) x = on.add(x, apply(shadow, [step(apply(alias, [x], null))], null));
  const what = "a fourth derivative of a solution, which is known to three orders";
  return apply(limit, [x, x], { orders: 3, where, what, write: "fewer derivatives" });
}

function fixed(x: Tensor): Tensor {
  return apply(detach, [x], null);
}

/** The dtype of the tensors among them; bare numbers are float64. */
function floatOf(values: readonly TensorLike[]): DType {
  const tensors = values.filter((x) => isTensor(x)).map((x) => x.dtype);
  return tensors.length === 0 ? "float64" : promote(tensors.reduce(promote), "float32");
}

function epsilon(dtype: DType): number {
  return dtype === "float32" ? 2 ** -23 : 2 ** -52;
}

function checked(where: string, tolerance: number, maxIterations: number): void {
  if (!(tolerance > 0)) fail({ where, got: `tolerance ${tolerance}`, expected: "a positive number" });
  if (!Number.isInteger(maxIterations) || maxIterations < 1)
    fail({ where, got: `maxIterations ${maxIterations}`, expected: "a whole number of at least 1" });
}
