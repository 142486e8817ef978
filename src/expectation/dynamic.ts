import { allocate } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { Flow } from "../control/flow.js";
import type { AnyEstimator } from "../estimators/estimator.js";
import { constant } from "../graph/leaves.js";
import { apply, idMark, leaf, type Tensor } from "../graph/tensor.js";
import { callingAtOnce, insideBody, insideTransform, lastCall, listening, transforming } from "../graph/trace.js";
import { contiguous, dense, elements, type NDArray } from "../kernel/ndarray.js";
import { alias } from "../primitives/linear.js";
import { foldIn, hash } from "../random/key.js";
import { toDType } from "../tensor/elementwise.js";
import { pathName } from "../transforms/trees.js";
import { siteParams } from "./differentiability.js";
import { noteRead, numbersOf, type Reading } from "./dynamicReads.js";
import { type Handler, handling } from "./effects.js";
import {
  argumentName,
  capturedIn,
  costOf,
  type Program,
  type ProgramFunction,
  runKeys,
  SiteNames,
  siteNode,
  type Trees,
} from "./program.js";
import { batchShapeOfSite, paramsOf } from "./site.js";

/**
 * Dynamic programs: f runs once per sample with numbers, so any control flow of the language works. A read of anything that depends on
 * a sample is an edge of the graph: every node built later, in program order, depends on that site.
 */
export interface DynamicRun {
  readonly program: Program;
  /** The values of branching sites on this path through the program. */
  readonly forced: ReadonlyMap<Tensor, Tensor>;
  /** The recorded values of sites that have one. */
  readonly recorded: ReadonlyMap<Tensor, Tensor>;
  /** One over the number of joint outcomes of the branching sites met on this path. */
  readonly share: number;
  /** Whether it had noise that is no site: by `randomKey`, or in a black box. */
  readonly noisy: boolean;
}

export interface DynamicCall {
  readonly f: ProgramFunction;
  readonly trees: Trees;
  readonly key: Tensor;
  readonly estimators: { readonly [site: string]: AnyEstimator };
  /** The recorded value of a site in a run; null when it is drawn. */
  readonly given: (name: string, run: number, site: Tensor) => Tensor | null;
}

const pathLimit = 2 ** 16;

/** All paths of one run: one, unless sites are enumerated, then one per joint outcome, found by trying them in turn. */
export function dynamicRuns(call: DynamicCall, run: number): DynamicRun[] {
  const found: DynamicRun[] = [];
  const from = idMark();
  // One set of nodes for the arguments: the paths of a run are summed and differentiated together.
  const holes = call.trees.map((tree) => tree.leaves.map((x) => apply(alias, [x], null)));
  let choices: number[] = [];
  for (;;) {
    const path = new Path(choices);
    found.push(oneDynamicRun(call, run, path, { holes, from }));
    if (found.length > pathLimit)
      fail({
        where: "expectation",
        got: `more than ${pathLimit} paths through a dynamic program`,
        expected: "fewer",
        write: "scoreFunction() at some of the enumerated sites",
      });
    const next = path.next();
    if (next === null) return found;
    choices = next;
  }
}

/** The outcomes chosen so far on a depth-first walk over the program's paths. */
class Path {
  private readonly chosen: number[];
  private readonly sizes: number[] = [];
  share = 1;

  constructor(chosen: readonly number[]) {
    this.chosen = [...chosen];
  }

  take(outcomes: number): number {
    const place = this.sizes.length;
    this.sizes.push(outcomes);
    this.share /= outcomes;
    if (place >= this.chosen.length) this.chosen.push(0);
    return this.chosen[place] as number;
  }

  next(): number[] | null {
    const out = this.chosen.slice(0, this.sizes.length);
    for (let place = out.length - 1; place >= 0; place--) {
      const up = (out[place] as number) + 1;
      if (up < (this.sizes[place] as number)) return [...out.slice(0, place), up];
    }
    return null;
  }
}

interface Start {
  readonly holes: readonly (readonly Tensor[])[];
  /** Nodes of the program have at least this id. */
  readonly from: number;
}

