import type { DType } from "../base/dtype.js";
import { listed } from "../base/errors.js";
import type { AnyEstimator, Baseline } from "../estimators/estimator.js";
import type { ExpectationOptions } from "../expectation/options.js";
import type { Tensor } from "../graph/tensor.js";
import { wrongUse } from "./io.js";
import type { Library, Loaded } from "./load.js";

/** What every command takes. */
export interface CommonOptions {
  readonly samples?: number;
  readonly key: number;
  /** `site=name` or `site=name:baseline` */
  readonly estimator: readonly string[];
  readonly dtype?: "float32" | "float64";
  readonly json?: boolean;
}

/** A parser of whole numbers for an option. */
export function whole(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    return wrongUse(`${option}: got "${text}", expected a whole number of at least ${least}`);
  };
}

export function dtypeOption(text: string): "float32" | "float64" {
  if (text === "float32" || text === "float64") return text;
  return wrongUse(`--dtype: got "${text}", expected float32 or float64`);
}

/** Runs when neither the command line nor the file says. */
const defaultSamples = 1000;

/** Settings of the expectation: the command line comes before the file. */
export function expectationOptions(
  loaded: Loaded,
  options: CommonOptions,
): ExpectationOptions & { readonly samples: number } {
  const chosen = Object.fromEntries(options.estimator.map((text) => parseEstimator(text, loaded.library)));
  const estimators = { ...loaded.estimators, ...chosen } as ExpectationOptions["estimators"];
  return { samples: options.samples ?? loaded.samples ?? defaultSamples, dynamic: loaded.dynamic, estimators };
}

const baselines: readonly Baseline[] = ["none", "leaveOneOut", "aligned", "auto"];

function parseEstimator(text: string, { estimators }: Library): [string, AnyEstimator] {
  const parts = /^([^=]+)=([^:=]+)(?::(.+))?$/.exec(text);
  if (!parts)
    return wrongUse(
      `--estimator: got "${text}", expected site=name, as in a=scoreFunction or a=scoreFunction:leaveOneOut`,
    );
  const [, site, name, baseline] = parts as unknown as [string, string, string, string | undefined];
  const known = estimators.map((make) => make());
  const found = known.find((e) => e.name === name);
  if (!found)
    return wrongUse(`--estimator: got the estimator "${name}", expected one of ${known.map((e) => e.name).join(", ")}`);
  if (baseline === undefined) return [site, found];
  if (found.baseline !== "auto") return wrongUse(`--estimator: ${name} takes no baseline, got "${baseline}"`);
  if (baselines.includes(baseline as Baseline)) return [site, { ...found, baseline: baseline as Baseline }];
  return wrongUse(`--estimator: got the baseline "${baseline}", expected ${listed(baselines)}`);
}

/** The program's arguments with every float in one dtype; numbers are read in that dtype, not rounded twice. */
export function argumentsIn(dtype: DType | undefined, { args, library }: Loaded): readonly unknown[] {
  if (dtype === undefined) return args;
  return args.map((tree, k) => {
    const { leaves, rebuild } = library.flatten(k === 0 ? "params" : "data", tree, library.isTensorLike);
    return rebuild(
      leaves.map((x): Tensor => {
        const t = library.asTensor(x, dtype);
        return t.dtype.startsWith("float") ? t.toDType(dtype) : t;
      }),
    );
  });
}
