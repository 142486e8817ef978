import type { AnyEstimator } from "../estimators/estimator.js";
import type { TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import { asKey } from "../random/key.js";
import { checkFrozen, isPowerOfTwo } from "../runtime/compile.js";
import type { HessianOf } from "../transforms/grad.js";
import type { GradOf } from "../transforms/trees.js";
import { choose } from "./choose.js";
import { siteParams } from "./differentiability.js";
import type { Choosing } from "./draft.js";
import type { Estimate } from "./estimate.js";
import { type Call, Evaluator } from "./evaluate.js";
import { recordedFor } from "./given.js";
import { inlineEstimate } from "./inline.js";
import { type CallOptions, checkBias, checkFloats, type Settled, split } from "./options.js";
import { type Program, type ProgramFunction, type Trees, traceProgram } from "./program.js";
import { lazyStderr, nested, type ValueAndGrad } from "./results.js";
import { type Derivatives, oneRun } from "./runs.js";
import { spreadReason } from "./spread.js";

/** The calls of an expectation of a traced program: found in the cache or traced, with what the caller brought. */
export interface Opened {
  readonly trees: Trees;
  readonly ev: Evaluator;
  readonly how: CallOptions;
}

export type Open = (args: readonly unknown[], order: number, sources: Choosing["sources"]) => Opened;

/** What a call needs: its arguments as tensors, the traced program at their types, its options. */
export function opener(f: ProgramFunction, settled: Settled): Open {
  const cached = cache(f, settled);
  return (args, order, sources) => {
    const { trees, how } = split(args);
    checkFloats(trees[0]);
    return { trees, ev: cached(trees, order, sources, new Set(Object.keys(how.given ?? {}))), how };
  };
}

interface Entry {
  readonly ev: Evaluator;
  calls: number;
}

/** Traces and plans by structure, shapes, dtypes and what is asked; the frozen-constant check as in `compile`. */
type Cached = (trees: Trees, order: number, sources: Choosing["sources"], given: ReadonlySet<string>) => Evaluator;

function cache(f: ProgramFunction, { samples, dynamic, allowBias, estimators = {} }: Settled): Cached {
  const entries = new Map<string, Entry>();
  return (trees, order, sources, given) => {
    const types = trees
      .map((tree) => `${tree.structure}:${tree.leaves.map((x) => `${x.dtype}${x.shape}`).join(";")}`)
      .join("|");
    const signature = `${types}#${order}#${sources}#${[...given].sort()}`;
    let entry = entries.get(signature);
    if (entry === undefined) {
      const program = traceProgram(f, trees);
      const how: Choosing = {
        estimators: estimators as { [site: string]: AnyEstimator },
        order,
        runs: samples,
        given,
        sources,
        dynamic,
      };
      const plan = choose(program, how);
      if (!allowBias) for (const [site, { estimator }] of plan.choices) checkBias(siteParams(site).name, estimator);
      entry = { ev: new Evaluator(oneRun(program, plan)), calls: 0 };
      // What was captured of an outer graph is another node at the next call.
      if (program.captured.length === 0 || !insideTransform()) entries.set(signature, entry);
    } else if (isPowerOfTwo(entry.calls))
      checkFrozen("expectation", traced(entry.ev.core.program), traced(traceProgram(f, trees)));
    entry.calls++;
    return entry.ev;
  };
}

function traced({ holes, key, run, loss, sites }: Program): { holes: Tensor[]; outputs: Tensor[] } {
  return { holes: [...holes, key, run], outputs: [loss, ...sites] };
}

export function callOf(ev: Evaluator, trees: Trees, how: CallOptions, { samples, replicates, chunk }: Settled): Call {
  const { draws } = ev.core;
  const key = draws || how.key !== undefined ? asKey("expectation", how.key) : asKey("expectation", 0);
  const given = recordedValues(ev, how.given ?? {}, samples * replicates);
  return {
    leaves: trees.flatMap((tree) => tree.leaves),
    key,
    given,
    samples,
    replicates,
    chunk,
    signal: how.signal,
    onProgress: how.onProgress,
  };
}

function recordedValues(
  ev: Evaluator,
  given: { readonly [site: string]: TensorLike },
  runs: number,
): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  for (const site of ev.core.program.sites) {
    const { name } = siteParams(site);
    if (ev.core.given.has(name))
      out.set(name, recordedFor(ev.core.program.flow, site, given[name] as TensorLike, runs));
  }
  return out;
}

export function biasOf(ev: Evaluator): boolean {
  return [...ev.core.plan.choices.values()].some((choice) => choice.estimator.bias !== "none");
}

/** The estimate as part of an outer graph. */
export function inlineOf(
  { trees, ev, how }: Opened,
  settled: Settled,
  order: Derivatives,
): ReturnType<typeof inlineEstimate> {
  return inlineEstimate(ev, callOf(ev, trees, how, settled), order);
}

export function inlineGrad<P>(opened: Opened, settled: Settled): ValueAndGrad<P> {
  const { value, derivatives, stderrs } = inlineOf(opened, settled, 1);
  const rebuild = (list: readonly Tensor[]): GradOf<P> => opened.trees[0]?.rebuild(list) as GradOf<P>;
  const call = callOf(opened.ev, opened.trees, opened.how, settled);
  return {
    value,
    grad: lazyStderr(rebuild(derivatives), stderrs, rebuild, spreadReason(opened.ev, call)),
    biased: biasOf(opened.ev),
  };
}

export function inlineHessian<P>(opened: Opened, settled: Settled): Estimate<HessianOf<P>> {
  const { derivatives, stderrs } = inlineOf(opened, settled, 2);
  const rebuild = (list: readonly Tensor[]): HessianOf<P> =>
    nested(opened.trees[0] as Trees[number], list) as HessianOf<P>;
  const call = callOf(opened.ev, opened.trees, opened.how, settled);
  return lazyStderr(rebuild(derivatives), stderrs, rebuild, spreadReason(opened.ev, call));
}
