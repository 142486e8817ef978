import type { Tensor, Type } from "../graph/tensor.js";
import { elements } from "../kernel/ndarray.js";
import { BLOCKS, Blocks, constantLike, LEAST_SHARED, tensorOf } from "./estimate.js";
import { type Bound, chunksOf, derivativeTypes, type Evaluator, layouts, type Sizes } from "./evaluator.js";
import type { Layout } from "./runs.js";
import { addTallied, tallied, tallySize } from "./tally.js";

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
export function spreadReason(ev: Evaluator, sizes: Sizes): string | null {
  if (!ev.core.random || sizes.replicates > 1) return null;
  if (sizes.samples < 2) return "one run has no spread: take samples ≥ 2, or replicates ≥ 32";
  const most = chunksOf(sizes.samples, sizes.chunk).reduce((a, b) => Math.max(a, b));
  if (!sharesBaseline(ev) || most >= LEAST_SHARED) return null;
  const more = most < sizes.samples ? "samples and chunk" : "samples";
  return `${most} runs share a baseline, so their spread is too small: take ${more} ≥ ${LEAST_SHARED}, or replicates ≥ 32`;
}

/** Whether runs are each other's baseline. */
export function sharesBaseline(ev: Evaluator): boolean {
  return [...ev.core.plan.choices.values()].some(
    (choice) => choice.baseline === "leaveOneOut" && choice.estimator.rest === "observe" && choice.differentiated,
  );
}

export function spread(ev: Evaluator, sizes: Sizes, bound: Bound, order: 1 | 2): Spread {
  const types = derivativeTypes(ev.core, order);
  const filled = (value: number, dof: number, reason: string | null): Spread => ({
    stderrs: types.map((type) => constantLike(type, value)),
    dof,
    reason,
  });
  if (!ev.core.random) return filled(0, Number.POSITIVE_INFINITY, null);
  const reason = spreadReason(ev, sizes);
  if (reason) return filled(Number.NaN, 0, reason);
  const together = blocksOf(ev, sizes, bound, order, true);
  const apart = sizes.replicates === 1 && sharesBaseline(ev) ? blocksOf(ev, sizes, bound, order, false) : null;
  const runs = sizes.samples * sizes.replicates;
  return {
    stderrs: together.map((b, i) => {
      const plain = b.stderr("float64", runs);
      const both = apart ? corrected(plain, (apart[i] as Blocks).stderr("float64", runs)) : plain;
      const { dtype, shape } = types[i] as Type;
      return tensorOf(numbersOf(both), dtype, shape);
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
function blocksOf(ev: Evaluator, sizes: Sizes, bound: Bound, order: 1 | 2, shared: boolean): Blocks[] {
  const all = derivativeTypes(ev.core, order).map(({ shape }) => new Blocks(shape));
  let first = 0;
  for (const { layout, count } of blockLayouts(sizes, sharesBaseline(ev))) {
    // A block of one run has no others of its own.
    if (layout && (shared || layout.inner >= 2)) {
      const how = { ...layout, shared: layout.shared && shared };
      const arrays = ev.part("blocks", how, order, (runs) => runs.derivatives.flatMap(tallied)).run(bound, first);
      const rows = layout.outer as number;
      for (const blocks of all) addTallied(blocks, arrays.splice(0, tallySize(rows * blocks.size)), rows, layout.inner);
    }
    first += count;
  }
  return all;
}

/**
 * Blocks of equal size within each chunk; a chunk's remainder (fewer runs than blocks), and a last chunk too small to share
 * a baseline, are left out of the spread alone. */
export function blockLayouts(sizes: Sizes, shares: boolean): { layout: Layout | null; count: number }[] {
  if (sizes.replicates > 1) return layouts(sizes).map(({ layout, runs }) => ({ layout, count: runs }));
  return chunksOf(sizes.samples, sizes.chunk).map((count) => {
    const outer = Math.min(BLOCKS, count);
    const inner = Math.floor(count / outer);
    const tooFew = outer < 2 || (shares && count < LEAST_SHARED);
    return { layout: tooFew ? null : { inner, outer, shared: true }, count };
  });
}
