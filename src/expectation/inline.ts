import { constant } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { substitute } from "../graph/walk.js";
import { detach } from "../primitives/control.js";
import { reshapeTo } from "../primitives/linear.js";
import { add, mul, sqrt, square, sub } from "../tensor/elementwise.js";
import { mean, sum, variance } from "../tensor/reducing.js";
import { concat, slice } from "../tensor/shaping.js";
import { constantLike, type Estimate } from "./estimate.js";
import { type Call, chunksOf, type Evaluator, type Spread, spreadReason } from "./evaluate.js";
import type { Layout, Runs } from "./runs.js";

/**
 * An expectation inside another transform: its graph becomes part of that graph, chunk after chunk, with the caller's nodes in place
 * of the placeholders. Derivatives of the mean are those of the expectation, to the order the estimators are right for.
 */
export interface Inlined {
  readonly value: Estimate<Tensor>;
  readonly gradients: readonly Tensor[];
  stderrs(): Spread;
}

export function inlineEstimate(ev: Evaluator, call: Call, order: 0 | 1): Inlined {
  const total = call.samples * call.replicates;
  const parts = ev.core.random
    ? layouts(call, false)
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
    gradients: Array.from({ length: count }, (_, i) => combine((part) => part.derivatives[i] as Tensor)),
    stderrs: () => inlineSpread(ev, call),
  };
}

/** The mean over groups, where there are any. */
function average(x: Tensor, { outer }: Layout): Tensor {
  return outer === null ? x : mean(x, 0);
}

function layouts(call: Call, blocks: boolean): { layout: Layout; count: number }[] {
  if (call.replicates > 1)
    return [
      { layout: { inner: call.samples, outer: call.replicates, shared: false }, count: call.samples * call.replicates },
    ];
  return chunksOf(call.samples, call.chunk).map((count) => {
    const outer = Math.min(32, count);
    return {
      layout: blocks
        ? { inner: Math.floor(count / outer), outer, shared: true }
        : { inner: count, outer: null, shared: true },
      count,
    };
  });
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

function inlineSpread(ev: Evaluator, call: Call): Spread {
  const { program, random } = ev.core;
  const holes = program.holes.slice(0, program.parameters);
  const reason = spreadReason(ev, call);
  if (!random || reason)
    return {
      stderrs: holes.map((hole) => constantLike(hole, reason ? Number.NaN : 0)),
      dof: random ? 0 : Number.POSITIVE_INFINITY,
      reason,
    };
  let first = 0;
  const parts = layouts(call, true).map(({ layout, count }) => {
    const runs = ev.runs(layout, 1);
    const out = put(ev, runs, runs.derivatives, call, first);
    first += count;
    return { blocks: out, weight: layout.inner };
  });
  const blocks = parts.reduce((n, part) => n + ((part.blocks[0] as Tensor).shape[0] as number), 0);
  const total = call.samples * call.replicates;
  const used = parts.reduce((n, part) => n + part.weight * ((part.blocks[0] as Tensor).shape[0] as number), 0);
  const stderrs = holes.map((_, i) => {
    const centre = parts
      .map((part) => mul(sum(part.blocks[i] as Tensor, 0), part.weight / used))
      .reduce((a, b) => add(a, b));
    const squares = parts
      .map((part) => mul(sum(square(sub(part.blocks[i] as Tensor, centre)), 0), part.weight))
      .reduce((a, b) => add(a, b));
    return sqrt(mul(squares, 1 / ((blocks - 1) * total)));
  });
  return { stderrs, dof: blocks - 1, reason: null };
}
