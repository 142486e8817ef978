import { afterAll, describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import { enumerate, expectation, hessian, scoreFunction, valueAndGrad } from "../../src/index.js";
import {
  directionalMoments,
  exactDirectional,
  exactLoss,
  type How,
  judge,
  type Loss,
  numbersOf,
  outcomesOf,
  traced,
} from "./exact.js";
import { type RandomProgram, randomProgram } from "./randomProgram.js";
import { Comparisons, normOf } from "./statistics.js";

const full = process.env.CHECK_FULL === "1";
const programs = full ? 3000 : 120;

const ways: readonly How[] = [{}, { baseline: "auto" }, { runs: 2, baseline: "leaveOneOut" }];

/** The largest error of derivatives 1 and 2, relative to the size of what is averaged. */
function worst(seed: number): number {
  const { f, params } = randomProgram(seed);
  const size = params.theta.size + 1;
  const direction = Array.from({ length: size }, (_, i) => Math.sin(1 + 2 * i));
  const exact = exactDirectional(f as Loss, params, direction, 2);
  let error = 0;
  for (const how of ways) {
    // Pairs of more than 16 outcomes take longer than they tell.
    if (how.runs === 2 && judge(f as Loss, params).outcomes.count > 16) continue;
    directionalMoments(f as Loss, params, direction, 2, how).forEach(({ mean, variance }, k) => {
      const truth = exact[k] as number;
      error = Math.max(error, Math.abs((mean[0] as number) - truth) / (1 + Math.abs(truth) + Math.sqrt(variance)));
    });
  }
  return error;
}

type Params = RandomProgram["params"];
type Program = (params: Params) => ReturnType<Loss>;

const flat = (tree: object): number[] => Object.values(tree).flatMap((x) => [...numbersOf(x)]);

function sitesOf(f: Program, params: Params): string[] {
  return Object.keys(outcomesOf(traced(f, params)).values);
}

/** Value, gradient and one block of the Hessian, straight from the program. */
function truthOf(f: Program, params: Params): { value: number; gradient: number[]; block: number[] } {
  const exact = exactLoss(f, outcomesOf(traced(f, params))) as Program;
  const { value, grad } = valueAndGrad(exact)(params);
  return { value: value.item(), gradient: flat(grad), block: [...numbersOf(hessian(exact)(params).theta.theta)] };
}

describe("random programs", () => {
  it(`the score function gives the exact derivatives of orders 1 and 2 in ${programs} of them`, () => {
    for (let seed = 0; seed < programs; seed++) expect(worst(seed), `program ${seed}`).toBeLessThan(1e-12);
  }, 600_000);

  it(`enumeration gives the exact value, gradient and Hessian in ${programs} of them`, () => {
    for (let seed = 0; seed < programs; seed++) {
      const { f, params } = randomProgram(seed) as { f: Program; params: Params };
      const estimators = Object.fromEntries(sitesOf(f, params).map((name) => [name, enumerate() as Estimator<never>]));
      const E = expectation(f, { estimators });
      const { value, grad } = E.valueAndGrad(params, {});
      const truth = truthOf(f, params);
      const found = [value.mean.item(), ...flat(grad.mean), ...numbersOf(E.hessian(params, {}).mean.theta.theta)];
      const wanted = [truth.value, ...truth.gradient, ...truth.block];
      const scale = 1 + Math.max(...wanted.map(Math.abs));
      found.forEach((x, i) => {
        expect(Math.abs(x - (wanted[i] as number)) / scale, `program ${seed}, number ${i}`).toBeLessThan(1e-11);
      });
    }
  }, 600_000);
});

describe("one site enumerated, the other scored", () => {
  // Two sites, and a gradient that is not lost in its noise.
  const seeds = Array.from({ length: full ? 400 : 60 }, (_, seed) => seed).filter((seed) => {
    const { f, params } = randomProgram(seed) as { f: Program; params: Params };
    return sitesOf(f, params).length === 2;
  });
  const cases = seeds.flatMap((seed) => (["a", "b"] as const).map((enumerated) => ({ seed, enumerated })));
  const components = ({ seed }: { seed: number }): number => randomProgram(seed).params.theta.size + 1;
  // The gradient of a random program may be anything beside its spread, so 1 % is taken of both together.
  const comparisons = new Comparisons(cases.reduce((n, entry) => n + components(entry), 0));
  afterAll(() => {
    comparisons.done();
  });

  it.each(cases)("program $seed, $enumerated enumerated", ({ seed, enumerated }) => {
    const { f, params } = randomProgram(seed) as { f: Program; params: Params };
    const estimators = Object.fromEntries(
      sitesOf(f, params).map((name) => [
        name,
        (name === enumerated ? enumerate() : scoreFunction()) as Estimator<never>,
      ]),
    );
    const { grad } = expectation(f, { samples: 32, replicates: 100, estimators }).valueAndGrad(params, { key: 0 });
    const { gradient: truth } = truthOf(f, params);
    const stderr = flat(grad.stderr);
    const scale = normOf(truth) + 100 * Math.max(...stderr) + 1e-3;
    comparisons.check(`program ${seed}`, { mean: flat(grad.mean), stderr, dof: grad.dof, truth, scale });
  });
});
