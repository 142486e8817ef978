import type { Tensor } from "../graph/tensor.js";
import { elements, type NDArray } from "../kernel/ndarray.js";
import { onesLike, zerosLike } from "../primitives/linear.js";
import { pullCotangents } from "../transforms/transpose.js";
import type { Plan } from "./choose.js";
import { siteParams } from "./differentiability.js";
import type { DynamicRun } from "./dynamic.js";
import { numbersOf } from "./dynamicReads.js";
import { tensorOf } from "./estimate.js";
import { rewrite } from "./rewrite.js";
import { batchShapeOfSite } from "./site.js";

/** Leave-one-out baselines of dynamic programs, whose runs are graphs of their own: sites are matched by name and shape. */
export interface Planned extends DynamicRun {
  readonly plan: Plan;
}

/**
 * What sites are charged, by name and shape. A run with several paths is charged the mean over those that have the site: it must take part
 * like any other, because how many paths a run has depends on its own draws, and whether it has a baseline may not.
 */
export type Charges = Map<string, { readonly sum: Float64Array; count: number }>;

function placeOf(site: Tensor): string {
  return `${siteParams(site).name}[${batchShapeOfSite(site)}]`;
}

function wantsOthers({ plan }: Planned, site: Tensor): boolean {
  return plan.choices.get(site)?.baseline === "leaveOneOut";
}

/** What each scored site with a leave-one-out baseline is charged in one run, as a weighted sum over its paths. */
export function chargesOf(paths: readonly Planned[]): Charges {
  const out: Charges = new Map();
  for (const path of paths) {
    const { program, plan, forced, recorded, share } = path;
    if (!program.sites.some((site) => wantsOthers(path, site))) continue;
    const { objective, charges } = rewrite(program, plan, { outcomes: forced, given: recorded, baselines: new Map() });
    const wanted = [...charges].filter(([site]) => wantsOthers(path, site));
    const logs = wanted.map(([, log]) => log);
    const costs = pullCotangents([objective], logs, [onesLike(objective)]);
    const values = numbersOf(costs.map((g, i) => g ?? zerosLike(logs[i] as Tensor)));
    wanted.forEach(([site], i) => {
      addTo(out, placeOf(site), elements(values[i] as NDArray), share, share);
    });
  }
  return out;
}

function addTo(charges: Charges, place: string, values: ArrayLike<number>, times: number, count: number): void {
  const entry = charges.get(place) ?? { sum: new Float64Array(values.length), count: 0 };
  entry.count += count;
  for (let i = 0; i < entry.sum.length; i++) entry.sum[i] = (entry.sum[i] as number) + times * (values[i] as number);
  charges.set(place, entry);
}

/** The sum of the runs' means. */
export function poolOf(runs: readonly Charges[]): Charges {
  const pool: Charges = new Map();
  for (const charges of runs) for (const [place, { sum, count }] of charges) addTo(pool, place, sum, 1 / count, 1);
  return pool;
}

/** The mean charge over the other runs that have the site; it does not depend on this run's draws. */
export function baselinesOf(path: Planned, pool: Charges, own: Charges): Map<Tensor, Tensor> {
  const out = new Map<Tensor, Tensor>();
  for (const site of path.program.sites) {
    if (!wantsOthers(path, site)) continue;
    const all = pool.get(placeOf(site));
    const mine = own.get(placeOf(site));
    if (!all || !mine || all.count < 2) continue;
    const mean = all.sum.map((sum, i) => (sum - (mine.sum[i] as number) / mine.count) / (all.count - 1));
    out.set(site, tensorOf(mean, path.program.loss.dtype, batchShapeOfSite(site)));
  }
  return out;
}
