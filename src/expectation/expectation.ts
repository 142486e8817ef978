import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import type { AnyEstimator, Estimator } from "../estimators/estimator.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import { asKey, type KeyLike } from "../random/key.js";
import { checkFrozen, isPowerOfTwo } from "../runtime/compile.js";
import type { HessianOf } from "../transforms/grad.js";
import { type GradOf, type Like, type LikeAll, pathName, tensorsOf } from "../transforms/trees.js";
import { type AuditOptions, type AuditResult, audit } from "./audit.js";
import { type Choosing, checkNames, choose } from "./choose.js";
import { type DynamicOptions, evaluateDynamic, inlineDynamic } from "./dynamicEvaluate.js";
import { constantLike, type Estimate } from "./estimate.js";
import { type Call, Evaluator, evaluate } from "./evaluate.js";
import { type ExplainOptions, type Explanation, explain } from "./explain.js";
import { inlineEstimate } from "./inline.js";
import { argumentName, type Program, type ProgramFunction, type Trees, traceProgram } from "./program.js";
import { type OneRun, oneRun } from "./runs.js";
import { type Spread, spread, spreadReason } from "./spread.js";

/** E[f]: the value and the gradient of the expectation of a program with random choices in it. */
export interface ExpectationOptions {
  /** Runs S of the program. Default 1. */
  readonly samples?: number;
  /** Independent estimates of S runs each, whose spread is the error bar where S is small. Default 1. */
  readonly replicates?: number;
  /** Runs computed at once; a leave-one-out baseline stays within its chunk. Default 4096. */
  readonly chunk?: number;
  /** By site name; overrides what the program says. */
  // biome-ignore lint/suspicious/noExplicitAny: what a site gives is checked against needs when the program is known.
  readonly estimators?: { readonly [site: string]: Estimator<any> };
  /** The highest derivative that will be taken, 1 or 2: estimators that would miss part of it are not chosen. Default 1. */
  readonly order?: 1 | 2;
  /** Run the program once per sample with numbers, so that any control flow works. Default false. */
  readonly dynamic?: boolean;
  /** Let biased estimators through; the result says so. Default false. */
  readonly allowBias?: boolean;
}

export interface CallOptions {
  /** A seed or a key; needed as soon as something is drawn. */
  readonly key?: KeyLike;
  /** Recorded values by site name [samples, ...site shape], scored instead of drawn. With samples 1 the first axis may be left out. */
  readonly given?: { readonly [site: string]: TensorLike };
  /** Stops between chunks. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (runsDone: number, runs: number) => void;
}

type Args<P, D extends readonly unknown[]> = [params: Like<P>, ...data: LikeAll<D>, options: CallOptions];
type ArgsMaybe<P, D extends readonly unknown[], O> =
  | [params: Like<P>, ...data: LikeAll<D>]
  | [params: Like<P>, ...data: LikeAll<D>, options: O];

export interface ValueAndGrad<P> {
  readonly value: Estimate<Tensor>;
  readonly grad: Estimate<GradOf<P>>;
  readonly biased: boolean;
}

export interface Expectation<P, D extends readonly unknown[]> {
  readonly f: (params: P, ...data: [...D]) => TensorLike;
  readonly options: Required<Omit<ExpectationOptions, "estimators">> & Pick<ExpectationOptions, "estimators">;
  /** The value. Inside grad, hessian, compile … its mean is a node whose derivatives are those of the expectation. */
  value(...args: Args<P, D>): Estimate<Tensor>;
  /** Value and gradient with respect to the first argument; the error bars of the gradient are computed when read. */
  valueAndGrad(...args: Args<P, D>): ValueAndGrad<P>;
  /** Second derivatives, blocks [...first, ...second] per pair of parameters. */
  hessian(...args: Args<P, D>): Estimate<HessianOf<P>>;
  /** Which estimator at which site and why, who is charged with which cost, values and adjoints of named nodes; as text and as a drawing. */
  explain(...args: ArgsMaybe<P, D, ExplainOptions>): Explanation;
  /** Bias, variance and cost of every admissible estimator at every site. */
  audit(...args: ArgsMaybe<P, D, AuditOptions>): Promise<AuditResult>;
  /** The traced program and its plan, for tools. */
  plan(...args: Args<P, D>): OneRun;
}

