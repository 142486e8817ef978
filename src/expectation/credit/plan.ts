import type { Digit, Link } from "../../graph/reads.js";
import { clipped, implies, isFunction } from "../../graph/relation/link.js";
import { type Relation, relation } from "../../graph/relation/relation.js";

/** How the sum over {s : (s, n) ∈ R} is taken: which links of R are kept, and the shape and method of each. Pure data. */

type Shape = readonly number[];

/** A finite window up to this width is a sum of shifts. */
const shiftedWindow = 8;
/** A wider one is a product with a 0/1 matrix of at most this many entries. */
const matrixEntries = 2 ** 20;

/** A digit of an axis of the site or of the node, with the link chosen for it; without one it is summed or repeated. */
export interface Component {
  readonly digit: Digit;
  readonly link: Link | null;
}

export interface PushPlan {
  /** The relation whose sum is taken: R, or a weaker one where R has more links than an array can be summed by. */
  readonly kept: Exclude<Relation, "bottom">;
  /** Bounds on the site alone, which the links do not imply: what lies outside is left out. */
  readonly bounds: readonly Link[];
  /** Every axis of the site, and of the node, as its digits from high to low. */
  readonly site: readonly (readonly Component[])[];
  readonly node: readonly (readonly Component[])[];
}

/**
 * Chooses links tightest first, at most one per site digit and per node digit; forgetting a link is sound. Null when the site
 * does not reach the node.
 */
export function planPush(r: Relation, siteShape: Shape, nodeShape: Shape): PushPlan | null {
  if (r === "bottom" || siteShape.includes(0)) return null;
  const bounds = r.links.filter((link) => link.node === null);
  const links = choose(r.links.filter((link) => link.node !== null && !bounds.some((bound) => implies(bound, link))));
  const cuts = bounds.filter((bound) => !links.some((link) => implies(link, bound)));
  const kept = relation([...links, ...cuts]);
  if (kept === "bottom") return null;
  return {
    kept,
    bounds: cuts,
    site: siteShape.map((size, axis) => components(axis, size, links, (link) => link.site)),
    node: nodeShape.map((size, axis) => components(axis, size, links, (link) => link.node as Digit)),
  };
}

/** The relation that `push` sums over; it contains R. */
export function kept(r: Relation, siteShape: Shape, nodeShape: Shape): Relation {
  return planPush(r, siteShape, nodeShape)?.kept ?? "bottom";
}

function choose(links: readonly Link[]): Link[] {
  const tightest = links.map((link) => ({ link, share: share(link) })).sort((a, b) => a.share - b.share);
  const chosen: Link[] = [];
  for (const { link } of tightest) {
    const free = chosen.every(
      (other) => apart(link.site, other.site) && apart(link.node as Digit, other.node as Digit),
    );
    if (free) chosen.push(affordable(link));
  }
  return chosen;
}

/** The share of all (site digit, node digit) pairs that satisfy the link. */
function share(link: Link): number {
  const { lo, hi } = clipped(link);
  const [sites, nodes] = [link.site.mod, (link.node as Digit).mod];
  let pairs = 0;
  for (let n = 0; n < nodes; n++) {
    const [first, last] = [Math.max(0, lo + link.step * n), Math.min(sites - 1, hi + link.step * n)];
    pairs += Math.max(0, last - first + 1);
  }
  return pairs / (sites * nodes);
}

/** Whether one reshape can show both digits as axes. */
function apart(a: Digit, b: Digit): boolean {
  if (a.axis !== b.axis) return true;
  if (a.div === b.div) return false;
  const [low, high] = a.div < b.div ? [a, b] : [b, a];
  return high.div % (low.div * low.mod) === 0;
}

/** How a link is summed over; `sumLink` in push.ts carries it out. */
export type Method = "shifts" | "before" | "after" | "matrix";

export function methodOf(link: Link): Method {
  const { lo, hi } = clipped(link);
  if (isFunction(link)) return "shifts";
  if (link.lo === -Infinity) return "before";
  if (link.hi === Infinity) return "after";
  return hi - lo < shiftedWindow ? "shifts" : "matrix";
}

/** A wide two-sided window over axes too long for a matrix loses the bound that excludes less. */
function affordable(link: Link): Link {
  const entries = link.site.mod * (link.node as Digit).mod;
  if (methodOf(link) !== "matrix" || entries <= matrixEntries) return link;
  const [before, after] = [
    { ...link, lo: -Infinity },
    { ...link, hi: Infinity },
  ];
  return share(before) <= share(after) ? before : after;
}

/** The axis cut into the chosen digits and what lies between them, from high to low. */
function components(axis: number, size: number, links: readonly Link[], digitOf: (link: Link) => Digit): Component[] {
  const found: Component[] = [];
  const chosen = links.filter((link) => digitOf(link).axis === axis).sort((a, b) => digitOf(b).div - digitOf(a).div);
  let rest = size; // what is left of the axis below the digits already listed
  const fill = (div: number) => {
    if (rest > div) found.push({ digit: { axis, div, mod: rest / div }, link: null });
  };
  for (const link of chosen) {
    const digit = digitOf(link);
    fill(digit.div * digit.mod);
    found.push({ digit, link });
    rest = digit.div;
  }
  fill(1);
  return found;
}
