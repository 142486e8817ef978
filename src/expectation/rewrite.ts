import type { Params } from "../distributions/distribution.js";
import type { Contribution } from "../estimators/estimator.js";
import { type AxisName, apply, type Tensor } from "../graph/tensor.js";
import { again, ancestors } from "../graph/walk.js";
import { box, detach, limit, others, shadow } from "../primitives/control.js";
import { alias, broadcastTo, onesLike } from "../primitives/linear.js";
import { foldIn, hash } from "../random/key.js";
import { add, mul, sub, toDType } from "../tensor/elementwise.js";
import { sum } from "../tensor/reducing.js";
import { pullCotangents } from "../transforms/transpose.js";
import { exponent, type Weight, weighted } from "./charge.js";
import type { Choice, Plan } from "./choose.js";
import { pathInWords, siteParams } from "./differentiability.js";
import type { Program } from "./program.js";
import { lostByScore } from "./refuse.js";
import { batchShapeOfSite, paramsOf } from "./site.js";

/** The graph of one run (and one branch) without random choices: its value estimates E[loss], its derivatives those of E[loss]. */
export interface Rewritten {
  readonly objective: Tensor;
  /** From nodes of the traced program to nodes of this graph. */
  readonly map: ReadonlyMap<Tensor, Tensor>;
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

export function rewrite(program: Program, plan: Plan, inputs: Inputs): Rewritten {
  const { map, contributions } = replaceSites(program, plan, inputs);
  const weights = new Map<Tensor, Weight>();
  for (const site of plan.credit.sites) {
    const { weight } = contributions.get(site) as Contribution;
    const { differentiated, aligned } = plan.choices.get(site) as Choice;
    if (!weight || (weight.kind === "box" && !differentiated)) continue;
    const batch = batchShapeOfSite(site);
    const raw = weight.kind === "box" ? weight.log : weight.ratio;
    // A node of its own: what the site is charged is the derivative by it.
    weights.set(site, { kind: weight.kind, by: apply(alias, [broadcastTo(raw, batch)], null), aligned });
  }
  const charged = rebuildCosts(program, plan, map, weights);
  const terms = baselineTerms(charged, plan, weights, program.axis, inputs.baselines);
  const objective = terms === null ? charged : add(charged, apply(shadow, [toDType(terms, charged.dtype)], null));
  return { objective, map, charges: new Map([...weights].map(([site, { by }]) => [site, by])) };
}

/** Every sample node becomes what its estimator makes of it; the rest of the graph is rebuilt over that. */
function replaceSites(
  program: Program,
  plan: Plan,
  inputs: Inputs,
): { map: Map<Tensor, Tensor>; contributions: Map<Tensor, Contribution> } {
  const map = new Map<Tensor, Tensor>();
  const contributions = new Map<Tensor, Contribution>();
  for (const node of ancestors([program.loss, ...plan.credit.sites])) {
    const ins = guardedInputs(node, (input) => map.get(input) ?? input, plan);
    if (plan.choices.has(node)) {
      const contribution = contributionOf(node, ins, program, plan, inputs);
      contributions.set(node, contribution);
      map.set(node, contribution.value);
    } else if (ins.some((input, i) => input !== node.inputs[i])) map.set(node, rebuiltWith(node, ins));
  }
  return { map, contributions };
}

/** The inputs of a node in the new graph; where a derivative would be lost it is let in no further than it is right. */
function guardedInputs(node: Tensor, become: (input: Tensor) => Tensor, plan: Plan): Tensor[] {
  const gaps = plan.gaps.get(node);
  return node.inputs.map((input, k) => {
    const x = become(input);
    const why = gaps?.get(k);
    return why ? apply(limit, [x, x], why) : x;
  });
}

/** The node over new inputs. In a dynamic program it may have its number, which holds: the draws are the same. */
function rebuiltWith(node: Tensor, ins: readonly Tensor[]): Tensor {
  const out = again(node, ins);
  out.value = node.value;
  return out;
}

function contributionOf(
  node: Tensor,
  ins: readonly Tensor[],
  program: Program,
  plan: Plan,
  inputs: Inputs,
): Contribution {
  const { name, family } = siteParams(node);
  const choice = plan.choices.get(node) as Choice;
  const { estimator } = choice;
  const params = estimator.rest === "observe" ? guarded(node, paramsOf(node, ins), program) : paramsOf(node, ins);
  const stream = { key: foldIn(program.key, hash(name)), run: program.run };
  const given = inputs.given.get(node) ?? null;
  const site = { name, family, params, stream, given, outcome: inputs.outcomes.get(node) ?? null, gives: family.gives };
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

/** The loss with every cost array weighted by the sites that may influence it. */
function rebuildCosts(
  program: Program,
  plan: Plan,
  map: ReadonlyMap<Tensor, Tensor>,
  weights: ReadonlyMap<Tensor, Weight>,
): Tensor {
  const { credit } = plan;
  const rebuilt = (node: Tensor): Tensor => map.get(node) ?? node;
  const charged = new Map<Tensor, Tensor>();
  for (const leaf of credit.leaves) charged.set(leaf, weighted(rebuilt(leaf), leaf, credit, weights));
  for (const node of [...credit.opened].sort((a, b) => a.id - b.id)) {
    charged.set(
      node,
      again(
        node,
        guardedInputs(node, (input) => charged.get(input) ?? rebuilt(input), plan),
      ),
    );
  }
  return charged.get(program.loss) ?? rebuilt(program.loss);
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
  let total: Tensor | null = null;
  sites.forEach(([site, { by: log }], i) => {
    const cost = costs[i] ?? null;
    const b =
      outside?.get(site) ?? (cost && baseline(cost, plan.choices.get(site) as Choice, batchShapeOfSite(site), runs));
    if (!b) return;
    const before = exponent(plan.credit, weights, site, batchShapeOfSite(site), site);
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
