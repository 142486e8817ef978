import { describe, expect, it } from "vitest";
import {
  Bernoulli,
  Categorical,
  type Distribution,
  Exponential,
  grad,
  Laplace,
  LogNormal,
  Normal,
  Poisson,
  type Tensor,
  tensor,
  Uniform,
  valueAndGrad,
  vjp,
} from "../../src/index.js";
import { lawIf } from "./lawIf.js";
import { build, distributionOf, list, quantiles, repeated, subjects, type Tree, twinOf } from "./subjects.js";

/** The edges of supports and of parameters: −∞ and 0, or the limit; never NaN. */

describe.each(subjects)("$label", (subject) => {
  const { family, dtype } = subject;
  const d = distributionOf(subject);
  const [first, last] = quantiles(twinOf(subject), [0, 1]) as [number, number];
  const near = family.discrete ? [0.5, 1.5, 2.5, -1, 1e9] : [0];
  const far = [-Infinity, -1e30, -7.25, first, last, 1e30, Infinity, ...near];

  /** f at each x with its derivatives in every parameter and in x: one row per x. */
  function rows(f: (p: Tree, x: Tensor) => Tensor, x: readonly number[]): { value: number; slopes: number[] }[] {
    const n = x.length;
    const { value, pullback } = vjp((q: { p: Tree; x: Tensor }) => f(q.p, q.x), {
      p: repeated(d, n),
      x: tensor([...x], { dtype }),
    });
    const back = pullback(tensor(Array(n).fill(1), { dtype }));
    const columns = [...Object.values(back.p), back.x].map((slope) => list(slope));
    return list(value).map((y, i) => ({
      value: y,
      slopes: columns.flatMap((c) => c.slice((i * c.length) / n, ((i + 1) * c.length) / n)),
    }));
  }

  it("has probability 0 and gradient 0 outside its support, and is nowhere NaN", () => {
    rows((p, x) => build(family, p).logProb(x), far).forEach(({ value, slopes }, i) => {
      const x = far[i]!;
      expect([value, ...slopes], `at ${x}`).not.toContain(NaN);
      if (x >= first && x <= last && !(family.discrete && !Number.isInteger(x))) return;
      expect(value, `at ${x}`).toBe(-Infinity);
      expect(slopes.map(Math.abs), `gradient at ${x}`).toEqual(slopes.map(() => 0));
    });
  });

  lawIf(family.cdf)("has cdf 0 below, 1 above, and is nowhere NaN", () => {
    rows((p, x) => build(family, p).cdf(x), far).forEach(({ value, slopes }, i) => {
      const x = far[i]!;
      expect([value, ...slopes], `at ${x}`).not.toContain(NaN);
      if (x < first || x === -Infinity) expect(value, `at ${x}`).toBe(0);
      if (x > last || x === Infinity) expect(value, `at ${x}`).toBe(1);
    });
  });

  lawIf(family.icdf)("has the ends of the support as its extreme quantiles, and none outside [0, 1]", () => {
    if (d.dtype === "int32") return expect(list(d.icdf([0, 1]))).toEqual([first, last]);
    const ends = rows((p, q) => build(family, p).icdf(q), [0, 1]);
    expect(ends.map(({ value }) => value)).toEqual([first, last]);
    for (const { slopes } of ends) expect(slopes).not.toContain(NaN);
    expect(list(d.icdf([-0.1, 1.1, NaN]))).toEqual([NaN, NaN, NaN]);
  });
});

/** log p and its derivatives in the parameter and, for continuous laws, in the value. */
function at(make: (theta: Tensor) => Distribution<never>, theta: number | number[], x: number): number[] {
  const value = tensor(x, { dtype: "float64" });
  const { value: log, grad: slope } = valueAndGrad((q: Tensor) => make(q).logProb(value))(
    tensor(theta, { dtype: "float64" }),
  );
  return [log.item(), ...list(slope)];
}

