import { it, expect } from "vitest";
import { randomLoops } from "./randomProgram.loops.js";
import { type How, type Loss, directionalMoments, exactDirectional, judge, outcomesOf, traced } from "./exact.js";
const [from, to] = (process.env.SEEDS ?? "0,60").split(",").map(Number) as [number, number];
function worst(seed: number): [number, number] {
  const { f, params } = randomLoops(seed);
  const count = outcomesOf(traced(f as Loss, params)).count;
  const size = params.theta.size + 1;
  const direction = Array.from({ length: size }, (_, i) => Math.sin(1 + 2 * i));
  const exact = exactDirectional(f as Loss, params, direction, 3);
  let error = 0;
  const ways: How[] = [{}, { baseline: "auto" }, ...(count <= 16 ? [{ runs: 2 as const, baseline: "leaveOneOut" as const }] : [])];
  for (const how of ways)
    directionalMoments(f as Loss, params, direction, 3, how).forEach(({ mean, variance }, k) => {
      const truth = exact[k] as number;
      const e = Math.abs((mean[0] as number) - truth) / (1 + Math.abs(truth) + Math.sqrt(variance));
      error = Number.isNaN(e) || Number.isNaN(error) ? NaN : Math.max(error, e);
    });
  return [error, count];
}
it("all", () => {
  const t0 = Date.now(); let counts = 0; const bad: Record<string, number[]> = {};
  let w = 0;
  for (let s = from; s < to; s++) {
    try { const [e, c] = worst(s); counts += c; if (!(e < 1e-10)) (bad[`wrong`] ??= []).push(s, e); else w = Math.max(w, e); }
    catch (e) { const k = String((e as Error).message).slice(0, 150) + ((e as Error).stack ?? "").split("\n").filter(l => l.includes("/src/")).slice(0,4).join("|"); (bad[k] ??= []).push(s); }
  }
  console.log((Date.now() - t0) / 1000, "s", counts / (to - from), "outcomes; worst", w, JSON.stringify(bad, null, 1));
}, 6e5);
