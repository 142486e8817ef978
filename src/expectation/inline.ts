import { constant } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { substitute } from "../graph/walk.js";
import { detach } from "../primitives/control.js";
import { reshapeTo } from "../primitives/linear.js";
import { add, maximum, mul, sqrt, square, sub } from "../tensor/elementwise.js";
import { mean, sum, variance } from "../tensor/reducing.js";
import { concat, slice } from "../tensor/shaping.js";
import { BLOCKS, constantLike, type Estimate } from "./estimate.js";
import { type Call, derivativeTypes, type Evaluator, layouts } from "./evaluator.js";
import type { Derivatives, Layout, Runs } from "./runs.js";
import { blockLayouts, type Spread, sharesBaseline, spreadReason } from "./spread.js";

/**
 * An expectation inside another transform: its graph becomes part of that graph, chunk after chunk, with the caller's nodes in place
 * of the placeholders. Derivatives of the mean are those of the expectation, to the order the estimators are right for.
 */
export interface Inlined {
  readonly value: Estimate<Tensor>;
  readonly derivatives: readonly Tensor[];
  stderrs(): Spread;
}

export function inlineEstimate(ev: Evaluator, call: Call, order: Derivatives): Inlined {
  const total = call.samples * call.replicates;
  const parts = ev.core.random
    ? layouts(call).map(({ layout, runs }) => ({ layout, count: runs }))
    : [{ layout: { inner: 1, outer: null, shared: true }, count: total }];
  let first = 0;
  const placed = parts.map(({ layout, count }) => {
    const runs = ev.runs(layout, order);
    const out = put(ev, runs, [runs.perRun, runs.mean, ...runs.derivatives], call, first);
    first += count;
    return {
      perRun: out[0] as Tensor,
      mean: average(out[1] as Tensor, layout),
      derivatives: out.slice(2).map((d) => average(d, layout)),
      share: count / total,
    };
  });
  const combine = (pick: (part: (typeof placed)[number]) => Tensor): Tensor =>
    placed.map((part) => (placed.length === 1 ? pick(part) : mul(pick(part), part.share))).reduce((a, b) => add(a, b));
  const value = combine((part) => part.mean);
  const count = placed[0]?.derivatives.length ?? 0;
  return {
    value: {
      mean: value,
      ...valueSpread(
        ev,
        placed.map((part) => part.perRun),
        total,
        value,
      ),
    },
    derivatives: Array.from({ length: count }, (_, i) => combine((part) => part.derivatives[i] as Tensor)),
    stderrs: () => inlineSpread(ev, call, order === 2 ? 2 : 1),
  };
}

/** The mean over groups, where there are any. */
function average(x: Tensor, { outer }: Layout): Tensor {
  return outer === null ? x : mean(x, 0);
}

/** The outputs with the caller's nodes for the placeholders. */
function put(ev: Evaluator, runs: Runs, outputs: readonly Tensor[], call: Call, first: number): Tensor[] {
  const { program } = ev.core;
  const map = new Map<Tensor, Tensor>(program.holes.map((hole, i) => [hole, call.leaves[i] as Tensor]));
  map.set(program.key, call.key);
  map.set(runs.start, constant(first, "uint32"));
  for (const [name, hole] of runs.given) {
    const all = call.given.get(name) as Tensor;
    const perRun = hole.size / (all.size / (all.shape[0] as number));
    map.set(hole, reshapeTo(slice(all, first, first + perRun), hole.shape));
  }
  return substitute(outputs, map).outputs;
}

function valueSpread(
  ev: Evaluator,
  perRun: readonly Tensor[],
  total: number,
  value: Tensor,
): Omit<Estimate<Tensor>, "mean"> {
  if (!ev.core.random) return { stderr: constantLike(value, 0), dof: Number.POSITIVE_INFINITY, reason: null };
  if (total < 2)
    return { stderr: constantLike(value, Number.NaN), dof: 0, reason: "one run has no spread: take samples ≥ 2" };
  const all = concat(perRun.map((x) => apply(detach, [reshapeTo(x, [x.size])], null)));
  return { stderr: sqrt(mul(variance(all, 0, 1), 1 / total)), dof: total - 1, reason: null };
}

function inlineSpread(ev: Evaluator, call: Call, order: 1 | 2): Spread {
  const { random } = ev.core;
  const reason = spreadReason(ev, call);
  if (!random || reason) {
    const value = reason ? Number.NaN : 0;
    return {
      stderrs: derivativeTypes(ev.core, order).map((type) => constantLike(type, value)),
      dof: random ? 0 : Number.POSITIVE_INFINITY,
      reason,
    };
  }
  const together = blockVariances(ev, call, order, true);
  const apart = call.replicates === 1 && sharesBaseline(ev) ? blockVariances(ev, call, order, false).variances : null;
  const stderrs = together.variances.map((v, i) => {
    const more = apart ? mul(maximum(sub(apart[i] as Tensor, v), 0), 1 / BLOCKS) : null;
    return sqrt(more ? add(v, more) : v);
  });
  return { stderrs, dof: together.blocks - 1, reason: null };
}

/** Variances of the mean from the spread of blocks; see spread.ts for the two kinds of blocks. */
function blockVariances(
  ev: Evaluator,
  call: Call,
  order: 1 | 2,
  shared: boolean,
): { variances: Tensor[]; blocks: number } {
  let first = 0;
  const parts: { blocks: readonly Tensor[]; weight: number }[] = [];
  for (const { layout, count } of blockLayouts(call, sharesBaseline(ev))) {
    if (layout && (shared || layout.inner >= 2)) {
      const runs = ev.runs({ ...layout, shared: layout.shared && shared }, order);
      parts.push({ blocks: put(ev, runs, runs.derivatives, call, first), weight: layout.inner });
    }
    first += count;
  }
  const sizes = parts.map((part) => (part.blocks[0] as Tensor).shape[0] as number);
  const blocks = sizes.reduce((a, b) => a + b, 0);
  const used = parts.reduce((n, part, k) => n + part.weight * (sizes[k] as number), 0);
  const total = call.samples * call.replicates;
  const variances = derivativeTypes(ev.core, order).map((_, i) => {
    const sums = (f: (block: Tensor) => Tensor): Tensor =>
      parts.map((part) => mul(sum(f(part.blocks[i] as Tensor), 0), part.weight)).reduce((a, b) => add(a, b));
    const centre = mul(
      sums((block) => block),
      1 / used,
    );
    return mul(
      sums((block) => square(sub(block, centre))),
      1 / ((blocks - 1) * total),
    );
  });
  return { variances, blocks };
}
