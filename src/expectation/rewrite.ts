import type { Params } from "../distributions/distribution.js";
import type { Contribution } from "../estimators/estimator.js";
import { type AxisName, apply, type Tensor } from "../graph/tensor.js";
import { box, detach, limit, others, shadow } from "../primitives/control.js";
import { alias, broadcastTo, onesLike } from "../primitives/linear.js";
import { foldIn, hash } from "../random/key.js";
import { add, mul, sub, toDType } from "../tensor/elementwise.js";
import { sum } from "../tensor/reducing.js";
import { pullCotangents } from "../transforms/transpose.js";
import { exponentBefore, type Weight } from "./charge.js";
import type { Choice, Plan } from "./choose.js";
import { rebuildCosts, visibleOf } from "./costs.js";
import { pathInWords, siteParams } from "./differentiability.js";
import type { Program } from "./program.js";
import { rebuild } from "./rebuild.js";
import { lostByScore } from "./refuse.js";
import { batchOf, paramsOf } from "./site.js";

/** The graph of one run (and one branch) without random choices: its value estimates E[loss], its derivatives those of E[loss]. */
export interface Rewritten {
  readonly objective: Tensor;
  /** From nodes of the traced program to nodes of this graph. */
  readonly map: ReadonlyMap<Tensor, Tensor>;
  /** Visible nodes inside loops, of all steps. */
  readonly lifted: ReadonlyMap<Tensor, Tensor>;
  /** Weights of the weighted sites (log p of scored ones), to differentiate by: ∂objective/∂log p is what a site is charged. */
  readonly charges: ReadonlyMap<Tensor, Tensor>;
}

export interface Inputs {
  /** Values for branching sites, of the site's shape. */
  readonly outcomes: ReadonlyMap<Tensor, Tensor>;
  /** Recorded values by site. */
  readonly given: ReadonlyMap<Tensor, Tensor>;
  /** Baselines computed elsewhere (dynamic programs), by site; instead of those of the plan. */
  readonly baselines?: ReadonlyMap<Tensor, Tensor>;
}

/** @param visible nodes inside loops that the caller wants to see of all steps */
export function rewrite(
  program: Program,
  plan: Plan,
  inputs: Inputs,
  visible: ReadonlySet<Tensor> = new Set(),
): Rewritten {
  const { flow } = program;
  const rebuilt = rebuild([program.loss, ...plan.credit.sites.filter((site) => flow.home(site) === null)], {
    program,
    plan,
    supplies: [inputs.given, inputs.outcomes],
    contribute: (site, ins, supplied) =>
      contributionOf(site, ins, program, plan, supplied(inputs.given), supplied(inputs.outcomes)),
    visible: new Set([...visibleOf(plan.credit), ...visible]),
  });
  const weights = new Map<Tensor, Weight>();
  for (const site of plan.credit.sites) {
    const { weight } = rebuilt.contributions.get(site) as Contribution;
    const { differentiated, aligned } = plan.choices.get(site) as Choice;
    if (!weight || (weight.kind === "box" && !differentiated)) continue;
    // A node of its own: what the site is charged is the derivative by it.
    const by = apply(alias, [broadcastTo(rebuilt.weights.get(site) as Tensor, batchOf(flow, site))], null);
    weights.set(site, { kind: weight.kind, by, aligned });
  }
  const charged = rebuildCosts(program, plan, rebuilt, weights);
  const terms = baselineTerms(charged, plan, weights, program.axis, inputs.baselines);
  const objective = terms === null ? charged : add(charged, apply(shadow, [toDType(terms, charged.dtype)], null));
  const { map, lifted } = rebuilt;
  return { objective, map, lifted, charges: new Map([...weights].map(([site, { by }]) => [site, by])) };
}

function contributionOf(
  node: Tensor,
  ins: readonly Tensor[],
  program: Program,
  plan: Plan,
  given: Tensor | null,
  outcome: Tensor | null,
): Contribution {
  const { name, family, names } = siteParams(node);
  const choice = plan.choices.get(node) as Choice;
  const { estimator } = choice;
  const params = estimator.rest === "observe" ? guarded(node, paramsOf(node, ins), program) : paramsOf(node, ins);
  // In a loop every step has a key of its own.
  const key = ins.slice(names.length).reduce((k, step) => foldIn(k, step), foldIn(program.key, hash(name)));
  const site = { name, family, params, stream: { key, run: program.run }, given, outcome, gives: family.gives };
  const contribution = estimator.estimate(site);
  if (!choice.limit) return contribution;
  const { orders, obstacle } = choice.limit;
  const why = {
    where: `sample "${name}"`,
    what: `${estimator.name} is right for ${orders} derivative only: the cost has a kink in it (${pathInWords(obstacle.path)})`,
    write: `expectation(f, { order: ${orders + 1} })`,
  };
  return { ...contribution, value: apply(limit, [contribution.value, contribution.value], { orders, ...why }) };
}

/** Parameters that move the support let values through and no derivative, those in which the density has a kink one: more would be wrong. */
function guarded(node: Tensor, params: Params, program: Program): Params {
  const { name, family } = siteParams(node);
  const out: Record<string, Tensor> = { ...params };
  const guard = (param: string, orders: number): void => {
    const x = params[param];
    if (x)
      out[param] = apply(limit, [x, x], { orders, where: `sample "${name}"`, ...lostByScore(node, [param], program) });
  };
  for (const param of family.densityKinks ?? []) guard(param, 1);
  for (const param of family.supportDepends) guard(param, 0);
  return out;
}

/**
 * Σ_z Σ_s b_z[s] · (1 − box(l_z[s])) · box(τ of the sites before z): value 0, mean 0 at every order, because b_z does not depend on z's own
 * draw. Without the last factor it is still unbiased, but second derivatives suffer.
 */
function baselineTerms(
  charged: Tensor,
  plan: Plan,
  weights: ReadonlyMap<Tensor, Weight>,
  runs: AxisName,
  outside?: ReadonlyMap<Tensor, Tensor>,
): Tensor | null {
  const sites = [...weights].filter(
    ([site, weight]) =>
      weight.kind === "box" && (outside ? outside.has(site) : plan.choices.get(site)?.baseline !== "none"),
  );
  if (sites.length === 0) return null;
  const costs = outside
    ? []
    : pullCotangents(
        [charged],
        sites.map(([, { by }]) => by),
        [onesLike(charged)],
      );
  const { flow } = plan.credit;
  let total: Tensor | null = null;
  sites.forEach(([site, { by: log }], i) => {
    const cost = costs[i] ?? null;
    const b =
      outside?.get(site) ?? (cost && baseline(cost, plan.choices.get(site) as Choice, batchOf(flow, site), runs));
    if (!b) return;
    const before = exponentBefore(plan.credit, weights, site);
    const own = mul(apply(detach, [b], null), sub(1, apply(box, [log], null)));
    const term = sum(before === null ? own : mul(own, apply(box, [toDType(before, own.dtype)], null)));
    total = total === null ? term : add(total, term);
  });
  return total;
}

/** What the others are charged: the other runs, or the other elements along the first axis that every cost keeps. */
function baseline(cost: Tensor, { baseline: kind, aligned }: Choice, batch: readonly number[], runs: AxisName): Tensor {
  const stopped = apply(detach, [cost], null);
  if (kind === "leaveOneOut") return apply(others, [stopped], { axes: [], name: runs });
  const axis = aligned.find((i) => (batch[i] as number) >= 2) as number;
  return apply(others, [stopped], { axes: [axis], name: { label: `elements along axis ${axis}` } });
}
