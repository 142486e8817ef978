import { isFloat } from "../../base/dtype.js";
import { NoGradientError } from "../../base/errors.js";
import { Flow } from "../../control/flow.js";
import { scoreFunction } from "../../estimators/index.js";
import { ownName } from "../../graph/print.js";
import { leaf, placeholder, type Tensor } from "../../graph/tensor.js";
import { currentRuntime } from "../../graph/trace.js";
import { again, ancestors } from "../../graph/walk.js";
import { dense, elements, type NDArray } from "../../kernel/ndarray.js";
import { named } from "../../primitives/linear.js";
import { readAll } from "../../runtime/read.js";
import { zeros } from "../../tensor/construct.js";
import { add } from "../../tensor/elementwise.js";
import { batchGraph } from "../../transforms/vmap.js";
import { type Choice, choose, type Plan } from "../choose.js";
import { dependents, siteParams } from "../differentiability.js";
import { addRows, Blocks, constantLike, type Estimate } from "../estimate.js";
import { evaluation } from "../evaluate.js";
import { boundTo, chunksOf, Evaluator } from "../evaluator.js";
import type { Program } from "../program.js";
import { rewrite } from "../rewrite.js";
import { oneRun } from "../runs.js";
import { spread, spreadReason } from "../spread.js";
import type { Opened, ReportOptions } from "./subject.js";

/** Values and adjoints of the nodes of a program that a person gave a name. */
export interface NodeReport {
  readonly name: string;
  readonly kind: "parameter" | "named" | "site";
  readonly shape: readonly number[];
  /** The mean over runs, with its error bar. */
  readonly value: Estimate<Tensor>;
  /** δ = ∂E/∂node with its error bar; null where there is none. */
  readonly delta: Estimate<Tensor> | null;
  /** Why there is no δ. */
  readonly reason: string | null;
}

interface Node {
  readonly node: Tensor;
  readonly name: string;
  readonly kind: NodeReport["kind"];
}

/** Parameters, named nodes and random choices that the cost is computed from, in the order of the program. */
export function knownNodes({ program, names }: Pick<Opened<ReportOptions>, "program" | "names">): Node[] {
  const { flow } = program;
  const sites = new Set(program.sites);
  const parameters = new Map(program.holes.slice(0, program.parameters).map((hole, i) => [hole, names[i] as string]));
  return flow
    .ancestors([program.loss])
    .filter((node) => parameters.has(node) || sites.has(node) || node.primitive === named)
    .map((node) => {
      const kind = parameters.has(node) ? "parameter" : sites.has(node) ? "site" : "named";
      return { node, kind, name: parameters.get(node) ?? (ownName(node) as string) };
    });
}

/** Means over runs of nodes of the traced program. Enumerated sites are drawn here: a run is what the program would do. */
export function meansOf(
  opened: Opened<ReportOptions>,
  nodes: readonly Tensor[],
  samples: number,
  chunk: number,
): Estimate<Tensor>[] {
  const { program, trees, key, given } = opened;
  const { flow } = program;
  const recorded = recordedHoles(opened);
  const inside = new Set(nodes.filter((node) => flow.home(node) !== null));
  const { map, lifted } = rewrite(program, drawnOnly(opened.plan), { outcomes: new Map(), given: recorded }, inside);
  const outputs = nodes.map((node) => lifted.get(node) ?? map.get(node) ?? node);
  const start = readAll([...trees.flatMap((tree) => tree.leaves), key]);
  const blocks = nodes.map((node) => new Blocks(flow.shape(node)));
  let varies: readonly boolean[] = [];
  let first = 0;
  for (const count of chunksOf(samples, chunk)) {
    const runs = placeholder({ shape: [count], dtype: "uint32" }, "runs");
    const values = [...recorded.keys()].map((site) =>
      (given.get(siteParams(site).name) as Tensor).slice(first, first + count),
    );
    const many = batchGraph(outputs, [program.run, ...recorded.values()], [runs, ...values], count, program.axis);
    varies = many.batched;
    const feeds = new Map<Tensor, NDArray>(program.holes.map((hole, i) => [hole, start[i] as NDArray]));
    feeds.set(program.key, start[start.length - 1] as NDArray);
    feeds.set(
      runs,
      dense(
        Uint32Array.from({ length: count }, (_, i) => first + i),
        "uint32",
        [count],
      ),
    );
    currentRuntime()
      .run(many.outputs, feeds)
      .forEach((array, i) => {
        if (many.batched[i]) addRows(blocks[i] as Blocks, array, 1);
        else (blocks[i] as Blocks).add(elements(array), count);
      });
    first += count;
  }
  return nodes.map(({ dtype }, i) =>
    estimateOf(blocks[i] as Blocks, isFloat(dtype) ? dtype : "float32", varies[i] === true, samples),
  );
}

