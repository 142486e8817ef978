import type { Expectation, Tensor } from "samplegrad";

/** A program's graph as far as people name it: arguments, random choices and named nodes; what lies between is written as a formula. */
export interface DrawnNode {
  readonly id: string;
  readonly kind: "parameter" | "data" | "named" | "site" | "noise" | "cost";
  readonly lines: readonly string[];
  /** A random choice that no derivative goes through. */
  readonly scored?: boolean;
}

export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  /** backprop: a derivative comes back along it; stop: one would, but the draw has none; plain: nothing to differentiate. */
  readonly flow: "backprop" | "stop" | "plain";
}

export interface Drawn {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
  /** From the cost back to the inputs of a random choice, by its log-probability. */
  readonly scores: readonly { readonly site: string; readonly to: readonly string[] }[];
}

export type Plan = ReturnType<Expectation<unknown, unknown[]>["plan"]>;

interface SiteParams {
  readonly name: string;
  readonly family: { readonly name: string };
}

const plumbing = new Set(["broadcast", "reshape", "alias", "validate", "cast", "convert", "named"]);
const signs: Readonly<Record<string, string>> = { add: " + ", sub: " − ", mul: " · ", div: " / ", matmul: " " };
const symbols: Readonly<Record<string, string>> = { sigmoid: "σ" };

export function drawnGraph({ program, plan }: Plan): Drawn {
  const names = namesOf(program);
  const kept = ancestors(program.loss).filter((node) => names.has(node));
  const inputsOf = new Map(kept.map((node) => [node, nearest(node, names)]));
  const inputs = (node: Tensor): readonly Tensor[] => inputsOf.get(node) ?? [];
  const scored = new Set(program.sites.filter((site) => plan.choices.get(site)?.estimator.rest !== "differentiate"));
  const live = new Set<Tensor>(program.holes.slice(0, program.parameters));
  for (const node of kept) if (!scored.has(node) && inputs(node).some((input) => live.has(input))) live.add(node);
  const flow = (from: Tensor, to: Tensor): DrawnEdge["flow"] =>
    !live.has(from) ? "plain" : scored.has(to) ? "stop" : "backprop";
  const noises = program.sites.filter((site) => !scored.has(site));
  return {
    nodes: [
      ...kept.map((node) => {
        return { id: idOf(node), kind: kindOf(node, program), lines: linesOf(node, names), scored: scored.has(node) };
      }),
      ...noises.map((site) => ({ id: `e${site.id}`, kind: "noise" as const, lines: ["ε"] })),
    ],
    edges: [
      ...kept.flatMap((node) =>
        inputs(node).map((input) => ({ from: idOf(input), to: idOf(node), flow: flow(input, node) })),
      ),
      ...noises.map((site) => ({ from: `e${site.id}`, to: idOf(site), flow: "plain" as const })),
    ],
    scores: [...scored].map((site) => ({
      site: idOf(site),
      to: inputs(site)
        .filter((input) => live.has(input))
        .map(idOf),
    })),
  };
}

const idOf = (node: Tensor): string => `n${node.id}`;

/** The names that people gave, without the argument they stand in. */
function namesOf({ loss, sites, holes }: Plan["program"]): Map<Tensor, string> {
  const names = new Map<Tensor, string>(holes.map((hole) => [hole, (hole.label as string).replace(/^\w+\./, "")]));
  for (const site of sites) names.set(site, (site.params as SiteParams).name);
  for (const node of ancestors(loss)) {
    if (node.primitive?.name === "named") names.set(node, (node.params as { readonly name: string }).name);
  }
  return names.set(loss, "cost");
}

function kindOf(node: Tensor, { loss, sites, holes, parameters }: Plan["program"]): DrawnNode["kind"] {
  if (sites.includes(node)) return "site";
  const hole = holes.indexOf(node);
  return hole >= 0 ? (hole < parameters ? "parameter" : "data") : node === loss ? "cost" : "named";
}

/** In the order of the program. */
function ancestors(loss: Tensor): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [loss];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** The closest nodes with a name that this one is computed from. */
function nearest(node: Tensor, names: ReadonlyMap<Tensor, string>): Tensor[] {
  const found = new Set<Tensor>();
  const seen = new Set<Tensor>();
  const stack = [...node.inputs];
  for (let at = stack.pop(); at; at = stack.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    if (names.has(at)) found.add(at);
    else stack.push(...at.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

function linesOf(node: Tensor, names: ReadonlyMap<Tensor, string>): string[] {
  const name = names.get(node) as string;
  const shape = node.rank === 0 ? [] : [node.shape.join(" × ")];
  if (node.primitive === null) return [name, ...shape];
  if (node.primitive.name === "sample") return [`${name} ~ ${(node.params as SiteParams).family.name}`, ...shape];
  const formula = formulaOf(node, names);
  return [
    formula.length > 26 || formula.includes("…")
      ? `${name} = f(${nearest(node, names)
          .map((x) => names.get(x))
          .join(", ")})`
      : `${name} = ${formula}`,
    ...shape,
  ];
}

/** What a node computes from named ones, such as `σ(h W1)`. */
function formulaOf(node: Tensor, names: ReadonlyMap<Tensor, string>, depth = 8): string {
  const inner = (input: Tensor): string => names.get(input) ?? formulaOf(input, names, depth - 1);
  const kind = node.primitive?.name ?? "";
  if (node.primitive === null && node.size === 1 && node.value !== null)
    return String(Number(node.item().toPrecision(3)));
  if (node.primitive === null || depth === 0) return "…";
  if (plumbing.has(kind)) return inner(node.inputs[0] as Tensor);
  const sign = signs[kind];
  if (sign !== undefined) return node.inputs.map(inner).join(sign);
  return `${symbols[kind] ?? kind}(${node.inputs.map(inner).join(", ")})`;
}
