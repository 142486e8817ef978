import { randomLoops } from "./randomProgram.loops.js";
import { type How, type Loss, directionalMoments, exactDirectional, judge } from "./exact.js";
import { appendFileSync } from "node:fs";
const [from, to] = (process.env.SEEDS ?? "0,60").split(",").map(Number) as [number, number];
for (let seed = from; seed < to; seed++) {
  const t0 = Date.now(); let line = `${seed}`;
  try {
    const { f, params } = randomLoops(seed) as any;
    const { count } = judge(f, params).outcomes; line += ` n${count} j${Date.now() - t0}`;
    const orders = count <= 64 ? 3 : 2;
    const d = Array.from({ length: params.theta.size + 1 }, (_, i) => Math.sin(1 + 2 * i));
    const ex = exactDirectional(f, params, d, orders); line += ` e${Date.now() - t0}`;
    let w = 0;
    const ways: How[] = [{ baseline: "auto" }, ...(count <= 16 ? [{ runs: 2 as const, baseline: "leaveOneOut" as const }] : [])];
    for (const how of ways) { directionalMoments(f, params, d, orders, how).forEach(({ mean, variance }, k) => { const t = ex[k] as number; const e = Math.abs((mean[0] as number) - t) / (1 + Math.abs(t) + Math.sqrt(variance)); w = Number.isNaN(e) ? NaN : Math.max(w, e); }); line += ` w${Date.now() - t0}`; }
    line += w < 1e-10 ? ` ok ${w}` : ` WRONG ${w}`;
  } catch (e) { line += " THROW " + (e as Error).message.slice(0, 200); }
  appendFileSync(process.env.LOG as string, line + "\n");
}
