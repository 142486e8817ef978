import { everything, hull, type Interval, interval, nowhere } from "../graph/interval.js";
import { assumeRange, rangeFrom } from "../graph/range.js";
import type { Tensor } from "../graph/tensor.js";
import type { Flow } from "./flow.js";

/**
 * The intervals of nodes inside loops, by passes until nothing changes; an end that a carry moves a second time goes to infinity. What
 * singular points a step can meet is decided by them.
 */
export function settleRanges(flow: Flow, outputs: readonly Tensor[]): void {
  if (!flow.hasLoops) return;
  const found = new Map<Tensor, Interval>();
  const moved = new Set<Tensor>();
  const nodes = flow.ancestors(outputs);
  flow.settle(nodes, (node) => {
    const role = flow.role(node);
    const before = found.get(node);
    const now = role === "plain" || role === "part" ? rangeFrom(node, (x) => found.get(x)) : joined(flow, node, found);
    if (now === null || (before && equal(before, now))) return false;
    const next = before && role === "carry" && moved.has(node) ? widened(before, now) : now;
    if (before) moved.add(node);
    found.set(node, next);
    return !before || !equal(before, next);
  });
  for (const [node, range] of found)
    if (flow.home(node) !== null || flow.role(node) !== "plain") assumeRange(node, range);
}

function joined(flow: Flow, node: Tensor, found: ReadonlyMap<Tensor, Interval>): Interval | null {
  const role = flow.role(node);
  const inputs = flow.access(node).inputs.slice(0, role === "choice" ? 2 : undefined);
  const known = inputs.map((input) => found.get(input)).filter((x): x is Interval => x !== undefined);
  if (known.length === 0) return null;
  const random =
    known.some((x) => x.random) || (role === "choice" && found.get(flow.access(node).inputs[2] as Tensor)?.random);
  return { ...known.reduce(hull, nowhere), ...(random ? { random: true } : {}) };
}

function equal(a: Interval, b: Interval): boolean {
  return (
    a.lo === b.lo &&
    a.hi === b.hi &&
    a.zero === b.zero &&
    a.open[0] === b.open[0] &&
    a.open[1] === b.open[1] &&
    Boolean(a.random) === Boolean(b.random)
  );
}

/** Holds both, so that the passes end: what moves an end outwards may pull the other one in (c ← x − c / 2), again and again. */
function widened(before: Interval, now: Interval): Interval {
  const both = hull(before, now);
  const lo = both.lo < before.lo ? Number.NEGATIVE_INFINITY : both.lo;
  const hi = both.hi > before.hi ? Number.POSITIVE_INFINITY : both.hi;
  const wide = lo > hi ? everything : interval(lo, hi, both.open);
  return before.random || now.random ? { ...wide, random: true } : { ...wide, zero: both.zero };
}