/**
 * The expectation of f over its random choices. f(params, ...data) returns one scalar cost per run and must be pure.
 * @throws where an option is out of range, a site is unknown, an estimator does not fit, or a derivative would be wrong
 */
export function expectation<P, D extends unknown[]>(
  f: (params: P, ...data: D) => TensorLike,
  options: ExpectationOptions = {},
): Expectation<P, D> {
  const settled = settle(options);
  const cached = cache(f as ProgramFunction, settled);
  const open = (args: readonly unknown[], order: number, sources: Choosing["sources"]): Opened => {
    const { trees, how } = split(args);
    checkFloats(trees[0]);
    return { trees, ev: cached(trees, order, sources, new Set(Object.keys(how.given ?? {})), settled), how };
  };
  const asked = settled.order;
  const checked = new Once();
  return {
    f: f as Expectation<P, D>["f"],
    options: settled,
    value: (...args) => {
      if (settled.dynamic) return dynamicValue(dynamicOf(f as ProgramFunction, args, settled, asked, checked));
      if (insideTransform()) return inlineOf(open(args, asked, "all"), settled, 0).value;
      const { trees, ev, how } = open(args, asked, "params");
      return evaluate(ev, callOf(ev, trees, how, settled), 0).value;
    },
    valueAndGrad: (...args) => {
      if (settled.dynamic) return dynamicDerivatives(dynamicOf(f as ProgramFunction, args, settled, asked, checked));
      if (insideTransform()) return inlineGrad<P>(open(args, asked, "all"), settled);
      const { trees, ev, how } = open(args, asked, "params");
      const call = callOf(ev, trees, how, settled);
      const { value, derivatives } = evaluate(ev, call, 1);
      const rebuild = (list: readonly Tensor[]): GradOf<P> => trees[0]?.rebuild(list) as GradOf<P>;
      return {
        value,
        grad: lazyStderr(rebuild(derivatives), () => spread(ev, call, 1), rebuild, spreadReason(ev, call)),
        biased: biasOf(ev),
      };
    },
    hessian: (...args) => {
      if (settled.dynamic) return dynamicHessian(dynamicOf(f as ProgramFunction, args, settled, 2, checked));
      const { trees, ev, how } = open(args, 2, insideTransform() ? "all" : "params");
      const call = callOf(ev, trees, how, settled);
      const { derivatives } = evaluate(ev, call, 2);
      const rebuild = (list: readonly Tensor[]): HessianOf<P> =>
        nested(trees[0] as Trees[number], list) as HessianOf<P>;
      return lazyStderr(rebuild(derivatives), () => spread(ev, call, 2), rebuild, spreadReason(ev, call));
    },
    explain: (...args) => explain({ f: f as ProgramFunction, options: settled }, args),
    audit: (...args) => audit({ f: f as ProgramFunction, options: settled }, args),
    plan: (...args) => open(args, asked, "params").ev.core,
  };
}

/** Sites of a dynamic program may be rare, so only the first call checks that names are known. */
class Once {
  private done = false;

  once(check: () => void): void {
    if (!this.done) check();
    this.done = true;
  }
}

interface DynamicOpened extends DynamicOptions {
  readonly trees: Trees;
}

