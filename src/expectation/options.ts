import { isFloat } from "../base/dtype.js";
import { fail, listed } from "../base/errors.js";
import type { Estimator } from "../estimators/estimator.js";
import type { TensorLike } from "../graph/leaves.js";
import type { KeyLike } from "../random/key.js";
import { pathName, tensorsOf } from "../transforms/trees.js";
import { argumentName, type Trees } from "./program.js";

/** What an expectation and its calls may be told, and the checks of it. */
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

/** Options with their defaults. */
export type Settled = Required<Omit<ExpectationOptions, "estimators">> & Pick<ExpectationOptions, "estimators">;

const known = ["samples", "replicates", "chunk", "estimators", "order", "dynamic", "allowBias"];

/** @throws on unknown options, on values out of range and on biased estimators that were not asked for */
export function settle(options: ExpectationOptions): Settled {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    fail({
      where: "expectation",
      got: `the unknown option ${listed(
        unknown.map((name) => `"${name}"`),
        "and",
      )}`,
      expected: `options out of ${listed(known)}`,
    });
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
  if (!allowBias) for (const [site, e] of Object.entries(estimators ?? {})) checkBias(site, e);
  return { samples, replicates, chunk, order, dynamic, allowBias, estimators };
}

/** For expectations without `allowBias`. @throws on a biased estimator */
export function checkBias(site: string, { name, bias }: Pick<Estimator, "name" | "bias">): void {
  if (bias === "none") return;
  fail({
    where: `sample "${site}"`,
    what: `${name} is biased in its ${bias}`,
    write: "allowBias: true if that is wanted",
  });
}

const callOptions = ["key", "given", "signal", "onProgress"];

/** The last argument is the options; without it there is no key. */
export function split(args: readonly unknown[]): { trees: Trees; how: CallOptions } {
  const how = args[args.length - 1];
  if (
    args.length < 2 ||
    typeof how !== "object" ||
    how === null ||
    Object.keys(how).some((name) => !callOptions.includes(name))
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
export function checkFloats(params: Trees[number] | undefined): void {
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
