import { expect } from "vitest";
import { type AnyPrimitive, type Smoothness, smoothness, type Tensor } from "../../src/graph/tensor.js";
import { between } from "../../src/graph/walk.js";

/** Comparisons the suites share. */

/** |got − wanted| ≤ limit(wanted) for every element; a number is relative, and absolute below 1. */
export function expectClose(
  got: readonly number[],
  wanted: readonly number[],
  limit: number | ((wanted: number, i: number) => number),
  what = "",
): void {
  expect(got, what).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    const target = wanted[i] as number;
    if (Object.is(value, target) || value === target) return;
    const allowed = typeof limit === "number" ? limit * Math.max(1, Math.abs(target)) : limit(target, i);
    expect(Math.abs(value - target), `${what}[${i}]: got ${value}, wanted ${target}`).toBeLessThanOrEqual(allowed);
  });
}

/** Slopes against the five-point difference of f(k) at k steps of h from here (error h⁴). */
export function expectDifference(slopes: readonly number[], f: (steps: number) => readonly number[], h: number): void {
  const [here, a, b, c, d] = [f(0), f(1), f(-1), f(2), f(-2)];
  const wanted = here.map((_, i) => (8 * (a[i]! - b[i]!) - (c[i]! - d[i]!)) / (12 * h));
  expectClose(slopes, wanted, (w, i) => 3e-8 * Math.max(Math.abs(w), 1, (Math.abs(here[i]!) * 1e-5) / h));
}

/** sup |F_n − F| of draws whose own cdf values are given. */
export function kolmogorov(levels: readonly number[]): number {
  const sorted = [...levels].sort((a, b) => a - b);
  return sorted.reduce(
    (worst, q, i) => Math.max(worst, Math.abs(q - i / sorted.length), Math.abs(q - (i + 1) / sorted.length)),
    0,
  );
}

/** P(√n·sup|F_n − F| > t) ≤ 2 e^(−2t²): Massart 1990. */
export function kolmogorovLimit(n: number, alarm: number): number {
  return Math.sqrt(Math.log(2 / alarm) / (2 * n));
}

/** Pearson's statistic over cells of at least 10 expected draws, and what it exceeds with probability `alarm` at most. */
export function chiSquare(
  draws: readonly number[],
  support: readonly number[],
  mass: readonly number[],
  alarm: number,
): { statistic: number; limit: number } {
  const counts = new Map<number, number>();
  for (const x of draws) counts.set(x, (counts.get(x) ?? 0) + 1);
  const cells: { seen: number; due: number }[] = [{ seen: 0, due: 0 }];
  support.forEach((x, i) => {
    if (cells.at(-1)!.due >= 10) cells.push({ seen: 0, due: 0 });
    cells.at(-1)!.seen += counts.get(x) ?? 0;
    cells.at(-1)!.due += draws.length * mass[i]!;
  });
  const rest = cells.at(-1)!.due < 10 && cells.length > 1 ? cells.pop()! : { seen: 0, due: 0 };
  cells.at(-1)!.seen += rest.seen;
  cells.at(-1)!.due += rest.due;
  const seen = cells.reduce((sum, cell) => sum + cell.seen, 0);
  expect(seen, "draws outside the support").toBe(draws.length);
  const t = -Math.log(alarm);
  const degrees = cells.length - 1;
  return {
    statistic: cells.reduce((sum, cell) => sum + (cell.seen - cell.due) ** 2 / cell.due, 0),
    // Laurent and Massart 2000, lemma 1
    limit: degrees + 2 * Math.sqrt(degrees * t) + 2 * t,
  };
}

const order: readonly Smoothness[] = ["jump", "kink", "smooth"];

const anywhere = (node: Tensor, k: number): Smoothness => smoothness(node.primitive as AnyPrimitive, k);

/** The worst that happens on the way from `input` to `out`, as a pathwise sample sees it: what is detached does not count. */
export function worstOnTheWay(out: Tensor, input: Tensor, at: typeof anywhere = anywhere): Smoothness {
  const level = new Map<Tensor, number>([[input, 2]]);
  for (const node of between([input], [out])) {
    if (node === input || node.primitive?.name === "detach") continue;
    const levels = node.inputs.flatMap((from, k) => {
      const before = level.get(from);
      return before === undefined ? [] : [Math.min(before, order.indexOf(at(node, k)))];
    });
    if (levels.length > 0) level.set(node, Math.min(...levels));
  }
  return order[level.get(out) ?? 2]!;
}