/** A dynamic call: nothing is cached, since every run may take another path. */
function dynamicOf(
  f: ProgramFunction,
  args: readonly unknown[],
  settled: Settled,
  order: 1 | 2,
  checked: Once,
): DynamicOpened {
  const { trees, how } = split(args);
  const estimators = (settled.estimators ?? {}) as { [site: string]: AnyEstimator };
  const recorded = new Map(Object.entries(how.given ?? {}).map(([name, value]) => [name, asTensor(value)]));
  const given = (name: string, run: number): Tensor | null => {
    const value = recorded.get(name);
    if (value === undefined) return null;
    if (value.shape[0] !== settled.samples)
      fail({
        where: `given "${name}"`,
        got: `shape [${value.shape.join(", ")}]`,
        expected: `${settled.samples} recorded values in front: samples, then the site`,
      });
    return value.at(run);
  };
  const sources = insideTransform() ? "all" : "params";
  const choosing: Choosing = {
    estimators,
    order,
    runs: settled.samples,
    given: new Set(recorded.keys()),
    sources,
    dynamic: true,
  };
  const call = { f, trees, key: asKey("expectation", how.key), estimators, given };
  return {
    trees,
    call,
    choosing,
    checkNames: (known) => checked.once(() => checkNames(known, choosing)),
    samples: settled.samples,
    chunk: settled.chunk,
    signal: how.signal,
    onProgress: how.onProgress,
  };
}

function dynamicValue(options: DynamicOpened): Estimate<Tensor> {
  if (!insideTransform()) return evaluateDynamic(options, 0).value;
  const mean = inlineDynamic(options);
  return {
    mean,
    stderr: constantLike(mean, Number.NaN),
    dof: 0,
    reason: "inside another transform a dynamic program has no error bar",
  };
}

function dynamicDerivatives<P>(options: DynamicOpened): ValueAndGrad<P> {
  if (insideTransform())
    fail({
      where: "expectation",
      what: "valueAndGrad of a dynamic program does not work inside another transform",
      write: "differentiate E.value(…).mean there",
    });
  const { value, derivatives, spread: bars, biased } = evaluateDynamic(options, 1);
  const rebuild = (list: readonly Tensor[]): GradOf<P> => options.trees[0]?.rebuild(list) as GradOf<P>;
  return { value, grad: lazyStderr(rebuild(derivatives), () => bars, rebuild, bars.reason), biased };
}

function dynamicHessian<P>(options: DynamicOpened): Estimate<HessianOf<P>> {
  const { derivatives, spread: bars } = evaluateDynamic(options, 2);
  const rebuild = (list: readonly Tensor[]): HessianOf<P> =>
    nested(options.trees[0] as Trees[number], list) as HessianOf<P>;
  return lazyStderr(rebuild(derivatives), () => bars, rebuild, bars.reason);
}

interface Opened {
  readonly trees: Trees;
  readonly ev: Evaluator;
  readonly how: CallOptions;
}

type Settled = Expectation<unknown, unknown[]>["options"];

function settle(options: ExpectationOptions): Settled {
  const {
    samples = 1,
    replicates = 1,
    chunk = 4096,
    order = 1,
    dynamic = false,
    allowBias = false,
    estimators,
  } = options;
  for (const [name, value, least] of [
    ["samples", samples, 1],
    ["replicates", replicates, 1],
    ["chunk", chunk, 2],
  ] as const) {
    if (!Number.isInteger(value) || value < least)
      fail({ where: "expectation", got: `${name}: ${value}`, expected: `a whole number of at least ${least}` });
  }
  if (replicates > 1 && replicates < 32)
    fail({
      where: "expectation",
      got: `replicates: ${replicates}`,
      expected: "1, or at least 32 for a spread that can be trusted",
    });
  if (order !== 1 && order !== 2) fail({ where: "expectation", got: `order: ${order}`, expected: "1 or 2" });
  for (const [site, e] of Object.entries(estimators ?? {})) {
    if (e.bias !== "none" && !allowBias)
      fail({
        where: `sample "${site}"`,
        what: `${e.name} is biased in its ${e.bias}`,
        write: "allowBias: true if that is wanted",
      });
  }
  return { samples, replicates, chunk, order, dynamic, allowBias, estimators };
}

/** The last argument is the options; without it there is no key. */
function split(args: readonly unknown[]): { trees: Trees; how: CallOptions } {
  const how = args[args.length - 1];
  const known = ["key", "given", "signal", "onProgress"];
  if (
    args.length < 2 ||
    typeof how !== "object" ||
    how === null ||
    Object.keys(how).some((name) => !known.includes(name))
  ) {
    fail({
      where: "expectation",
      got: "no options behind the arguments of the program",
      expected: "an object of key, given, signal, onProgress last",
      write: "E.valueAndGrad(params, data, { key: 0 })",
    });
  }
  return { trees: args.slice(0, -1).map((tree, k) => tensorsOf(argumentName(k), tree)), how: how as CallOptions };
}

