import { afterAll, expect, test } from "vitest";
import {
  type Estimator,
  exp,
  expectation,
  mul,
  Normal,
  pathwise,
  sample,
  scan,
  scoreFunction,
  stack,
  sub,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.js";
import { numbersOf } from "./exact.js";
import { Comparisons } from "./statistics.js";

/** The stochastic Lorenz system in 200 steps of Euler and Maruyama, one Normal site in a scan. */
interface Params {
  readonly rho: Tensor;
  readonly beta: Tensor;
  readonly noise: Tensor;
}
const f64 = { dtype: "float64" } as const;
const dt = 0.002;

function loss({ rho, beta, noise }: Params): Tensor {
  const [end] = scan(
    (x: Tensor): [Tensor, null] => {
      const [a, b, c] = [x.at(0), x.at(1), x.at(2)];
      const drift = stack([mul(10, sub(b, a)), mul(a, sub(rho, c)).sub(b), mul(a, b).sub(mul(beta, c))]);
      const law = Normal({ loc: x.add(mul(drift, dt)), scale: exp(noise).mul(Math.sqrt(dt)) });
      return [sample(law, { name: "x" }), null];
    },
    tensor([3, 4, 20], f64),
    null,
    { length: 200 },
  );
  // Smooth, and it sees all coordinates.
  return tanh(end.div(20))
    .mul(tensor([1, 0.5, 2], f64))
    .sum();
}

const at = [28, 8 / 3, Math.log(8)] as const;
const params = ([rho, beta, noise]: readonly number[]): Params => ({
  rho: tensor(rho as number, f64),
  beta: tensor(beta as number, f64),
  noise: tensor(noise as number, f64),
});
const flat = ({ rho, beta, noise }: Params): number[] => [rho, beta, noise].flatMap((x) => [...numbersOf(x)]);
const estimated = (estimator: Estimator<never>, samples: number) =>
  expectation(loss, { samples, estimators: { x: estimator } });

test("pathwise: the gradient of the mean of 64 runs is that of finite differences with the same key", () => {
  const E = estimated(pathwise() as Estimator<never>, 64);
  const g = flat(E.valueAndGrad(params(at), { key: 0 }).grad.mean);
  at.forEach((_, i) => {
    const value = (h: number): number =>
      E.value(params(at.map((v, j) => (i === j ? v + h : v))), { key: 0 }).mean.item();
    const d = (h: number): number => (value(h) - value(-h)) / (2 * h);
    const want = (4 * d(1e-3) - d(2e-3)) / 3;
    expect(Math.abs((g[i] as number) - want)).toBeLessThan(1e-8 * Math.max(1, Math.abs(want)));
  });
});

const comparisons = new Comparisons(3, 0.03);
afterAll(() => {
  comparisons.done();
});

test("the score function of the same site agrees", () => {
  const slopes = [
    estimated(pathwise() as Estimator<never>, 4096),
    estimated(scoreFunction() as Estimator<never>, 2 ** 14),
  ].map((E, key) => E.valueAndGrad(params(at), { key }).grad);
  const [mean, other] = slopes.map((g) => flat(g.mean)) as [number[], number[]];
  const [bar, otherBar] = slopes.map((g) => flat(g.stderr)) as [number[], number[]];
  comparisons.check("score function against pathwise", {
    mean: other,
    stderr: otherBar.map((s, i) => Math.hypot(s, bar[i] as number)),
    dof: Math.min(...slopes.map((g) => g.dof)),
    truth: mean,
  });
});
