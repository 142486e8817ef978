import { fail, listed } from "../base/errors.js";
import type { Residuals } from "../control/loop.js";
import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { relate } from "../primitives/check.js";
import { broadcastTo } from "../primitives/linear.js";
import type { Like, TensorTree } from "../transforms/trees.js";
import { dormandPrince } from "./dormandPrince.js";
import { add, div, mul, sub, toDType } from "./elementwise.js";
import { scan } from "./loops.js";
import { along, notFinite, type System, stages, systemOf, type Tableau } from "./odeSystem.js";
import { concat, expandDims, slice } from "./shaping.js";

export interface OdeOptions {
  /**
   * "dopri5" (default): steps of Dormand & Prince's pair of orders 5 and 4, as large as the tolerance allows. "rk4": the classical method
   * of order 4, in steps of equal size between two times.
   */
  readonly method?: "dopri5" | "rk4";
  /** Of dopri5: a step may have the error atol + rtol · |y|, in the root mean square over all elements. Default 1e-7, in float32 1e-4. */
  readonly rtol?: number;
  /** Default 1e-9, in float32 1e-6. */
  readonly atol?: number;
  /** Of dopri5: the most steps from the first time to the last, rejected ones included. A derivative keeps room for as many. Default 2048. */
  readonly maxSteps?: number;
  /** Of dopri5: the size of the first step that is tried, by default taken from y0 and its derivatives. */
  readonly firstStep?: number;
  /** Of rk4: the number of steps between two times. Default 1. */
  readonly steps?: number;
  /** Of rk4: what derivatives keep of every interval, as of `scan`. Default "auto". */
  readonly residuals?: Residuals;
}

/**
 * The solution of dy/dt = f(y, t, params) that is y0 at the first of the times, at all of them. They may run backwards. Bare numbers take
 * the dtype of the tensors, else float64.
 *
 * Derivatives of every order, by y0, the times, params and whatever f captures, are those of the steps that were taken ("discretise, then
 * differentiate"): exact for the numbers that come out, up to rounding. The sizes of steps count as constants. That loses nothing of the order of the
 * method: on any one grid the solution differs from the true one by an error that is small like the tolerance together with its
 * derivatives, and how the grid would move only moves that error. A step that ends at one of the times does move with it.
 *
 * Under `vmap` every lane has steps of its own; a lane that has arrived waits for the others.
 * @param f of y, the time [] and params; returns a tree like y. It is called with placeholders, several times, and must be pure
 * @param times [times], the first that of y0
 * @returns the tree of y0 with leaves [times, ...]
 * @throws on reading, where derivatives are not finite, steps become too small for t to resolve, or maxSteps do not suffice
 */
export function odeint<Y, P = undefined>(
  f: (y: TensorTree<Y>, t: Tensor, params: TensorTree<P>) => Like<TensorTree<Y>>,
  y0: Y,
  times: TensorLike,
  params?: P,
  options: OdeOptions = {},
): TensorTree<Y> {
  const method = methodOf(options);
  const { flat, ...system } = systemOf(f as never, y0, times, params);
  if (system.times.size < 2) {
    const rows = system.start.map((x) => slice(expandDims(x, 0), 0, system.times.size));
    return flat.rebuild(rows) as TensorTree<Y>;
  }
  const leaves = method === "rk4" ? rungeKutta(system, options) : dormandPrince(system, controlOf(system, options));
  return flat.rebuild(leaves) as TensorTree<Y>;
}

const optionsOf = {
  dopri5: ["method", "rtol", "atol", "maxSteps", "firstStep"],
  rk4: ["method", "steps", "residuals"],
};

function methodOf(options: OdeOptions): "dopri5" | "rk4" {
  const { method = "dopri5" } = options;
  if (method !== "dopri5" && method !== "rk4")
    fail({ where: "odeint", got: `method "${method}"`, expected: '"dopri5" or "rk4"' });
  const foreign = Object.keys(options).find((name) => !optionsOf[method].includes(name));
  if (foreign !== undefined)
    fail({
      where: "odeint",
      got: `${foreign} for "${method}"`,
      expected: `options out of ${listed(optionsOf[method])}`,
    });
  return method;
}

function controlOf({ dtype }: System, options: OdeOptions) {
  const double = dtype === "float64";
  const { rtol = double ? 1e-7 : 1e-4, atol = double ? 1e-9 : 1e-6, maxSteps = 2048, firstStep } = options;
  const least = 10 * (double ? 2 ** -52 : 2 ** -23);
  if (!(rtol >= least && rtol < Infinity))
    fail({
      where: "odeint",
      got: `rtol ${rtol}`,
      expected: `at least ${least}, ten units of the last place of ${dtype}`,
    });
  if (!(atol > 0 && atol < Infinity)) fail({ where: "odeint", got: `atol ${atol}`, expected: "a positive number" });
  if (firstStep !== undefined && !(firstStep > 0 && firstStep < Infinity))
    fail({ where: "odeint", got: `firstStep ${firstStep}`, expected: "a positive number, whatever the direction" });
  whole("maxSteps", maxSteps);
  return { rtol, atol, maxSteps, firstStep };
}

function whole(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    fail({ where: "odeint", got: `${name} ${value}`, expected: "a whole number of at least 1" });
}

/** W. Kutta, Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, Z. Math. Phys. 46 (1901). */
const classical: Tableau = { a: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]], c: [0, 1 / 2, 1 / 2, 1] };
const weights = [1 / 6, 1 / 3, 1 / 3, 1 / 6];

/** Equal steps between two times. @returns leaves [times, ...] */
function rungeKutta(system: System, { steps = 1, residuals = "auto" }: OdeOptions): Tensor[] {
  whole("steps", steps);
  const { start, times, dtype } = system;
  const [, rows] = scan(
    (y: Tensor[], { from, to }: { from: Tensor; to: Tensor }): [Tensor[], Tensor[]] => {
      const h = div(sub(to, from), steps);
      const one = (at: Tensor[], t: Tensor): Tensor[] => classicalStep(system, at, t, h);
      const there =
        steps === 1
          ? one(y, from)
          : scan(
              (at: Tensor[], _row, i): [Tensor[], null] => [one(at, add(from, mul(h, toDType(i, dtype)))), null],
              y,
              null,
              {
                length: steps,
              },
            )[0];
      return [there, there];
    },
    [...start],
    { from: slice(times, 0, -1), to: slice(times, 1) },
    { residuals },
  );
  return start.map((x, k) => concat([expandDims(x, 0), rows[k] as Tensor]));
}

function classicalStep({ slope, names }: System, y: readonly Tensor[], t: Tensor, h: Tensor): Tensor[] {
  const there = along(y, h, stages(classical, slope, y, t, h), weights);
  const time = add(t, h);
  return there.map((x, k) =>
    apply(relate, [x, broadcastTo(time, x.shape)], {
      where: "odeint",
      names: [names[k] as string, "t"],
      expected: "a finite solution",
      holds: Number.isFinite,
      broken: notFinite,
    }),
  );
}
