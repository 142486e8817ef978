import { expect, describe as group, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import { describe } from "../../src/expectation/credit/describe.js";
import { rewrite } from "../../src/expectation/rewrite.js";
import { batchOf, type SiteParams } from "../../src/expectation/site.js";
import { apply, type Tensor } from "../../src/graph/tensor.js";
import { add, enumerate, expectation, sub, tensor } from "../../src/index.js";
import { box, shadow } from "../../src/primitives/control.js";
import { gradients } from "../../src/transforms/grad.js";
import { type CreditProgram, creditPrograms } from "./creditPrograms.js";
import {
  directional,
  directionalMoments,
  exactDirectional,
  gradientMoments,
  type Judged,
  judge,
  type Loss,
  type Moments,
  momentsOf,
  numbersOf,
  overOutcomes,
} from "./exact.js";
import { normOf } from "./statistics.js";

/** Equal to the printed digits: half a unit of the last one. */
function agrees(actual: number, printed: string, label: string): void {
  const decimals = printed.includes(".") ? printed.length - printed.indexOf(".") - 1 : 0;
  expect(Math.abs(actual - Number(printed)), `${label}: ${actual} against ${printed}`).toBeLessThanOrEqual(
    0.501 * 10 ** -decimals,
  );
}

function agreesAll(actual: readonly number[], printed: string, label: string): void {
  const list = printed.split(", ");
  expect(actual.length, label).toBe(list.length);
  actual.forEach((x, i) => {
    agrees(x, list[i] as string, `${label}[${i}]`);
  });
}

/** Who is charged with what, one line per leaf. */
function charges(f: Loss, params: unknown): string[] {
  const { program, plan } = judge(f, params).core;
  return plan.credit.leaves.map((leaf) =>
    program.sites
      .map((site) =>
        describe(
          plan.credit.relation(site, leaf),
          batchOf(program.flow, site),
          program.flow.shape(leaf),
          (site.params as SiteParams).name,
        ),
      )
      .join("; "),
  );
}

function flat(tree: unknown): number[] {
  return Object.values(tree as Record<string, never>).flatMap((x) => [...numbersOf(x)]);
}

/** A direction in which no coefficient is like another. */
function slanted(n: number): number[] {
  return Array.from({ length: n }, (_, i) => Math.cos(1 + 2.3 * i));
}

group.each(creditPrograms)("$name", ({ f: program, params, charged, value, gradient, single, pair }: CreditProgram) => {
  const f = program as Loss;
  const size = flat(params).length;
  // Pairs of 256 outcomes are 65,536 rows: in the full check only.
  const isLarge = size === 8 && process.env.CHECK_FULL !== "1";

  it("enumerates to the exact value and gradient", () => {
    const sites = judge(f, params).core.program.sites;
    const estimators = Object.fromEntries(
      sites.map((site) => [(site.params as SiteParams).name, enumerate() as Estimator<never>]),
    );
    const result = expectation(f, { estimators }).valueAndGrad(params, {});
    agrees(result.value.mean.item(), value, "value");
    agreesAll(flat(result.grad.mean), gradient, "gradient");
    expect(result.value.stderr.item()).toBe(0);
    expect(flat(result.grad.stderr).every((x) => x === 0)).toBe(true);
  });

  it("charges each site with what it can influence", () => {
    expect(charges(f, params).sort()).toEqual([...charged].sort());
  });

  it("has the printed variances, with and without credit", () => {
    agrees(gradientMoments(f, params).variance, single[0], "one run");
    agrees(gradientMoments(f, params, { everything: true }).variance, single[1], "one run, all charged");
    if (isLarge) return;
    agrees(gradientMoments(f, params, { runs: 2, baseline: "leaveOneOut" }).variance, pair[0], "leave-one-out");
    agrees(
      gradientMoments(f, params, { runs: 2, baseline: "leaveOneOut", everything: true }).variance,
      pair[1],
      "leave-one-out, all charged",
    );
  });

  it("is unbiased at orders 1, 2 and 3, with and without baseline", () => {
    for (const direction of [Array<number>(size).fill(1), slanted(size)]) {
      const exact = exactDirectional(f, params, direction, 3);
      for (const how of [{}, { runs: 2, baseline: "leaveOneOut" }] as const) {
        if (isLarge && how.runs === 2) continue;
        directionalMoments(f, params, direction, 3, how).forEach(({ mean }, k) => {
          const scale = Math.max(normOf(exact), Math.abs(exact[k] as number));
          expect(Math.abs((mean[0] as number) - (exact[k] as number)), `order ${k + 1}`).toBeLessThanOrEqual(
            1e-12 * scale,
          );
        });
      }
    }
  });
});

/** E[G] per site element, the constant that a moving average would settle at. */
function meanCharges(judged: Judged): Map<Tensor, Tensor> {
  const sites = [...judged.core.charges.keys()];
  const logs = [...judged.core.charges.values()];
  const { rows, weights } = overOutcomes(judged, (loss) => gradients(loss, logs));
  const baselines = rows.map((row, i) => {
    const shape = (logs[i] as Tensor).shape;
    const out = new Float64Array(row.length / weights.length);
    row.forEach((x, k) => {
      out[k % out.length] = (out[k % out.length] as number) + x * (weights[Math.floor(k / out.length)] as number);
    });
    return tensor(out, { shape });
  });
  return new Map(sites.map((site, i) => [site, baselines[i] as Tensor]));
}

group("second and third derivatives along all ones", () => {
  const rows = [
    {
      name: "twoLayer",
      d2: ".029735263",
      d3: "-.047556613",
      bare: ".0093747166",
      middle: ".0057789583",
      based: ".0034232150",
    },
    { name: "mdp", d2: "-.11130931", d3: ".81412819", bare: "1.9245723", middle: ".84416704", based: ".55432373" },
    {
      name: "mdp, the costs stacked",
      d2: "-.11130931",
      d3: ".81412819",
      bare: "1.9245723",
      middle: ".84416704",
      based: ".55432373",
    },
    {
      name: "mdp, the costs added up in the carry",
      d2: "-.11130931",
      d3: ".81412819",
      bare: "1.9245723",
      middle: ".84416704",
      based: ".55432373",
    },
    { name: "initScan", d2: ".20397535", d3: ".039430369", bare: "3.6299853", middle: "3.3958138", based: "2.7074502" },
  ];

  it.each(rows)(
    "$name: exact, and the variance of the second with and without a baseline",
    ({ name, d2, d3, bare, middle, based }) => {
      const { f, params } = creditPrograms.find((p) => p.name === name) as CreditProgram;
      const ones = Array<number>(flat(params).length).fill(1);
      const exact = exactDirectional(f as Loss, params, ones, 3);
      agrees(exact[1] as number, d2, "second");
      agrees(exact[2] as number, d3, "third");
      const second = (directionalMoments(f as Loss, params, ones, 2) as Moments[])[1] as Moments;
      agrees(second.variance, bare, "variance without baseline");
      const judged = judge(f as Loss, params);
      const { core } = judged;
      const given = new Map(
        core.program.sites.map((site) => [site, core.given.get((site.params as SiteParams).name) as Tensor]),
      );
      const secondOf = (objective: Tensor): Moments => {
        const { rows: all, weights } = overOutcomes({ ...judged, core: { ...core, objective } }, (loss, holes) =>
          directional(loss, holes, ones, 2),
        );
        const moments = momentsOf({ rows: all.slice(1), weights });
        expect(moments.mean[0]).toBeCloseTo(exact[1] as number, 12);
        return moments;
      };
      const charged = meanCharges(judged);
      const inputs = { outcomes: new Map(), given };
      const whole = rewrite(core.program, core.plan, { ...inputs, baselines: charged });
      agrees(secondOf(whole.objective).variance, based, "variance with the baseline E[G]");
      // The same terms without the weight of what came before the site: unbiased too, with more variance.
      const none = rewrite(core.program, core.plan, { ...inputs, baselines: new Map() });
      const terms = [...none.charges].map(([site, log]) =>
        (charged.get(site) as Tensor).mul(sub(1, apply(box, [log], null))).sum(),
      );
      const half = add(none.objective, apply(shadow, [terms.reduce((x, y) => add(x, y))], null));
      agrees(secondOf(half).variance, middle, "variance with the baseline E[G] and without what came before");
    },
  );
});
