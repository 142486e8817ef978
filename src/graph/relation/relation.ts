import type { Digit, Link, ReadLink } from "../reads.js";
import { boundOf, canonical, clipped, deduce, holds, inside, isEquality, isFunction, isWhole, keyOf } from "./link.js";

/**
 * Which elements s of a site may influence which elements n of a node: a superset, written as a conjunction of links on
 * index differences. Too large costs variance, too small is a bias, so every operation may forget and none may invent.
 */

/** `"bottom"`: no path from the site to the node. No links: anything may influence anything. */
export type Relation = "bottom" | { readonly links: readonly Link[] };

/** Anything may influence anything. */
export const mixed: Relation = { links: [] };

/**
 * At the site itself: one exact link per batch axis. Event axes, which follow them up to `rank`, have none, because a
 * log-probability is one number per batch element. A site without elements influences nothing.
 */
export function start(batchShape: readonly number[], rank: number = batchShape.length): Relation {
  if (rank < batchShape.length)
    throw new RangeError(`credit: rank ${rank} is less than ${batchShape.length} batch axes`);
  if (batchShape.includes(0)) return "bottom";
  const whole = batchShape.map((mod, axis): Digit => ({ axis, div: 1, mod }));
  return relation(whole.map((digit) => ({ site: digit, node: digit, step: 1, lo: 0, hi: 0 })));
}

/**
 * The canonical relation of a conjunction of links: bounds in canonical form, one link per number spoken of, adjacent equal
 * digits merged, and from every link the bound on the site that it implies. An unsatisfiable conjunction is bottom.
 */
export function relation(links: readonly Link[]): Relation {
  const found = conjunction(links);
  if (found === "bottom") return found;
  const digits = conjunction(merged(found));
  if (digits === "bottom") return digits;
  const closed = conjunction([...digits, ...digits.map(boundOf)]);
  return closed === "bottom" ? closed : { links: closed };
}

function conjunction(links: readonly Link[]): "bottom" | Link[] {
  const byKey = new Map<string, Link>();
  for (const link of links) {
    const next = meet(canonical(link), byKey);
    if (next === "empty") return "bottom";
    if (next !== null) byKey.set(keyOf(next), next);
  }
  return [...byKey.values()];
}

/** The link together with what is already known of the same number. */
function meet(link: Link | "empty" | null, known: ReadonlyMap<string, Link>): Link | "empty" | null {
  if (link === null || link === "empty") return link;
  const other = known.get(keyOf(link));
  if (other === undefined) return link;
  return canonical({ ...link, lo: Math.max(link.lo, other.lo), hi: Math.min(link.hi, other.hi) });
}

/** Adjacent equal digits are one: s = n in the low and in the high digit means s = n in both together. */
function merged(links: readonly Link[]): readonly Link[] {
  for (const low of links) {
    for (const high of links) {
      const both = adjacent(low, high);
      if (both !== null) return merged([...links.filter((link) => link !== low && link !== high), both]);
    }
  }
  return links;
}

function adjacent(low: Link, high: Link): Link | null {
  if (low.node === null || high.node === null || !isEquality(low) || !isEquality(high)) return null;
  if (low.site.mod !== low.node.mod) return null; // the weight of the high digit must be the same on both sides
  if (!follows(low.site, high.site) || !follows(low.node, high.node)) return null;
  const site = { ...low.site, mod: low.site.mod * high.site.mod };
  return { ...low, site, node: { ...low.node, mod: low.node.mod * high.node.mod } };
}

function follows(low: Digit, high: Digit): boolean {
  return low.mod > 1 && high.mod > 1 && low.axis === high.axis && high.div === low.div * low.mod;
}

/** Whether the pair (s, n) is in the relation. */
export function contains(r: Relation, s: readonly number[], n: readonly number[]): boolean {
  return r !== "bottom" && r.links.every((link) => holds(link, s, n));
}

/** The tightest interval that a relation gives for the number that `link` speaks of, as a link; null if it gives none. */
export function derive(r: Relation, link: Link): Link | null {
  if (r === "bottom") return null;
  let [lo, hi] = [-Infinity, Infinity];
  for (const known of r.links) {
    const interval = deduce(known, link);
    if (interval === null) continue;
    lo = Math.max(lo, interval.lo);
    hi = Math.min(hi, interval.hi);
  }
  return lo === -Infinity && hi === Infinity ? null : { ...link, lo, hi };
}

/** R ⊑ R2: R2 says no more than R. It may miss a consequence of several links together, and then answers false. */
export function within(r: Relation, r2: Relation): boolean {
  if (r === "bottom") return true;
  if (r2 === "bottom") return false;
  return r2.links.every((link) => {
    const known = derive(r, link);
    return known !== null && known.lo >= link.lo && known.hi <= link.hi;
  });
}

/** The same relation, as far as `within` sees. */
export function same(r: Relation, r2: Relation): boolean {
  return within(r, r2) && within(r2, r);
}

/** R2 charges more than R. */
export function worse(r: Relation, r2: Relation): boolean {
  return within(r, r2) && !within(r2, r);
}

/** The node axis that carries the site axis, both whole and at the same index; null if there is none. */
export function isExact(
  r: Relation,
  siteAxis: number,
  siteShape: readonly number[],
  nodeShape: readonly number[],
): number | null {
  if (r === "bottom") return null;
  for (const link of r.links) {
    if (link.site.axis !== siteAxis || link.node === null || !isEquality(link)) continue;
    if (isWhole(link.site, siteShape) && isWhole(link.node, nodeShape)) return link.node.axis;
  }
  return null;
}

/**
 * Whether no element of the node is reached from two indices of the site axis: every digit of it is a function of the node
 * index. Then the elements along the axis may be each other's baseline, and may be changed all at once. Weaker than
 * `isExact`: a shift, a flip, a merged axis do as well; so do an axis of size 1 and no path at all.
 */
export function separates(r: Relation, siteAxis: number, siteShape: readonly number[]): boolean {
  if (r === "bottom") return true;
  const whole = { axis: siteAxis, div: 1, mod: siteShape[siteAxis] as number };
  const digits = r.links
    .filter((link) => isFunction(link) || (link.node === null && clipped(link).lo === clipped(link).hi))
    .map((link) => link.site)
    .filter((digit) => inside(digit, whole) !== null);
  let known = 1; // the index modulo this is a function of the node index
  for (;;) {
    if (known >= whole.mod) return true;
    const next = digits.find((digit) => known % digit.div === 0 && digit.div * digit.mod > known);
    if (next === undefined) return false;
    known = next.div * next.mod;
  }
}

/** The relation as the `reads` entry of a composite (call, scan, fused operation) whose input was taken as the site. */
export function toReads(r: Relation): readonly ReadLink[] | null {
  if (r === "bottom") return null;
  return r.links.map(({ site, node, step, lo, hi }) => ({ in: site, out: node, step, lo, hi }));
}
