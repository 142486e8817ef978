import type { AnyEstimator } from "../estimators/estimator.js";
import type { TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import { asKey } from "../random/key.js";
import { checkFrozen, isPowerOfTwo, signatureOf } from "../runtime/compile.js";
import { type CallType, callType } from "../transforms/callType.js";
import type { HessianOf } from "../transforms/grad.js";
import type { GradOf } from "../transforms/trees.js";
import { choose } from "./choose.js";
import { siteParams } from "./differentiability.js";
import type { Choosing } from "./draft.js";
import type { Estimate } from "./estimate.js";
import { type Evaluation, evaluation } from "./evaluate.js";
import { type Bound, boundTo, type Call, Evaluator } from "./evaluator.js";
import { recordedFor } from "./given.js";
import { inlineEstimate } from "./inline.js";
import { type CallOptions, checkBias, checkFloats, type Settled, split } from "./options.js";
import { type Program, type ProgramFunction, type Trees, traceProgram } from "./program.js";
import { LazyEstimate, lazyStderr, nested, type ValueAndGrad } from "./results.js";
import { type Derivatives, oneRun } from "./runs.js";
import { boundLike } from "./sameCall.js";
import { spread, spreadReason } from "./spread.js";

/** The calls of an expectation of a traced program: found in the cache or traced, with what the caller brought. */
export interface Opened {
  readonly trees: Trees;
  readonly traced: Traced;
  readonly how: CallOptions;
}

/** A program traced and planned at some types of its arguments. */
export class Traced {
  readonly ev: Evaluator;
  readonly type: CallType;
  readonly biased: boolean;
  /** Calls so far, by which the frozen-constant check goes. */
  calls = 0;
  private readonly settled: Settled;
  private readonly evaluations: (Evaluation | undefined)[] = [];
  private readonly rebuild: (list: readonly Tensor[]) => unknown;
  private readonly rebuildTwice: (list: readonly Tensor[]) => unknown;
  private reason: string | null | undefined;

  constructor(ev: Evaluator, trees: Trees, settled: Settled) {
    const { rebuild, leaves } = trees[0] as Trees[number];
    const n = leaves.length;
    this.ev = ev;
    this.type = callType(trees);
    this.biased = [...ev.core.plan.choices.values()].some((choice) => choice.estimator.bias !== "none");
    this.settled = settled;
    this.rebuild = rebuild;
    this.rebuildTwice = (list) => nested(rebuild, n, list);
  }

  evaluation(order: Derivatives): Evaluation {
    this.evaluations[order] ??= evaluation(this.ev, this.settled, order);
    return this.evaluations[order];
  }

  valueAndGrad<P>(bound: Bound): ValueAndGrad<P> {
    const { value, derivatives } = this.evaluation(1).run(bound);
    const rebuild = this.rebuild as (list: readonly Tensor[]) => GradOf<P>;
    const bars = (): ReturnType<typeof spread> => spread(this.ev, this.settled, bound, 1);
    return { value, grad: new LazyEstimate(derivatives, bars, rebuild, this.noSpread()), biased: this.biased };
  }

  hessian<P>(bound: Bound): Estimate<HessianOf<P>> {
    const { derivatives } = this.evaluation(2).run(bound);
    const rebuild = this.rebuildTwice as (list: readonly Tensor[]) => HessianOf<P>;
    return new LazyEstimate(derivatives, () => spread(this.ev, this.settled, bound, 2), rebuild, this.noSpread());
  }

  private noSpread(): string | null {
    if (this.reason === undefined) this.reason = spreadReason(this.ev, this.settled);
    return this.reason;
  }
}

/** Opens calls of one program. */
export class Opener {
  private readonly find: Cached;
  private readonly settled: Settled;
  /** By order, the program of the last call without recorded values. */
  private readonly last: (Traced | undefined)[] = [];

  constructor(f: ProgramFunction, settled: Settled) {
    this.find = cache(f, settled);
    this.settled = settled;
  }

  /** What a call needs: its arguments as tensors, the traced program at their types, its options. */
  open(args: readonly unknown[], order: number, sources: Choosing["sources"]): Opened {
    const { trees, how } = split(args);
    checkFloats(trees[0]);
    return { trees, traced: this.find(trees, order, sources, new Set(Object.keys(how.given ?? {}))), how };
  }

  /** What a call outside every transform needs: the traced program, and its arguments as numbers. */
  bind(args: readonly unknown[], order: number): { readonly traced: Traced; readonly bound: Bound } {
    const last = this.last[order];
    if (last !== undefined && !isPowerOfTwo(last.calls)) {
      const bound = boundLike(last, args);
      if (bound !== null) {
        last.calls++;
        return { traced: last, bound };
      }
    }
    const { trees, traced, how } = this.open(args, order, "params");
    if (traced.ev.core.given.size === 0) this.last[order] = traced;
    return { traced, bound: boundTo(traced.ev.core, callOf(traced.ev, trees, how, this.settled), how) };
  }
}

/** Traces and plans by structure, shapes, dtypes and what is asked; the frozen-constant check as in `compile`. */
type Cached = (trees: Trees, order: number, sources: Choosing["sources"], given: ReadonlySet<string>) => Traced;

function cache(f: ProgramFunction, settled: Settled): Cached {
  const { samples, dynamic, allowBias, estimators = {} } = settled;
  const entries = new Map<string, Traced>();
  return (trees, order, sources, given) => {
    const signature = `${signatureOf(trees)}#${order}#${sources}#${[...given].sort()}`;
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
      entry = new Traced(new Evaluator(oneRun(program, plan)), trees, settled);
      // What was captured of an outer graph is another node at the next call.
      if (program.captured.length === 0 || !insideTransform()) entries.set(signature, entry);
    } else if (isPowerOfTwo(entry.calls))
      checkFrozen("expectation", graphOf(entry.ev.core.program), graphOf(traceProgram(f, trees)));
    entry.calls++;
    return entry;
  };
}

