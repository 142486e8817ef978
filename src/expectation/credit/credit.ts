import { accumulated, accumulatedReads, type Flow } from "../../control/flow.js";
import { arrival, influence } from "../../control/influence.js";
import type { Access } from "../../graph/access.js";
import { lossy, type Touched } from "../../graph/relation/compose.js";
import { mixed, type Relation, separates } from "../../graph/relation/relation.js";
import type { AnyPrimitive, Tensor } from "../../graph/tensor.js";
import { batchOf } from "../site.js";
import { kept } from "./plan.js";

/**
 * Which site is charged with which cost. The loss is walked down through its linear operations to leaves, the cost arrays; each is
 * weighted with the sites that may influence it, element by element. Too large a relation costs variance, too small is a bias.
 */
export interface Credit {
  readonly flow: Flow;
  readonly sites: readonly Tensor[];
  /** "bottom" where there is no path. */
  relation(site: Tensor, node: Tensor): Relation;
  /** The relation of a site to the parameters of another, or to its own of later steps. */
  before(site: Tensor, other: Tensor): Relation;
  /** Linear nodes between the loss and the leaves, which are rebuilt over them. */
  readonly opened: ReadonlySet<Tensor>;
  /** Cost arrays, in topological order. */
  readonly leaves: readonly Tensor[];
}

type Reads = readonly { readonly site: Tensor; readonly from: number }[];

/** @param sites those that are weighted; pathwise ones are part of the deterministic graph here */
export function creditOf(flow: Flow, loss: Tensor, sites: readonly Tensor[], reads: Reads = []): Credit {
  const maps = new Map(sites.map((site) => [site, influenceOf(flow, site, loss, sites, reads)]));
  const relation = (site: Tensor, node: Tensor): Relation => maps.get(site)?.get(node) ?? "bottom";
  const before = (site: Tensor, other: Tensor): Relation =>
    site === other
      ? arrival(flow, other, batchOf(flow, site), maps.get(site) as Map<Tensor, Relation>)
      : relation(site, other);
  const touched = (node: Tensor): boolean => sites.some((site) => relation(site, node) !== "bottom");
  const walk: Walk = { flow, sites, relation, touched, reads };
  const worth = new Set<Tensor>();
  flow.settle(
    flow.ancestors([loss]).filter(touched),
    (node) => !worth.has(node) && isWorth(node, walk, worth) && !mixesTimes(node, walk) && worth.add(node).size > 0,
  );
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
    stack.push(...termsOf(flow, node).inputs.filter(touched));
  }
  return { flow, sites, relation, before, opened, leaves: [...leaves].sort((a, b) => a.id - b.id) };
}

/** After a number was read, everything built later is influenced. */
function influenceOf(
  flow: Flow,
  site: Tensor,
  loss: Tensor,
  sites: readonly Tensor[],
  reads: Reads,
): Map<Tensor, Relation> {
  const batch = batchOf(flow, site);
  const from = Math.min(
    ...reads.filter((read) => read.site === site).map((read) => read.from),
    Number.POSITIVE_INFINITY,
  );
  const source = { node: site, shape: batch };
  const ends = [loss, ...sites];
  if (from === Number.POSITIVE_INFINITY) return influence(flow, flow.between([site], ends), source);
  const nodes = flow.ancestors(ends, (node) => node.id >= site.id);
  const fixed = new Map(nodes.filter((node) => node.id >= from && node !== site).map((node) => [node, mixed]));
  return influence(flow, nodes, source, fixed);
}

interface Walk {
  readonly flow: Flow;
  readonly sites: readonly Tensor[];
  readonly relation: Credit["relation"];
  readonly touched: (node: Tensor) => boolean;
  readonly reads: Reads;
}

/** What the walk goes on with: the inputs; of a carry that only adds up, its start and the terms of all steps. */
export function termsOf(flow: Flow, node: Tensor): Access {
  const sum = accumulated(flow, node);
  if (sum === null) return flow.access(node);
  return { inputs: [sum.first, sum.terms], reads: accumulatedReads(flow, node, sum.terms) };
}

/** Linear in the inputs that sites reach, and charging those instead of the node charges something with less. */
function isWorth(node: Tensor, walk: Walk, worth: ReadonlySet<Tensor>): boolean {
  const { flow, sites, relation, touched } = walk;
  const { inputs, reads } = termsOf(flow, node);
  const act = inputs.map((input, k) => (touched(input) ? k : -1)).filter((k) => k >= 0);
  if (act.length === 0 || sites.includes(node) || !walkable(node, inputs, act, walk)) return false;
  const size = sizeIn(flow, node);
  // Charging fewer numbers saves a multiplication each, but not where the charges have to go through a product once more.
  const cheap = node.primitive?.lower.kind !== "matmul" && node.primitive?.lower.kind !== "conv";
  if (act.some((k) => worth.has(inputs[k] as Tensor) || (cheap && sizeIn(flow, inputs[k] as Tensor) < size)))
    return true;
  return sites.some((site) => {
    const reached = act.map(
      (k): Touched => ({
        relation: relation(site, inputs[k] as Tensor),
        reads: reads[k] ?? null,
        shape: flow.shape(inputs[k] as Tensor),
      }),
    );
    return lossy(reached, batchOf(flow, site), flow.shape(node));
  });
}

function sizeIn(flow: Flow, node: Tensor): number {
  return flow.shape(node).reduce((a, b) => a * b, 1);
}

/**
 * A node built after a read, over something built before it: whether that something counts at all may hang on the number read, so the
 * node is charged whole. In a product one factor built after the read carries the charge.
 */
function mixesTimes(node: Tensor, { flow, reads }: Walk): boolean {
  if (reads.length === 0) return false;
  const { inputs } = termsOf(flow, node);
  const linear = flow.role(node) === "plain" ? (node.primitive as AnyPrimitive).linear : "any";
  return reads.some(({ from }) => {
    if (node.id < from) return false;
    const before = (k: number): boolean => (inputs[k] as Tensor).id < from;
    const positions = linear === "any" || linear === "one" ? inputs.map((_, k) => k) : linear;
    return linear === "one" ? positions.every(before) : positions.some(before);
  });
}

function walkable(node: Tensor, inputs: readonly Tensor[], act: readonly number[], walk: Walk): boolean {
  const { flow, sites, relation } = walk;
  const role = flow.role(node);
  if (role === "row" || role === "stacked" || accumulated(flow, node) !== null) return true;
  if (role !== "plain") return false;
  const { linear, transpose } = node.primitive as AnyPrimitive;
  if (transpose === null) return false;
  if (linear === "any") return true;
  if (linear !== "one") return act.every((k) => linear.includes(k));
  if (act.length === 1) return true;
  // Bilinear: each factor is charged with its own sites, if no site reaches both (then box·box = box of the sum).
  return !sites.some((site) => act.every((k) => relation(site, inputs[k] as Tensor) !== "bottom"));
}

/**
 * Axes of a site along which no cost is charged with two of its elements: they may be each other's baseline, and be changed all at once.
 * Asked of the relation that `push` can sum over, which may be larger.
 */
export function alignedAxes(credit: Credit, site: Tensor): number[] {
  const { flow } = credit;
  const batch = batchOf(flow, site);
  return batch
    .map((_, axis) => axis)
    .filter((axis) =>
      credit.leaves.every((leaf) => separates(kept(credit.relation(site, leaf), batch, flow.shape(leaf)), axis, batch)),
    );
}
