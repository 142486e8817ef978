import { fail, SamplegradError } from "../base/errors.js";
import { type AnyEstimator, type Baseline, missing } from "../estimators/estimator.js";
import { enumerate, estimators } from "../estimators/index.js";
import type { Tensor } from "../graph/tensor.js";
import { foldIn } from "../random/key.js";
import { type Choice, choose, type Plan } from "./choose.js";
import { siteParams } from "./differentiability.js";
import { auditText } from "./report/auditText.js";
import { biasOf, type Moments, momentsOf, pooled, type Reference } from "./report/bias.js";
import { type Gradients, type Measuring, measure } from "./report/measure.js";
import { type Opened, open, type ReportOptions, type Subject } from "./report/subject.js";

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

interface Candidate {
  readonly site: string;
  readonly estimator: AnyEstimator;
  readonly plan: Plan;
}

const enumerable = 4096;

/** Bias, variance and cost of every admissible estimator at every site, the others as chosen. */
export async function audit(subject: Subject, args: readonly unknown[]): Promise<AuditResult> {
  const known = ["key", "replicates", "budget", "signal", "onProgress"];
  const opened = open<AuditOptions & { samples?: number }>("audit", subject, args, known);
  if (subject.options.dynamic) {
    fail({
      where: "audit",
      what: "a dynamic program has another graph in every run",
      write: "expectation(f) without dynamic: true, with where and cond for its branches",
    });
  }
  const { candidates, inadmissible, skipped } = candidatesOf(opened);
  const work = new Work(opened, subject.options.samples, candidates.length + 1);
  const { reference, truth } = await referenceOf(opened, work);
  const rows: AuditRow[] = [];
  for (const candidate of candidates) rows.push(await rowOf(candidate, opened, work, truth));
  work.end();
  const marked = rows.map((row) => ({ ...row, best: isBest(row, rows) }));
  const result = {
    reference,
    rows: marked.filter((row) => row.bias === "none"),
    biased: marked.filter((row) => row.bias !== "none"),
    inadmissible,
    skipped,
  };
  return { ...result, toString: () => auditText(result) };
}

/** How much is measured, and how far it is. */
class Work {
  readonly runs: number;
  private readonly opened: Opened<AuditOptions>;
  private readonly parts: number;
  private readonly measured = new Map<string, { found: Gradients; moments: Moments }>();
  private part = 0;

  constructor(opened: Opened<AuditOptions>, samples: number, parts: number) {
    this.opened = opened;
    this.parts = parts;
    // Short estimates: their variance scales with 1/runs, and many are needed to know it well.
    this.runs = Math.min(samples, 64);
  }

  /** Gradients under a plan, and their moments; a plan that was measured before is not measured again. */
  async gradients(
    plan: Plan,
    what: string,
    label: string,
    factor = 1,
  ): Promise<{ found: Gradients; moments: Moments }> {
    const name = `${label}×${factor}`;
    const known = this.measured.get(name);
    this.part++;
    if (known) return known;
    const { options, trees, key, program } = this.opened;
    const report = async (done: number): Promise<void> => {
      options.onProgress?.(this.part - 1 + done, this.parts, what);
      await new Promise((resolve) => setTimeout(resolve, 0));
      options.signal?.throwIfAborted();
    };
    const how: Measuring = {
      leaves: trees.flatMap((tree) => tree.leaves),
      key: factor === 1 ? key : foldIn(key, "reference"),
      runs: this.runs,
      replicates: this.replicates(plan.outcomes) * factor,
      signal: options.signal,
      pause: report,
    };
    await report(0);
    const found = await measure(program, plan, how);
    const entry = { found, moments: momentsOf(found.rows) };
    this.measured.set(name, entry);
    return entry;
  }

  /** At least 32, so that a spread means something; no more than the budget or 160 MB of gradients. */
  private replicates(outcomes: number): number {
    const { options, program } = this.opened;
    const { replicates = 256, budget = 16_384 } = options;
    if (!Number.isInteger(replicates) || replicates < 32)
      fail({ where: "audit", got: `replicates: ${replicates}`, expected: "a whole number of at least 32" });
    if (!Number.isInteger(budget) || budget < 1)
      fail({ where: "audit", got: `budget: ${budget}`, expected: "a whole number of runs" });
    const size = program.holes.slice(0, program.parameters).reduce((n, hole) => n + hole.size, 0);
    return Math.max(
      32,
      Math.min(replicates, Math.floor(budget / (this.runs * outcomes)), Math.floor(2e7 / Math.max(1, size))),
    );
  }

  end(): void {
    this.opened.options.onProgress?.(this.parts, this.parts, "done");
  }
}

/** Every estimator that a site's distribution may have, tried against the program: it plans, or it says why not. */
function candidatesOf(
  opened: Opened<AuditOptions>,
): Pick<AuditResult, "inadmissible" | "skipped"> & { candidates: Candidate[] } {
  const candidates: Candidate[] = [];
  const inadmissible: { site: string; estimator: string; why: string }[] = [];
  const skipped: { site: string; why: string }[] = [];
  for (const site of opened.program.sites) {
    const { name } = siteParams(site);
    const chosen = opened.plan.choices.get(site) as Choice;
    if (!chosen.differentiated) {
      skipped.push({ site: name, why: "no derivative comes into its parameters" });
      continue;
    }
    for (const estimator of variants(chosen)) {
      try {
        candidates.push({ site: name, estimator, plan: planWith(opened, name, estimator) });
      } catch (error) {
        if (!(error instanceof SamplegradError)) throw error;
        inadmissible.push({ site: name, estimator: labelOf(estimator), why: error.message });
      }
    }
  }
  return { candidates, inadmissible, skipped };
}

