import { describe, expect, it } from "vitest";
import { type Flow, isScan } from "../../src/control/flow.js";
import { rewrite } from "../../src/expectation/rewrite.js";
import { batchOf, paramsOf, type SiteParams } from "../../src/expectation/site.js";
import { contains, type Relation } from "../../src/graph/relation/relation.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { sigmoid } from "../../src/index.js";
import { directionalMoments, exactDirectional, type How, judge, type Loss, overOutcomes } from "./exact.js";
import { randomLoops } from "./randomProgram.loops.js";
import { Dice, unravel } from "./relation.support.js";

const full = process.env.CHECK_FULL === "1";
const programs = full ? 1000 : 60;
/** Pairs of more outcomes, and third derivatives of larger programs, take longer than they tell. */
const few = full ? 16 : 4;
const third = full ? 256 : 8;

/** The largest error of the derivatives, relative to the size of what is averaged. */
function worst(seed: number): number {
  const { f, params } = randomLoops(seed) as unknown as { f: Loss; params: { theta: Tensor } };
  const direction = Array.from({ length: params.theta.size + 1 }, (_, i) => Math.sin(1 + 2 * i));
  const { count } = judge(f, params).outcomes;
  const orders = count <= third ? 3 : 2;
  const exact = exactDirectional(f, params, direction, orders);
  const ways: How[] = [{ baseline: "auto" }, ...(full ? [{}] : [])];
  if (count <= few) ways.push({ runs: 2, baseline: "leaveOneOut" });
  let error = 0;
  for (const how of ways)
    directionalMoments(f, params, direction, orders, how).forEach(({ mean, variance }, k) => {
      const truth = exact[k] as number;
      const here = Math.abs((mean[0] as number) - truth) / (1 + Math.abs(truth) + Math.sqrt(variance));
      error = Number.isNaN(here) ? here : Math.max(error, here);
    });
  return error;
}

/** For every outcome, the chance of each site element to be 1, and the numbers of each leaf. */
interface Tables {
  readonly sites: readonly {
    readonly batch: readonly number[];
    readonly chances: Float64Array;
    readonly first: number;
    readonly branch: boolean;
  }[];
  readonly leaves: readonly Float64Array[];
  readonly count: number;
  readonly relation: (site: number, leaf: number) => Relation;
  readonly before: (site: number, other: number) => Relation;
  readonly shapes: readonly (readonly number[])[];
}

function tablesOf(seed: number): Tables {
  const { f, params } = randomLoops(seed) as unknown as { f: Loss; params: { theta: Tensor } };
  const judged = judge(f, params);
  const { program, plan, given } = judged.core;
  const { flow, sites } = program;
  const { leaves } = plan.credit;
  const logits = sites.map((site) => paramsOf(site).logits as Tensor);
  const values = new Map(sites.map((site) => [site, given.get((site.params as SiteParams).name) as Tensor]));
  const inside = [...logits, ...leaves].filter((node) => flow.home(node) !== null);
  const { map, lifted } = rewrite(program, plan, { outcomes: new Map(), given: values }, new Set(inside));
  const seen = (node: Tensor): Tensor =>
    flow.home(node) === null ? (map.get(node) ?? node) : (lifted.get(node) as Tensor);
  const { rows } = overOutcomes(judged, () => [...logits.map((x) => sigmoid(seen(x))), ...leaves.map(seen)]);
  let first = 0;
  return {
    sites: sites.map((site, i) => {
      const batch = batchOf(flow, site);
      const start = first;
      first += batch.reduce((a, b) => a * b, 1);
      return { batch, chances: rows[i] as Float64Array, first: start, branch: inBranch(flow, site) };
    }),
    leaves: rows.slice(sites.length),
    count: judged.outcomes.count,
    relation: (s, l) => plan.credit.relation(sites[s] as Tensor, leaves[l] as Tensor),
    before: (s, o) => plan.credit.before(sites[s] as Tensor, sites[o] as Tensor),
    shapes: leaves.map((leaf) => flow.shape(leaf)),
  };
}

function inBranch(flow: Flow, site: Tensor): boolean {
  for (let home = flow.home(site); home !== null; home = flow.home(home)) if (!isScan(home)) return true;
  return false;
}

const table = (all: Float64Array, count: number, outcome: number, e: number): number =>
  all.length === count || all.length % count === 0
    ? (all[(all.length / count) * outcome + e] as number)
    : (all[e] as number);

/** What the program does with fixed noise, but for one element that is set: the later draws answer. */
function outcomeOf({ sites, count }: Tables, noise: readonly number[], forced: ReadonlyMap<number, number>): number {
  let outcome = 0;
  for (let round = 0; round <= noise.length; round++) {
    let next = 0;
    for (const { batch, chances, first } of sites) {
      const size = batch.reduce((a, b) => a * b, 1);
      for (let e = 0; e < size; e++) {
        const drawn = (noise[first + e] as number) < table(chances, count, outcome, e) ? 1 : 0;
        next += (forced.get(first + e) ?? drawn) * 2 ** (first + e);
      }
    }
    if (next === outcome) return outcome;
    outcome = next;
  }
  throw new Error("draws that depend on themselves");
}

/** Sets one element after another, and looks what moved. @returns how many pairs of an element and a number were seen to be linked */
function perturb(seed: number): number {
  const tables = tablesOf(seed);
  const { sites, leaves, shapes, count } = tables;
  const dice = new Dice(seed);
  const elements = sites.reduce((n, { batch }) => n + batch.reduce((a, b) => a * b, 1), 0);
  let linked = 0;
  for (let trial = 0; trial < (full ? 12 : 6); trial++) {
    const noise = Array.from({ length: elements }, () => dice.below(1000) / 1000);
    sites.forEach(({ batch, first }, s) => {
      for (let e = 0; e < batch.reduce((a, b) => a * b, 1); e++) {
        const [off, on] = [0, 1].map((x) => outcomeOf(tables, noise, new Map([[first + e, x]]))) as [number, number];
        const at = unravel(e, batch);
        const check = (all: Float64Array, shape: readonly number[], r: Relation, what: string): void => {
          const size = shape.reduce((a, b) => a * b, 1);
          for (let n = 0; n < size; n++) {
            if (Object.is(table(all, count, off, n), table(all, count, on, n))) continue;
            linked++;
            expect(contains(r, at, unravel(n, shape)), `program ${seed}, site ${s}[${at}], ${what}[${n}]`).toBe(true);
          }
        };
        leaves.forEach((all, l) => {
          check(all, shapes[l] as readonly number[], tables.relation(s, l), `leaf ${l}`);
        });
        sites.forEach((other, o) => {
          // What stands in a branch is shown as 0 where the branch is not taken.
          if (!other.branch) check(other.chances, other.batch, tables.before(s, o), `the law of site ${o}`);
        });
      }
    });
  }
  return linked;
}

describe("random programs with loops", () => {
  it(`derivatives 1 to 3 are exact in ${programs} of them`, () => {
    for (let seed = 0; seed < programs; seed++) expect(worst(seed), `program ${seed}`).toBeLessThan(1e-10);
  }, 3_600_000);

  it(`what a draw moves is in its relation, in ${programs} of them`, () => {
    let linked = 0;
    for (let seed = 0; seed < programs; seed++) linked += perturb(seed);
    expect(linked).toBeGreaterThan(10 * programs);
  }, 3_600_000);
});
