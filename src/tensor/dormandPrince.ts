import { LoopBuilder } from "../control/inputs.js";
import { scanNode } from "../control/scan.js";
import { bodyInput } from "../graph/body.js";
import { arange, constant } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { looping, transforming } from "../graph/trace.js";
import { validate } from "../primitives/check.js";
import { shadow } from "../primitives/control.js";
import { broadcastTo } from "../primitives/linear.js";
import { part } from "../primitives/tuple.js";
import { tensorsOf } from "../transforms/trees.js";
import * as on from "./elementwise.js";
import { cond } from "./loops.js";
import { along, fixed, mixed, notFinite, refuse, type System, stages, type Tableau } from "./odeSystem.js";
import { at, concat, expandDims, take } from "./shaping.js";
import { type Control, firstStep, type Memory, norm, resized, smallest } from "./stepControl.js";

/**
 * The pair of orders 5 and 4 of J. R. Dormand & P. J. Prince, A family of embedded Runge–Kutta formulae, J. Comput. Appl. Math. 6 (1980).
 * Its last slope is the first of the next step, and its last row of weights gives the solution of order 5.
 */
const pair: Tableau = {
  a: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  ],
  c: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
};
const solution = pair.a[6] as readonly number[];
/** Order 5 less order 4. */
const difference = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/** A step is behind us up to t; `index` is the next of the times, `rows` the steps after which they were reached. */
interface State extends Memory {
  readonly t: Tensor;
  readonly y: readonly Tensor[];
  /** dy/dt at (y, t) */
  readonly k: readonly Tensor[];
  readonly index: Tensor;
  readonly rows: Tensor;
}

/**
 * One loop over steps, which meets every time exactly. A step is tried on constants; once accepted, its derivative is that of the formula,
 * so that a rejected try, whatever numbers it met, reaches no derivative.
 * @returns leaves [times, ...]
 */
export function dormandPrince(system: System, control: Control): Tensor[] {
  const { start, times, slope, names, dtype } = system;
  const count = times.size - 1;
  const t = at(times, 0);
  const k = slope(start, t).map((x, i) =>
    apply(validate, [x], {
      where: "odeint",
      name: (names[i] as string).replace("y", "dy/dt"),
      expected: "finite numbers at the first time",
      holds: Number.isFinite,
      interval: [-Infinity, Infinity],
    }),
  );
  const init: State = {
    t,
    y: start,
    k,
    index: constant(0, "int32"),
    rows: broadcastTo(constant(0, "int32"), [count]),
    h: control.firstStep === undefined ? firstStep(system, k, control) : constant(control.firstStep, dtype),
    error: constant(1e-4, dtype),
    rejected: constant(0, "bool"),
  };
  const { rows, every } = loop(system, control, init);
  return start.map((x, i) => concat([expandDims(x, 0), take(every[i] as Tensor, rows)]));
}

/** A scan that ends early and keeps y after every step [maxSteps, ...]. */
function loop(system: System, control: Control, init: State): { rows: Tensor; every: Tensor[] } {
  const { maxSteps } = control;
  const flat = tensorsOf("odeint", init);
  const alive = bodyInput({ shape: [], dtype: "bool" }, "alive");
  const step = bodyInput({ shape: [], dtype: "uint32" }, "step");
  const holes = flat.leaves.map((x, i) => bodyInput(x, flat.paths[i] as string));
  const here = flat.rebuild(holes) as State;
  const no = constant(0, "bool");
  const next = transforming("odeint", () =>
    looping("odeint", step, () =>
      cond(
        alive,
        () => advance(system, control, here, step),
        () => ({ goes: no, ended: no, stuck: no, infinite: no, state: here }),
      ),
    ),
  ) as unknown as Advanced;
  const builder = new LoopBuilder();
  builder.carry(alive, constant(1, "bool"));
  for (const [i, hole] of holes.entries()) builder.carry(hole, flat.leaves[i] as Tensor);
  builder.stack(step, arange(maxSteps, { dtype: "uint32" }));
  const state = { ...next.state, t: complaints(next, maxSteps) };
  const after = tensorsOf("odeint", state).leaves;
  const { inputs, ...built } = builder.build([next.goes, ...after, ...state.y]);
  const node = scanNode(inputs, { ...built, length: maxSteps, reverse: false, alive: 0, residuals: "auto" });
  const final = flat.rebuild(holes.map((_, i) => part(node, i + 1))) as State;
  return { rows: final.rows, every: init.y.map((_, i) => part(node, 1 + holes.length + i)) };
}

