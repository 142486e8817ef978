import { describe, expect, test } from "vitest";
import {
  Bernoulli,
  Categorical,
  Exponential,
  expectation,
  grad,
  LogNormal,
  Normal,
  Poisson,
  sample,
  square,
  type Tensor,
  type TensorLike,
  tensor,
  Uniform,
} from "../../src/index.js";

const f64 = (x: number | number[]): Tensor => tensor(x, { dtype: "float64" });

type Draw = (t: Tensor) => Tensor;
const laws: Record<string, Draw> = {
  Bernoulli: (t) => sample(Bernoulli({ logits: t }), { name: "x" }),
  Categorical: (t) => sample(Categorical({ logits: t.mul([1, 2, 3]) }), { name: "x" }),
  Exponential: (t) => sample(Exponential({ rate: t }), { name: "x" }),
  LogNormal: (t) => sample(LogNormal({ loc: t }), { name: "x" }),
  Normal: (t) => sample(Normal({ loc: t }), { name: "x" }),
  Poisson: (t) => sample(Poisson({ rate: t }), { name: "x" }),
  Uniform: (t) => sample(Uniform({}), { name: "x" }).mul(t),
};

const run = (law: string, value: TensorLike, dynamic: boolean) =>
  expectation(({ t }: { t: Tensor }) => square((laws[law] as Draw)(t).toDType("float64").add(t)), {
    dynamic,
    samples: 2,
  }).valueAndGrad({ t: f64(0.5) }, { key: 0, given: { x: value } });

describe.each([false, true])("recorded values, dynamic: %s", (dynamic) => {
  test.each<[string, number, string]>([
    ["Bernoulli", 0.5, "a whole number in [0, 1]"],
    ["Bernoulli", 7, "a whole number in [0, 1]"],
    ["Bernoulli", Number.NaN, "a whole number in [0, 1]"],
    ["Categorical", 1.5, "a whole number in [0, 2]"],
    ["Categorical", 9, "a whole number in [0, 2]"],
    ["Exponential", -1, "a finite number of at least 0"],
    ["LogNormal", 0, "a positive finite number"],
    ["Normal", Number.POSITIVE_INFINITY, "a finite number"],
    ["Poisson", 2.5, "a whole number in [0, Infinity]"],
    ["Uniform", Number.NaN, "a number from low to high"],
  ])("%s refuses %d", (law, bad, expected) => {
    expect(() => run(law, [1, bad], dynamic)).toThrow(`given "x": got value[1] = ${bad}, expected ${expected}.`);
  });

  test.each(["Bernoulli", "Categorical", "Exponential", "LogNormal", "Normal", "Poisson", "Uniform"])(
    "%s takes what it could have drawn, in any dtype",
    (law) => {
      const { value, grad: g } = run(law, tensor([1, 1], { dtype: "int32" }), dynamic);
      const x = law === "Uniform" ? 0.5 : 1;
      expect(value.mean.item()).toBeCloseTo((x + 0.5) ** 2, 12);
      expect(Number.isFinite(g.mean.t.item())).toBe(true);
    },
  );

  test("a wrong shape names the site", () => {
    expect(() => run("Normal", [1, 2, 3], dynamic)).toThrow(
      'given "x": got shape [3], expected [2]: samples, then the site.',
    );
    expect(() => run("Normal", [[1], [2]], dynamic)).toThrow(
      'given "x": got shape [2, 1], expected [2]: samples, then the site.',
    );
    expect(() => run("Normal", 1, dynamic)).toThrow('given "x": got shape [], expected [2]: samples, then the site.');
  });

  test("the index is that of the run and of the element", () => {
    const f = ({ p }: { p: Tensor }): Tensor => sample(Bernoulli({ probs: p }), { name: "x" }).sum();
    const given = {
      x: [
        [0, 1],
        [1, 2],
      ],
    };
    expect(() => expectation(f, { dynamic, samples: 2 }).valueAndGrad({ p: [0.5, 0.5] }, { key: 0, given })).toThrow(
      'given "x": got value[1, 1] = 2, expected a whole number in [0, 1].',
    );
  });

  test("with one sample the first axis may be left out", () => {
    const f = ({ mu }: { mu: Tensor }): Tensor => square(sample(Normal({ loc: mu }), { name: "x" })).sum();
    const E = expectation(f, { dynamic });
    for (const x of [[3, 4], [[3, 4]]]) {
      const { value, grad: g } = E.valueAndGrad({ mu: f64([1, 1]) }, { key: 0, given: { x } });
      expect(value.mean.item()).toBe(25);
      // Each element is charged with its own square, less that of the other: (9 − 16)·(3 − 1) and (16 − 9)·(4 − 1).
      expect(g.mean.mu.toArray()).toEqual([-14, 21]);
    }
    const scalar = expectation(({ mu }: { mu: Tensor }) => square(sample(Normal({ loc: mu }), { name: "x" })), {
      dynamic,
    });
    expect(scalar.value({ mu: 1 }, { key: 0, given: { x: 3 } }).mean.item()).toBe(9);
    expect(() => scalar.value({ mu: 1 }, { key: 0, given: { x: Number.NaN } })).toThrow(
      'given "x": got value = NaN, expected a finite number.',
    );
  });

  test("runs of replicates are counted together", () => {
    const f = ({ mu }: { mu: Tensor }): Tensor => sample(Normal({ loc: mu }), { name: "x" });
    const E = expectation(f, { dynamic, samples: 2, replicates: 32 });
    const x = Float64Array.from({ length: 64 }, (_, i) => i);
    expect(E.value({ mu: f64(0) }, { key: 0, given: { x } }).mean.item()).toBeCloseTo(31.5, 12);
    expect(() => E.value({ mu: f64(0) }, { key: 0, given: { x: [1, 2] } })).toThrow(
      'given "x": got shape [2], expected [64]: samples, then the site.',
    );
  });

  test("a value that is computed inside another transform is checked too, and is a constant", () => {
    const E = expectation(({ mu }: { mu: Tensor }) => square(sample(Normal({ loc: mu }), { name: "x" })), { dynamic });
    const scored = grad((mu: Tensor, x: Tensor) => E.value({ mu }, { key: 0, given: { x } }).mean);
    expect(scored(f64(1), f64(3)).item()).toBe(18);
    expect(() => scored(f64(1), f64(Number.NaN)).item()).toThrow(
      'given "x": got value = NaN, expected a finite number.',
    );
    const inside = grad((x: Tensor) => E.value({ mu: f64(1) }, { key: 0, given: { x } }).mean);
    expect(() => inside(f64(3)).item()).toThrow(
      'given "x": a recorded value is a constant, and a derivative comes into it; stopGradient what is given, or pass it in data.',
    );
  });
});
