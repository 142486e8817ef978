import type { Tensor } from "../../graph/tensor.js";
import { elements, type NDArray } from "../../kernel/ndarray.js";
import type { Plan } from "../choose.js";
import { type Bound, boundTo, Evaluator } from "../evaluator.js";
import type { Program } from "../program.js";
import { type Layout, oneRun } from "../runs.js";

/** Gradients of many independent estimates, as rows. */
export interface Gradients {
  /** Each estimate is the mean of this many runs; 1 when runs do not differ. */
  readonly runs: number;
  /** [estimates, parameters] */
  readonly rows: readonly Float64Array[];
  /** Median milliseconds of one estimate. */
  readonly ms: number;
  /** Whether every estimate is the same number. */
  readonly exact: boolean;
}

export interface Measuring {
  readonly leaves: readonly Tensor[];
  readonly key: Tensor;
  /** Runs per estimate. */
  readonly runs: number;
  /** Independent estimates. */
  readonly replicates: number;
  readonly signal?: AbortSignal;
  /** Called between parts: hands the event loop back. */
  readonly pause: (done: number) => Promise<void>;
}

/** Estimates computed at once, unless their runs are many: outcomes of enumerated sites count. */
const together = 32;
const mostRuns = 2 ** 16;

/** Draws `replicates` gradients of the program under a plan. */
export async function measure(program: Program, plan: Plan, how: Measuring): Promise<Gradients> {
  const core = oneRun(program, plan);
  const ev = new Evaluator(core);
  const runs = core.random ? how.runs : 1;
  const call = boundTo(core, { leaves: how.leaves, key: how.key, given: new Map() }, how);
  const one: Layout = { inner: runs, outer: null, shared: true };
  if (!core.random) {
    const rows = [joined(gradientOf(ev, one, call, 0), 0, 1)];
    return { runs, rows, ms: await timed(ev, one, call, how), exact: true };
  }
  const rows: Float64Array[] = [];
  const fitting = Math.max(1, Math.floor(mostRuns / (runs * plan.outcomes)));
  while (rows.length < how.replicates) {
    const outer = Math.min(together, fitting, how.replicates - rows.length);
    const arrays = gradientOf(ev, { inner: runs, outer, shared: false }, call, rows.length * runs);
    for (let r = 0; r < outer; r++) rows.push(joined(arrays, r, outer));
    await how.pause(rows.length / how.replicates);
  }
  // Last: by now the code that runs is compiled.
  return { runs, rows, ms: await timed(ev, one, call, how), exact: false };
}

function gradientOf(ev: Evaluator, layout: Layout, call: Bound, first: number): NDArray[] {
  return ev.part("derivatives", layout, 1, (runs) => runs.derivatives).run(call, first);
}

const repeats = 9;

/** The median of a few evaluations, after one that builds and warms up. */
async function timed(ev: Evaluator, layout: Layout, call: Bound, how: Measuring): Promise<number> {
  gradientOf(ev, layout, call, 0);
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    gradientOf(ev, layout, call, 0);
    times.push(performance.now() - start);
  }
  await how.pause(1);
  return times.sort((a, b) => a - b)[Math.floor(repeats / 2)] as number;
}

/** Row r of every array behind one another. */
function joined(arrays: readonly NDArray[], r: number, rows: number): Float64Array {
  const parts = arrays.map((array) => {
    const flat = elements(array);
    const size = flat.length / rows;
    return flat.subarray(r * size, (r + 1) * size);
  });
  const out = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
