import { isFloat } from "../base/dtype.js";
import { fail, listed, NoGradientError } from "../base/errors.js";
import { sizeOf } from "../base/shape.js";
import { type AnyEstimator, type Baseline, missing } from "../estimators/estimator.js";
import { enumerate, estimators, pathwise, scoreFunction } from "../estimators/index.js";
import type { Tensor } from "../graph/tensor.js";
import { alignedAxes, type Credit, creditOf } from "./credit/credit.js";
import { dependents, type Obstacle, obstacleOf, pathInWords, pathToLoss, siteParams } from "./differentiability.js";
import { type Gaps, gapsOf } from "./gaps.js";
import type { Program } from "./program.js";
import { batchShapeOfSite, paramsOf } from "./site.js";

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
  readonly limit: { readonly orders: number; readonly obstacle: Obstacle } | null;
  /** Joint outcomes, for branching sites; 1 for others. */
  readonly outcomes: number;
  /** Whether its values come from the caller. */
  readonly given: boolean;
}

export interface Choosing {
  readonly estimators: { readonly [site: string]: AnyEstimator };
  readonly order: number;
  /** Runs that can be each other's baseline. */
  readonly runs: number;
  readonly given: ReadonlySet<string>;
  /** "params": derivatives in the first argument; "all": in any float argument (inside another transform). */
  readonly sources: "params" | "all";
  readonly dynamic: boolean;
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
const branchMost = 2 ** 16;

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
  // From the last site to the first: whether a sample is smooth below depends on what the later sites do.
  for (const site of [...program.sites].reverse()) {
    const draft = draftOf(site, program, how, weighted, maybe.has(site));
    kinds.set(site, draft);
    if (draft.estimator.rest !== "differentiate") weighted.add(site);
  }
  // Now that constant draws are known: a site behind them alone has nothing to differentiate, and needs no score.
  const live = dependents(program, sources, weighted);
  for (const [site, draft] of kinds)
    kinds.set(site, { ...draft, differentiated: live.has(site), moving: lostParams(site, live, how.order) });
  const charged = program.sites.filter((site) => weighted.has(site));
  const plan = settle(program, how, kinds, creditOf(program.loss, charged, program.reads));
  return { ...plan, gaps: gapsOf(program, sources) };
}

/** Parameters that a derivative comes into and that the score function is not right for at the order asked. */
function lostParams(site: Tensor, live: ReadonlySet<Tensor>, order: number): string[] {
  const { family, names } = siteParams(site);
  const lost = [...family.supportDepends, ...(order > 1 ? (family.densityKinks ?? []) : [])];
  return lost.filter((param) => live.has(site.inputs[names.indexOf(param)] as Tensor));
}

interface Draft {
  readonly estimator: AnyEstimator;
  readonly why: string;
  readonly explicit: boolean;
  readonly differentiated: boolean;
  readonly limit: Choice["limit"];
  /** Why pathwise, which the distribution would give, is not the default. */
  readonly refused: string | null;
  /** See `lostParams`. */
  readonly moving: readonly string[];
}

function draftOf(
  site: Tensor,
  program: Program,
  how: Choosing,
  weighted: ReadonlySet<Tensor>,
  differentiated: boolean,
): Draft {
  const { name, family, estimator: own } = siteParams(site);
  const chosen = how.estimators[name] ?? own;
  const wasRead = program.reads.some((read) => read.site === site);
  const base = { explicit: false, differentiated, limit: null, refused: null, moving: [] };
  if (how.given.has(name))
    return { ...base, estimator: scoring(chosen), why: "its value is given, so its law is scored" };
  if (chosen) return explicitDraft(site, program, how, weighted, differentiated, chosen, wasRead);
  if (family.gives.reparam && !wasRead) {
    const obstacle = obstacleOf(site, program, weighted);
    if (!differentiated) return { ...base, estimator: pathwise(), why: "no parameter reaches it: plain noise" };
    const orders = ordersOf(obstacle);
    if (orders >= how.order) {
      const limit = obstacle ? { orders, obstacle } : null;
      return {
        ...base,
        limit,
        estimator: pathwise(),
        why: obstacle
          ? `reparameterised; the cost is continuous in it (${pathInWords(obstacle.path)})`
          : "reparameterised and smooth below",
      };
    }
    const missed = (obstacle as Obstacle).level === "jump" ? "jumps" : `has no derivative of order ${how.order}`;
    const refused = `the cost ${missed} in it (${pathInWords((obstacle as Obstacle).path)}), which pathwise would miss`;
    return { ...base, refused, estimator: scoreFunction(), why: refused };
  }
  if (wasRead)
    return {
      ...base,
      estimator: scoreFunction(),
      why: "the program read its value, so everything later depends on it",
    };
  return { ...base, estimator: scoreFunction(), why: "not reparameterised" };
}

