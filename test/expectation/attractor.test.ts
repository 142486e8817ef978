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

/**
 * The stochastic Lorenz system, in 200 steps of Euler and Maruyama with one Normal site in a scan, and a force that pushes its third
 * coordinate.
 */
interface Params {
  readonly rho: Tensor;
  readonly force: Tensor;
}
const f64 = { dtype: "float64" } as const;
const dt = 0.001;
const start = tensor([6, 4, 20], f64);

function loss({ rho, force }: Params, { noise }: { noise: Tensor }): Tensor {
  const [end] = scan(
    (x: Tensor): [Tensor, null] => {
      const [a, b, c] = [x.at(0), x.at(1), x.at(2)];
      const drift = stack([
        mul(10, sub(b, a)),
        mul(a, sub(rho, c)).sub(b),
        mul(a, b)
          .sub(mul(8 / 3, c))
          .add(force),
      ]);
      const law = Normal({ loc: x.add(mul(drift, dt)), scale: exp(noise).mul(Math.sqrt(dt)) });
      return [sample(law, { name: "x" }), null];
    },
    start,
    null,
    { length: 200 },
  );
  return tanh(end.sub(start).div(20))
    .mul(tensor([0.2, 1, 1], f64))
    .sum();
}

const at = [28, 0, Math.log(8)] as const;
const scalar = (x: number): Tensor => tensor(x, f64);
const params = ([rho, force]: readonly number[]): Params => ({
  rho: scalar(rho as number),
  force: scalar(force as number),
});
const flat = (tree: object): number[] => Object.values(tree).flatMap((x) => [...numbersOf(x as Tensor)]);
const options = (estimator: unknown, samples: number) => ({
  samples,
  estimators: { x: estimator as Estimator<never> },
});

test("pathwise: the gradient of the mean of 64 runs is that of finite differences with the same key", () => {
  const E = expectation(
    ({ noise, ...rest }: Params & { noise: Tensor }) => loss(rest, { noise }),
    options(pathwise(), 64),
  );
  const tree = (x: readonly number[]) => ({ ...params(x), noise: scalar(x[2] as number) });
  const g = flat(E.valueAndGrad(tree(at), { key: 0 }).grad.mean);
  expect(g).toHaveLength(3);
  at.forEach((_, i) => {
    const value = (h: number): number => E.value(tree(at.map((v, j) => (i === j ? v + h : v))), { key: 0 }).mean.item();
    const d = (h: number): number => (value(h) - value(-h)) / (2 * h);
    const want = (4 * d(1e-3) - d(2e-3)) / 3;
    expect(Math.abs((g[i] as number) - want)).toBeLessThan(1e-8 * Math.hypot(...g));
  });
});

// 4 % of the norm: the weight of a run has 600 factors, and 1 % would take 20,000 runs.
const comparisons = new Comparisons(2, 0.04);
afterAll(() => {
  comparisons.done();
});

test("the score function of the same site agrees", () => {
  const slopes = [options(pathwise(), 1024), options(scoreFunction(), 2048)].map(
    (how) => expectation(loss, how).valueAndGrad(params(at), { noise: scalar(at[2]) }, { key: 0 }).grad,
  );
  const [mean, other] = slopes.map((g) => flat(g.mean)) as [number[], number[]];
  const [bar, otherBar] = slopes.map((g) => flat(g.stderr)) as [number[], number[]];
  // The same key gives both the same draws; their bars are added as if they did not share them.
  comparisons.check("score function against pathwise", {
    mean: other,
    stderr: otherBar.map((s, i) => Math.hypot(s, bar[i] as number)),
    dof: Math.min(...slopes.map((g) => g.dof)),
    truth: mean,
  });
});
