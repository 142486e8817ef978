import type { Choice } from "../choose.js";
import type { ReportOptions } from "./subject.js";

export interface AuditOptions extends Pick<ReportOptions, "key"> {
  /** Independent estimates per estimator, at least 32. Default 256, fewer where the budget says so. */
  readonly replicates?: number;
  /** Runs of the program per estimator. Default 16,384. */
  readonly budget?: number;
  /** Stops between parts. */
  readonly signal?: AbortSignal;
  /** Share of the work that is done, and what is being measured. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
}

/** One estimator at one site, all other sites as chosen. */
export interface AuditRow {
  readonly site: string;
  readonly estimator: string;
  readonly baseline: Choice["baseline"];
  /** Whether the expectation uses it now. */
  readonly chosen: boolean;
  /** The least variance × evaluations among the unbiased estimators of this site. */
  readonly best: boolean;
  readonly bias: "none" | "value" | "gradient";
  /** Length of the difference from the true gradient, relative to it, and what chance alone would give. */
  readonly difference: number;
  readonly noise: number;
  /** The larger of two normal deviates: of the projection of the difference on the gradient, and of its length. */
  readonly z: number;
  /** Total variance of the gradient of one run: the trace over all parameters. An estimate from S runs has 1/S of it. */
  readonly variance: number;
  readonly varianceStderr: number;
  /** Median milliseconds of an estimate of `runs` runs. */
  readonly ms: number;
  readonly runs: number;
  /** Times the program runs per sample. */
  readonly evaluations: number;
  /** variance × evaluations */
  readonly product: number;
}

export interface AuditResult {
  readonly reference:
    | { readonly kind: "exact"; readonly outcomes: number }
    | { readonly kind: "pooled"; readonly runs: number };
  /** Unbiased by construction. */
  readonly rows: readonly AuditRow[];
  readonly biased: readonly AuditRow[];
  readonly inadmissible: readonly { readonly site: string; readonly estimator: string; readonly why: string }[];
  /** Sites without a choice to make. */
  readonly skipped: readonly { readonly site: string; readonly why: string }[];
  toString(): string;
}
