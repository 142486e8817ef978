import type { Access } from "../graph/access.js";
import type { Reads } from "../graph/reads.js";
import { compose } from "../graph/relation/compose.js";
import { join, widen } from "../graph/relation/join.js";
import { type Relation, same, start, toReads } from "../graph/relation/relation.js";
import { placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { Flow } from "./flow.js";

/** Where influence comes from. */
export interface Source {
  readonly node: Tensor;
  /** Of the elements that are told apart: a site's batch, the whole of an input. */
  readonly shape: readonly number[];
}

/**
 * The relation of a source to every node it reaches, by passes over `nodes` until nothing changes. A carry looks ahead at the step's
 * result, so its relation is widened from the second change on: each link moves at most twice and then vanishes, and the passes end.
 * A site in a loop reaches itself: its draw at one step may steer the law of its draw at a later one.
 * @param fixed nodes whose relation is known, and stays
 */
export function influence(
  flow: Flow,
  nodes: readonly Tensor[],
  { node: source, shape }: Source,
  fixed: ReadonlyMap<Tensor, Relation> = new Map(),
): Map<Tensor, Relation> {
  const first = start(shape, flow.shape(source).length);
  const out = new Map<Tensor, Relation>([...fixed, [source, first]]);
  const moved = new Set<Tensor>();
  flow.settle(nodes, (node) => {
    if (fixed.has(node)) return false;
    const before = out.get(node);
    const outside = arrival(flow, node, shape, out);
    const arrived = node === source ? join(first, outside) : outside;
    if (arrived === "bottom") return false;
    const now = before !== undefined && looksAhead(flow, node) ? grown(before, arrived, moved.has(node)) : arrived;
    if (before !== undefined && same(before, now)) return false;
    if (before !== undefined) moved.add(node);
    out.set(node, now);
    return true;
  });
  return out;
}

function grown(before: Relation, arrived: Relation, again: boolean): Relation {
  const both = join(before, arrived);
  return again ? widen(before, both) : both;
}

function looksAhead(flow: Flow, node: Tensor): boolean {
  return flow.hole(node) !== undefined && flow.access(node).inputs.length > 1;
}

/** What a composite reads of its inputs: the relation of each, taken as the site, to the output. */
export function readsThrough(inputs: readonly Type[], build: (outer: readonly Tensor[]) => Tensor): Reads {
  const outer = inputs.map((type) => placeholder({ shape: type.shape, dtype: type.dtype }, "input"));
  const out = build(outer);
  const flow = new Flow([out]);
  return outer.map((source) => {
    const found = influence(flow, flow.between([source], [out]), { node: source, shape: source.shape }).get(out);
    return toReads(found ?? "bottom");
  });
}

/** The relation that a node gets from its inputs. */
export function arrival(
  flow: Flow,
  node: Tensor,
  shape: readonly number[],
  known: ReadonlyMap<Tensor, Relation>,
  { inputs, reads }: Access = flow.access(node),
): Relation {
  return inputs
    .map((input, k) => {
      const r = known.get(input) ?? "bottom";
      return r === "bottom" ? r : compose(r, reads[k] ?? null, shape, flow.shape(input), flow.shape(node));
    })
    .reduce(join, "bottom" as Relation);
}
