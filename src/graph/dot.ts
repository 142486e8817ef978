import { show, sizeOf } from "../base/shape.js";
import { accessOf } from "./access.js";
import { inlineNumber, isInline, ownName, paramsInWords, shortNumbers } from "./print.js";
import type { ReadEntry } from "./reads.js";
import type { Tensor, Type } from "./tensor.js";

/** How a node looks; what is left out is as by default. */
export interface DotNode {
  readonly label?: string;
  /** A Graphviz shape: "ellipse", "box", "plain", "diamond". */
  readonly shape?: string;
  /** A Graphviz colour. */
  readonly fill?: string;
}

/** How an edge looks: attributes of Graphviz. */
export interface DotEdge {
  readonly style?: string;
  readonly color?: string;
  readonly label?: string;
  /** "false": the edge has no say in where nodes are placed. */
  readonly constraint?: string;
}

export interface DotOptions {
  /** Higher floors decorate: an estimator at a site, a cost, what is charged. A node that is described is never collapsed. */
  readonly describe?: (node: Tensor) => DotNode | null | undefined;
  /** The edge to input `k` of a node. */
  readonly edge?: (input: Tensor, node: Tensor, k: number) => DotEdge | null | undefined;
  readonly names?: ReadonlyMap<Tensor, string>;
  /** Graphs with more nodes than this have their chains of unnamed elementwise and shape operations drawn as one box. Default 60. */
  readonly limit?: number;
  /** What a node is drawn below; its inputs by default. A graph with open loops says it here. */
  readonly inputs?: (node: Tensor) => readonly Tensor[];
  /** The loop or branch that a node is drawn inside; null outside. */
  readonly home?: (node: Tensor) => Tensor | null;
  /** "TB" (default) or "LR". */
  readonly direction?: "TB" | "LR";
}

/** A graph in Graphviz' DOT: random choices are ellipses, deterministic nodes boxes, leaves plain text. */
export function toDot(outputs: readonly Tensor[], options: DotOptions = {}): string {
  const { limit = 60, direction = "TB" } = options;
  const below = options.inputs ?? ((node: Tensor) => node.inputs);
  const nodes = shownNodes(outputs, below);
  const head = nodes.length > limit ? chains(nodes, outputs, options) : new Map<Tensor, Tensor>();
  const members = new Map<Tensor, Tensor[]>();
  for (const node of nodes) {
    const at = head.get(node) ?? node;
    collect(members, at, node);
  }
  const ids = new Map([...members.keys()].map((node, i) => [node, `n${i}`]));
  const idOf = (node: Tensor): string => ids.get(head.get(node) ?? node) as string;
  const drawn = [...members].map(
    ([node, chain]) => [node, `${ids.get(node)} [${attributes(node, chain, outputs, options)}];`] as const,
  );
  const lines = inHomes(drawn, options.home ?? (() => null));
  const edges = nodes
    .filter((node) => !isInline(node))
    .flatMap((node) =>
      below(node).flatMap((input, k) => {
        if (idOf(input) === idOf(node)) return [];
        return [`  ${idOf(input)} -> ${idOf(node)}${edgeAttributes(options.edge?.(input, node, k))};`];
      }),
    );
  return ["digraph {", `  rankdir=${direction};`, `  node [fontname="Helvetica"];`, ...lines, ...edges, "}"].join("\n");
}

/** All nodes but the scalar under a repeated number: the two are drawn as one. */
function shownNodes(outputs: readonly Tensor[], below: (node: Tensor) => readonly Tensor[]): Tensor[] {
  const found = new Set(outputs);
  for (const node of found) for (const input of below(node)) found.add(input);
  const nodes = [...found].sort((a, b) => a.id - b.id);
  const bare = new Set(nodes.filter((node) => !isInline(node)).flatMap((node) => [...below(node)]));
  return nodes.filter((node) => !isInline(node) || bare.has(node) || outputs.includes(node));
}

/** Lines of nodes, those of a loop inside a box of its own. */
function inHomes(drawn: readonly (readonly [Tensor, string])[], home: (node: Tensor) => Tensor | null): string[] {
  const groups = new Map<Tensor | null, string[]>([[null, []]]);
  const inner = new Map<Tensor | null, Tensor[]>();
  const groupOf = (loop: Tensor | null): string[] => {
    const known = groups.get(loop);
    if (known || loop === null) return known as string[];
    const made: string[] = [];
    groups.set(loop, made);
    const around = home(loop);
    groupOf(around);
    inner.set(around, [...(inner.get(around) ?? []), loop]);
    return made;
  };
  for (const [node, line] of drawn) groupOf(home(node)).push(line);
  const write = (loop: Tensor | null, indent: string): string[] => [
    ...(groups.get(loop) as string[]).map((line) => indent + line),
    ...(inner.get(loop) ?? []).flatMap((each) => [
      `${indent}subgraph cluster_${each.id} {`,
      `${indent}  label=${quoted(each.primitive?.words?.(each.params) ?? each.primitive?.name ?? "")};`,
      ...write(each, `${indent}  `),
      `${indent}}`,
    ]),
  ];
  return write(null, "  ");
}

