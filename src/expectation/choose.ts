import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { sizeOf } from "../base/shape.js";
import type { Flow } from "../control/flow.js";
import type { AnyEstimator, Baseline } from "../estimators/estimator.js";
import { enumerate } from "../estimators/index.js";
import type { Tensor } from "../graph/tensor.js";
import { alignedAxes, type Credit, creditOf } from "./credit/credit.js";
import { dependents, siteParams } from "./differentiability.js";
import { type Choosing, type Draft, draftOf } from "./draft.js";
import { type Gaps, gapsOf } from "./gaps.js";
import type { Program } from "./program.js";
import { checkNames, checkOutcomes, checkSupport } from "./refuse.js";
import { batchOf, typesOfParams } from "./site.js";

/** Which estimator at which site, and why. Looks at what distributions give and estimators need, never at names. */
export interface Choice {
  readonly estimator: AnyEstimator;
  readonly why: string;
  /** Whether a derivative can come into the site's parameters at all; if not it is only drawn. */
  readonly differentiated: boolean;
  readonly baseline: Exclude<Baseline, "auto">;
  /** Elements of the site that no cost mixes are on these axes. */
  readonly aligned: readonly number[];
  /** How many derivatives a pathwise value is right for; null: all. */
  readonly limit: Draft["limit"];
  /** Joint outcomes, for branching sites; 1 for others. */
  readonly outcomes: number;
  /** Whether its values come from the caller. */
  readonly given: boolean;
}

export interface Plan {
  readonly choices: ReadonlyMap<Tensor, Choice>;
  readonly credit: Credit;
  /** Runs of the program per sample: the product over branching sites. */
  readonly outcomes: number;
  /** Where a derivative must not come in. */
  readonly gaps: Gaps;
}

const branchLimit = 16;

export function choose(program: Program, how: Choosing): Plan {
  // Sites of a dynamic program differ from run to run; its names are checked over all of them.
  if (!how.dynamic) checkNames(program.names, how);
  const holes = program.holes.filter(
    (hole, i) => isFloat(hole.dtype) && (how.sources === "all" || i < program.parameters),
  );
  const sources = how.sources === "all" ? [...holes, ...program.captured] : holes;
  const maybe = dependents(program, sources, new Set());
  const kinds = new Map<Tensor, Draft>();
  const weighted = new Set<Tensor>();
  // From the last site to the first: whether a sample is smooth below depends on what the later sites do. In a loop the first is later
  // than the last, so again until no more are weighted.
  let known: number;
  do {
    known = weighted.size;
    for (const site of [...program.sites].reverse()) {
      const others = new Set([...weighted].filter((other) => other !== site));
      const draft = draftOf(site, program, how, others, maybe.has(site));
      kinds.set(site, draft);
      if (draft.estimator.rest !== "differentiate") weighted.add(site);
    }
  } while (program.flow.hasLoops && weighted.size > known);
  // Now that constant draws are known: a site behind them alone has nothing to differentiate, and needs no score.
  const live = dependents(program, sources, weighted);
  for (const [site, draft] of kinds)
    kinds.set(site, { ...draft, differentiated: live.has(site), moving: lostParams(site, live, how.order) });
  const charged = program.sites.filter((site) => weighted.has(site));
  const plan = settle(program, how, kinds, creditOf(program.flow, program.loss, charged, program.reads));
  return { ...plan, gaps: gapsOf(program, sources) };
}

/** Parameters that a derivative comes into and that the score function is not right for at the order asked. */
function lostParams(site: Tensor, live: ReadonlySet<Tensor>, order: number): string[] {
  const { family, names } = siteParams(site);
  const lost = [...family.supportDepends, ...(order > 1 ? (family.densityKinks ?? []) : [])];
  return lost.filter((param) => live.has(site.inputs[names.indexOf(param)] as Tensor));
}

/** Small finite sites become enumerations as long as the program runs at most 16 times; baselines are settled. */
function settle(
  program: Program,
  how: Choosing,
  kinds: ReadonlyMap<Tensor, Draft>,
  credit: Credit,
): Omit<Plan, "gaps"> {
  const choices = new Map<Tensor, Choice>();
  let outcomes = 1;
  for (const site of program.sites) {
    const draft = kinds.get(site) as Draft;
    // A dynamic program is run again for every outcome, so nothing is changed together.
    const aligned = how.dynamic && draft.estimator.branches ? [] : alignedAxes(credit, site);
    const joint = jointOutcomes(program.flow, site, aligned);
    const given = how.given.has(siteParams(site).name);
    const small =
      !draft.explicit &&
      !how.dynamic &&
      !given &&
      draft.estimator.rest === "observe" &&
      joint !== null &&
      outcomes * joint <= branchLimit;
    const estimator = small ? enumerate() : draft.estimator;
    const branches = estimator.branches ? (joint ?? 1) : 1;
    outcomes *= branches;
    const why = small
      ? `finite: ${joint} joint outcomes, exact`
      : joint !== null && !draft.explicit && !given && draft.estimator.rest === "observe"
        ? `${draft.why}; ${joint} joint outcomes are too many to enumerate`
        : draft.why;
    const differentiated = draft.differentiated;
    checkSupport(site, program, estimator, draft);
    choices.set(site, {
      estimator,
      why,
      differentiated,
      aligned,
      limit: draft.limit,
      outcomes: branches,
      given,
      baseline: baselineOf(program.flow, site, estimator, aligned, how),
    });
  }
  const branching = program.sites.filter((site) => choices.get(site)?.estimator.branches);
  checkOutcomes(branching, program, outcomes);
  return { choices, credit, outcomes };
}

/** K^d for d elements that some cost mixes; null where values cannot be listed. */
export function jointOutcomes(flow: Flow, site: Tensor, aligned: readonly number[]): number | null {
  const { family } = siteParams(site);
  if (!family.gives.enumerate) return null;
  const batch = batchOf(flow, site);
  const elements = sizeOf(batch.filter((_, axis) => !aligned.includes(axis)));
  return family.gives.enumerate.size(typesOfParams(flow, site)) ** elements;
}

function baselineOf(
  flow: Flow,
  site: Tensor,
  estimator: AnyEstimator,
  aligned: readonly number[],
  how: Choosing,
): Choice["baseline"] {
  const { name } = siteParams(site);
  const axis = aligned.find((i) => (batchOf(flow, site)[i] as number) >= 2);
  if (estimator.baseline === "auto") return how.runs >= 2 ? "leaveOneOut" : axis !== undefined ? "aligned" : "none";
  if (estimator.baseline === "leaveOneOut" && how.runs < 2) {
    fail({
      where: `sample "${name}"`,
      got: "leave-one-out over 1 run",
      expected: "at least 2 runs",
      write: 'samples: 2, or scoreFunction({ baseline: "none" })',
    });
  }
  if (estimator.baseline === "aligned" && axis === undefined) {
    fail({
      where: `sample "${name}"`,
      what: "no axis of two or more elements is kept apart by every cost, so none can be another's baseline",
      write: 'scoreFunction({ baseline: "leaveOneOut" }) with samples ≥ 2',
    });
  }
  return estimator.baseline;
}