interface Advanced {
  readonly state: State;
  /** Whether there are times left: bool [], as all that follow. */
  readonly goes: Tensor;
  /** No steps are left. */
  readonly ended: Tensor;
  /** The next step would be too small. */
  readonly stuck: Tensor;
  /** And it is, because dy/dt is not finite. */
  readonly infinite: Tensor;
}

/** Tries one step. */
function advance(system: System, control: Control, state: State, step: Tensor): Advanced {
  const { times } = system;
  const { t, y, k, h, index, rows } = state;
  const target = take(times, on.add(index, 1));
  const left = on.sub(target, t);
  // A little more than the step, rather than a sliver after it (Hairer, Nørsett & Wanner, code DOPRI5).
  const last = fixed(on.greaterEqual(on.mul(h, 1.01), on.abs(left)));
  const size = on.where(last, left, fixed(on.mul(h, on.sign(left))));
  const tried = attempt(system, control, state, fixed(size));
  const accept = fixed(on.lessEqual(tried.error, 1));
  const { grown, shrunk } = resized(fixed(on.abs(size)), tried.error, state, last);
  const after = cond(
    accept,
    () => stepped(system, state, tried, size, on.where(last, target, on.add(t, size))),
    () => ({ t, y: [...y], k: [...k] }),
  ) as Pick<State, "t" | "y" | "k">;
  const hit = on.logicalAnd(accept, last);
  const place = on.logicalAnd(hit, on.equal(arange(rows.size), index));
  const reached = on.where(hit, on.add(index, 1), index);
  const goes = fixed(on.less(reached, rows.size));
  const stuck = on.logicalAnd(on.logicalNot(accept), on.lessEqual(shrunk, smallest(system, t, target)));
  return {
    goes,
    ended: fixed(on.logicalAnd(goes, on.equal(step, control.maxSteps - 1))),
    stuck: fixed(stuck),
    infinite: fixed(on.logicalAnd(stuck, notFinite(tried.error))),
    state: {
      ...after,
      index: fixed(reached),
      rows: fixed(on.where(place, on.toDType(step, "int32"), rows)),
      h: fixed(on.where(accept, grown, shrunk)),
      error: fixed(on.where(accept, on.maximum(tried.error, 1e-4), state.error)),
      rejected: fixed(on.logicalNot(accept)),
    },
  };
}

/** The state after a step: its numbers are known from the try, its derivative is that of the formula. */
function stepped({ slope }: System, { t, y, k }: State, tried: Pick<State, "y" | "k">, size: Tensor, then: Tensor) {
  const slopes = stages(pair, slope, y, t, size, k);
  const next = along(y, size, slopes, solution);
  const last = slopes[6] as readonly Tensor[];
  const both = (value: Tensor, derivative: Tensor): Tensor => on.add(value, apply(shadow, [derivative], null));
  return {
    t: then,
    y: tried.y.map((x, i) => both(x, next[i] as Tensor)),
    k: tried.k.map((x, i) => both(x, last[i] as Tensor)),
  };
}

/** The step on constants, and its error as a part of what is allowed; NaN where it met numbers that are not finite. */
function attempt({ slope }: System, { rtol, atol }: Control, state: State, size: Tensor) {
  const [t, y, first] = [fixed(state.t), state.y.map(fixed), state.k.map(fixed)];
  const slopes = stages(pair, slope, y, t, size, first).map((k) => k.map(fixed));
  const next = along(y, size, slopes, solution).map(fixed);
  const parts = next.map((x, i) => {
    const allowed = on.add(on.mul(on.maximum(on.abs(x), on.abs(y[i] as Tensor)), rtol), atol);
    // x − x: an infinite x allows any error.
    return on.add(on.div(on.mul(size, mixed(slopes, difference, i)), allowed), on.sub(x, x));
  });
  return { y: next, k: slopes[6] as Tensor[], error: fixed(norm(parts, size)) };
}

/** The time that was reached. Told outside the branch of lanes that still go, where every lane has its own numbers. */
function complaints({ state: { t }, ended, stuck, infinite }: Advanced, maxSteps: number): Tensor {
  const finite = refuse(t, infinite, {
    name: "dy/dt that is not finite near t",
    expected: "finite derivatives",
    write: "times that end before a singular point, or an f that is finite there",
  });
  const resolved = refuse(finite, stuck, {
    name: "steps too small for t to resolve, at t",
    expected: "an error within the tolerance",
    write: "times that end before a singular point, a larger rtol or atol, or float64",
  });
  return refuse(resolved, ended, {
    name: `${maxSteps} steps used up at t`,
    expected: "the last of the times to be reached",
    write:
      "a larger maxSteps, rtol or atol, or times that end before a singular point; a stiff system needs an implicit method",
  });
}
