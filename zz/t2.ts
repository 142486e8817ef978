import { Bernoulli, Normal, sample, expectation, matmul, sigmoid, square, tensor, type Tensor, scoreFunction } from "../src/index.js";
type Params = { W0: Tensor; W1: Tensor; W2: Tensor };
type Data = { x: Tensor; y: Tensor };
const loss = ({ W0, W1, W2 }: Params, { x, y }: Data) => {
  const z0 = matmul(W0, x).named("z0");
  const a0 = sigmoid(z0).named("a0");
  const z1 = matmul(W1, a0).named("z1");
  const theta = sigmoid(z1).named("theta");
  const a = sample(Bernoulli({ probs: theta }), { name: "a" });
  const a2 = matmul(W2, a).named("a2");
  return square(y.sub(a2)).mul(0.5).sum();
};
const p = { W0: tensor([[-0.93,-0.213],[1.112,0.424]]), W1: tensor([[1.037,0.249],[0.395,0.185]]), W2: tensor([[-1.666,0.855],[0.506,0.499]])};
const d = { x: tensor([-0.256,0.511]), y: tensor([-0.226,-0.315])};
const E = expectation(loss, { samples: 1000 });
const r = E.explain(p, d);
console.log(String(r)); console.log(r.dot); console.log(r.bibtex);
const E2 = expectation(loss, { samples: 1000, estimators: { a: scoreFunction() } });
let t = performance.now();
console.log(String(E2.explain(p, d)), performance.now() - t);
console.log("=======")
t = performance.now();
console.log(String(await E.audit(p, d)), performance.now() - t);
const E3 = expectation(({ m, s }: {m: Tensor; s: Tensor}) => { const z = sample(Normal({loc: m, scale: s.exp()}), {name:"z"}); const b = sample(Bernoulli({logits: z}), {name: "b"}); return b.sub(0.3).square().add(z.square()).sum(); }, { samples: 100 });
t = performance.now();
const P3 = { m: tensor([0.3, -0.2]), s: tensor([0.1, 0.4]) };
console.log(String(await E3.audit(P3)), performance.now() - t);
console.log(String(E3.explain(P3)));
