import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  Bernoulli,
  type ExpectationOptions,
  expectation,
  grad,
  matmul,
  mean,
  Normal,
  sample,
  scoreFunction,
  square,
  sum,
  tensor,
} from "../../src/index.js";
import { numbersOf, t64 } from "./exact.js";

/** What goes into an expectation: trees of parameters and data, dtypes, recorded values. */

describe("arguments", () => {
  const f = ({ w }: { w: Tensor }, { x }: { x: Tensor }, y: Tensor, shift: Tensor): Tensor => {
    const a = sample(Bernoulli({ logits: matmul(x, w) }), { name: "a" });
    return mean(square(a.sub(y).sub(shift)));
  };

  it("several trees of data, numbers included, are leaves and not constants", () => {
    const E = expectation(f);
    const value = (y: number[], shift: number): number =>
      E.value(
        { w: [0.5, -0.2] },
        {
          x: [
            [1, 2],
            [3, 4],
          ],
        },
        y,
        shift,
        {},
      ).mean.item();
    const by = (y: number[], shift: number): number => {
      const p = [
        [1, 2],
        [3, 4],
      ].map(([u, v]) => 1 / (1 + Math.exp(-((u as number) * 0.5 - (v as number) * 0.2))));
      return (
        p.reduce(
          (s, q, i) => s + q * (1 - (y[i] as number) - shift) ** 2 + (1 - q) * ((y[i] as number) + shift) ** 2,
          0,
        ) / 2
      );
    };
    for (const [y, shift] of [
      [[0, 1], 0.1],
      [[0.4, -1], 0.1],
      [[0, 1], 0.3],
      [[0.2, 0.3], 2],
    ] as const)
      expect(value([...y], shift)).toBeCloseTo(by([...y], shift), 5);
  });

  it.each(["float32", "float64"] as const)("%s comes out where it goes in", (dtype) => {
    const to = (x: number | number[]): Tensor => tensor(x, { dtype });
    const g = ({ theta, loc }: { theta: Tensor; loc: Tensor }): Tensor =>
      sum(sample(Bernoulli({ logits: theta }), { name: "a" })).add(sample(Normal({ loc, scale: 1 }), { name: "x" }));
    const p = { theta: to([0.1, 0.2]), loc: to(0.4) };
    for (const estimators of [{}, { a: scoreFunction(), x: scoreFunction() }] as ExpectationOptions["estimators"][]) {
      const E = expectation(g, { samples: 64, estimators });
      const { value, grad: slope } = E.valueAndGrad(p, { key: 0 });
      const all = [
        value.mean,
        value.stderr,
        ...Object.values(slope.mean),
        ...Object.values(slope.stderr),
        E.hessian(p, { key: 0 }).mean.theta.loc,
      ];
      expect(new Set(all.map((x) => (x as Tensor).dtype))).toEqual(new Set([dtype]));
    }
  });

  it("each parameter's gradient has its own dtype and shape", () => {
    const g = ({ a, b }: { a: Tensor; b: Tensor }): Tensor =>
      sum(sample(Normal({ loc: a, scale: 1 }), { name: "x" })).mul(b);
    const { mean: slope } = expectation(g, { samples: 4 }).valueAndGrad({ a: t64([[1, 2]]), b: 3 }, { key: 0 }).grad;
    expect([slope.a.dtype, slope.a.shape, slope.b.dtype, slope.b.shape]).toEqual(["float64", [1, 2], "float32", []]);
  });

  it("recorded values are scored like drawn ones", () => {
    const g = ({ theta }: { theta: Tensor }): Tensor =>
      square(
        sum(sample(Bernoulli({ logits: theta }), { name: "a", estimator: scoreFunction({ baseline: "none" }) })).sub(
          0.3,
        ),
      );
    const E = expectation(g, { samples: 3 });
    const draws = [
      [1, 0],
      [1, 1],
      [0, 0],
    ];
    const { value, grad: slope } = E.valueAndGrad({ theta: t64([0.2, -0.1]) }, { given: { a: draws } });
    const p = [0.2, -0.1].map((l) => 1 / (1 + Math.exp(-l)));
    const costs = draws.map(([u, v]) => ((u as number) + (v as number) - 0.3) ** 2);
    expect(value.mean.item()).toBeCloseTo(costs.reduce((s, c) => s + c, 0) / 3, 12);
    numbersOf(slope.mean.theta).forEach((x, i) => {
      expect(x).toBeCloseTo(
        draws.reduce((s, row, r) => s + (costs[r] as number) * ((row[i] as number) - (p[i] as number)), 0) / 3,
        12,
      );
    });
    const inside = grad((theta: Tensor) => E.value({ theta }, { given: { a: draws } }).mean)(t64([0.2, -0.1]));
    numbersOf(inside).forEach((x, i) => {
      expect(x).toBeCloseTo(numbersOf(slope.mean.theta)[i] as number, 12);
    });
    const single = expectation(g).value({ theta: t64([0.2, -0.1]) }, { given: { a: [1, 1] } });
    expect(single.mean.item()).toBeCloseTo(costs[1] as number, 12);
  });
});
