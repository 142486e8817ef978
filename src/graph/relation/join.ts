import type { Link } from "../reads.js";
import { clipped, keyOf } from "./link.js";
import { derive, type Relation, relation } from "./relation.js";

/**
 * The union of two relations to one node (several paths, several inputs): for each number that either speaks of, the hull of
 * both intervals. A side that does not speak of it may still bound it, by its bound on the site and the range of the node
 * axis; otherwise it is dropped. Hulls are convex: {0} ∪ {n} along time is no link.
 */
export function join(a: Relation, b: Relation): Relation {
  if (a === "bottom") return b;
  if (b === "bottom") return a;
  const links = new Map<string, Link>();
  for (const link of [...a.links, ...b.links]) {
    if (links.has(keyOf(link))) continue;
    const [left, right] = [derive(a, link), derive(b, link)];
    if (left === null || right === null) continue;
    links.set(keyOf(link), { ...link, lo: Math.min(left.lo, right.lo), hi: Math.max(left.hi, right.hi) });
  }
  return relation([...links.values()]);
}

/** The union of all of them; bottom if there are none. */
export function joinAll(relations: readonly Relation[]): Relation {
  return relations.reduce(join, "bottom");
}

/**
 * For a loop's carry: like `next`, which must contain `previous`, but a bound that has moved becomes ±∞ and a link that
 * `previous` does not have stays away. Each link widens at most twice and then vanishes, so the loop's analysis ends.
 */
export function widen(previous: Relation, next: Relation): Relation {
  if (previous === "bottom" || next === "bottom") return next;
  const known = new Map(previous.links.map((link) => [keyOf(link), clipped(link)]));
  const links: Link[] = [];
  for (const link of next.links) {
    const before = known.get(keyOf(link));
    if (before === undefined) continue;
    const now = clipped(link);
    links.push({
      ...link,
      lo: now.lo < before.lo ? -Infinity : link.lo,
      hi: now.hi > before.hi ? Infinity : link.hi,
    });
  }
  return relation(links);
}
