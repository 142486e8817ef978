import { accessOf } from "../graph/access.js";
import { smoothnessAt } from "../graph/smooth.js";
import type { Smoothness, Tensor } from "../graph/tensor.js";
import { ancestors, between } from "../graph/walk.js";
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
  readonly from: Tensor | null;
  readonly at: Tensor | null;
}

/**
 * The worst of the paths from `site` to the loss or to the law of a later weighted site, whose log-density passes the derivative on; null
 * where all are smooth.
 */
export function obstacleOf(site: Tensor, program: Program, weighted: ReadonlySet<Tensor>): Obstacle | null {
  const states = new Map<Tensor, State>([[site, { level: "smooth", from: null, at: null }]]);
  const ends = new Set([program.loss, ...weighted]);
  let worst: Tensor | null = null;
  for (const node of between([site], [...ends])) {
    if (node === site || node.primitive?.name === "detach") continue;
    const state = worstInput(node, (input) => (weighted.has(input) && input !== site ? undefined : states.get(input)));
    if (!state) continue;
    states.set(node, state);
    if (ends.has(node) && (worst === null || rank[state.level] < rank[(states.get(worst) as State).level]))
      worst = node;
  }
  const end = worst && states.get(worst);
  if (!worst || !end || end.level === "smooth") return null;
  return { level: end.level, path: backTo(site, worst, states), at: end.at as Tensor };
}

/** The state that a node gets from its worst input. */
function worstInput(node: Tensor, stateOf: (input: Tensor) => State | undefined): State | null {
  let worst: State | null = null;
  node.inputs.forEach((input, k) => {
    const before = stateOf(input);
    if (!before) return;
    const own = smoothnessAt(node, k);
    const level = rank[own] < rank[before.level] ? own : before.level;
    if (worst && rank[worst.level] <= rank[level]) return;
    worst = { level, from: input, at: level === before.level ? before.at : node };
  });
  return worst;
}

function backTo(site: Tensor, loss: Tensor, states: ReadonlyMap<Tensor, State>): Tensor[] {
  const path: Tensor[] = [];
  for (let node: Tensor | null = loss; node !== null && node !== site; node = states.get(node)?.from ?? null)
    path.push(node);
  return [site, ...path.reverse()];
}

/** A path from the site to the loss, whatever it goes through; empty if there is none. */
export function pathToLoss(site: Tensor, loss: Tensor): Tensor[] {
  const onPath = new Set(between([site], [loss]));
  const path = [site];
  let node = loss;
  const back: Tensor[] = [];
  while (node !== site) {
    back.push(node);
    const next = node.inputs.find((input) => onPath.has(input));
    if (!next) return [];
    node = next;
  }
  return [...path, ...back.reverse()];
}

const silent = new Set(["broadcast", "reshape", "alias", "validate", "relate", "detach", "cast", "transpose"]);

/** `a → matmul → sub → mul → loss`, in the names a person gave where there are any. */
export function pathInWords(path: readonly Tensor[]): string {
  const words = path.map(nameOf).filter((word) => !silent.has(word));
  const short = words.length > 8 ? [...words.slice(0, 4), "…", ...words.slice(-3)] : words;
  return [...short, "loss"].join(" → ");
}

export function nameOf(node: Tensor): string {
  if (node.primitive === null) return node.label ?? "constant";
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
  for (const node of ancestors([program.loss, ...program.sites])) {
    const { primitive } = node;
    if (primitive === null || primitive.name === "stopGradient" || primitive.name === "detach") continue;
    const { inputs, reads } = accessOf(node);
    const carrying = inputs.map((input) => live.has(input) && !constant.has(input));
    if (!carrying.includes(true)) continue;
    // An input that only checks the node (low < high) does not reach its value.
    if (carrying.some((carries, k) => carries && reads[k] !== null)) live.add(node);
  }
  return live;
}

export function siteParams(site: Tensor): SiteParams {
  return site.params as SiteParams;
}

/** How many derivatives a pathwise value is right for. */
export function ordersOf(obstacle: Obstacle | null): number {
  return obstacle === null ? Number.POSITIVE_INFINITY : obstacle.level === "kink" ? 1 : 0;
}
