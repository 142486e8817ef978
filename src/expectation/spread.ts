import type { Tensor, Type } from "../graph/tensor.js";
import { elements } from "../kernel/ndarray.js";
import { addRows, BLOCKS, Blocks, constantLike, LEAST_SHARED, tensorOf } from "./estimate.js";
import { type Call, chunksOf, type Evaluator, layouts } from "./evaluate.js";
import type { Layout } from "./runs.js";

/**
 * Standard errors of derivatives. The spread of 32 blocks of runs measures what varies from run to run. A leave-one-out baseline couples
 * the runs: the mean then has a second part, of order 1/runs², which blocks that share their baseline cannot see and which is all there is
 * where the first part vanishes (a Bernoulli at ½). Blocks with baselines of their own show it `runs per chunk / runs per block` times too
 * large, so the difference of both spreads, divided by that, is added.
 */
export interface Spread {
  readonly stderrs: readonly Tensor[];
  readonly dof: number;
  readonly reason: string | null;
}

/** Why the spread of derivatives cannot be told at this many runs; null when it can. */
export function spreadReason(ev: Evaluator, call: Call): string | null {
  if (!ev.core.random || call.replicates > 1) return null;
  if (call.samples < 2) return "one run has no spread: take samples ≥ 2, or replicates ≥ 32";
  const most = Math.max(...chunksOf(call.samples, call.chunk));
  if (!sharesBaseline(ev) || most >= LEAST_SHARED) return null;
  const more = most < call.samples ? "samples and chunk" : "samples";
  return `${most} runs share a baseline, so their spread is too small: take ${more} ≥ ${LEAST_SHARED}, or replicates ≥ 32`;
}

/** Whether runs are each other's baseline. */
export function sharesBaseline(ev: Evaluator): boolean {
  return [...ev.core.plan.choices.values()].some(
    (choice) => choice.baseline === "leaveOneOut" && choice.estimator.rest === "observe" && choice.differentiated,
  );
}

export function spread(ev: Evaluator, call: Call, order: 1 | 2): Spread {
  const types = derivativeTypes(ev, order);
  const shapes = types.map((t) => t.shape);
  const filled = (value: number, dof: number, reason: string | null): Spread => ({
    stderrs: types.map((type) => constantLike(type, value)),
    dof,
    reason,
  });
  if (!ev.core.random) return filled(0, Number.POSITIVE_INFINITY, null);
  const reason = spreadReason(ev, call);
  if (reason) return filled(Number.NaN, 0, reason);
  const together = blocksOf(ev, call, order, shapes, true);
  const apart = call.replicates === 1 && sharesBaseline(ev) ? blocksOf(ev, call, order, shapes, false) : null;
  const runs = call.samples * call.replicates;
  return {
    stderrs: together.map((b, i) => {
      const plain = b.stderr("float64", runs);
      const both = apart ? corrected(plain, (apart[i] as Blocks).stderr("float64", runs)) : plain;
      return tensorOf(numbersOf(both), (types[i] as Type).dtype, shapes[i] as readonly number[]);
    }),
    dof: (together[0]?.blocks ?? 1) - 1,
    reason: null,
  };
}

function numbersOf(t: Tensor): ArrayLike<number> {
  return elements(t.value as NonNullable<Tensor["value"]>);
}

/** √(together² + (apart² − together²)⁺ / blocks) */
function corrected(together: Tensor, apart: Tensor): Tensor {
  const [a, b] = [numbersOf(together), numbersOf(apart)];
  const out = Float64Array.from(a, (x, i) => Math.sqrt(x * x + Math.max(0, (b[i] as number) ** 2 - x * x) / BLOCKS));
  return tensorOf(out, "float64", together.shape);
}

/** @param shared whether blocks of a chunk are each other's baseline */
function blocksOf(
  ev: Evaluator,
  call: Call,
  order: 1 | 2,
  shapes: readonly (readonly number[])[],
  shared: boolean,
): Blocks[] {
  const blocks = shapes.map((shape) => new Blocks(shape));
  let first = 0;
  for (const { layout, count } of blockLayouts(call, sharesBaseline(ev))) {
    // A block of one run has no others of its own.
    if (layout && (shared || layout.inner >= 2)) {
      const runs = ev.runs({ ...layout, shared: layout.shared && shared }, order);
      ev.run(runs, runs.derivatives, call, first).forEach((array, i) => {
        addRows(blocks[i] as Blocks, array, layout.inner);
      });
    }
    first += count;
  }
  return blocks;
}

/** What each derivative is: like its parameter, or a block per pair of them. */
export function derivativeTypes(ev: Evaluator, order: 1 | 2): Type[] {
  const { program } = ev.core;
  const holes = program.holes.slice(0, program.parameters);
  if (order === 1) return holes.map(({ shape, dtype }) => ({ shape, dtype }));
  return holes.flatMap((a) => holes.map((b) => ({ shape: [...a.shape, ...b.shape], dtype: a.dtype })));
}

/**
 * Blocks of equal size within each chunk; a chunk's remainder (fewer runs than blocks), and a last chunk too small to share
 * a baseline, are left out of the spread alone. */
export function blockLayouts(call: Call, shares: boolean): { layout: Layout | null; count: number }[] {
  if (call.replicates > 1) return layouts(call).map(({ layout, runs }) => ({ layout, count: runs }));
  return chunksOf(call.samples, call.chunk).map((count) => {
    const outer = Math.min(BLOCKS, count);
    const inner = Math.floor(count / outer);
    const tooFew = outer < 2 || (shares && count < LEAST_SHARED);
    return { layout: tooFew ? null : { inner, outer, shared: true }, count };
  });
}
