import { it } from "vitest";
import { randomLoops } from "./randomProgram.loops.js";
import { type Loss, judge, traced, directionalMoments, exactDirectional } from "./exact.js";
import { printGraph } from "../../src/graph/print.js";
import { describe } from "../../src/expectation/credit/describe.js";
import { batchOf } from "../../src/expectation/site.js";
import { nameOf } from "../../src/expectation/differentiability.js";
for (const seed of (process.env.SEEDS ?? "1").split(",").map(Number)) it(String(seed), () => {
  const { f, params } = randomLoops(seed);
  const p = traced(f as Loss, params);
  console.log(printGraph([p.loss]));
  const { core } = judge(f as Loss, params);
  const { credit } = core.plan;
  for (const l of credit.leaves) console.log("LEAF", l.id, nameOf(l), credit.flow.role(l), credit.flow.shape(l), p.sites.length, core.program.sites.map(s => nameOf(s) + ": " + describe(credit.relation(s, l), batchOf(credit.flow, s), credit.flow.shape(l))));
  for (const n of credit.opened) console.log("opened", n.id, nameOf(n), credit.flow.role(n));
  const d = Array.from({ length: params.theta.size + 1 }, (_, i) => Math.sin(1 + 2 * i));
  console.log(exactDirectional(f as Loss, params, d, 3), directionalMoments(f as Loss, params, d, 3).map(m => m.mean[0]));
});
