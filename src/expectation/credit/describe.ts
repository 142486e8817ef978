import type { Digit, Link } from "../../graph/reads.js";
import { clipped, implies } from "../../graph/relation/link.js";
import type { Relation } from "../../graph/relation/relation.js";

type Shape = readonly number[];

/**
 * The relation in words, for `explain`: `a: s0 = n0, s1 ≤ n1`; `mixed` when anything may influence anything, `none` when there
 * is no path. s and n are the indices of the site's and the node's element, numbered by axis where there are several.
 */
export function describe(r: Relation, siteShape: Shape, nodeShape: Shape, site?: string): string {
  const prefix = site === undefined ? "" : `${site}: `;
  if (r === "bottom") return prefix + "none";
  // Bounds come last, and only those that no link implies: they would say the same thing twice.
  const links = r.links.filter((link) => link.node !== null);
  const bounds = r.links.filter((link) => link.node === null && !links.some((other) => implies(other, link)));
  const words = [...sorted(links), ...sorted(bounds)].map((link) => inWords(link, siteShape, nodeShape));
  return prefix + (words.length === 0 ? "mixed" : words.join(", "));
}

function sorted(links: readonly Link[]): readonly Link[] {
  return [...links].sort((a, b) => a.site.axis - b.site.axis || b.site.div - a.site.div);
}

function inWords(link: Link, siteShape: Shape, nodeShape: Shape): string {
  const { lo, hi } = clipped(link);
  const s = digitName("s", link.site, siteShape);
  if (lo === hi) return `${s} = ${rightSide(link, nodeShape, lo)}`;
  if (link.lo === -Infinity) return `${s} ≤ ${rightSide(link, nodeShape, hi)}`;
  if (link.hi === Infinity) return `${s} ≥ ${rightSide(link, nodeShape, lo)}`;
  if (link.node === null) return `${s} ∈ [${lo}, ${hi}]`;
  const node = term(link.step, digitName("n", link.node, nodeShape));
  return `${s} ${link.step < 0 ? "+" : "−"} ${node} ∈ [${minus(lo)}, ${minus(hi)}]`;
}

/** step · n + shift. */
function rightSide({ node, step }: Link, nodeShape: Shape, shift: number): string {
  if (node === null) return minus(shift);
  const n = term(step, digitName("n", node, nodeShape));
  if (step < 0) return shift === 0 ? `−${n}` : `${minus(shift)} − ${n}`;
  return shift === 0 ? n : `${n} ${shift < 0 ? "−" : "+"} ${Math.abs(shift)}`;
}

function term(step: number, name: string): string {
  return Math.abs(step) === 1 ? name : `${Math.abs(step)}·${name}`;
}

function minus(x: number): string {
  return String(x).replace("-", "−");
}

/** `s0`, `s0 div 2`, `s0 mod 2`, `s0 div 2 mod 3`; the axis is left out where there is only one. */
function digitName(letter: string, { axis, div, mod }: Digit, shape: Shape): string {
  const name = shape.length > 1 ? `${letter}${axis}` : letter;
  const low = div === 1 ? "" : ` div ${div}`;
  return name + low + (div * mod === shape[axis] ? "" : ` mod ${mod}`);
}
