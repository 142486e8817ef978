import { accessOf } from "../../graph/access.js";
import type { AnyPrimitive, Tensor } from "../../graph/tensor.js";
import { ancestors, between } from "../../graph/walk.js";
import { batchShapeOfSite } from "../site.js";
import { compose, lossy, type Touched } from "./compose.js";
import { join } from "./join.js";
import { kept } from "./plan.js";
import { mixed, type Relation, separates, start } from "./relation.js";

/**
 * Which site is charged with which cost. The loss is walked down through its linear operations to leaves, the cost arrays; each is
 * weighted with the sites that may influence it, element by element. Too large a relation costs variance, too small is a bias.
 */
export interface Credit {
  readonly sites: readonly Tensor[];
  /** "bottom" where there is no path. */
  relation(site: Tensor, node: Tensor): Relation;
  /** Linear nodes between the loss and the leaves, which are rebuilt over them. */
  readonly opened: ReadonlySet<Tensor>;
  /** Cost arrays, in topological order. */
  readonly leaves: readonly Tensor[];
}

type Reads = readonly { readonly site: Tensor; readonly from: number }[];

/** @param sites those that are weighted; pathwise ones are part of the deterministic graph here */
export function creditOf(loss: Tensor, sites: readonly Tensor[], reads: Reads = []): Credit {
  const maps = new Map(sites.map((site) => [site, influence(site, loss, sites, reads)]));
  const relation = (site: Tensor, node: Tensor): Relation => maps.get(site)?.get(node) ?? "bottom";
  const touched = (node: Tensor): boolean => sites.some((site) => relation(site, node) !== "bottom");
  const worth = new Set<Tensor>();
  for (const node of ancestors([loss]))
    if (node.primitive && touched(node) && isWorth(node, sites, relation, touched, worth) && !mixesTimes(node, reads))
      worth.add(node);
  const opened = new Set<Tensor>();
  const leaves = new Set<Tensor>();
  const stack = touched(loss) ? [loss] : [];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (opened.has(node) || leaves.has(node)) continue;
    if (!worth.has(node)) {
      leaves.add(node);
      continue;
    }
    opened.add(node);
    stack.push(...node.inputs.filter(touched));
  }
  return { sites, relation, opened, leaves: [...leaves].sort((a, b) => a.id - b.id) };
}

/** The relation of a site to every node it reaches, by one pass. After a number was read, everything built later is influenced. */
function influence(site: Tensor, loss: Tensor, sites: readonly Tensor[], reads: Reads): Map<Tensor, Relation> {
  const batch = batchShapeOfSite(site);
  const from = Math.min(
    ...reads.filter((read) => read.site === site).map((read) => read.from),
    Number.POSITIVE_INFINITY,
  );
  const out = new Map<Tensor, Relation>([[site, start(batch, site.rank)]]);
  const nodes =
    from === Number.POSITIVE_INFINITY
      ? between([site], [loss, ...sites])
      : ancestors([loss, ...sites], (node) => node.id >= site.id);
  for (const node of nodes) {
    if (node === site) continue;
    if (node.id >= from) {
      out.set(node, mixed);
      continue;
    }
    const reached = reachedInputs(node, (input) => out.get(input) ?? "bottom");
    const relations = reached.map(({ relation, reads: entry, shape }) =>
      compose(relation, entry, batch, shape, node.shape),
    );
    const all = relations.reduce(join, "bottom" as Relation);
    if (all !== "bottom") out.set(node, all);
  }
  return out;
}

function reachedInputs(node: Tensor, relation: (input: Tensor) => Relation): Touched[] {
  if (node.primitive === null) return [];
  const { inputs, reads } = accessOf(node);
  return inputs
    .map((input, k) => ({ relation: relation(input), reads: reads[k] ?? null, shape: input.shape }))
    .filter((x) => x.relation !== "bottom");
}

/** Linear in the inputs that sites reach, and charging those instead of the node charges something with less. */
function isWorth(
  node: Tensor,
  sites: readonly Tensor[],
  relation: Credit["relation"],
  touched: (node: Tensor) => boolean,
  worth: ReadonlySet<Tensor>,
): boolean {
  const act = node.inputs.map((input, k) => (touched(input) ? k : -1)).filter((k) => k >= 0);
  if (act.length === 0 || sites.includes(node) || !walkable(node, act, sites, relation)) return false;
  if (act.some((k) => worth.has(node.inputs[k] as Tensor) || (node.inputs[k] as Tensor).size < node.size)) return true;
  const entries = accessOf(node).reads;
  return sites.some((site) => {
    const inputs = act.map((k) => ({
      relation: relation(site, node.inputs[k] as Tensor),
      reads: entries[k] ?? null,
      shape: (node.inputs[k] as Tensor).shape,
    }));
    return lossy(inputs, batchShapeOfSite(site), node.shape);
  });
}

/**
 * A node built after a read, over something built before it: whether that something counts at all may hang on the number read, so the
 * node is charged whole. In a product one factor built after the read carries the charge.
 */
function mixesTimes(node: Tensor, reads: Reads): boolean {
  const { linear } = node.primitive as AnyPrimitive;
  return reads.some(({ from }) => {
    if (node.id < from) return false;
    const before = (k: number): boolean => (node.inputs[k] as Tensor).id < from;
    const positions = linear === "any" || linear === "one" ? node.inputs.map((_, k) => k) : linear;
    return linear === "one" ? positions.every(before) : positions.some(before);
  });
}

function walkable(
  node: Tensor,
  act: readonly number[],
  sites: readonly Tensor[],
  relation: Credit["relation"],
): boolean {
  const { linear, transpose } = node.primitive as AnyPrimitive;
  if (transpose === null) return false;
  if (linear === "any") return true;
  if (linear !== "one") return act.every((k) => linear.includes(k));
  if (act.length === 1) return true;
  // Bilinear: each factor is charged with its own sites, if no site reaches both (then box·box = box of the sum).
  return !sites.some((site) => act.every((k) => relation(site, node.inputs[k] as Tensor) !== "bottom"));
}

/**
 * Axes of a site along which no cost is charged with two of its elements: they may be each other's baseline, and be changed all at once.
 * Asked of the relation that `push` can sum over, which may be larger.
 */
export function alignedAxes(credit: Credit, site: Tensor): number[] {
  const batch = batchShapeOfSite(site);
  return batch
    .map((_, axis) => axis)
    .filter((axis) =>
      credit.leaves.every((leaf) => separates(kept(credit.relation(site, leaf), batch, leaf.shape), axis, batch)),
    );
}
