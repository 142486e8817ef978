import { Bernoulli, expectation, matmul, sample, sigmoid, tensor, type Tensor } from "samplegrad";

type Weights = { W0: Tensor; W1: Tensor; W2: Tensor };
type Data = { x: Tensor; y: Tensor };

const loss = ({ W0, W1, W2 }: Weights, { x, y }: Data) => {
  const z0 = matmul(W0, x);
  const a0 = sigmoid(z0);
  const z1 = matmul(W1, a0);
  const theta = sigmoid(z1);
  const a1 = sample(Bernoulli({ probs: theta }), { name: "a" });
  const z2 = matmul(W2, a1);
  const a2 = z2;
  return y.sub(a2).square().mul(0.5);
};

const weights = { W0: tensor([[0.5, -0.2]]), W1: tensor([[0.8]]), W2: tensor([[1.5]]) };
const data = { x: tensor([1, 2]), y: tensor([1]) };
const { value, grad } = expectation(loss).valueAndGrad(weights, data, { key: 0 });
console.log(value.mean.item().toFixed(4)); // → ?
console.log(grad.mean.W1.item().toFixed(4)); // → ?
console.log("@@@");
import { pathwise } from "samplegrad";

try {
  expectation(loss, { estimators: { a: pathwise() } }).valueAndGrad(weights, data, { key: 0 });
} catch (error) {
  console.log((error as Error).message);
}
export {};