/** Placeholders for recorded values, of all steps of the loops around their sites. */
function recordedHoles({ program: { flow, sites }, given }: Opened<ReportOptions>): Map<Tensor, Tensor> {
  const known = sites.filter((site) => given.has(siteParams(site).name));
  return new Map(
    known.map((site) => [site, placeholder({ shape: flow.shape(site), dtype: site.dtype }, siteParams(site).name)]),
  );
}

function estimateOf(blocks: Blocks, dtype: Tensor["dtype"], varies: boolean, samples: number): Estimate<Tensor> {
  const mean = blocks.mean(dtype);
  if (!varies) return { mean, stderr: constantLike(mean, 0), dof: Number.POSITIVE_INFINITY, reason: null };
  const reason = samples < 2 ? "one run has no spread: take samples ≥ 2" : null;
  return { mean, stderr: reason ? constantLike(mean, Number.NaN) : blocks.stderr(dtype), dof: samples - 1, reason };
}

/** The plan of a program that only runs: nothing is enumerated and nobody differentiates. */
function drawnOnly(plan: Plan): Plan {
  const draw = scoreFunction({ baseline: "none" });
  const drawn = ({ estimator, ...choice }: Choice): Choice => ({
    ...choice,
    estimator: estimator.branches ? draw : estimator,
    differentiated: false,
    baseline: "none",
    outcomes: 1,
    limit: null,
  });
  return { ...plan, outcomes: 1, choices: new Map([...plan.choices].map(([site, choice]) => [site, drawn(choice)])) };
}

export interface Adjoints {
  readonly value: Estimate<Tensor>;
  /** By node; missing where there is none. */
  readonly deltas: ReadonlyMap<Tensor, Estimate<Tensor>>;
  readonly reasons: ReadonlyMap<Tensor, string>;
}

/** δ of every node: the derivative of the expectation by a zero that is added to it. */
export function adjointsOf(
  opened: Opened<ReportOptions>,
  nodes: readonly Tensor[],
  samples: number,
  chunk: number,
): Adjoints {
  const { program, plan } = opened;
  const reasons = new Map<Tensor, string>();
  const sources = program.holes.slice(0, program.parameters);
  const reached = dependents(program, sources, new Set());
  const asked = nodes.filter((node) => {
    const reason = whyNot(node, plan, reached, program.flow);
    if (reason !== null) reasons.set(node, reason);
    return reason === null;
  });
  try {
    const found = probe(opened, asked, samples, chunk, 1);
    return {
      value: found.value,
      deltas: new Map(asked.map((node, i) => [node, found.deltas[i] as Estimate<Tensor>])),
      reasons,
    };
  } catch (error) {
    if (!(error instanceof NoGradientError)) throw error;
  }
  // Some derivative does not exist: one after another, so that the others still get theirs.
  const deltas = new Map<Tensor, Estimate<Tensor>>();
  for (const node of asked) {
    try {
      deltas.set(node, probe(opened, [node], samples, chunk, 1).deltas[0] as Estimate<Tensor>);
    } catch (error) {
      if (!(error instanceof NoGradientError)) throw error;
      reasons.set(node, error.message);
    }
  }
  return { value: probe(opened, [], samples, chunk, 0).value, deltas, reasons };
}

