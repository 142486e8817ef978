import { it } from "vitest";
import { Bernoulli, Normal, Categorical, sample, sum, mean, take, tanh, where, expectation, enumerate, stack } from "../../src/index.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { t64, type Loss, exactDirectional, directionalMoments, judge } from "./exact.js";
import { describe } from "../../src/expectation/credit/describe.js";
import { batchOf } from "../../src/expectation/site.js";
import { scan as s0, cond, whileLoop } from "./unrolled.js";
const scan = s0 as any;
type P = any;
const B = (l: Tensor, name: string) => sample(Bernoulli({ logits: l }), { name });
const cases: Record<string, [Loss, any]> = {
  while1: [({ theta }: P) => { const [x, n] = whileLoop(([x]: any) => x.less(2.5), ([x, n]: any) => { const a = B(theta.at(0).add(n.mul(theta.at(1))), "a"); return [x.add(a).add(0.5), n.add(1)]; }, [t64(0), t64(0)] as any, { limit: 5 }) as any; return x.square().add(n); }, { theta: t64([0.3, -0.2]) }],
  whileTest: [({ theta }: P) => { const [x, n] = whileLoop(([x]: any) => x.less(0.5), ([_x, n]: any) => { const a = B(theta.at(0).add(n.mul(theta.at(1))), "a"); return [a, n.add(1)]; }, [t64(0), t64(0)] as any, { limit: 4, onLimit: "stop" }) as any; return x.mul(theta.at(0)).add(n.square()); }, { theta: t64([0.3, -0.2]) }],
  condBoth: [({ theta }: P) => { const a = B(theta.at(0), "a"); const y = cond(a.greater(0.5), (x: any) => B(x, "y").mul(2).add(x), (x: any) => B(x.mul(-1), "n").mul(-3), theta.at(1)) as Tensor; return y.square().add(a); }, { theta: t64([0.3, -0.2]) }],
  condNested: [({ theta }: P) => { const a = B(theta.at(0), "a"); const y = cond(a.greater(0.5), (x: any) => { const b = B(x, "y"); return cond(b.greater(0.5), (z: any) => B(z, "yy").add(1), (z: any) => z, x.add(b)) as any; }, (x: any) => B(x.mul(-1), "n").mul(-3), theta.at(1)) as Tensor; return y.square().add(a); }, { theta: t64([0.3, -0.2]) }],
  nested: [({ theta }: P) => { const [_, ys] = scan((c: any, x: any) => { const o = B(c.add(x), "o"); const [d, zs] = scan((d: any, w: any) => { const i = B(d.add(o).mul(w), "i"); return [d.add(i), i.add(c).square()]; }, c, stack([theta.at(1), x])); return [d.tanh(), zs.sum().add(o)]; }, theta.at(0), stack([theta.at(0), theta.at(1)])); return ys.mul([1, 2]).sum(); }, { theta: t64([0.3, -0.2]) }],
  nestedAcc: [({ theta }: P) => { const [[tot]] = scan(([tot, c]: any, x: any) => { const [[d, acc]] = scan(([d, acc]: any) => { const i = B(d.add(x), "i"); return [[i, acc.add(i.add(c).square())], null]; }, [x, t64(0)], null, { length: 2 }); return [[tot.add(acc), d], null]; }, [t64(0), t64(0.2)], stack([theta.at(0), theta.at(1)])); return tot; }, { theta: t64([0.3, -0.2]) }],
  nestedAcc2: [({ theta }: P) => { const [[tot]] = scan(([tot, c]: any, x: any) => { const [[d, acc]] = scan(([d, acc]: any) => { const i = B(d.add(x), "i"); return [[i, acc.add(i.add(c).square())], null]; }, [x, tot], null, { length: 2 }); return [[acc, d], null]; }, [t64(0), t64(0.2)], stack([theta.at(0), theta.at(1)])); return tot; }, { theta: t64([0.3, -0.2]) }],
  nestedAcc3: [({ theta }: P) => { const [_, accs] = scan((c: any, x: any, t: any) => { const [[d, acc]] = scan(([d, acc]: any) => { const i = B(d.add(x), "i"); return [[i, acc.add(i.add(c).square())], null]; }, [x, x.mul(t.toDType("float64"))], null, { length: 2 }); return [d, acc]; }, t64(0.2), stack([theta.at(0), theta.at(1)])); return accs.mul([1, 2]).sum(); }, { theta: t64([0.3, -0.2]) }],
  reverse: [({ theta }: P) => { const [_, ys] = scan((c: any, x: any) => { const a = B(c.add(x), "a"); return [a.sub(c.mul(0.3)), a.sub(x).square()]; }, theta.at(0), stack([theta.at(0), theta.at(1), theta.at(0).mul(2)]), { reverse: true }); return ys.mul([1, 2, 3]).sum(); }, { theta: t64([0.3, -0.2]) }],
  weightOuter: [({ theta }: P) => { const g = B(theta.at(0), "g"); const [, ys] = scan((c: any, x: any) => { const a = B(c.add(x), "a"); return [a, a.sub(x).square().mul(g.add(1)).add(g)]; }, theta.at(0), stack([theta.at(0), theta.at(1)])); return ys.sum(); }, { theta: t64([0.3, -0.2]) }],
  xsSite: [({ theta }: P) => { const g = B(stack([theta.at(0), theta.at(1), theta.at(0)]), "g"); const [, ys] = scan((c: any, x: any) => { const a = B(c.add(x), "a"); return [c.add(x).tanh(), a.sub(x).square().add(c)]; }, theta.at(0), g); return ys.sum(); }, { theta: t64([0.3, -0.2]) }],
  cat: [({ theta }: P) => { const [, ys] = scan((z: any) => { const n = sample(Categorical({ logits: take(theta, z) }), { name: "z" }); return [n, take(t64([0.3, -1, 2]), n).mul(take(theta, z).sum())]; }, sample(Categorical({ logits: theta.at(0) }), { name: "z0" }), null, { length: 2 }); return ys.sum(); }, { theta: t64([[0.3, -0.2, 0.1], [0.5, 0, -1], [1, 0.2, -0.3]]) }],
};
const only = process.env.CASES?.split(",");
it.each(Object.keys(cases).filter((k) => !only || only.includes(k)))("%s", (name) => {
  const [f, params] = cases[name] as any;
  const { core, outcomes } = judge(f, params);
  const { credit } = core.plan;
  const lines = credit.leaves.map(l => `[${credit.flow.shape(l)}] ` + core.program.sites.map(s => describe(credit.relation(s,l), batchOf(core.program.flow,s), core.program.flow.shape(l), (s.params as any).name)).join("; "));
  const n = params.theta.size; const dir = Array.from({length: n}, (_, i) => Math.cos(1 + 2 * i));
  const ex = exactDirectional(f, params, dir, 3);
  const a = directionalMoments(f, params, dir, 3).map(m => (m.mean[0] as number));
  const err = (a: number[]) => Math.max(...a.map((x, i) => Math.abs(x - (ex[i] as number))));
  const b = outcomes.count <= 64 ? directionalMoments(f, params, dir, 3, { runs: 2, baseline: "leaveOneOut" }).map(m => (m.mean[0] as number)) : a;
  const c = directionalMoments(f, params, dir, 3, { baseline: "auto" }).map(m => (m.mean[0] as number));
  let en = "";
  try {
    const E = expectation(f, { estimators: Object.fromEntries(core.program.sites.map((s: any) => [s.params.name, enumerate()])) as any });
    const r = E.valueAndGrad(params, {}); const g = [...(r.grad.mean as any).theta.reshape([n]).toArray()];
    en = String(g.reduce((s: number, x: number, i: number) => s + x * (dir[i] as number), 0) - (ex[0] as number));
  } catch (e) { en = (e as Error).message; }
  console.log(name, outcomes.count, lines, "err", err(a), err(b), err(c), "enum", en);
});
