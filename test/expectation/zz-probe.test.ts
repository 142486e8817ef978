import { it } from "vitest";
import { Bernoulli, sample, sum, tanh } from "../../src/index.js";
import { scan } from "./unrolled.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { exactDirectional, directionalMoments, t64, type Loss, judge, traced, outcomesOf } from "./exact.js";
import { describe } from "../../src/expectation/credit/describe.js";
import { batchOf } from "../../src/expectation/site.js";
type P = any;
const B = (l: Tensor, name: string) => sample(Bernoulli({ logits: l }), { name });
const programs: Record<string, Loss> = {
  chain: ({ theta }: P) => sum(scan((c: Tensor, _x: null, t: Tensor) => { const a = B(c.mul(theta.at(0)).add(theta.at(1)), "a"); return [a, a.sub(0.3).square()]; }, t64(0), null, { length: 3 })[1] as Tensor),
  mdp: ({ theta }: P) => sum(scan((s: Tensor, g: Tensor) => { const a = B(theta.at(0).mul(s).add(theta.at(1)), "a"); const n = tanh(s.add(a.mul(2)).sub(1)); return [n, sum(n.sub(0.3).square()).mul(g)]; }, t64([0.5,-0.5]), t64([1,0.9,0.81]))[1] as Tensor),
};
it.each(Object.keys(programs))("%s", (name) => {
  const f = programs[name] as Loss; const params = { theta: t64([-0.52, -0.45]) };
  const { core } = judge(f, params);
  console.log(name, core.plan.credit.leaves.map(l => core.program.sites.map(s => describe(core.plan.credit.relation(s,l), batchOf(core.program.flow,s), core.program.flow.shape(l)))), outcomesOf(traced(f, params)).count);
  console.log(exactDirectional(f, params, [1, 0.3], 3), directionalMoments(f, params, [1, 0.3], 3).map(m => m.mean[0]));
});
