import { it } from "vitest";
import { Bernoulli, Normal, sample, scan, sum, tanh, expectation, enumerate } from "../../src/index.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { t64 } from "./exact.js";
type P = any;
const B = (l: Tensor, name: string) => sample(Bernoulli({ logits: l }), { name });
it("outer scan captured by an inner expectation", () => {
  const make = (loop: boolean) => ({ theta }: P) => {
    const z = loop ? (scan((c: Tensor, _x: null) => { const a = B(theta.add(c), "a"); return [a, a]; }, t64(0), null, { length: 2 }) as any)[1].sum() : B(theta, "a").add(B(theta.add(0), "b"));
    const inner = expectation((p: P) => B(p, "b2").add(z));
    const v = inner.value(theta, {}).mean;
    return v.square();
  };
  const E = expectation(make(true), { estimators: { a: enumerate() } });
  console.log(E.valueAndGrad({ theta: t64(0.3) }, {}).value.mean.item(), E.valueAndGrad({ theta: t64(0.3) }, {}).grad.mean.theta.item());
  const s = (x: number) => 1 / (1 + Math.exp(-x));
  let v = 0; const p = s(0.3);
  for (const a of [0, 1]) for (const b of [0, 1]) v += (a ? p : 1 - p) * (b ? s(0.3 + a) : 1 - s(0.3 + a)) * (p + a + b) ** 2;
  console.log("truth", v);
});
