import { allocate } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import type { AnyEstimator } from "../estimators/estimator.js";
import { constant } from "../graph/leaves.js";
import { apply, idMark, leaf, type Tensor } from "../graph/tensor.js";
import { callingAtOnce, currentRuntime, listening, transforming } from "../graph/trace.js";
import { ancestors } from "../graph/walk.js";
import { contiguous, dense, elements, type NDArray } from "../kernel/ndarray.js";
import { alias } from "../primitives/linear.js";
import { foldIn, hash } from "../random/key.js";
import { siteParams } from "./differentiability.js";
import { type Handler, handling } from "./effects.js";
import {
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
  /** One over the number of joint outcomes of the branching sites met on this path. */
  readonly share: number;
  /** Whether it drew noise that is no site, by `randomKey`. */
  readonly noisy: boolean;
}

export interface DynamicCall {
  readonly f: ProgramFunction;
  readonly trees: Trees;
  readonly key: Tensor;
  readonly estimators: { readonly [site: string]: AnyEstimator };
  /** The recorded value of a site in a run; null when it is drawn. */
  readonly given: (name: string, run: number) => Tensor | null;
}

const pathLimit = 2 ** 16;

/** All paths of one run: one, unless sites are enumerated, then one per joint outcome, found by trying them in turn. */
export function dynamicRuns(call: DynamicCall, run: number): DynamicRun[] {
  const found: DynamicRun[] = [];
  // One set of nodes for the arguments: the paths of a run are summed and differentiated together.
  const holes = call.trees.map((tree) => tree.leaves.map((x) => apply(alias, [x], null)));
  let choices: number[] = [];
  for (;;) {
    const path = new Path(choices);
    found.push(oneDynamicRun(call, run, path, holes));
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

function oneDynamicRun(call: DynamicCall, run: number, path: Path, holes: readonly (readonly Tensor[])[]): DynamicRun {
  const { f, trees, key } = call;
  const number = constant(run, "uint32");
  const record: Record = { sites: [], forced: new Map(), reads: [], names: new SiteNames(), noisy: false };
  const args = trees.map((tree, k) => tree.rebuild(holes[k] as readonly Tensor[]));
  const body = (): unknown =>
    listening(
      (node) => noteRead(node, record),
      () => callingAtOnce(() => handling(drawing(call, run, number, path, record), () => f(...args))),
    );
  const from = idMark();
  const result = transforming("expectation", body);
  // A fresh node: which of several costs was returned may hang on what was read.
  const loss = apply(alias, [costOf(result)], null);
  const { sites, reads, names, forced } = record;
  const parameters = trees[0]?.leaves.length ?? 0;
  const program = {
    holes: holes.flat(),
    parameters,
    key,
    run: number,
    axis: { label: "runs" },
    sites,
    names: names.all(),
    captured: capturedIn([loss, ...sites], from, [...holes.flat(), key]),
    loss,
    reads,
  };
  return { program, forced, share: path.share, noisy: record.noisy };
}

/** What one run leaves behind. */
interface Record {
  readonly sites: Tensor[];
  readonly forced: Map<Tensor, Tensor>;
  readonly reads: { site: Tensor; from: number }[];
  readonly names: SiteNames;
  noisy: boolean;
}

/** The handler of a dynamic run: a site is a node of the graph that has its number already. */
function drawing(
  { key, estimators, given }: DynamicCall,
  run: number,
  number: Tensor,
  path: Path,
  record: Record,
): Handler {
  const keys = runKeys(key, number);
  return {
    sample: (d, options) => {
      const name = record.names.next(d.name, options.name);
      const node = siteNode(d, options, name);
      record.sites.push(node);
      const recorded = given(name, run);
      const branches = (estimators[name] ?? options.estimator)?.branches === true && recorded === null;
      if (branches) record.forced.set(node, outcomeOf(node, path));
      node.value = contiguous(numbersAt(record.forced.get(node) ?? recorded ?? drawOf(node, key, number)));
      return node;
    },
    observe: (d, value) => d.logProb(value),
    randomKey: (name) => {
      record.noisy = true;
      return keys(name);
    },
  };
}

/** Numbers by the runtime directly: sampling is not a read by the program. */
function numbersAt(node: Tensor): NDArray {
  return node.value ?? (currentRuntime().run([node], new Map())[0] as NDArray);
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
  const values = elements(numbersAt(enumerate.values(p)));
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

/** A read of a node: the sites it depends on steer whatever is built from now on. */
function noteRead(node: Tensor, { sites, reads }: Record): void {
  const first = sites[0];
  if (first === undefined) return;
  const before = new Set(ancestors([node], (n) => n.id >= first.id));
  const from = idMark();
  for (const site of sites)
    if (before.has(site) && !reads.some((read) => read.site === site)) reads.push({ site, from });
}