/** Parameters are what is differentiated. */
function checkFloats(params: Trees[number] | undefined): void {
  params?.leaves.forEach((x, i) => {
    if (isFloat(x.dtype)) return;
    fail({
      where: "expectation",
      got: `${pathName("params", params.paths[i] as string)} of dtype ${x.dtype}`,
      expected: "float32 or float64",
      write: "pass what is not differentiated in data, the second argument",
    });
  });
}

interface Entry {
  readonly ev: Evaluator;
  calls: number;
}

/** Traces and plans by structure, shapes, dtypes and what is asked; the frozen-constant check as in `compile`. */
function cache(f: ProgramFunction, settled: Settled) {
  const entries = new Map<string, Entry>();
  return (
    trees: Trees,
    order: number,
    sources: Choosing["sources"],
    given: ReadonlySet<string>,
    { samples, dynamic, estimators = {} }: Settled,
  ): Evaluator => {
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
      entry = { ev: new Evaluator(oneRun(program, choose(program, how))), calls: 0 };
      entries.set(signature, entry);
    } else if (isPowerOfTwo(entry.calls))
      checkFrozen("expectation", traced(entry.ev.core.program), traced(traceProgram(f, trees)));
    entry.calls++;
    return entry.ev;
  };
}

function traced({ holes, key, run, loss, sites }: Program): { holes: Tensor[]; outputs: Tensor[] } {
  return { holes: [...holes, key, run], outputs: [loss, ...sites] };
}

function callOf(ev: Evaluator, trees: Trees, how: CallOptions, { samples, replicates, chunk }: Settled): Call {
  const draws = ev.core.random;
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
  for (const [name, hole] of ev.core.given) {
    const value = asTensor(given[name] as TensorLike, hole.dtype).toDType(hole.dtype);
    const withRuns = value.rank === hole.rank && runs === 1 ? value.expandDims(0) : value;
    const expected = [runs, ...hole.shape];
    if (String(withRuns.shape) !== String(expected))
      fail({
        where: `given "${name}"`,
        got: `shape [${value.shape.join(", ")}]`,
        expected: `[${expected.join(", ")}]: samples, then the site`,
      });
    out.set(name, withRuns);
  }
  return out;
}

function lazyStderr<T>(
  mean: T,
  compute: () => Spread,
  rebuild: (list: readonly Tensor[]) => T,
  reason: string | null,
): Estimate<T> {
  let found: Spread | null = null;
  const get = (): Spread => {
    found ??= compute();
    return found;
  };
  return {
    mean,
    reason,
    get stderr(): T {
      return rebuild(get().stderrs);
    },
    get dof(): number {
      return get().dof;
    },
  };
}

function nested(tree: Trees[number], list: readonly Tensor[]): unknown {
  const n = tree.leaves.length;
  return tree.rebuild(tree.leaves.map((_, i) => tree.rebuild(list.slice(i * n, (i + 1) * n))));
}

function biasOf(ev: Evaluator): boolean {
  return [...ev.core.plan.choices.values()].some((choice) => choice.estimator.bias !== "none");
}

function inlineOf({ trees, ev, how }: Opened, settled: Settled, order: 0 | 1): ReturnType<typeof inlineEstimate> {
  return inlineEstimate(ev, callOf(ev, trees, how, settled), order);
}

function inlineGrad<P>(opened: Opened, settled: Settled): ValueAndGrad<P> {
  const { value, gradients, stderrs } = inlineOf(opened, settled, 1);
  const rebuild = (list: readonly Tensor[]): GradOf<P> => opened.trees[0]?.rebuild(list) as GradOf<P>;
  const call = callOf(opened.ev, opened.trees, opened.how, settled);
  return {
    value,
    grad: lazyStderr(rebuild(gradients), stderrs, rebuild, spreadReason(opened.ev, call)),
    biased: biasOf(opened.ev),
  };
}