function edgeAttributes(said: DotEdge | null | undefined): string {
  const list = Object.entries(said ?? {}).map(([name, value]) => `${name}=${quoted(value)}`);
  return list.length === 0 ? "" : ` [${list.join(", ")}]`;
}

function attributes(
  node: Tensor,
  chain: readonly Tensor[],
  outputs: readonly Tensor[],
  { describe, names }: DotOptions,
): string {
  const said = describe?.(node) ?? {};
  const label = said.label ?? (chain.length > 1 ? chainLabel(chain) : labelOf(node, names?.get(node)));
  const list = [`label=${quoted(label)}`, `shape=${quoted(said.shape ?? shapeOf(node))}`];
  if (said.fill !== undefined) list.push('style="filled"', `fillcolor=${quoted(said.fill)}`);
  if (outputs.includes(node)) list.push("peripheries=2");
  return list.join(", ");
}

function shapeOf(node: Tensor): string {
  return node.primitive === null || isInline(node) ? "plain" : node.primitive.name === "sample" ? "ellipse" : "box";
}

function labelOf(node: Tensor, given: string | undefined): string {
  const name = given ?? ownName(node);
  const type = `${node.dtype}${show(node.shape)}`;
  if (isInline(node)) return name ?? inlineNumber(node);
  if (node.primitive === null) return `${name ?? shortNumbers(node)}\n${type}`;
  const params = name === null ? paramsInWords(node.params) : "";
  return `${name ?? node.primitive.name}${params === "" ? "" : ` ${params}`}\n${type}`;
}

/** The operations of a chain in order, cut in the middle when they are many, and the type that leaves it. */
function chainLabel(chain: readonly Tensor[]): string {
  const names = chain.map((node) => node.primitive?.name ?? "");
  const short = names.length > 6 ? [...names.slice(0, 3), `… ${names.length - 5} more`, ...names.slice(-2)] : names;
  const last = chain[chain.length - 1] as Tensor;
  return `${short.join(" → ")}\n${last.dtype}${show(last.shape)}`;
}

/** Every chain's nodes to its last one: plain nodes whose one user is the next plain node. */
function chains(
  nodes: readonly Tensor[],
  outputs: readonly Tensor[],
  { describe, names, inputs }: DotOptions,
): Map<Tensor, Tensor> {
  const users = new Map<Tensor, Tensor[]>();
  for (const node of nodes) for (const input of new Set(inputs?.(node) ?? node.inputs)) collect(users, input, node);
  const fixed = new Set(outputs);
  const collapsible = (node: Tensor): boolean =>
    !names?.has(node) && !describe?.(node) && ownName(node) === null && isPlain(node);
  const plain = new Set(nodes.filter(collapsible));
  const head = new Map<Tensor, Tensor>();
  const continued = new Set<Tensor>();
  for (const node of [...nodes].reverse()) {
    const [user, another] = users.get(node) ?? [];
    const alone = plain.has(node) && !fixed.has(node) && another === undefined;
    if (!alone || user === undefined || !plain.has(user) || continued.has(user)) continue;
    continued.add(user);
    head.set(node, head.get(user) ?? user);
  }
  return head;
}

function collect(map: Map<Tensor, Tensor[]>, key: Tensor, node: Tensor): void {
  const list = map.get(key);
  if (list) list.push(node);
  else map.set(key, [node]);
}

function quoted(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}

/** An elementwise or shape operation: an output element reads at most one element of each input. */
function isPlain(node: Tensor): boolean {
  if (node.primitive === null || node.inputs.length === 0 || isInline(node)) return false;
  const entries = accessOf(node).reads;
  return node.inputs.every((input, k) => readsOne(entries[k] ?? null, input));
}

function readsOne(entry: ReadEntry, { shape }: Type): boolean {
  if (entry === null) return true;
  const digits = new Map(
    entry.filter(({ lo, hi }) => lo === hi).map(({ in: { axis, div, mod } }) => [`${axis}/${div}`, mod]),
  );
  return sizeOf([...digits.values()]) >= sizeOf(shape);
}