/** Recorded values can only be scored: by what the program chose if it scores, with its baseline. */
function scoring(chosen: AnyEstimator | null): AnyEstimator {
  return chosen && chosen.rest === "observe" ? chosen : scoreFunction();
}

function ordersOf(obstacle: Obstacle | null): number {
  return obstacle === null ? Number.POSITIVE_INFINITY : obstacle.level === "kink" ? 1 : 0;
}

function explicitDraft(
  site: Tensor,
  program: Program,
  how: Choosing,
  weighted: ReadonlySet<Tensor>,
  differentiated: boolean,
  estimator: AnyEstimator,
  wasRead: boolean,
): Draft {
  const { name, family } = siteParams(site);
  const lacks = missing(estimator.needs, family);
  if (lacks.length > 0) misfit(site, program, estimator, lacks);
  const draft = {
    estimator,
    why: "chosen by the program",
    explicit: true,
    differentiated,
    limit: null,
    refused: null,
    moving: [],
  };
  if (estimator.rest !== "differentiate" || !differentiated) return draft;
  if (wasRead)
    refuse(name, `${estimator.name} needs a differentiable path, and the program read the number`, program, site);
  const obstacle = obstacleOf(site, program, weighted);
  const orders = ordersOf(obstacle);
  if (orders === 0) {
    const { at, path } = obstacle as Obstacle;
    refuse(
      name,
      `${estimator.name} would be biased: the sample reaches the cost through ${at.primitive?.name} (${pathInWords(path)}), whose derivative is zero or undefined`,
      program,
      site,
    );
  }
  if (orders < how.order) {
    const { at, path } = obstacle as Obstacle;
    refuse(
      name,
      `${estimator.name} would miss part of the derivative of order ${how.order} at the kink of ${at.primitive?.name} (${pathInWords(path)})`,
      program,
      site,
    );
  }
  return { ...draft, limit: obstacle ? { orders, obstacle } : null };
}

/** The remedies for a site: every unbiased estimator that would be right there. */
function remedies(site: Tensor, program: Program, unless: string): string {
  const { family } = siteParams(site);
  const jumps = ordersOf(obstacleOf(site, program, new Set())) === 0;
  const right = (e: AnyEstimator): boolean =>
    e.bias === "none" &&
    (e.rest === "differentiate" ? !jumps : e.rest !== "observe" || family.supportDepends.length === 0);
  const fitting = estimators
    .map((make) => make())
    .filter((e) => e.name !== unless && missing(e.needs, family).length === 0 && right(e));
  if (fitting.length > 0) return `use ${listed(fitting.map((e) => `${e.name}()`))}`;
  return family.supportDepends.length > 0
    ? "use a cost that is continuous in the sample, or a distribution whose support is fixed"
    : "use another distribution";
}

function misfit(site: Tensor, program: Program, estimator: AnyEstimator, lacks: readonly string[]): never {
  const { name, family, names } = siteParams(site);
  const what = `${family.name} gives no ${listed(lacks, "and")}, which ${estimator.name} needs`;
  const path = pathToLoss(site, program.loss);
  const gone =
    estimator.rest === "differentiate" && path.length > 0
      ? `: ${listed(
          names.map((param) => `∂${name}/∂${param}`),
          "and",
        )} ${names.length > 1 ? "do" : "does"} not exist on the path ${listed(names, "and")} → ${pathInWords(path)}`
      : "";
  throw new NoGradientError({
    where: `sample "${name}"`,
    what: what + gone,
    write: remedies(site, program, estimator.name),
  });
}

