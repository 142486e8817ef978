import { fail, listed, NoGradientError } from "../base/errors.js";
import { sizeOf } from "../base/shape.js";
import { type AnyEstimator, missing } from "../estimators/estimator.js";
import { estimators } from "../estimators/index.js";
import type { Tensor } from "../graph/tensor.js";
import { obstacleOf, ordersOf, pathInWords, pathToLoss, siteParams } from "./differentiability.js";
import type { Program } from "./program.js";

/** Choices that would be wrong, in sentences: what the site gives, what the estimator needs, the path, and what to write instead. */

/** The most joint outcomes that are enumerated even when asked for. */
const branchMost = 2 ** 16;

/** What decides whether a parameter may be scored. */
export interface Lost {
  readonly explicit: boolean;
  /** Why pathwise, which the distribution would give, is not the default. */
  readonly refused: string | null;
  /** Parameters that the score function is not right for. */
  readonly moving: readonly string[];
}

interface Named {
  readonly estimators: { readonly [site: string]: unknown };
  readonly given: ReadonlySet<string>;
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

export function misfit(site: Tensor, program: Program, estimator: AnyEstimator, lacks: readonly string[]): never {
  const { name, family, names } = siteParams(site);
  const what = `${family.name} gives no ${listed(lacks, "and")}, which ${estimator.name} needs`;
  const path = pathToLoss(site, program);
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

export function refuse(name: string, what: string, program: Program, site: Tensor): never {
  throw new NoGradientError({ where: `sample "${name}"`, what, write: remedies(site, program, "pathwise") });
}

/** @throws on estimators or recorded values for a site that does not exist, listing those that do */
export function checkNames(known: readonly string[], how: Named): void {
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

/** The most numbers that enumerating may make the program compute at once: some seconds and gigabytes. */
const mostNumbers = 2 ** 29;

/** @throws where enumerating the sites would run the program too often, or on too many numbers */
export function checkOutcomes(sites: readonly Tensor[], { flow, loss }: Program, outcomes: number): void {
  const [site] = sites;
  if (site === undefined) return;
  const numbers = outcomes * flow.between(sites, [loss]).reduce((total, node) => total + sizeOf(flow.shape(node)), 0);
  if (outcomes <= branchMost && numbers <= mostNumbers) return;
  const many = outcomes > branchMost;
  fail({
    where: `sample "${siteParams(site).name}"`,
    got: many
      ? `${outcomes} joint outcomes to enumerate`
      : `${numbers} numbers in ${outcomes} joint outcomes to enumerate`,
    expected: `at most ${many ? branchMost : mostNumbers}`,
    write: "scoreFunction() at some of the sites",
  });
}

/** Parameters for which the score function would lose part of the derivative are refused by name. */
export function checkSupport(site: Tensor, program: Program, estimator: AnyEstimator, draft: Lost): void {
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
