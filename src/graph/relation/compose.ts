import { type Digit, type Link, type ReadLink, whole } from "../reads.js";
import {
  clipped,
  type Interval,
  implies,
  inside,
  isEquality,
  isFunction,
  isWhole,
  keyOf,
  part,
  sameDigit,
} from "./link.js";
import { type Relation, relation, same } from "./relation.js";

type Shape = readonly number[];

/**
 * From a site's relation to an input and what a node reads of that input to the site's relation to the node: the pairs (s, n)
 * with some i such that (s, i) ∈ R and (i, n) ∈ reads.
 */
export function compose(
  r: Relation,
  reads: readonly ReadLink[] | null,
  siteShape: Shape,
  inShape: Shape,
  outShape: Shape,
): Relation {
  if (r === "bottom" || reads === null) return "bottom";
  const steps = reads.map(asLink);
  const bounds = r.links.filter((link) => link.node === null);
  const ranges = siteShape.map((_, axis) => rangeOf(axis, siteShape, bounds));
  const links = r.links.flatMap((link) => steps.map((step) => through(link, step)).filter((found) => found !== null));
  for (const step of steps) links.push(...placed(ranges, links, step, inShape, outShape));
  return relation([...bounds, ...links]);
}

/** A read link is a link from the input, taken as the site, to the output. */
function asLink({ in: site, out: node, step, lo, hi }: ReadLink): Link {
  return { site, node, step, lo, hi };
}

/** s = a·m + u and m = b·n + v give s = a·b·n + (u + a·v), where the digits m meet; null where they do not. */
function through(link: Link, read: Link): Link | null {
  if (link.node === null) return null;
  if (sameDigit(link.node, read.site)) {
    return {
      site: link.site,
      node: read.node,
      step: link.step * read.step,
      ...sum(clipped(link), link.step, clipped(read)),
    };
  }
  if (isEquality(read)) {
    const k = inside(link.node, read.site);
    const node = k === null ? null : part(read.node as Digit, k, link.node.mod);
    if (node !== null) return { ...link, node };
  }
  if (isEquality(link)) {
    const k = inside(read.site, link.node);
    const site = k === null ? null : part(link.site, k, read.site.mod);
    if (site !== null) return { ...read, site };
  }
  return isEquality(link) && isEquality(read) ? overlap(link, read) : null;
}

/** The interval u + a·v. Both are finite here: an infinite bound would lose what a larger output axis makes of it. */
function sum(u: Interval, a: number, v: Interval): Interval {
  return a < 0 ? { lo: u.lo + a * v.hi, hi: u.hi + a * v.lo } : { lo: u.lo + a * v.lo, hi: u.hi + a * v.hi };
}

/** Two equalities whose digits of the input overlap: what lies between common divisors is equal throughout. */
function overlap(link: Link, read: Link): Link | null {
  const [a, b] = [link.node as Digit, read.site];
  if (a.axis !== b.axis) return null;
  const low = (a.div / gcd(a.div, b.div)) * b.div;
  const high = gcd(a.div * a.mod, b.div * b.mod);
  if (high <= low || high % low !== 0) return null;
  const site = part(link.site, low / a.div, high / low);
  const node = part(read.node as Digit, low / b.div, high / low);
  return site === null || node === null ? null : { ...link, site, node };
}

/** The bound on a whole site axis; where there is none, the axis itself. */
function rangeOf(axis: number, siteShape: Shape, bounds: readonly Link[]): Link {
  const found = bounds.find(({ site }) => site.axis === axis && isWhole(site, siteShape));
  return found ?? { site: whole(siteShape, axis), node: null, step: 0, lo: -Infinity, hi: Infinity };
}

/**
 * An axis placed into a larger one (concatenate, pad) leaves its output index in a known range, so that a bound on the site
 * becomes a link: a stack of unrolled steps gets its causal axis back. For whole axes only; a site axis that is already a
 * function of the node needs no second link.
 */
function placed(ranges: readonly Link[], links: readonly Link[], read: Link, inShape: Shape, outShape: Shape): Link[] {
  const { site: from, node } = read;
  if (node === null || !isWhole(from, inShape) || !isWhole(node, outShape)) return [];
  const { lo, hi } = outputs(read, node.mod);
  if (lo > hi || (lo === 0 && hi === node.mod - 1)) return [];
  const tied = new Set(links.filter(isFunction).map((link) => link.site.axis));
  // The last step of an unrolled loop has no bound, and its place says something all the same. Elsewhere the place alone would
  // only link axes that have nothing to do with each other.
  const isStep = ({ site }: Link) => from.mod === 1 || site.mod === node.mod;
  return ranges
    .filter((range) => !tied.has(range.site.axis) && (range.lo > -Infinity || range.hi < Infinity || isStep(range)))
    .map((range) => {
      const known = clipped(range);
      return { site: range.site, node, step: 1, lo: known.lo - hi, hi: known.hi - lo };
    });
}

/** Which output indices read anything: m = b·n + v with m in the input axis. */
function outputs(read: Link, size: number): Interval {
  const { lo, hi } = clipped(read);
  const ends = [-hi / read.step, (read.site.mod - 1 - lo) / read.step].sort((x, y) => x - y) as [number, number];
  return { lo: Math.max(0, Math.ceil(ends[0])), hi: Math.min(size - 1, Math.floor(ends[1])) };
}

/** An input that a site may reach, as `lossy` sees it. */
export interface Touched {
  readonly relation: Relation;
  readonly reads: readonly ReadLink[] | null;
  readonly shape: Shape;
}

/**
 * Whether charging the node instead of its inputs charges some input element with more: a link is lost or widened on the way
 * (its axis is summed, run over, convolved), or the inputs' relations differ. A linear node where this holds for some site is
 * worth descending. @param inputs those that any site reaches; one that this site does not reach counts as different
 */
export function lossy(inputs: readonly Touched[], siteShape: Shape, outShape: Shape): boolean {
  if (
    inputs.some(({ relation: r, reads }) => reads !== null && r !== "bottom" && !carries(r.links, reads.map(asLink)))
  ) {
    return true;
  }
  const composed = inputs
    .filter(({ reads }) => reads !== null)
    .map(({ relation: r, reads, shape }) => compose(r, reads, siteShape, shape, outShape));
  return composed.some((r) => !same(r, composed[0] as Relation));
}

/** Every link meets reads that make its input digit a function of the output index. */
function carries(links: readonly Link[], reads: readonly Link[]): boolean {
  return links.every((link) => {
    // What the bounds on the site imply is no loss when it goes, for they stay.
    if (links.some((bound) => bound.node === null && implies(bound, link))) return true;
    const node = link.node as Digit;
    if (reads.some((read) => isFunction(read) && sameDigit(read.site, node))) return true;
    const found = reads.filter(isEquality).map((read) => ({ read, link: through(link, read) }));
    if (found.some((f) => f.link !== null && inside(node, f.read.site) !== null)) return true;
    if (!isEquality(link)) return false;
    const parts = new Map(found.map((f) => [f.link === null ? "" : keyOf(f.link), f.link?.site.mod ?? 1]));
    return [...parts.values()].reduce((known, mod) => known * mod, 1) >= Math.max(link.site.mod, node.mod);
  });
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