function whyNot(node: Tensor, plan: Plan, reached: ReadonlySet<Tensor>, flow: Flow): string | null {
  const choice = plan.choices.get(node);
  if (choice && choice.estimator.rest !== "differentiate") {
    const { names } = siteParams(node);
    return `∂${siteParams(node).name}/∂${names.join(", ∂")} does not exist: the derivative goes through its probability`;
  }
  if (!isFloat(node.dtype)) return `${node.dtype} has no derivative`;
  if (!reached.has(node)) return "no parameter reaches it";
  return flow.home(node) === null ? null : "it is inside a loop or a branch";
}

function probe(
  { program, trees, choosing, key, given }: Opened<ReportOptions>,
  nodes: readonly Tensor[],
  samples: number,
  chunk: number,
  order: 0 | 1,
): { value: Estimate<Tensor>; deltas: Estimate<Tensor>[] } {
  const { parameters, holes } = program;
  const inner = nodes.filter((node) => !holes.includes(node));
  const probes = inner.map((node) => placeholder(node, `δ ${ownName(node)}`));
  const probed = withProbes(program, new Map(inner.map((node, i) => [node, probes[i] as Tensor])));
  const ev = new Evaluator(oneRun(probed, choose(probed, { ...choosing, runs: samples })));
  const leaves = trees.flatMap((tree) => tree.leaves);
  const zero = inner.map(({ shape, dtype }) => zeros(shape, { dtype }));
  const all = [...leaves.slice(0, parameters), ...zero, ...leaves.slice(parameters)];
  const sizes = { samples, replicates: 1, chunk };
  const bound = boundTo(ev.core, { leaves: all, key, given });
  const { value, derivatives } = evaluation(ev, sizes, order).run(bound);
  let bars: readonly Tensor[] | null = null;
  const stderrs = (): readonly Tensor[] => {
    bars ??= spread(ev, sizes, bound, 1).stderrs;
    return bars;
  };
  const reason = spreadReason(ev, sizes);
  const deltas = nodes.map((node): Estimate<Tensor> => {
    const i = holes.includes(node) ? holes.indexOf(node) : parameters + inner.indexOf(node);
    return {
      mean: order === 0 ? leaf(dense(new Float32Array(0), "float32", [0])) : leaf(derivatives[i] as NDArray),
      get stderr(): Tensor {
        return stderrs()[i] as Tensor;
      },
      dof: value.dof,
      reason,
    };
  });
  return { value, deltas };
}

/** The program with a fresh parameter added to each of some nodes. */
function withProbes(program: Program, probes: ReadonlyMap<Tensor, Tensor>): Program {
  const map = new Map<Tensor, Tensor>();
  for (const node of ancestors([program.loss, ...program.sites.filter((each) => program.flow.home(each) === null)])) {
    const ins = node.inputs.map((input) => map.get(input) ?? input);
    const rebuilt = ins.some((input, i) => input !== node.inputs[i]) ? again(node, ins) : node;
    const hole = probes.get(node);
    const out = hole ? add(rebuilt, hole) : rebuilt;
    if (out !== node) map.set(node, out);
  }
  const { parameters, holes } = program;
  // A site that is probed itself: the site is what the zero is added to.
  const site = (node: Tensor): Tensor => {
    const out = map.get(node) ?? node;
    return probes.has(node) ? (out.inputs[0] as Tensor) : out;
  };
  const loss = map.get(program.loss) ?? program.loss;
  const sites = program.sites.map(site);
  return {
    ...program,
    flow: new Flow([loss, ...sites.filter((each) => program.flow.home(each) === null)]),
    loss,
    sites,
    holes: [...holes.slice(0, parameters), ...probes.values(), ...holes.slice(parameters)],
    parameters: parameters + probes.size,
  };
}