function graphOf({ holes, key, run, loss, sites }: Program): { holes: Tensor[]; outputs: Tensor[] } {
  return { holes: [...holes, key, run], outputs: [loss, ...sites] };
}

function callOf(ev: Evaluator, trees: Trees, how: CallOptions, { samples, replicates, chunk }: Settled): Call {
  const { draws } = ev.core;
  const key = draws || how.key !== undefined ? asKey("expectation", how.key) : asKey("expectation", 0);
  const given = recordedValues(ev, how.given ?? {}, samples * replicates);
  return { leaves: trees.flatMap((tree) => tree.leaves), key, given, samples, replicates, chunk };
}

function recordedValues(
  ev: Evaluator,
  given: { readonly [site: string]: TensorLike },
  runs: number,
): Map<string, Tensor> {
  const { flow, sites } = ev.core.program;
  const byName = new Map(sites.map((site) => [siteParams(site).name, site]));
  return new Map(
    [...ev.core.given.keys()].map((name) => [
      name,
      recordedFor(flow, byName.get(name) as Tensor, given[name] as TensorLike, runs),
    ]),
  );
}

/** The estimate as part of an outer graph. */
export function inlineOf(
  { trees, traced, how }: Opened,
  settled: Settled,
  order: Derivatives,
): ReturnType<typeof inlineEstimate> {
  return inlineEstimate(traced.ev, callOf(traced.ev, trees, how, settled), order);
}

export function inlineGrad<P>(opened: Opened, settled: Settled): ValueAndGrad<P> {
  const { value, derivatives, stderrs } = inlineOf(opened, settled, 1);
  const rebuild = (list: readonly Tensor[]): GradOf<P> => opened.trees[0]?.rebuild(list) as GradOf<P>;
  const reason = spreadReason(opened.traced.ev, settled);
  return { value, grad: lazyStderr(rebuild(derivatives), stderrs, rebuild, reason), biased: opened.traced.biased };
}

export function inlineHessian<P>(opened: Opened, settled: Settled): Estimate<HessianOf<P>> {
  const { derivatives, stderrs } = inlineOf(opened, settled, 2);
  const { rebuild: one, leaves } = opened.trees[0] as Trees[number];
  const rebuild = (list: readonly Tensor[]): HessianOf<P> => nested(one, leaves.length, list) as HessianOf<P>;
  return lazyStderr(rebuild(derivatives), stderrs, rebuild, spreadReason(opened.traced.ev, settled));
}
