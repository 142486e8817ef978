import {
  Bernoulli,
  compile,
  enumerate,
  expectation,
  grad,
  key,
  matmul,
  Normal,
  sample,
  scoreFunction,
  sigmoid,
  square,
  type Tensor,
  tensor,
  valueAndGrad,
  vmap,
} from "samplegrad";
import { expect, test } from "vitest";

/** Ten tests in rising difficulty. Read them first: what works here is what the library is about. */

test("1. tensors are arrays of numbers, and arithmetic broadcasts", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(x.shape).toEqual([2, 3]);
  expect(x.mul(10).add([1, 2, 3]).toArray()).toEqual([
    [11, 22, 33],
    [41, 52, 63],
  ]);
  expect(x.sum(0).toArray()).toEqual([5, 7, 9]);
});

test("2. nothing is computed until somebody reads", () => {
  const y = matmul(
    tensor([
      [1, 2],
      [3, 4],
    ]),
    tensor([10, 1]),
  );
  expect(y.value).toBeNull();
  expect(y.toArray()).toEqual([12, 34]);
  expect(y.value).not.toBeNull();
});

test("3. grad differentiates an ordinary function", () => {
  const f = (x: Tensor): Tensor => x.mul(x).add(x.mul(3));
  expect(grad(f)(2).item()).toBe(7);
  // Derivatives are functions too.
  expect(grad(grad(f))(2).item()).toBe(2);
});

test("4. the gradient has the tree of the parameters", () => {
  const loss = ({ w, b }: { w: Tensor; b: Tensor }, x: Tensor): Tensor => square(w.mul(x).sum().add(b));
  const { value, grad: g } = valueAndGrad(loss)({ w: [1, 2], b: -1 }, [3, 4]);
  expect(value.item()).toBe(100);
  expect(g.w.toArray()).toEqual([60, 80]);
  expect(g.b.item()).toBe(20);
});

test("5. vmap writes the loop: a program for one example runs for all", () => {
  const slope = grad((x: Tensor) => x.mul(x).mul(x));
  expect(vmap(slope)(tensor([1, 2, 3])).toArray()).toEqual([3, 12, 27]);
});

test("6. compile traces once; what it captures must not change", () => {
  let rate = 2;
  const f = compile((x: Tensor) => x.mul(rate));
  expect(f(3).item()).toBe(6);
  rate = 5;
  expect(() => f(3)).toThrow("the captured constant of mul was 2 and is now 5");
});

test("7. distributions have densities and samples; one key is one noise", () => {
  const d = Normal({ loc: 1, scale: 2 });
  expect(d.logProb(3).item()).toBeCloseTo(-0.5 - Math.log(2) - 0.5 * Math.log(2 * Math.PI), 6);
  const x = d.sample(key(0), { sampleShape: [10_000] });
  expect(x.toArray()).toEqual(d.sample(key(0), { sampleShape: [10_000] }).toArray());
  // The mean of 10,000 draws has standard error 2/100.
  expect(Math.abs(x.mean().item() - 1)).toBeLessThan(4.9 * 0.02);
});

test("8. expectation gives the gradient of E[f]: here exactly, over all outcomes of a coin", () => {
  // E[(a − 0.3)²] with a ~ Bernoulli(p) is p·0.49 + (1 − p)·0.09, so its derivative in p is 0.4.
  const E = expectation((p: Tensor) => square(sample(Bernoulli({ probs: p }), { estimator: enumerate() }).sub(0.3)), {
    samples: 1,
  });
  const { value, grad: g } = E.valueAndGrad(0.25, { key: 0 });
  expect(value.mean.item()).toBeCloseTo(0.25 * 0.49 + 0.75 * 0.09, 6);
  expect(g.mean.item()).toBeCloseTo(0.4, 6);
  expect(value.stderr.item()).toBe(0);
  expect(g.stderr.item()).toBe(0);
});

test("9. through a continuous sample: E[x²] with x ~ Normal(m, s) is m² + s²", () => {
  const E = expectation(({ m, s }: { m: Tensor; s: Tensor }) => square(sample(Normal({ loc: m, scale: s }))), {
    samples: 4000,
  });
  const { value, grad: g } = E.valueAndGrad({ m: 1.5, s: 0.5 }, { key: 0 });
  for (const [got, truth] of [
    [{ mean: value.mean, stderr: value.stderr }, 2.5],
    [{ mean: g.mean.m, stderr: g.stderr.m }, 3],
    [{ mean: g.mean.s, stderr: g.stderr.s }, 1],
  ] as const) {
    expect(Math.abs(got.mean.item() - truth)).toBeLessThan(5 * got.stderr.item());
  }
});

test("10. a stochastic network: the score function agrees with the sum over all outcomes", () => {
  type Params = { W0: Tensor; W1: Tensor; W2: Tensor };
  type Data = { x: Tensor; y: Tensor };
  const loss = ({ W0, W1, W2 }: Params, { x, y }: Data): Tensor => {
    const theta = sigmoid(matmul(W1, sigmoid(matmul(W0, x))));
    const a = sample(Bernoulli({ probs: theta }), { name: "a" });
    return square(y.sub(matmul(W2, a))).mul(0.5);
  };
  const params = {
    W0: tensor([
      [0.3, -0.8],
      [0.5, 0.2],
    ]),
    W1: tensor([
      [0.7, -0.4],
      [0.1, 0.9],
      [-0.6, 0.3],
    ]),
    W2: tensor([0.8, -0.5, 1.1]),
  };
  const data = { x: tensor([1, -2]), y: tensor(0.7) };
  const exact = expectation(loss, { samples: 1, estimators: { a: enumerate() } }).valueAndGrad(params, data, {
    key: 0,
  });
  const drawn = expectation(loss, { samples: 20_000, estimators: { a: scoreFunction() } }).valueAndGrad(params, data, {
    key: 0,
  });
  expect(exact.value.stderr.item()).toBe(0);
  for (const name of ["W0", "W1", "W2"] as const) {
    const flat = (t: Tensor): number[] => [t.toArray()].flat(2) as number[];
    const [mean, bar, truth] = [
      flat(drawn.grad.mean[name]),
      flat(drawn.grad.stderr[name]),
      flat(exact.grad.mean[name]),
    ];
    mean.forEach((m, i) => {
      expect(Math.abs(m - (truth[i] as number))).toBeLessThan(5.3 * (bar[i] as number));
    });
  }
});
