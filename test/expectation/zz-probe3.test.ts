import { it } from "vitest";
import { Bernoulli, Normal, Categorical, sample, sum, mean, take, tanh, where, expectation, enumerate, stack, vmap, compile, grad, scoreFunction, pathwise, scan as s1, cond as c1 } from "../../src/index.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { t64, type Loss, exactDirectional, directionalMoments, judge } from "./exact.js";
const scan = s1 as any; const cond = c1 as any;
type P = any;
const B = (l: Tensor, name: string) => sample(Bernoulli({ logits: l }), { name });
const show = (r: any) => `${r.value.mean.item()} ± ${r.value.stderr.item()}; grad ${r.grad.mean.theta.toArray()} ± ${r.grad.stderr.theta.toArray()}`;
const th = { theta: t64([0.3, -0.2]) };
const tests: Record<string, () => unknown> = {
  jumpSelf: () => { // x_t ~ N(where(x_{t-1} > 0, th, -th), 1)
    const f = ({ theta }: P) => { const [, ys] = scan((x: any) => { const n = sample(Normal({ loc: where(x.greater(0), theta.at(0).add(1), theta.at(1)), scale: t64(1) }), { name: "x" }); return [n, n]; }, t64(0.1), null, { length: 3 }); return ys.sum(); };
    const E = expectation(f, { samples: 10000 }); const r = E.valueAndGrad(th, { key: 0 });
    const e = 1e-3; const d = [0, 1].map((i) => { const at = (s: number) => expectation(f, { samples: 20000 }).value({ theta: t64([0.3 + (i === 0 ? s : 0), -0.2 + (i === 1 ? s : 0)]) }, { key: 1 }).mean.item(); return (at(0.05) - at(-0.05)) / 0.1; });
    return [show(r), d, String(E.explain(th, { key: 0 })).split("\n").filter((l: string) => l.includes("estimator")).join()];
  },
  condJump: () => { const f = ({ theta }: P) => { const x = sample(Normal({ loc: theta.at(0), scale: t64(1) }), { name: "x" }); return cond(x.greater(0), (x: any) => x.mul(0).add(1), (x: any) => x.mul(0), x); };
    const E = expectation(f, { samples: 4000 }); return [show(E.valueAndGrad(th, { key: 0 })), Math.exp(-0.045) / Math.sqrt(2 * Math.PI)]; },
  condSmooth: () => { const f = ({ theta }: P) => { const b = B(theta.at(1), "b"); const x = sample(Normal({ loc: theta.at(0), scale: t64(1) }), { name: "x" }); return cond(b.greater(0.5), (x: any) => x.square(), (x: any) => x, x); };
    const E = expectation(f, { samples: 4000 }); const p = 1/(1+Math.exp(0.2)); return [show(E.valueAndGrad(th, { key: 0 })), [p*0.6+(1-p), p*(1-p)*(1.09-0.3)], String(E.explain(th, { key: 0 })).split("\n").filter((l: string) => l.includes("estimator")).join()]; },
  pathScored: () => { const f = ({ theta }: P) => { const [, ys] = scan((x: any) => { const n = sample(Normal({ loc: theta.at(0).add(x), scale: t64(0.5) }), { name: "x" }); const b = B(n.mul(theta.at(1)), "b"); return [n.mul(0.5).add(b), b.mul(n).add(n.square())]; }, t64(0.1), null, { length: 3 }); return ys.sum(); };
    const E = expectation(f, { samples: 10000, estimators: { b: scoreFunction() } }); const r = E.valueAndGrad(th, { key: 0 });
    const d = [0, 1].map((i) => { const at = (s: number) => expectation(f, { samples: 20000, estimators: { b: scoreFunction() } }).value({ theta: t64([0.3 + (i === 0 ? s : 0), -0.2 + (i === 1 ? s : 0)]) }, { key: 1 }).mean.item(); return (at(0.1) - at(-0.1)) / 0.2; });
    const en = expectation(f, { samples: 20000, estimators: { b: enumerate() } }).valueAndGrad(th, { key: 0 });
    return [show(r), d, "enumerated b", show(en), String(E.explain(th, { key: 0 })).split("\n").filter((l: string) => l.includes("estimator")).join()]; },
  vmapScan: () => { const f = ({ theta }: P) => { const one = (x: any) => scan((c: any) => { const a = B(c.mul(theta.at(0)).add(x), "a"); return [a, a.sub(0.3).square()]; }, x, null, { length: 3 })[1].sum(); return (vmap as any)(one)(stack([theta.at(0), theta.at(1)])).mul([1, 2]).sum(); };
    const g = ({ theta }: P) => scan((c: any) => { const a = B(c.mul(theta.at(0)).add(stack([theta.at(0), theta.at(1)])), "a"); return [a, a.sub(0.3).square()]; }, theta, null, { length: 3 })[1].mul([1, 2]).sum();
    return [f, g].map((f) => show(expectation(f, { estimators: { a: enumerate() } }).valueAndGrad(th, { key: 0 }))).concat(show(expectation(f, { samples: 20000 , estimators: { a: scoreFunction() }}).valueAndGrad(th, { key: 0 })), String(expectation(f, { samples: 2, estimators: { a: scoreFunction() }}).explain(th, { key: 0 })).split("\n").filter((l: string) => l.includes("charged") || l.includes("[")).slice(0,4).join()); },
  vmapScanCond: () => { const f = ({ theta }: P) => { const one = (x: any) => scan((c: any) => { const a = cond(c.greater(0.1), (c: any) => B(c.mul(theta.at(0)).add(x), "a"), (c: any) => c.mul(0).add(0.5), c); return [a, a.sub(0.3).square()]; }, x, null, { length: 3 })[1].sum(); return (vmap as any)(one)(stack([theta.at(0), theta.at(1)])).mul([1, 2]).sum(); };
    const g = ({ theta }: P) => scan((c: any) => { const a = where(c.greater(0.1), B(c.mul(theta.at(0)).add(stack([theta.at(0), theta.at(1)])), "a"), 0.5); return [a, a.sub(0.3).square()]; }, theta, null, { length: 3 })[1].mul([1, 2]).sum();
    return [f, g].map((f) => show(expectation(f, { estimators: { a: enumerate() } }).valueAndGrad(th, { key: 0 }))).concat(show(expectation(f, { samples: 20000 , estimators: { a: scoreFunction() }}).valueAndGrad(th, { key: 0 }))); },
  compiled: () => { const step = compile((c: Tensor, a: Tensor) => tanh(c.add(a.mul(2)).sub(1))) as any; const mk = (step: any) => ({ theta }: P) => { const [, ys] = scan((c: any) => { const a = B(c.mul(theta.at(0)).add(theta.at(1)), "a"); const n = step(c, a); return [n, n.square()]; }, t64(0.5), null, { length: 3 }); return ys.sum(); };
    return [mk(step), mk((c: any, a: any) => tanh(c.add(a.mul(2)).sub(1)))].map((f) => show(expectation(f, { estimators: { a: enumerate() } }).valueAndGrad(th, { key: 0 }))); },
  gradInside: () => { const f = ({ theta }: P) => { const g = grad((w: Tensor) => scan((c: any) => { const a = B(theta.at(0), "a"); return [c.mul(w).add(a), c.mul(a).mul(w.square())]; }, w, null, { length: 2 })[1].sum())(theta.at(1)); return g as any; };
    const h = ({ theta }: P) => { const a0 = B(theta.at(0), "a"), a1 = B(theta.at(0), "b"); return grad((w: Tensor) => w.mul(a0).mul(w.square()).add(w.mul(w).add(a0).mul(a1).mul(w.square())))(theta.at(1)) as any; };
    return [f, h].map((f) => show(expectation(f).valueAndGrad(th, { key: 0 }))); },
  recompute: () => { const mk = (residuals: string, length: number) => ({ theta }: P) => { const [, ys] = scan((c: any) => { const a = B(c.mul(theta.at(0)).add(theta.at(1)), "a"); const n = c.add(a).tanh(); return [n, n.square()]; }, t64(0.5), null, { length, residuals }); return ys.sum(); };
    return ["auto", "recompute", "save"].map((r) => show(expectation(mk(r, 4), { estimators: { a: enumerate() } }).valueAndGrad(th, { key: 0 }))); },
  zero: () => { const f = ({ theta }: P) => { const [c, ys] = scan((c: any, x: any) => { const a = B(c.mul(theta.at(0)).add(x), "a"); return [c.add(a), a]; }, theta.at(0), t64([]).reshape([0])); return ys.sum().add(c.square()); };
    return [expectation(f), expectation(f, { estimators: { a: scoreFunction() }, samples: 3 }), expectation(f, { estimators: { a: enumerate() } })].map((E) => show(E.valueAndGrad(th, { key: 0 }))); },
  given: () => { const f = ({ theta }: P) => scan((c: any) => { const a = B(c.mul(theta.at(0)).add(theta.at(1)), "a"); return [a, a.sub(0.3).square()]; }, t64(0.5), null, { length: 3 })[1].sum();
    const E = expectation(f, { samples: 2 }); const out: unknown[] = [show(E.valueAndGrad(th, { key: 0, given: { a: [[0, 1, 1], [1, 0, 1]] } }))];
    for (const bad of [[[0, 1], [1, 0]], [[0, 1, 2], [0, 0, 0]], [0, 1, 1]]) try { E.valueAndGrad(th, { key: 0, given: { a: bad } }); out.push("no error"); } catch (e) { out.push((e as Error).message); }
    return out; },
  dynamic: () => { const f = ({ theta }: P) => { const a = B(theta.at(0), "a"); const [c, ys] = scan((c: any, x: any) => [c.mul(theta.at(1)).add(a), c.mul(x).add(a)], t64(0.5), stack([a, a.add(1), theta.at(0)])); let r = ys.sum(); if (a.item() > 0.5) { const b = B(theta.at(1), "b"); r = r.add(c.mul(b)); const [, zs] = scan((c: any) => [c.add(b), c.square()], b, null, { length: 2 }); r = r.add(zs.sum()); } return r; };
    const g = ({ theta }: P) => { const a = B(theta.at(0), "a"); const [c, ys] = scan((c: any, x: any) => [c.mul(theta.at(1)).add(a), c.mul(x).add(a)], t64(0.5), stack([a, a.add(1), theta.at(0)])); const b = B(theta.at(1), "b"); const [, zs] = scan((c: any) => [c.add(b), c.square()], b, null, { length: 2 }); return ys.sum().add(where(a.greater(0.5), c.mul(b).add(zs.sum()), 0)); };
    return [show(expectation(f, { dynamic: true, estimators: { a: enumerate(), b: enumerate() } }).valueAndGrad(th, { key: 0 })), show(expectation(g, { estimators: { a: enumerate(), b: enumerate() } }).valueAndGrad(th, { key: 0 })), show(expectation(f, { dynamic: true, samples: 4000 }).valueAndGrad(th, { key: 0 }))]; },
  twice: () => { const step = (theta: any) => (c: any) => { const a = B(c.mul(theta.at(0)).add(theta.at(1)), "a"); return [a, a]; };
    const f = ({ theta }: P) => scan(step(theta), t64(0.5), null, { length: 2 })[1].sum().mul(scan(step(theta), t64(0.2), null, { length: 2 })[1].sum());
    return show(expectation(f).valueAndGrad(th, { key: 0 })); },
  stepNoise: () => { const f = ({ theta }: P) => scan((c: any) => { const a = B(theta.at(0), "a"); return [c, a]; }, t64(0), null, { length: 6 })[1].mul([1, 10, 100, 1000, 10000, 100000]).sum();
    return [0, 1, 2].map((key) => expectation(f, { estimators: { a: scoreFunction() } }).value(th, { key }).mean.item()); },
};
const only = process.env.CASES?.split(",");
it.each(Object.keys(tests).filter((k) => !only || only.includes(k)))("%s", (name) => { try { console.log(name, tests[name]?.()); } catch (e) { console.log(name, "THROWS", (e as Error).message, ((e as Error).stack ?? "").split("\n").filter((l) => l.includes("/src/")).slice(0, 6).join("\n")); } });
