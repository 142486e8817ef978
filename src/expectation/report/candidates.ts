import { SamplegradError } from "../../base/errors.js";
import { type AnyEstimator, type Baseline, missing } from "../../estimators/estimator.js";
import { enumerate, estimators } from "../../estimators/index.js";
import { type Choice, choose, type Plan } from "../choose.js";
import { siteParams } from "../differentiability.js";
import type { AuditOptions, AuditResult } from "./auditResult.js";
import type { Opened } from "./subject.js";

/** The plans an audit compares: one estimator at one site replaced, the others as chosen. */
export interface Candidate {
  readonly site: string;
  readonly estimator: AnyEstimator;
  readonly plan: Plan;
}

const enumerable = 4096;

/** Every estimator that a site's distribution may have, tried against the program: it plans, or it says why not. */
export function candidatesOf(
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

export function labelOf({ name, baseline }: Pick<AnyEstimator, "name" | "baseline">): string {
  return baseline === "none" ? name : `${name}, ${baseline}`;
}

function planWith({ program, plan, choosing }: Opened<AuditOptions>, name: string, estimator: AnyEstimator): Plan {
  const others = [...plan.choices].map(
    ([site, choice]) => [siteParams(site).name, { ...choice.estimator, baseline: choice.baseline }] as const,
  );
  return choose(program, { ...choosing, estimators: { ...Object.fromEntries(others), [name]: estimator } });
}

/** The whole plan in a word, so that equal plans are measured once. */
export function signature(plan: Plan): string {
  return [...plan.choices.values()]
    .map((choice) => labelOf({ name: choice.estimator.name, baseline: choice.baseline }))
    .join("|");
}

/** The plan that enumerates every site; null where that cannot be done or takes too long. */
export function allEnumerated({ program, choosing }: Opened<AuditOptions>): Plan | null {
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
export function unbiased({ program, plan, choosing }: Opened<AuditOptions>): Plan {
  const kept = [...plan.choices]
    .filter(([, { estimator }]) => estimator.bias === "none")
    .map(([site, { estimator }]) => [siteParams(site).name, estimator] as const);
  if (kept.length === plan.choices.size) return plan;
  return choose(program, { ...choosing, estimators: Object.fromEntries(kept) });
}
