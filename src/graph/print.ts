import { show } from "../base/shape.js";
import { elements } from "../kernel/ndarray.js";
import { type Body, bodiesOf } from "./body.js";
import type { Tensor } from "./tensor.js";
import { ancestors } from "./walk.js";

export interface PrintOptions {
  /** Names for nodes, before those they have of their own. */
  readonly names?: ReadonlyMap<Tensor, string>;
  /** Also show numbers of computed nodes, where they have been read. */
  readonly values?: boolean;
}

/**
 * A graph as text, one node a line, leaves first:
 *
 *     x = placeholder float32[64, 3]
 *     %1 = matmul(x, W) float32[64, 10]
 *     %2 = mul(%1, 0.5) float32[64, 10]
 *     return %2
 *
 * Scalar constants, repeated or not, stand where they are used. Names are made different with a number where two nodes share one.
 */
export function printGraph(outputs: readonly Tensor[], options: PrintOptions = {}): string {
  return listing(outputs, { given: options.names, values: options.values === true, used: new Map(), next: 1 }).join(
    "\n",
  );
}

/** What a listing shares with the listings of the bodies in it: names are different everywhere. */
interface Naming {
  readonly given: PrintOptions["names"];
  readonly values: boolean;
  readonly used: Map<string, number>;
  next: number;
}

function listing(outputs: readonly Tensor[], naming: Naming, inputs: readonly Tensor[] = []): string[] {
  const nodes = ancestors(outputs);
  const names = nameAll([...inputs, ...nodes.filter((node) => !inputs.includes(node))], new Set(outputs), naming);
  const lines = nodes
    .filter((node) => (!isInline(node) || outputs.includes(node)) && !inputs.includes(node))
    .flatMap((node) => [
      line(node, names, naming.values),
      ...bodiesOf(node).flatMap((body, i) => bodyLines(node, body, i, naming)),
    ]);
  const head = inputs.length === 0 ? [] : [inputs.map((input) => names.get(input)).join(", ")];
  return [...head, ...lines, `return ${outputs.map((node) => names.get(node)).join(", ")}`];
}

/** The graph of a loop or a branch, indented under its node: `(carry, x) ->`, then its lines. */
function bodyLines(node: Tensor, { inputs, outputs }: Body, i: number, naming: Naming): string[] {
  const when = bodiesOf(node).length === 1 ? "" : i === 0 ? "true: " : "false: ";
  const lines = listing(outputs, naming, inputs);
  const head = inputs.length === 0 ? "()" : `(${lines.shift()})`;
  return [`  ${when}${head} ->`, ...lines.map((each) => `    ${each}`)];
}

/** A placeholder's label, or the name a program gave: to a value, a random choice, a black box. */
export function ownName(node: Tensor): string | null {
  if (node.label !== null) return node.label;
  const name = (node.params as { readonly name?: unknown } | null | undefined)?.name;
  const gives = ["named", "sample", "external"].includes(node.primitive?.name ?? "");
  return gives && typeof name === "string" ? name : null;
}

/** The names of all nodes in a listing; scalar constants are their number. */
function nameAll(nodes: readonly Tensor[], outputs: ReadonlySet<Tensor>, naming: Naming): Map<Tensor, string> {
  const names = new Map<Tensor, string>();
  const { used } = naming;
  for (const node of nodes) {
    const name = naming.given?.get(node) ?? ownName(node);
    if (name !== null) {
      const before = used.get(name) ?? 0;
      used.set(name, before + 1);
      names.set(node, before === 0 ? name : `${name}#${before + 1}`);
    } else names.set(node, isInline(node) && !outputs.has(node) ? inlineNumber(node) : `%${naming.next++}`);
  }
  return names;
}

/** A number that stands where it is used: a scalar constant, repeated or not. */
export function isInline(node: Tensor): boolean {
  const [input] = node.inputs;
  if (node.primitive?.name === "broadcast" && input !== undefined) return isInline(input);
  return node.primitive === null && node.value !== null && node.shape.length === 0;
}

function line(node: Tensor, names: ReadonlyMap<Tensor, string>, values: boolean): string {
  const name = names.get(node);
  const type = (node.parts ?? [node]).map(({ dtype, shape }) => `${dtype}${show(shape)}`).join(", ");
  if (node.primitive === null)
    return `${name} = ${node.value === null ? "placeholder" : `constant ${shortNumbers(node)}`} ${type}`;
  const params = ownName(node) === null && bodiesOf(node).length === 0 ? paramsInWords(node.params) : "";
  const args = [...node.inputs.map((input) => names.get(input)), ...(params === "" ? [] : [params])].join(", ");
  const known = values && node.value !== null ? ` = ${shortNumbers(node)}` : "";
  const call = node.primitive.words?.(node.params) ?? node.primitive.name;
  return `${name} = ${call}(${args}) ${type}${known}`;
}

/** The number of an inline node. */
export function inlineNumber(node: Tensor): string {
  const [input] = node.inputs;
  return input === undefined ? shortNumbers(node) : inlineNumber(input);
}

/** `3.5`, `[1, 2, 3]`, `[1, 2, 3, … 100]`: the first numbers of a node and how many there are. */
export function shortNumbers(node: Tensor, most = 4): string {
  if (node.value === null) return "?";
  const flat = elements(node.value);
  const shown = [...flat.slice(0, most)]
    .map(shortNumber)
    .map((x) => (node.dtype === "bool" ? (x === "1" ? "true" : "false") : x));
  if (node.shape.length === 0) return shown[0] as string;
  return `[${[...shown, ...(flat.length > most ? [`… ${flat.length}`] : [])].join(", ")}]`;
}

function shortNumber(x: number): string {
  return Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(6)));
}

/** `axis=1, reverse=false`; what is no plain data is left out. */
export function paramsInWords(params: unknown): string {
  if (typeof params !== "object" || params === null) return "";
  return Object.entries(params)
    .flatMap(([key, value]) => {
      const word = plain(value);
      return word === null ? [] : [`${key}=${word}`];
    })
    .join(", ");
}

function plain(value: unknown): string | null {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return value.length > 24 ? null : value;
  if (!Array.isArray(value)) return null;
  const parts = value.map(plain);
  return parts.includes(null) ? null : `[${parts.join(", ")}]`;
}
