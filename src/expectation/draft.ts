import { type AnyEstimator, missing } from "../estimators/estimator.js";
import { pathwise, scoreFunction } from "../estimators/index.js";
import type { Tensor } from "../graph/tensor.js";
import { type Obstacle, obstacleOf, ordersOf, pathInWords, siteParams } from "./differentiability.js";
import type { Program } from "./program.js";
import { type Lost, misfit, refuse } from "./refuse.js";

/** The first half of a choice: pathwise or not, by what the site gives and what lies below it. */

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

/** The estimator of a site before alignment and outcomes are known. */
export interface Draft extends Lost {
  readonly estimator: AnyEstimator;
  readonly why: string;
  readonly differentiated: boolean;
  /** How many derivatives a pathwise value is right for; null: all. */
  readonly limit: { readonly orders: number; readonly obstacle: Obstacle } | null;
}

export function draftOf(
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
