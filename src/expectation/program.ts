import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { Flow } from "../control/flow.js";
import { pruned } from "../control/prune.js";
import { settleRanges } from "../control/ranges.js";
import type { Distribution } from "../distributions/distribution.js";
import { unshared } from "../graph/body.js";
import { type AxisName, apply, idMark, placeholder, type Tensor } from "../graph/tensor.js";
import { loopSteps, transforming } from "../graph/trace.js";
import { ancestors } from "../graph/walk.js";
import { reshapeTo } from "../primitives/linear.js";
import { foldIn, hash } from "../random/key.js";
import { pathName, scalarLoss, type tensorsOf } from "../transforms/trees.js";
import { type Handler, handling, type SampleOptions } from "./effects.js";
import { type SiteParams, sampleNode } from "./site.js";

/** One traced program: placeholders for what a call brings, the random choices, and the cost of one run. */
export interface Program {
  /** The leaves of the first argument, then those of the rest. */
  readonly holes: readonly Tensor[];
  /** How many of `holes` are parameters. */
  readonly parameters: number;
  /** The graph with its loops open. */
  readonly flow: Flow;
  readonly key: Tensor;
  readonly run: Tensor;
  /** The axis that its runs will be on. */
  readonly axis: AxisName;
  /** Random choices that reach the loss (or were read), in topological order. */
  readonly sites: readonly Tensor[];
  /** Of all random choices, those without influence included. */
  readonly names: readonly string[];
  /** Scalar. */
  readonly loss: Tensor;
  /** Float nodes of an outer graph that f captured: inside another transform a derivative may come into them. */
  readonly captured: readonly Tensor[];
  /** For dynamic programs: nodes with an id of at least `from` were built after `site` (or what it reaches) was read. */
  readonly reads: readonly { readonly site: Tensor; readonly from: number }[];
}

export type Trees = readonly ReturnType<typeof tensorsOf>[];
// biome-ignore lint/suspicious/noExplicitAny: the program's own types are checked where `expectation` is called.
export type ProgramFunction = (...args: any[]) => unknown;

/** Names of sites: given, or by kind and order. @throws on a name used twice */
export class SiteNames {
  private readonly used = new Set<string>();
  private readonly hashes = new Map<number, string>();
  private readonly counts = new Map<string, number>();

  all(): string[] {
    return [...this.used];
  }

  next(kind: string, name: string | undefined): string {
    const count = this.counts.get(kind) ?? 0;
    if (name === undefined) this.counts.set(kind, count + 1);
    const chosen = name ?? `${kind}_${count}`;
    if (this.used.has(chosen))
      fail({
        where: `sample "${chosen}"`,
        got: "a second site of this name",
        expected: "names used once",
        write: "another name, or one site with a batch shape",
      });
    const twin = this.hashes.get(hash(chosen));
    if (twin !== undefined)
      fail({
        where: `sample "${chosen}"`,
        got: `the same noise as "${twin}": their names have one hash`,
        expected: "noise of its own",
        write: "another name",
      });
    this.hashes.set(hash(chosen), chosen);
    this.used.add(chosen);
    return chosen;
  }
}

/** The node of a random choice. @throws where its estimator needs what the distribution does not give */
export function siteNode(d: Distribution<never>, { estimator }: SampleOptions<never>, name: string): Tensor {
  const names = Object.keys(d.params);
  // In a loop also the steps, by which its noise is numbered.
  const inputs = [...names.map((n) => d.params[n] as Tensor), ...loopSteps()];
  return apply(sampleNode, inputs, { name, family: d.family, names, estimator: estimator ?? null });
}

/** `randomKey` of one run: a key per name, or per order of the calls. */
export function runKeys(key: Tensor, run: Tensor): Handler["randomKey"] {
  let calls = 0;
  return (name) => {
    const own = loopSteps().reduce((k, step) => foldIn(k, step), foldIn(key, name ?? `key_${calls++}`));
    return foldIn(own, run);
  };
}

/** The handler of a trace: sites become nodes, observations their log-density. */
export function tracing(names: SiteNames, key: Tensor, run: Tensor): Handler {
  return {
    sample: (d, options) => siteNode(d, options, names.next(d.name, options.name)),
    observe: (d, value) => d.logProb(value),
    randomKey: runKeys(key, run),
  };
}

/** Runs f once on placeholders. */
export function traceProgram(f: ProgramFunction, trees: Trees): Program {
  const holes: Tensor[] = [];
  const args = trees.map((tree, k) =>
    tree.rebuild(
      tree.leaves.map((x, i) => {
        const hole = placeholder(x, pathName(argumentName(k), tree.paths[i] as string));
        holes.push(hole);
        return hole;
      }),
    ),
  );
  const key = placeholder({ shape: [2], dtype: "uint32" }, "key");
  const run = placeholder({ shape: [], dtype: "uint32" }, "run");
  const names = new SiteNames();
  const from = idMark();
  const result = transforming("expectation", () => handling(tracing(names, key, run), () => f(...args)));
  const [loss] = pruned(unshared([costOf(result)], from), from) as [Tensor];
  const flow = new Flow([loss]);
  settleRanges(flow, [loss]);
  return {
    holes,
    flow,
    parameters: trees[0]?.leaves.length ?? 0,
    key,
    run,
    axis: { label: "runs" },
    sites: sitesIn(flow, loss, from),
    names: names.all(),
    captured: capturedIn([loss], from, [...holes, key, run]),
    loss,
    reads: [],
  };
}

/** Unknowns older than the trace: neither its own placeholders nor plain constants. */
export function capturedIn(outputs: readonly Tensor[], from: number, own: readonly Tensor[]): Tensor[] {
  const ours = new Set(own);
  const older = ancestors(outputs, (node) => node.id >= from).filter((node) => node.id < from && !ours.has(node));
  return older.filter((node) => isFloat(node.dtype) && (node.primitive !== null || node.label !== null));
}

/**
 * From the graph and not from the calls of `sample`: vmap and compile inside the program rebuild sites. Older ones belong to an outer
 * program.
 */
function sitesIn(flow: Flow, loss: Tensor, from: number): Tensor[] {
  const sites = flow
    .ancestors([loss], (node) => node.id >= from)
    .filter((node) => node.primitive === sampleNode && node.id >= from);
  const seen = new Set<string>();
  for (const site of sites) {
    const { name } = site.params as SiteParams;
    if (seen.has(name))
      fail({
        where: `sample "${name}"`,
        got: "one site twice in the graph, with the same noise",
        expected: "one node per random choice",
        write: "sample outside the function that is mapped or compiled, or call that function once",
      });
    seen.add(name);
  }
  return sites;
}

export function argumentName(k: number): string {
  return k === 0 ? "params" : k === 1 ? "data" : `data${k}`;
}

export function costOf(result: unknown): Tensor {
  const loss = reshapeTo(scalarLoss("expectation", result), []);
  return isFloat(loss.dtype)
    ? loss
    : fail({
        where: "expectation",
        got: `a ${loss.dtype} loss`,
        expected: "float32 or float64",
        write: 'loss.toDType("float32")',
      });
}
