import type { Flow } from "../control/flow.js";
import type { Smoothness, Tensor } from "../graph/tensor.js";
import type { Program } from "./program.js";
import type { SiteParams } from "./site.js";

/**
 * Whether a pathwise derivative of the expectation is right: on every path from the sample to the cost, what is composed must be
 * continuous (one derivative) or smooth (all). Paths through later weighted sites do not count: their draw is constant, and what
 * they pass on is the log-density of their parameters.
 */
export interface Obstacle {
  readonly level: Exclude<Smoothness, "smooth">;
  /** From the sample to the cost. */
  readonly path: readonly Tensor[];
  /** The first node on it that is not smooth. */
  readonly at: Tensor;
}

const rank: Record<Smoothness, number> = { smooth: 2, kink: 1, jump: 0 };

interface State {
  readonly level: Smoothness;
  readonly node: Tensor;
  /** How it was reached, then: in a loop a node is reached again from what it reaches. */
  readonly from: State | null;
  readonly at: Tensor | null;
}

/**
 * The worst of the paths from `site` to the loss or to the law of a later weighted site, whose log-density passes the derivative on; null
 * where all are smooth.
 */
export function obstacleOf(site: Tensor, program: Program, weighted: ReadonlySet<Tensor>): Obstacle | null {
  const { flow } = program;
  const states = new Map<Tensor, State>([[site, { level: "smooth", node: site, from: null, at: null }]]);
  const ends = new Set([program.loss, ...weighted]);
  let worst: State | null = null;
  const before = (input: Tensor): State | undefined =>
    weighted.has(input) && input !== site ? undefined : states.get(input);
  flow.settle(flow.between([site], [...ends]), (node) => {
    if (node.primitive?.name === "detach") return false;
    const state = worstInput(flow, node, before);
    const known = states.get(node);
    if (!state || (known && rank[known.level] <= rank[state.level])) return false;
    states.set(node, state);
    if (ends.has(node) && (worst === null || rank[state.level] < rank[worst.level])) worst = state;
    return true;
  });
  const end = worst as State | null;
  if (end === null || end.level === "smooth") return null;
  return { level: end.level, path: pathTo(end), at: end.at as Tensor };
}

/** The state that a node gets from its worst input. */
function worstInput(flow: Flow, node: Tensor, stateOf: (input: Tensor) => State | undefined): State | null {
  let worst: State | null = null;
  flow.access(node).inputs.forEach((input, k) => {
    const before = stateOf(input);
    if (!before) return;
    const own = flow.smoothness(node, k);
    const level = rank[own] < rank[before.level] ? own : before.level;
    if (worst && rank[worst.level] <= rank[level]) return;
    worst = { level, node, from: before, at: level === before.level ? before.at : node };
  });
  return worst;
}

function pathTo(end: State): Tensor[] {
  const path: Tensor[] = [];
  for (let state: State | null = end; state !== null; state = state.from) path.push(state.node);
  return path.reverse();
}

/** A path from the site to the loss, whatever it goes through; empty if there is none. */
export function pathToLoss(site: Tensor, { flow, loss }: Program): Tensor[] {
  return wayFrom(flow, new Set([site]), loss);
}

/** A way from one of the sources to a node; empty if there is none. */
export function wayFrom(flow: Flow, sources: ReadonlySet<Tensor>, node: Tensor): Tensor[] {
  const onWay = new Set(flow.between([...sources], [node]));
  const next = new Map<Tensor, Tensor | null>(onWay.has(node) ? [[node, null]] : []);
  // Breadth first, so that a loop is not gone round.
  for (const at of next.keys()) {
    if (sources.has(at)) {
      const way: Tensor[] = [];
      for (let on: Tensor | null = at; on !== null; on = next.get(on) ?? null) way.push(on);
      return way;
    }
    for (const input of flow.access(at).inputs) if (onWay.has(input) && !next.has(input)) next.set(input, at);
  }
  return [];
}

const silent = new Set([
  "carry",
  "part",
  "operand",
  "captured",
  "kept",
  "broadcast",
  "reshape",
  "alias",
  "validate",
  "relate",
  "detach",
  "cast",
  "transpose",
]);

/** `a → matmul → sub → mul → loss`, in the names a person gave where there are any. */
export function pathInWords(path: readonly Tensor[]): string {
  // Through a loop the same node may come again.
  const words = [...new Set(path)].map(nameOf).filter((word) => !silent.has(word));
  const short = words.length > 8 ? [...words.slice(0, 4), "…", ...words.slice(-3)] : words;
  return [...short, "loss"].join(" → ");
}

export function nameOf(node: Tensor): string {
  if (node.primitive === null) return node.label?.replace(/^captured \d+$/, "captured") ?? "constant";
  const params = node.params as { name?: string } | null;
  return params?.name && ["sample", "named", "external"].includes(node.primitive.name)
    ? params.name
    : node.primitive.name;
}

/**
 * Nodes a derivative may come into: those that depend on `sources`, other than through stopGradient or through the constant draw of a
 * site in `constant`.
 */
export function dependents(program: Program, sources: readonly Tensor[], constant: ReadonlySet<Tensor>): Set<Tensor> {
  const live = new Set(sources);
  const { flow } = program;
  flow.settle(flow.ancestors([program.loss, ...program.sites]), (node) => {
    if (live.has(node) || node.primitive?.name === "stopGradient" || node.primitive?.name === "detach") return false;
    const { inputs, reads } = flow.access(node);
    // An input that only checks the node (low < high) does not reach its value.
    if (!inputs.some((input, k) => live.has(input) && !constant.has(input) && reads[k] !== null)) return false;
    live.add(node);
    return true;
  });
  return live;
}

export function siteParams(site: Tensor): SiteParams {
  return site.params as SiteParams;
}

/** How many derivatives a pathwise value is right for. */
export function ordersOf(obstacle: Obstacle | null): number {
  return obstacle === null ? Number.POSITIVE_INFINITY : obstacle.level === "kink" ? 1 : 0;
}
