import { describe, expect, it } from "vitest";
import { directionalMoments, exactDirectional, type How, judge, type Loss } from "./exact.js";
import { randomProgram } from "./randomProgram.js";

const programs = process.env.CHECK_FULL === "1" ? 3000 : 200;

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

describe("random programs", () => {
  it(`gives the exact derivatives of orders 1 and 2 in ${programs} of them`, () => {
    for (let seed = 0; seed < programs; seed++) expect(worst(seed), `program ${seed}`).toBeLessThan(1e-12);
  }, 600_000);
});