const baselines: readonly Exclude<Baseline, "auto">[] = ["none", "leaveOneOut", "aligned"];

/** The catalogue, each baseline apart; and what the site has now, if it is not among them. */
function variants(chosen: Choice): AnyEstimator[] {
  const all = estimators.flatMap((make): AnyEstimator[] => {
    const estimator = make();
    return estimator.baseline === "auto" ? baselines.map((baseline) => ({ ...estimator, baseline })) : [estimator];
  });
  const own = { ...chosen.estimator, baseline: chosen.baseline };
  return all.some((estimator) => labelOf(estimator) === labelOf(own)) ? all : [...all, own];
}

function labelOf({ name, baseline }: Pick<AnyEstimator, "name" | "baseline">): string {
  return baseline === "none" ? name : `${name}, ${baseline}`;
}

function planWith({ program, plan, choosing }: Opened<AuditOptions>, name: string, estimator: AnyEstimator): Plan {
  const others = [...plan.choices].map(
    ([site, choice]) => [siteParams(site).name, { ...choice.estimator, baseline: choice.baseline }] as const,
  );
  return choose(program, { ...choosing, estimators: { ...Object.fromEntries(others), [name]: estimator } });
}

/** The whole plan in a word, so that equal plans are measured once. */
function signature(plan: Plan): string {
  return [...plan.choices.values()]
    .map((choice) => labelOf({ name: choice.estimator.name, baseline: choice.baseline }))
    .join("|");
}

async function referenceOf(
  opened: Opened<AuditOptions>,
  work: Work,
): Promise<{ reference: AuditResult["reference"]; truth: Reference }> {
  const all = allEnumerated(opened);
  if (all !== null) {
    const { found } = await work.gradients(all, "the exact gradient", `reference ${signature(all)}`);
    const mean = found.rows[0] as Float64Array;
    if (found.exact)
      return { reference: { kind: "exact", outcomes: all.outcomes }, truth: { mean, direction: mean, rows: [] } };
  }
  const plan = unbiased(opened);
  const { found } = await work.gradients(plan, "a long run", `reference ${signature(plan)}`, 4);
  return {
    reference: { kind: "pooled", runs: found.rows.length * found.runs },
    truth: found.exact ? exactly(found) : pooled(found.rows),
  };
}

function exactly({ rows }: Gradients): Reference {
  const mean = rows[0] as Float64Array;
  return { mean, direction: mean, rows: [] };
}

/** The plan that enumerates every site; null where that cannot be done or takes too long. */
function allEnumerated({ program, choosing }: Opened<AuditOptions>): Plan | null {
  const every = enumerate();
  if (program.sites.some((site) => missing(every.needs, siteParams(site).family).length > 0)) return null;
  try {
    const plan = choose(program, {
      ...choosing,
      estimators: Object.fromEntries(program.sites.map((site) => [siteParams(site).name, every])),
    });
    return plan.outcomes <= enumerable ? plan : null;
  } catch (error) {
    if (error instanceof SamplegradError) return null;
    throw error;
  }
}

/** The chosen plan, with the default wherever a biased estimator was chosen. */
function unbiased({ program, plan, choosing }: Opened<AuditOptions>): Plan {
  const kept = [...plan.choices]
    .filter(([, { estimator }]) => estimator.bias === "none")
    .map(([site, { estimator }]) => [siteParams(site).name, estimator] as const);
  if (kept.length === plan.choices.size) return plan;
  return choose(program, { ...choosing, estimators: Object.fromEntries(kept) });
}

async function rowOf(
  { site, estimator, plan }: Candidate,
  opened: Opened<AuditOptions>,
  work: Work,
  truth: Reference,
): Promise<AuditRow> {
  const { found, moments } = await work.gradients(plan, `${site}: ${labelOf(estimator)}`, signature(plan));
  const node = opened.program.sites.find((s) => siteParams(s).name === site) as Tensor;
  const now = opened.plan.choices.get(node) as Choice;
  const { parameters, holes } = opened.program;
  const double = holes.slice(0, parameters).every((hole) => hole.dtype === "float64");
  const { relative, noise, z } = biasOf(found.rows, moments, truth, double ? 1e-9 : 1e-4);
  const variance = moments.variance * found.runs;
  return {
    site,
    estimator: estimator.name,
    baseline: estimator.baseline as Choice["baseline"],
    chosen: labelOf(estimator) === labelOf({ name: now.estimator.name, baseline: now.baseline }),
    best: false,
    bias: estimator.bias,
    difference: relative,
    noise,
    z,
    variance,
    varianceStderr: moments.stderr * found.runs,
    ms: found.ms,
    runs: found.runs,
    evaluations: plan.outcomes,
    product: variance * plan.outcomes,
  };
}

function isBest(row: AuditRow, rows: readonly AuditRow[]): boolean {
  const rivals = rows.filter((other) => other.site === row.site && other.bias === "none");
  const better = (a: AuditRow, b: AuditRow): boolean =>
    a.product < b.product || (a.product === b.product && a.evaluations < b.evaluations);
  return row.bias === "none" && rivals.every((other) => other === row || !better(other, row));
}
