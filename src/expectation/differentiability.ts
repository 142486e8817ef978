import { type AnyPrimitive, type Smoothness, smoothness, type Tensor } from "../graph/tensor.js";
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

/** The worst of the paths from `site` to the loss; null where all are smooth. */
export function obstacleOf(site: Tensor, program: Program, weighted: ReadonlySet<Tensor>): Obstacle | null {
  const states = new Map<Tensor, State>([[site, { level: "smooth", from: null, at: null }]]);
  for (const node of between([site], [program.loss])) {
    if (node === site || weighted.has(node) || node.primitive?.name === "detach") continue;
    node.inputs.forEach((input, k) => {
      const before = states.get(input);
      if (!before) return;
      const own = smoothness(node.primitive as AnyPrimitive, k);
      const level = rank[own] < rank[before.level] ? own : before.level;
      const now = states.get(node);
      if (now && rank[now.level] <= rank[level]) return;
      states.set(node, { level, from: input, at: level === before.level ? before.at : node });
    });
  }
  const end = states.get(program.loss);
  if (!end || end.level === "smooth") return null;
  return { level: end.level, path: backTo(site, program.loss, states), at: end.at as Tensor };
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
    const { primitive, inputs } = node;
    if (primitive === null || primitive.name === "stopGradient" || primitive.name === "detach") continue;
    const carrying = inputs.map((input) => live.has(input) && !constant.has(input));
    if (!carrying.includes(true)) continue;
    // An input that only checks the node (low < high) does not reach its value.
    const reads = primitive.reads(node.params, inputs, node);
    if (carrying.some((carries, k) => carries && reads[k] !== null)) live.add(node);
  }
  return live;
}

export function siteParams(site: Tensor): SiteParams {
  return site.params as SiteParams;
}
