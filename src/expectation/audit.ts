import { fail } from "../base/errors.js";
import type { Tensor } from "../graph/tensor.js";
import { foldIn } from "../random/key.js";
import type { Choice, Plan } from "./choose.js";
import { siteParams } from "./differentiability.js";
import type { AuditOptions, AuditResult, AuditRow } from "./report/auditResult.js";
import { auditText } from "./report/auditText.js";
import { biasOf, type Moments, momentsOf, pooled, type Reference } from "./report/bias.js";
import { allEnumerated, type Candidate, candidatesOf, labelOf, signature, unbiased } from "./report/candidates.js";
import { type Gradients, type Measuring, measure } from "./report/measure.js";
import { type Opened, open, type Subject } from "./report/subject.js";

export type { AuditOptions, AuditResult, AuditRow } from "./report/auditResult.js";

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

/** Independent estimates whose spread can be trusted. */
const least = 32;

/** How much is measured, and how far it is. */
class Work {
  private readonly runs: number;
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
    const { runs, replicates } = this.size(plan.outcomes);
    const how: Measuring = {
      leaves: trees.flatMap((tree) => tree.leaves),
      key: factor === 1 ? key : foldIn(key, "reference"),
      runs,
      replicates: replicates * factor,
      signal: options.signal,
      pause: report,
    };
    await report(0);
    const found = await measure(program, plan, how);
    const entry = { found, moments: momentsOf(found.rows) };
    this.measured.set(name, entry);
    return entry;
  }

  /** Runs per estimate and estimates: at least 32, so that a spread means something; else within the budget and 160 MB of gradients. */
  private size(outcomes: number): { runs: number; replicates: number } {
    const { options, program } = this.opened;
    const { replicates = 256, budget = 16_384 } = options;
    if (!Number.isInteger(replicates) || replicates < least)
      fail({ where: "audit", got: `replicates: ${replicates}`, expected: `a whole number of at least ${least}` });
    if (!Number.isInteger(budget) || budget < 1)
      fail({ where: "audit", got: `budget: ${budget}`, expected: "a whole number of runs" });
    const parameters = program.holes.slice(0, program.parameters).reduce((n, hole) => n + hole.size, 0);
    // A baseline over runs needs two of them.
    const runs = Math.min(this.runs, Math.max(2, Math.floor(budget / (least * outcomes))));
    const most = Math.min(Math.floor(budget / (runs * outcomes)), Math.floor(2e7 / Math.max(1, parameters)));
    return { runs, replicates: Math.max(least, Math.min(replicates, most)) };
  }

  end(): void {
    this.opened.options.onProgress?.(this.parts, this.parts, "done");
  }
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
