import { show, sizeOf } from "../../base/shape.js";
import { isScan } from "../../control/flow.js";
import type { ScanParams } from "../../control/loop.js";
import type { Order } from "../../estimators/estimator.js";
import { ownName, shortNumbers } from "../../graph/print.js";
import type { Tensor } from "../../graph/tensor.js";
import { named } from "../../primitives/linear.js";
import type { Choice, Plan } from "../choose.js";
import { describe } from "../credit/describe.js";
import { siteParams } from "../differentiability.js";
import { batchOf } from "../site.js";
import type { Opened, ReportOptions } from "./subject.js";

/** What the plan says of each random choice, and of the costs it is charged with. */
export interface SiteReport {
  readonly name: string;
  /** `Bernoulli(probs)` */
  readonly distribution: string;
  readonly shape: { readonly batch: readonly number[]; readonly event: readonly number[] };
  readonly estimator: string;
  readonly why: string;
  readonly bias: "none" | "value" | "gradient";
  readonly baseline: Choice["baseline"];
  /** Joint outcomes the program runs for because of this site; 1 where it is drawn. */
  readonly outcomes: number;
  /** How many derivatives it is right for in this program. */
  readonly orders: Order;
  /** Whether a derivative can come into its parameters at all. */
  readonly differentiated: boolean;
  /** One line per cost: whether, and which elements of it, the site is charged with. Empty where the derivative goes through the value. */
  readonly credit: readonly string[];
  /** Keys of papers; `cite` has their BibTeX. */
  readonly cites: readonly string[];
}

/** A cost array: what is left of the loss when its linear operations are taken off. */
export interface CostReport {
  readonly name: string;
  readonly expression: string;
  readonly shape: readonly number[];
}

/** Names that the program gives to its arguments. */
type Names = ReadonlyMap<Tensor, string>;

export function siteReports({ program, plan }: Opened<ReportOptions>, names: Names): SiteReport[] {
  return program.sites.map((site) => {
    const { name, family, names: params } = siteParams(site);
    const choice = plan.choices.get(site) as Choice;
    const batch = batchOf(program.flow, site);
    return {
      name,
      distribution: `${family.name}(${params.join(", ")})`,
      shape: { batch, event: program.flow.shape(site).slice(batch.length) },
      estimator: choice.estimator.name,
      why: choice.why,
      bias: choice.estimator.bias,
      baseline: choice.baseline,
      outcomes: choice.outcomes,
      orders: (choice.limit?.orders as Order | undefined) ?? choice.estimator.orders,
      differentiated: choice.differentiated,
      credit: creditLines(site, choice, plan, names),
      cites: choice.estimator.cites,
    };
  });
}

export function costReports({ program, plan }: Opened<ReportOptions>, names: Names): CostReport[] {
  const leaves = plan.credit.leaves.length > 0 ? plan.credit.leaves : [program.loss];
  return leaves.map((leaf, i) => ({
    name: `leaf ${i + 1}`,
    expression: costExpression(leaf, names),
    shape: plan.credit.flow.shape(leaf),
  }));
}

function creditLines(site: Tensor, { estimator, differentiated }: Choice, plan: Plan, names: Names): string[] {
  if (estimator.rest === "differentiate" || (!differentiated && !estimator.branches)) return [];
  const { flow } = plan.credit;
  const batch = batchOf(flow, site);
  return plan.credit.leaves.map((leaf, i) => {
    const relation = plan.credit.relation(site, leaf);
    const name = `leaf ${i + 1}`;
    if (relation === "bottom") return `not charged: ${name}`;
    // One element has nothing to be told apart.
    const links = sizeOf(batch) === 1 ? "" : ` [${describe(relation, batch, flow.shape(leaf))}]`;
    return `charged: ${name} (${operation(leaf, names)} ${show(flow.shape(leaf))})${links}`;
  });
}

const silent = new Set(["broadcast", "reshape", "alias", "validate", "detach", "cast", "convert"]);

/** Past operations that only move or retype numbers. */
function past(node: Tensor, names: Names): Tensor {
  let at = node;
  while (at.primitive !== null && !names.has(at)) {
    const inner = outputOfStep(at);
    if (inner === null && !silent.has(at.primitive.name)) break;
    at = inner ?? (at.inputs[0] as Tensor);
  }
  return at;
}

/** What the step of a scan computes for a stacked output. */
function outputOfStep({ inputs: [whole], parts, params }: Tensor): Tensor | null {
  if (!whole?.parts || parts || !isScan(whole)) return null;
  const { body, carries } = whole.params as ScanParams;
  const { index } = params as { readonly index: number };
  return index < carries ? null : (body.outputs[index] as Tensor);
}

/** What a node does, in a word. */
export function operation(node: Tensor, names: Names): string {
  const at = past(node, names);
  return names.get(at) ?? ownName(at) ?? partName(at) ?? at.primitive?.name ?? "constant";
}

/** `scan.0`: one of several results. */
function partName({ inputs: [whole], parts, params }: Tensor): string | null {
  return whole?.parts && !parts ? `${whole.primitive?.name}.${(params as { readonly index: number }).index}` : null;
}

const infix: Readonly<Record<string, string>> = { add: "+", sub: "-", mul: "*", div: "/" };

/** `square(y - matmul(W2, a)) * 0.5`, cut where it is deep; what has a name is called by it. */
export function expression(node: Tensor, names: Names, depth = 6): string {
  const at = past(node, names);
  const name = names.get(at) ?? ownName(at);
  if (at.primitive === null || name !== null) return name ?? shortNumbers(at);
  const piece = partName(at);
  if (piece !== null) return piece;
  if (depth === 0) return "…";
  if (isSquare(at)) return `square(${expression(at.inputs[0] as Tensor, names, depth - 1)})`;
  const parts = at.inputs.map((input) => expression(input, names, depth - 1));
  const sign = infix[at.primitive.name];
  if (sign === undefined) return `${at.primitive.name}(${parts.join(", ")})`;
  const inner = at.inputs.map((input) => depth > 1 && isInfix(past(input, names), names));
  return parts.map((part, i) => (inner[i] ? `(${part})` : part)).join(` ${sign} `);
}

/** A cost with a name of its own is told by the name and by what it is. */
function costExpression(leaf: Tensor, names: Names): string {
  const at = past(leaf, names);
  return at.primitive === named
    ? `${ownName(at)} = ${expression(at.inputs[0] as Tensor, names)}`
    : expression(at, names);
}

function isSquare({ primitive, inputs }: Tensor): boolean {
  return primitive?.name === "mul" && inputs[0] === inputs[1];
}

function isInfix(node: Tensor, names: Names): boolean {
  return (
    !names.has(node) &&
    ownName(node) === null &&
    !isSquare(node) &&
    node.primitive !== null &&
    node.primitive.name in infix
  );
}
