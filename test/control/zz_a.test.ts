import { test } from "vitest";
import { appendFileSync } from "node:fs";
import * as sg from "../../src/index.js";
import { everyNode, bodiesOf } from "../../src/graph/body.js";
import { scan, cond, whileLoop, grad, hessian, vjp, vmap, tensor, tanh, matmul, type Tensor } from "../../src/index.js";
const f64 = { dtype: "float64" } as const;
const log = (...a: unknown[]) => appendFileSync("/tmp/zz.log", a.join(" ")+"\n");
const show = (n: string, f: () => unknown) => { const t0=performance.now(); try { log(n, JSON.stringify(f()), (performance.now()-t0).toFixed(0)+"ms"); } catch (e) { log(n, "THROWS", (e as Error).message.slice(0,400), (e as Error).name==="SamplegradError"?"":(e as Error).stack?.slice(0,600)); } };
const arr = (t: any) => t.toArray();
test("x", () => {
  const W = tensor([[0.5, -0.3],[0.2,0.9]], f64);
  const xs = sg.arange(22,{dtype:"float64"}).reshape([11,2]).mul(0.3).sin();
  const loss = (residuals: any, reverse=false) => ({W, h0}: any) => { const [h, ys] = scan((h: Tensor, x: Tensor) => { const n = tanh(matmul(h.reshape([1,2]), W).reshape([2]).add(x)); return [n, n.mul(x)] as const; }, h0, xs, {residuals, reverse}); return (h as Tensor).sum().add((ys as Tensor).square().sum()); };
  for (const rev of [false,true]) for (const r of ["auto","save","recompute"]) show(r+rev, () => { const g = grad(loss(r, rev))({W, h0: tensor([0.1,0.2],f64)} as any) as any; return [arr(g.W), arr(g.h0)]; });
  for (const r of ["auto","save","recompute"]) show("H"+r, () => { const g = hessian(loss(r))({W, h0: tensor([0.1,0.2],f64)} as any) as any; return [arr(g.W.h0), arr(g.h0.h0)]; });
  const bodies: Record<string, (c: Tensor, p: Tensor[]) => Tensor> = {
    tanh: (c, p) => p.reduce((a, x) => a.mul(x).tanh(), c),
    lgamma: (c, p) => p.reduce((a, x) => (sg as any).lgamma(a.square().add(x.square()).add(1)), c),
    pow: (c, p) => p.reduce((a, x) => (a.square().add(1) as any).pow(x), c),
    matmul: (c, p) => p.reduce((a, x) => matmul(a.reshape([1,1]).tanh(), x.reshape([1,1])).reshape([]).sin(), c),
    max: (c, p) => p.reduce((a, x) => sg.stack([a, x, a.mul(x)]).max().sin(), c),
    nested: (c, p) => p.reduce((a, x) => scan((b: Tensor) => [b.mul(x).sin(), null] as const, a, null, {length: 2})[0] as Tensor, c),
    cond: (c, p) => p.reduce((a, x) => cond(a.greater(0.3), (a: Tensor) => a.mul(x).sin(), (a: Tensor) => a.add(x).tanh(), a) as Tensor, c),
  };
  for (const [name, body] of Object.entries(bodies)) for (const n of [1, 2]) show(name + n, () => {
    const leaves = Array.from({length: n}, (_, i) => tensor(0.5 + 0.1*i, f64));
    let out: any;
    const H = hessian((p: Tensor[]) => { const [c] = scan((c: Tensor) => [body(c, p), null] as const, tensor(0.4, f64), null, {length: 3}); out = c; return c as Tensor; })(leaves as any) as any;
    const scanN = out.inputs[0] as Tensor;
    return [scanN.parts!.length, everyNode([H[0][0], H[n-1][n-1], H[0][n-1]]).length, arr(H[0][n-1])];
  });
});
