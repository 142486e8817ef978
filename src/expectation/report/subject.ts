import { fail, listed } from "../../base/errors.js";
import { isPlainObject } from "../../base/tree.js";
import type { AnyEstimator } from "../../estimators/estimator.js";
import { asTensor, type TensorLike } from "../../graph/leaves.js";
import type { Tensor } from "../../graph/tensor.js";
import { asKey, type KeyLike } from "../../random/key.js";
import { tensorsOf } from "../../transforms/trees.js";
import { choose, type Plan } from "../choose.js";
import { siteParams } from "../differentiability.js";
import type { Choosing } from "../draft.js";
import { dynamicRuns } from "../dynamic.js";
import { argumentName, type Program, type ProgramFunction, type Trees, traceProgram } from "../program.js";

/** A program and how it is to be looked at: what `expectation` was given. */
export interface Subject {
  readonly f: ProgramFunction;
  readonly options: {
    readonly samples: number;
    readonly chunk: number;
    readonly order: 1 | 2;
    readonly dynamic: boolean;
    readonly estimators?: { readonly [site: string]: unknown };
  };
}

/** Options that reports share. */
export interface ReportOptions {
  /** Default 0. */
  readonly key?: KeyLike;
  /** Recorded values by site name [samples, ...site shape], scored instead of drawn. */
  readonly given?: { readonly [site: string]: TensorLike };
}

export interface Opened<O> {
  readonly trees: Trees;
  readonly options: O;
  readonly program: Program;
  /** Of the program's arguments, leaf by leaf: `W0`, or `params` where that is all there is. */
  readonly names: readonly string[];
  readonly plan: Plan;
  readonly choosing: Choosing;
  readonly key: Tensor;
  /** Recorded values by site, with the runs in front. */
  readonly given: ReadonlyMap<string, Tensor>;
}

/**
 * Traces the program once and plans it. For a dynamic program the first run stands for all.
 * @param known names of the report's options: they come last and may be left out
 */
export function open<O extends ReportOptions & { readonly samples?: number }>(
  where: string,
  { f, options }: Subject,
  args: readonly unknown[],
  known: readonly string[],
): Opened<O> {
  const { trees, how } = split<O>(where, f, args, known);
  const samples = how.samples ?? options.samples;
  if (!Number.isInteger(samples) || samples < 1) {
    fail({ where, got: `samples: ${samples}`, expected: "a whole number of at least 1" });
  }
  const estimators = (options.estimators ?? {}) as { readonly [site: string]: AnyEstimator };
  const given = new Map(Object.entries(how.given ?? {}).map(([name, value]) => [name, asTensor(value)]));
  const { order, dynamic } = options;
  const choosing: Choosing = {
    estimators,
    order,
    runs: samples,
    given: new Set(given.keys()),
    sources: "params",
    dynamic,
  };
  const key = asKey(where, how.key ?? 0);
  const recorded = (name: string, run: number): Tensor | null => given.get(name)?.at(run) ?? null;
  const program = dynamic
    ? (dynamicRuns({ f, trees, key, estimators, given: recorded }, 0)[0] as { readonly program: Program }).program
    : traceProgram(f, trees);
  const names = trees.flatMap((tree, k) => tree.paths.map((path) => (path === "" ? argumentName(k) : path)));
  return {
    trees,
    names,
    options: how,
    program,
    plan: choose(program, choosing),
    choosing,
    key,
    given: shaped(given, program),
  };
}

function split<O>(
  where: string,
  f: ProgramFunction,
  args: readonly unknown[],
  known: readonly string[],
): { trees: Trees; how: O } {
  const last = args[args.length - 1];
  // Options may be left out, so an object counts as options only where the program has no argument for it.
  const extra = args.length > Math.max(1, f.length) && isPlainObject(last);
  const unknown = extra ? Object.keys(last).filter((name) => !known.includes(name)) : [];
  if (extra && unknown.length > 0) {
    fail({ where, got: `the option ${listed(unknown, "and")}`, expected: `options out of ${listed(known)}` });
  }
  const own = extra ? args.slice(0, -1) : args;
  return { trees: own.map((tree, k) => tensorsOf(argumentName(k), tree)), how: (extra ? last : {}) as O };
}

/** A single recorded value may come without its run axis. */
function shaped(given: ReadonlyMap<string, Tensor>, program: Program): Map<string, Tensor> {
  const ranks = new Map(program.sites.map((site) => [siteParams(site).name, site]));
  return new Map(
    [...given].map(([name, value]) => {
      const site = ranks.get(name);
      return [name, site && value.rank === program.flow.shape(site).length ? value.expandDims(0) : value];
    }),
  );
}