function oneDynamicRun(call: DynamicCall, run: number, path: Path, { holes, from }: Start): DynamicRun {
  const { f, trees, key } = call;
  const number = constant(run, "uint32");
  const record = newRecord(call, holes, number, from);
  const args = trees.map((tree, k) => tree.rebuild(holes[k] as readonly Tensor[]));
  const body = (): unknown =>
    listening(
      (node) => noteRead(node, record),
      () => callingAtOnce(() => handling(drawing(call, run, path, record), () => f(...args))),
    );
  const mark = idMark();
  const result = transforming("expectation", () => withCallsOfItsOwn(body, record));
  // A fresh node: which of several costs was returned may hang on what was read.
  const loss = apply(alias, [costOf(result)], null);
  const { sites, reads, names, forced, recorded } = record;
  const parameters = trees[0]?.leaves.length ?? 0;
  const program = {
    flow: new Flow([loss, ...sites]),
    holes: holes.flat(),
    parameters,
    key,
    run: number,
    axis: { label: "runs" },
    sites,
    names: names.all(),
    captured: capturedIn([loss, ...sites], mark, [...holes.flat(), key]),
    loss,
    reads,
  };
  return { program, forced, recorded, share: path.share, noisy: record.noisy };
}

/** What one run leaves behind. */
interface Record extends Reading {
  readonly sites: Tensor[];
  readonly forced: Map<Tensor, Tensor>;
  readonly recorded: Map<Tensor, Tensor>;
  readonly names: SiteNames;
  noisy: boolean;
}

function newRecord({ trees }: DynamicCall, holes: Start["holes"], number: Tensor, from: number): Record {
  const names = (trees[0]?.paths ?? []).map((at) => pathName(argumentName(0), at));
  return {
    sites: [],
    reads: [],
    parameters: new Map((holes[0] ?? []).map((hole, i) => [hole, names[i] as string])),
    number,
    from,
    inside: insideTransform(),
    forced: new Map(),
    recorded: new Map(),
    names: new SiteNames(),
    noisy: false,
  };
}

let open = 0;

/**
 * Inside another transform one run's black boxes are not called after another's. But a run inside a dynamic run is one of its events: what is
 * called later there comes after it.
 */
function withCallsOfItsOwn(body: () => unknown, record: Record): unknown {
  const calls = lastCall();
  const before = [...calls];
  open++;
  try {
    return body();
  } finally {
    // What is not pure may be random.
    if ([...calls.values()].some((node) => node.id >= record.from)) record.noisy = true;
    open--;
    if (open === 0) {
      calls.clear();
      for (const [state, node] of before) calls.set(state, node);
    }
  }
}

/** The handler of a dynamic run: a site is a node of the graph that has its number already. */
function drawing({ key, estimators, given }: DynamicCall, run: number, path: Path, record: Record): Handler {
  const { number, from } = record;
  const keys = runKeys(key, number);
  return {
    sample: (d, options) => {
      const name = record.names.next(d.name, options.name);
      if (insideBody())
        fail({
          where: `sample "${name}"`,
          what: "a dynamic program draws while it runs, and the step of a scan or the branch of a cond is traced once",
          write: "a JavaScript loop or if, or expectation(f) without dynamic",
        });
      const node = siteNode(d, options, name);
      record.sites.push(node);
      const found = given(name, run, node);
      const recorded = found && toDType(found, node.dtype);
      if (recorded) record.recorded.set(node, recorded);
      const branches = (estimators[name] ?? options.estimator)?.branches === true && recorded === null;
      if (branches) record.forced.set(node, outcomeOf(node, path));
      const value = record.forced.get(node) ?? recorded ?? drawOf(node, key, number);
      node.value = contiguous(numbersOf([value], { name, from })[0] as NDArray);
      return node;
    },
    observe: (d, value) => d.logProb(value),
    randomKey: (name) => {
      record.noisy = true;
      return keys(name);
    },
  };
}

function drawOf(site: Tensor, key: Tensor, run: Tensor): Tensor {
  const { name, family } = siteParams(site);
  return family.sample({ key: foldIn(key, hash(name)), run }, paramsOf(site));
}

/** The values of the next untried joint outcome of a site's elements. */
function outcomeOf(site: Tensor, path: Path): Tensor {
  const { family, name } = siteParams(site);
  const { enumerate } = family.gives;
  if (!enumerate)
    return fail({
      where: `sample "${name}"`,
      what: `${family.name} gives no enumerate, which enumerate needs`,
      write: "scoreFunction()",
    });
  const p = paramsOf(site);
  const size = enumerate.size(p);
  const values = elements(numbersOf([enumerate.values(p)])[0] as NDArray);
  const batch = batchShapeOfSite(site).reduce((a, b) => a * b, 1);
  const event = site.size / Math.max(1, batch);
  let outcome = path.take(size ** batch);
  const data = allocate(site.dtype, site.size);
  for (let e = 0; e < batch; e++) {
    const k = outcome % size;
    outcome = Math.floor(outcome / size);
    for (let i = 0; i < event; i++) data[e * event + i] = values[(k * batch + e) * event + i] as number;
  }
  return leaf(dense(data, site.dtype, site.shape));
}