function refuse(name: string, what: string, program: Program, site: Tensor): never {
  throw new NoGradientError({ where: `sample "${name}"`, what, write: remedies(site, program, "pathwise") });
}

/** @throws on estimators or recorded values for a site that does not exist, listing those that do */
export function checkNames(known: readonly string[], how: Pick<Choosing, "estimators" | "given">): void {
  for (const name of [...Object.keys(how.estimators), ...how.given]) {
    if (known.includes(name)) continue;
    fail({
      where: how.given.has(name) ? "given" : "estimators",
      got: `the site name "${name}"`,
      expected:
        known.length === 0 ? "none: the program samples nothing" : `one of ${known.map((k) => `"${k}"`).join(", ")}`,
    });
  }
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
    const joint = jointOutcomes(site, aligned);
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
    if (outcomes > branchMost) tooMany(site, outcomes);
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
      baseline: baselineOf(site, estimator, aligned, how),
    });
  }
  return { choices, credit, outcomes };
}

/** K^d for d elements that some cost mixes; null where values cannot be listed. */
export function jointOutcomes(site: Tensor, aligned: readonly number[]): number | null {
  const { family } = siteParams(site);
  if (!family.gives.enumerate) return null;
  const batch = batchShapeOfSite(site);
  const elements = sizeOf(batch.filter((_, axis) => !aligned.includes(axis)));
  return family.gives.enumerate.size(paramsOf(site)) ** elements;
}

function tooMany(site: Tensor, outcomes: number): never {
  return fail({
    where: `sample "${siteParams(site).name}"`,
    got: `${outcomes} joint outcomes to enumerate`,
    expected: `at most ${branchMost}`,
    write: "scoreFunction() at some of the sites",
  });
}

/** Parameters for which the score function would lose part of the derivative are refused by name. */
function checkSupport(site: Tensor, program: Program, estimator: AnyEstimator, draft: Draft): void {
  const { name } = siteParams(site);
  if (estimator.rest !== "observe" || draft.moving.length === 0) return;
  const moved = lostByScore(site, draft.moving, program);
  if (draft.explicit || draft.refused === null) throw new NoGradientError({ where: `sample "${name}"`, ...moved });
  const [smooth, lacking] =
    siteParams(site).family.supportDepends.length > 0
      ? ["continuous", "support is fixed"]
      : ["smooth", "density is smooth"];
  throw new NoGradientError({
    where: `sample "${name}"`,
    what: `${draft.refused}, and ${moved.what}`,
    write: `use a cost that is ${smooth} in the sample, or a distribution whose ${lacking}`,
  });
}

/** What the score function misses of the derivative in `params`: the boundary term of a moving support, the mass at a kink. */
export function lostByScore(
  site: Tensor,
  params: readonly string[],
  program: Program,
): { what: string; write: string } {
  const { family } = siteParams(site);
  const moves = params.filter((param) => family.supportDepends.includes(param));
  const what =
    moves.length > 0
      ? `the support of ${family.name} moves with ${listed(moves, "and")}, so the score function loses the boundary term`
      : `the density of ${family.name} has a kink in ${listed(params, "and")}, so the score function misses part of the second derivative`;
  const fixed = moves.length > 0 ? "a distribution whose support is fixed" : "a distribution whose density is smooth";
  const jumps = ordersOf(obstacleOf(site, program, new Set())) === 0;
  const smooth = jumps ? `a cost that is continuous in the sample, or ${fixed}` : fixed;
  return { what, write: family.gives.reparam && !jumps ? "use pathwise()" : `use ${smooth}` };
}

function baselineOf(
  site: Tensor,
  estimator: AnyEstimator,
  aligned: readonly number[],
  how: Choosing,
): Choice["baseline"] {
  const { name } = siteParams(site);
  const axis = aligned.find((i) => (batchShapeOfSite(site)[i] as number) >= 2);
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
