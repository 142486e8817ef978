import { show } from "../base/shape.js";
import { printGraph } from "../graph/print.js";
import { leaf, type Tensor } from "../graph/tensor.js";
import { currentRuntime } from "../graph/trace.js";
import { contiguous, type NDArray } from "../kernel/ndarray.js";
import { readAll } from "../runtime/read.js";
import { bibtex, citesOf } from "./cite.js";
import { constantLike, type Estimate } from "./estimate.js";
import { displayOf } from "./report/display.js";
import { drawGraph } from "./report/dot.js";
import { adjointsOf, knownNodes, meansOf, type NodeReport } from "./report/nodes.js";
import { indented, inNumbers, short, typeName } from "./report/numbers.js";
import { type CostReport, costReports, type SiteReport, siteReports } from "./report/sites.js";
import { type Opened, open, type ReportOptions, type Subject } from "./report/subject.js";

export interface ExplainOptions extends ReportOptions {
  /** Runs that values and adjoints are averaged over. Default: those of the expectation. */
  readonly samples?: number;
}

/** What `E.explain` found: as data, as text (`String(…)`) and as a drawing for Graphviz. */
export interface Explanation {
  /** E[loss]; null for dynamic programs, where one run is explained. */
  readonly value: Estimate<Tensor> | null;
  readonly sites: readonly SiteReport[];
  /** The cost arrays that sites are charged with. */
  readonly costs: readonly CostReport[];
  /** Parameters, `x.named("…")` and random choices: mean value over runs, and δ = ∂E/∂node. */
  readonly nodes: readonly NodeReport[];
  /** The traced program, one node a line. */
  readonly graph: string;
  readonly text: string;
  /** Graphviz: random choices are ellipses, costs diamonds; dashed red where no derivative passes. */
  readonly dot: string;
  /** BibTeX of the papers the estimators rest on. */
  readonly bibtex: string;
  toString(): string;
}

/** @throws as the expectation itself, where a site or an estimator does not fit */
export function explain(subject: Subject, args: readonly unknown[]): Explanation {
  const opened = open<ExplainOptions>("explain", subject, args, ["key", "given", "samples"]);
  const { plan } = opened;
  const { dynamic, chunk } = subject.options;
  const samples = opened.options.samples ?? subject.options.samples;
  const { loss, names } = displayOf(opened);
  const sites = siteReports(opened, names);
  const costs = costReports(opened, names);
  const { value, nodes } = dynamic ? oneRunNodes(opened) : manyRunNodes(opened, samples, chunk);
  const graph = printGraph([loss], { names });
  const parts = { value, sites, costs, nodes, graph };
  const text = (): string => explanationText(parts, dynamic ? null : samples);
  return {
    ...parts,
    get text(): string {
      return text();
    },
    get dot(): string {
      return drawGraph(opened);
    },
    get bibtex(): string {
      return bibtex(citesOf(plan));
    },
    toString: text,
  };
}

function manyRunNodes(
  opened: Opened<ReportOptions>,
  samples: number,
  chunk: number,
): Pick<Explanation, "nodes"> & { value: Estimate<Tensor> } {
  const known = knownNodes(opened);
  const nodes = known.map(({ node }) => node);
  const means = meansOf(opened, nodes, samples, chunk);
  const { value, deltas, reasons } = adjointsOf(opened, nodes, samples, chunk);
  return {
    value,
    nodes: known.map(({ node, name, kind }, i) => ({
      name,
      kind,
      shape: opened.program.flow.shape(node),
      value: means[i] as Estimate<Tensor>,
      delta: deltas.get(node) ?? null,
      reason: reasons.get(node) ?? null,
    })),
  };
}

/** A dynamic program has a graph for every run: what is known are the numbers of the first. */
function oneRunNodes(opened: Opened<ReportOptions>): Pick<Explanation, "nodes" | "value"> {
  const known = knownNodes(opened);
  const values = currentRuntime().run(
    known.map(({ node }) => node),
    new Map(),
  );
  const reason = "a dynamic program has another graph in every run";
  return {
    value: null,
    nodes: known.map(({ node, name, kind }, i) => {
      const mean = leaf(contiguous(values[i] as NDArray));
      const value = { mean, stderr: constantLike(mean, Number.NaN), dof: 0, reason };
      return { name, kind, shape: node.shape, value, delta: null, reason };
    }),
  };
}

