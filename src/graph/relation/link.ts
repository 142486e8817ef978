import type { Digit, Link } from "../reads.js";

/** Digits and single links: their ranges, their canonical form, and when one implies another. */

/** An interval of integers; a bound that says nothing is ±∞. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

export function sameDigit(a: Digit, b: Digit): boolean {
  return a.axis === b.axis && a.div === b.div && a.mod === b.mod;
}

export function isWhole(digit: Digit, shape: readonly number[]): boolean {
  return digit.div === 1 && digit.mod === shape[digit.axis];
}

export function digitOf(digit: Digit, index: readonly number[]): number {
  return Math.floor((index[digit.axis] as number) / digit.div) % digit.mod;
}

/**
 * The part of a digit's value with divisor `div` and modulus `mod`: floor(floor(x / d) / k) mod m = floor(x / (d·k)) mod m,
 * which holds under "mod M" only where k·m divides M. Null otherwise.
 */
export function part(digit: Digit, div: number, mod: number): Digit | null {
  if (digit.mod % (div * mod) !== 0) return null;
  return { axis: digit.axis, div: digit.div * div, mod };
}

/** Where `inner` lies inside `outer`: the divisor k with inner = floor(outer / k) mod inner.mod, or null. */
export function inside(inner: Digit, outer: Digit): number | null {
  if (inner.axis !== outer.axis || inner.div % outer.div !== 0) return null;
  const k = inner.div / outer.div;
  return outer.mod % (k * inner.mod) === 0 ? k : null;
}

/** The values of step · digit + [lo, hi] over the whole digit. A missing digit stands for 0. */
export function image(digit: Digit | null, step: number, { lo, hi }: Interval): Interval {
  const far = digit === null ? 0 : step * (digit.mod - 1);
  return { lo: Math.min(0, far) + lo, hi: Math.max(0, far) + hi };
}

/** All values that site − step · node takes when nothing is known. */
export function reach(link: Link): Interval {
  return image(link.node, -link.step, { lo: 0, hi: link.site.mod - 1 });
}

/** The bounds with ±∞ replaced by the end of the range: every comparison of tightness is made on these. */
export function clipped(link: Link): Interval {
  const range = reach(link);
  return { lo: Math.max(link.lo, range.lo), hi: Math.min(link.hi, range.hi) };
}

/**
 * The canonical form: a bound that says nothing becomes ±∞, a node digit of size 1 disappears. Null for a link that says
 * nothing, `"empty"` for one that no pair satisfies.
 */
export function canonical(link: Link): Link | "empty" | null {
  const { site } = link;
  const node = link.node !== null && link.node.mod === 1 ? null : link.node;
  if (node?.mod === 0 || site.mod === 0) return null; // an array without elements: every relation is right
  const step = node === null ? 0 : link.step;
  const range = reach({ ...link, node, step });
  const lo = link.lo <= range.lo ? -Infinity : link.lo + 0; // + 0 turns -0 into 0
  const hi = link.hi >= range.hi ? Infinity : link.hi + 0;
  if (link.lo > link.hi || link.lo > range.hi || link.hi < range.lo) return "empty";
  return lo === -Infinity && hi === Infinity ? null : { site, node, step, lo, hi };
}

/** Links with the same digits and step speak of the same number; only their intervals differ. */
export function keyOf({ site, node, step }: Link): string {
  const right = node === null ? "" : `${node.axis},${node.div},${node.mod}`;
  return `${site.axis},${site.div},${site.mod}|${right}|${step}`;
}

/** One site value per node value: a shift, a flip, a stride; whatever the interval says, one number is left in it. */
export function isFunction(link: Link): boolean {
  const { lo, hi } = clipped(link);
  return link.node !== null && lo === hi;
}

/** site = node. */
export function isEquality(link: Link): boolean {
  return link.node !== null && link.step === 1 && link.lo === 0 && link.hi === 0;
}

export function holds(link: Link, site: readonly number[], node: readonly number[]): boolean {
  const difference = digitOf(link.site, site) - (link.node === null ? 0 : link.step * digitOf(link.node, node));
  return difference >= link.lo && difference <= link.hi;
}

/** Which bound on the site digit alone follows from the link and the range of its node digit. */
export function boundOf(link: Link): Link {
  return { site: link.site, node: null, step: 0, ...image(link.node, link.step, link) };
}

/** Whether every pair that satisfies `a` satisfies the canonical link `b`, seen from `a` and the digits' ranges alone. */
export function implies(a: Link, b: Link): boolean {
  const interval = deduce(a, b);
  return interval !== null && interval.lo >= b.lo && interval.hi <= b.hi;
}

/**
 * The interval that `a` alone gives for the number that `b` speaks of, or null if it gives none:
 * the same number; a digit inside two equal ones; a bound on the site and the range of the node digit.
 */
export function deduce(a: Link, b: Link): Interval | null {
  if (keyOf(a) === keyOf(b)) return clipped(a);
  if (a.node === null) {
    return sameDigit(a.site, b.site) && b.node !== null ? image(b.node, -b.step, clipped(a)) : null;
  }
  if (b.node === null) return sameDigit(a.site, b.site) ? image(a.node, a.step, clipped(a)) : null;
  if (!isEquality(a) || b.step !== 1) return null;
  const k = inside(b.site, a.site);
  return k !== null && k === inside(b.node, a.node) && b.site.mod === b.node.mod ? { lo: 0, hi: 0 } : null;
}
