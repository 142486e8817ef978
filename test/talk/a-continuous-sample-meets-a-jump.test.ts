import { describe, expect, it } from "vitest";
import {
  expectation,
  floor,
  greater,
  Normal,
  pathwise,
  relu,
  sample,
  stopGradient,
  type Tensor,
  take,
  where,
} from "../../src/index.js";
import { complaint, expectEqual, f64, judge } from "./judge.js";
import { integral, slope, tanhSinh } from "./quadrature.js";

/**
 * A reparameterised sample may still meet a node whose derivative is zero or undefined. Pathwise is then refused, and
 * the default takes the score function by itself. Statistical comparisons: three programs with two parameters, m ≤ 10,
 * z ≤ 5.4, first key 0.
 */
const compare = judge(6);
const at = { mu: 0.8, sigma: 0.6 };
const params = { mu: f64(at.mu), sigma: f64(at.sigma) };
type Theta = typeof params;

interface Case {
  name: string;
  below: (x: Tensor) => Tensor;
  complaint: string;
  path: string;
  /** The same function of a number, and where it jumps. */
  plain: (x: number) => number;
}

const table = [1, 2, 4, 7];
const cases: Case[] = [
  {
    name: "floor",
    below: (x) => floor(x).mul(2),
    complaint: "floor",
    path: "x → floor → mul → loss",
    plain: (x) => 2 * Math.floor(x),
  },
  {
    name: "a comparison",
    below: (x) => where(greater(x, 1), 3, 0.5).mul(2),
    complaint: "greater",
    path: "x → greater → where → mul → loss",
    plain: (x) => (x > 1 ? 6 : 1),
  },
  {
    name: "a gather index",
    below: (x) => take(f64(table), x.clamp(0, 3).toDType("int32")).mul(2),
    complaint: "convert",
    path: "x → maximum → minimum → convert → gather → mul → loss",
    plain: (x) => 2 * table[Math.trunc(Math.min(Math.max(x, 0), 3))]!,
  },
];

/** E f(x) for x ~ N(μ, σ), f smooth between whole numbers. */
function exact({ mu, sigma }: typeof at, f: (x: number) => number): number {
  const density = (x: number): number => Math.exp(-0.5 * ((x - mu) / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));
  const cells = Array.from({ length: 12 }, (_, i) => tanhSinh(i - 5, i - 4, 60));
  return cells.reduce((total, cell, i) => total + f(i - 4.5) * integral(cell, density), 0);
}

describe.each(cases)("a continuous sample meets $name", ({ below, complaint: node, path, plain }) => {
  const f = ({ mu, sigma }: Theta): Tensor => below(sample(Normal({ loc: mu, scale: sigma }), { name: "x" }));

  it("pathwise is refused with node, path and remedy", () => {
    const E = expectation(f, { samples: 4, estimators: { x: pathwise() } });
    expect(complaint(() => E.valueAndGrad(params, { key: 0 }))).toBe(
      `NoGradientError: sample "x": pathwise would be biased: the sample reaches the cost through ${node} (${path}), ` +
        "whose derivative is zero or undefined; use scoreFunction().",
    );
  });

  it("the default falls back to the score function, says why, and is right", () => {
    const E = expectation(f, { samples: 10, replicates: 18_000 });
    const [choice] = [...E.plan(params, {}).plan.choices.values()];
    expect(choice?.estimator.name).toBe("scoreFunction");
    expect(choice?.why).toBe(`the cost jumps in it (${path}), which pathwise would miss`);
    const truth = {
      mu: slope((mu) => exact({ ...at, mu }, plain), at.mu),
      sigma: slope((sigma) => exact({ ...at, sigma }, plain), at.sigma),
    };
    compare(E.valueAndGrad(params, { key: 0 }).grad, truth);
  });
});

describe("a continuous sample meets", () => {
  it("a kink: one pathwise derivative is right, two are refused", () => {
    const f = ({ mu }: { mu: Tensor }): Tensor => relu(sample(Normal({ loc: mu }), { name: "x" }));
    const one = expectation(f, { samples: 4, estimators: { x: pathwise() } });
    expect(complaint(() => one.valueAndGrad({ mu: 0.2 }, { key: 0 }))).toBe("no complaint");
    expect(complaint(() => one.hessian({ mu: 0.2 }, { key: 0 }))).toBe(
      'NoGradientError: sample "x": pathwise would miss part of the derivative of order 2 at the kink of maximum ' +
        "(x → maximum → loss); use scoreFunction().",
    );
  });

  it("a stopGradient: cutting the path by hand is refused as well", () => {
    const f = ({ mu }: { mu: Tensor }): Tensor => {
      const x = sample(Normal({ loc: mu }), { name: "x" });
      return x.mul(stopGradient(x));
    };
    const E = expectation(f, { samples: 4, estimators: { x: pathwise() } });
    expect(complaint(() => E.valueAndGrad({ mu: 0.2 }, { key: 0 }))).toBe(
      'NoGradientError: sample "x": pathwise would be biased: the sample reaches the cost through stopGradient ' +
        "(x → stopGradient → mul → loss), whose derivative is zero or undefined; use scoreFunction().",
    );
  });

  it("nothing of the kind: the one-liner stays", () => {
    const f = ({ mu }: { mu: Tensor }): Tensor => sample(Normal({ loc: mu }), { name: "x" }).mul(3);
    const E = expectation(f, { samples: 4 });
    const [choice] = [...E.plan({ mu: 0.2 }, {}).plan.choices.values()];
    expect([choice?.estimator.name, choice?.why]).toEqual(["pathwise", "reparameterised and smooth below"]);
    expectEqual(E.valueAndGrad({ mu: f64(0.2) }, { key: 0 }).grad.mean, [3], 0);
  });
});