describe("limits at the edges", () => {
  it("Bernoulli: certain outcomes are exact", () => {
    const probs = (q: Tensor): Distribution<never> => Bernoulli({ probs: q });
    expect(at(probs, 0, 0)).toEqual([0, -1]);
    expect(at(probs, 0, 1)).toEqual([-Infinity, Infinity]);
    expect(at(probs, 1, 1)).toEqual([0, 1]);
    expect(at(probs, 1, 0)).toEqual([-Infinity, -Infinity]);
    const logits = (q: Tensor): Distribution<never> => Bernoulli({ logits: q });
    expect(at(logits, Infinity, 1).map(Math.abs)).toEqual([0, 0]);
    expect(at(logits, Infinity, 0)).toEqual([-Infinity, -1]);
    expect(at(logits, -Infinity, 0).map(Math.abs)).toEqual([0, 0]);
    expect(at(logits, -Infinity, 1)).toEqual([-Infinity, 1]);
    for (const end of [{ probs: 0 }, { probs: 1 }, { logits: Infinity }, { logits: -Infinity }]) {
      expect(Math.abs(Bernoulli(end).entropy().item())).toBe(0);
      const sure = Bernoulli(end).mean().item();
      expect(new Set(list(Bernoulli(end).sample(0, { sampleShape: [100] })))).toEqual(new Set([sure]));
    }
  });

  it("Bernoulli: the logits form keeps its relative precision", () => {
    const d = Bernoulli({ logits: tensor(40, { dtype: "float64" }) });
    expect(d.logProb(1).item()).toBeCloseTo(-Math.exp(-40), 30);
    expect(d.cdf(0).item()).toBeCloseTo(Math.exp(-40), 30);
    expect(d.entropy().item() / (41 * Math.exp(-40))).toBeCloseTo(1, 10);
  });

  it("Bernoulli: the derivative in the value is the logit, also at 0 and 1", () => {
    const slope = (d: Distribution<never>, x: number): number =>
      grad((y: Tensor) => d.logProb(y))(tensor(x, { dtype: "float64" })).item();
    const probs = tensor(0.25, { dtype: "float64" });
    for (const x of [0, 1]) {
      expect(slope(Bernoulli({ probs }), x)).toBeCloseTo(-Math.log(3), 14);
      expect(slope(Bernoulli({ logits: -Math.log(3) }), x)).toBeCloseTo(-Math.log(3), 6);
    }
  });

  it("Categorical: an index of probability 0", () => {
    expect(at((q) => Categorical({ probs: q }), [0, 2, 0], 0)).toEqual([-Infinity, Infinity, -0.5, -0.5]);
    expect(at((q) => Categorical({ probs: q }), [0, 2, 0], 1)).toEqual([0, -0.5, 0, -0.5]);
    expect(at((q) => Categorical({ probs: q }), [0, 2, 0], 3)).toEqual([-Infinity, 0, 0, 0]);
    expect(at((q) => Categorical({ logits: q }), [-Infinity, 1, -Infinity], 1)).toEqual([0, 0, 0, 0]);
    const d = Categorical({ probs: [0, 1, 0, 2, 0] });
    expect([...new Set(list(d.sample(0, { sampleShape: [1000] })))].sort()).toEqual([1, 3]);
    expect(d.entropy().item()).toBeCloseTo(Math.log(3) - (2 / 3) * Math.log(2), 6);
    expect(
      Math.abs(
        Categorical({ logits: [0, -Infinity] })
          .entropy()
          .item(),
      ),
    ).toBe(0);
    expect(list(d.icdf([0, 0.2, 0.4, 1]))).toEqual([0, 1, 3, 3]);
  });

  it("Poisson at rate 0 is always 0", () => {
    expect(at((q) => Poisson({ rate: q }), 0, 0)).toEqual([0, -1]);
    expect(at((q) => Poisson({ rate: q }), 0, 3)).toEqual([-Infinity, Infinity]);
    expect(list(Poisson({ rate: [0, 0] }).sample(0))).toEqual([0, 0]);
    expect(grad((q: Tensor) => Poisson({ rate: q }).cdf(0))(tensor(0)).item()).toBe(-1);
    expect(grad((q: Tensor) => Poisson({ rate: q }).cdf(2))(tensor(0)).item() + 0).toBe(0);
  });

  it("Poisson in float32 keeps the digits of a large count", () => {
    const exact = Poisson({ rate: tensor(1e6, { dtype: "float64" }) })
      .logProb(1000123)
      .item();
    expect(Math.abs(Poisson({ rate: 1e6 }).logProb(1000123).item() - exact)).toBeLessThan(1e-6);
  });

  it("LogNormal at 0: the limits of density and slopes", () => {
    const { value, grad: slope } = valueAndGrad((q: Tree) => LogNormal({ loc: q.loc!, scale: q.scale! }).logProb(q.x!))(
      { loc: tensor(0.5), scale: tensor(2), x: tensor(0) },
    );
    expect(value.item()).toBe(-Infinity);
    expect([slope.loc!.item(), slope.scale!.item(), slope.x!.item()]).toEqual([-Infinity, Infinity, Infinity]);
  });

  it("the ends of Uniform and Exponential belong to them", () => {
    expect(list(Uniform({ low: -1, high: 3 }).prob([-1, 3]))).toEqual([0.25, 0.25]);
    expect(Exponential({ rate: 2 }).prob(0).item()).toBe(2);
    const top = Math.fround(1 - 2 ** -24);
    const [low, high] = [tensor(-1e-3), tensor(1)];
    const { value } = Uniform({}).gives.reparam;
    expect(value(tensor(top), { low, high }).item()).toBeLessThanOrEqual(1);
  });

  it("a value keeps its own precision: float64 against float32 parameters, fractions against whole numbers", () => {
    expect(
      Normal({})
        .logProb(tensor(0.1, { dtype: "float64" }))
        .item(),
    ).toBe(-0.5 * 0.1 ** 2 - 0.5 * Math.log(2 * Math.PI));
    expect(Uniform({}).logProb(tensor(0.1, { dtype: "float64" })).dtype).toBe("float64");
    expect(
      Laplace({ loc: tensor(0, { dtype: "float64" }) })
        .icdf(0.3)
        .item(),
    ).toBeCloseTo(Math.log(0.6), 15);
    expect(list(Categorical({ probs: [1, 1, 1] }).logProb([0, 0.5, 1.5]))[1]).toBe(-Infinity);
    expect(Categorical({ probs: [1, 1, 1] }).logProb(tensor([1], { dtype: "int32" })).shape).toEqual([1]);
    expect(list(Normal({ loc: [0.1, 0.2], scale: tensor(1, { dtype: "float64" }) }).mean())).toEqual([0.1, 0.2]);
  });
});