type Parts = Pick<Explanation, "value" | "sites" | "costs" | "nodes" | "graph">;

function explanationText(parts: Parts, samples: number | null): string {
  const over = samples === null ? "one run" : samples === 1 ? "1 run" : `${samples} runs`;
  const random = parts.sites.length === 0 ? "The program samples nothing." : parts.sites.map(siteText).join("\n\n");
  const costs = parts.costs.map((cost) => `${cost.name}: ${cost.expression} ${show(cost.shape)}`).join("\n");
  const nodes = parts.nodes.map(nodeText).join("\n");
  return [
    ...(parts.value === null ? [] : [`E[loss] = ${estimateText(parts.value)}`]),
    `Random choices\n\n${indented(random)}`,
    `Costs\n\n${indented(costs)}`,
    `Nodes: mean over ${over}, and δ = ∂E/∂node\n\n${indented(nodes)}`,
    `Program\n\n${indented(parts.graph)}`,
    ...(parts.sites.some(({ credit }) => credit.some((line) => line.endsWith("]"))) ? [legend] : []),
  ].join("\n\n");
}

const legend =
  "s and n number the elements of the site and of the cost: [s = n] charges each element with its own cost alone, [mixed] every\nelement with every cost.";

function siteText(site: SiteReport): string {
  const { name, distribution, shape, estimator, why, baseline, credit, cites } = site;
  const event = shape.event.length === 0 ? "" : `, event ${show(shape.event)}`;
  const lines = [`estimator: ${estimator} (${why})`];
  if (site.bias !== "none") lines.push(`biased in its ${site.bias}`);
  if (!site.differentiated) lines.push("no derivative comes into its parameters: it is only drawn");
  else if (site.orders !== "any") lines.push(`right for derivatives up to order ${site.orders}`);
  const subtracted = baselines[baseline];
  if (credit.length > 0 && subtracted !== null && estimator !== "enumerate") lines.push(`baseline: ${subtracted}`);
  lines.push(...(credit.length === 0 && site.differentiated ? ["the derivative goes through its value"] : credit));
  if (cites.length > 0) lines.push(`papers: ${cites.join(", ")}`);
  return [`${name} ~ ${distribution}, batch ${show(shape.batch)}${event}`, indented(lines.join("\n"))].join("\n");
}

const baselines: Readonly<Record<SiteReport["baseline"], string | null>> = {
  leaveOneOut: "leaveOneOut, the mean of what the other runs are charged",
  aligned: "aligned, the mean of what the other elements are charged",
  none: "none",
};

function nodeText({ name, value, delta, reason, kind }: NodeReport): string {
  const head = `${name} ${typeName(value.mean)}${kind === "site" ? ", a random choice" : ""}`;
  const slope = delta === null ? `δ: none, ${reason}` : `δ = ${estimateText(delta)}`;
  return `${head}\n  value = ${kind === "site" ? estimateText(value) : estimateText(value).replace(" (exact)", "")}\n  ${slope}`;
}

/** A mean with its error bar: exact where it is 0 throughout. */
function estimateText({ mean, stderr, reason }: Estimate<Tensor>): string {
  if (reason !== null) return `${inNumbers(mean)} (no error bar: ${reason})`;
  const bars = readAll([stderr])[0] as NDArray;
  const largest = largestOf(bars);
  if (largest === 0) return `${inNumbers(mean)} (exact)`;
  return mean.size === 1 || mean.size > 4
    ? `${inNumbers(mean)} ± ${mean.size === 1 ? "" : "at most "}${short(largest, 2)}`
    : `${inNumbers(mean)} ± ${inNumbers(stderr, 2)}`;
}

function largestOf({ data }: NDArray): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, data[i] as number);
  return largest;
}
