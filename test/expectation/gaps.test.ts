import { afterAll, describe, expect, it } from "vitest";
import {
  argmax,
  Bernoulli,
  expectation,
  floor,
  grad,
  maximum,
  Normal,
  Poisson,
  pathwise,
  randomKey,
  sample,
  scoreFunction,
  type Tensor,
  tensor,
  Uniform,
  where,
} from "../../src/index.js";
import { Comparisons } from "./statistics.js";

/**
 * A parameter that meets a continuous random value at a jump or kink moves the expectation, and the derivative of the composition does not
 * say so: E[x > θ] has a slope in θ. No estimator of the sample can mend that, so it is an error wherever the derivative is asked for.
 */
const f64 = (x: number | number[]): Tensor => tensor(x, { dtype: "float64" });
const phi = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
const judge = new Comparisons(6);
afterAll(() => judge.done());

type P = { mu: Tensor; th: Tensor };
const at = { mu: f64(0.3), th: f64(0.1) };
const remedy =
  "put the parameter into the law of the sample, as in sample(Normal({ loc: mu.sub(threshold) })), or stopGradient it where its derivative " +
  "is not wanted.";
const refused =
  (f: (p: P) => Tensor, options = {}) =>
  () =>
    expectation(f, { samples: 4, ...options }).valueAndGrad(at, { key: 0 });
const x = (p: P): Tensor => sample(Normal({ loc: p.mu }), { name: "x" });

describe("a jump", () => {
  it("refuses the derivative of a threshold, and still gives the value", () => {
    const f = (p: P): Tensor => x(p).greater(p.th).toDType("float64");
    expect(refused(f)).toThrow(
      `sample "x": a derivative meets it at a jump (params.th → greater), so its first derivative would miss part; ${remedy}`,
    );
    expect(expectation(f, { samples: 2000 }).value(at, { key: 0 }).mean.item()).toBeCloseTo(0.579, 1);
  });

  it("lets the derivative of the law through when the threshold is data, or stopped", () => {
    const law = ({ mu }: { mu: Tensor }, { th }: { th: Tensor }): Tensor =>
      x({ mu, th }).greater(th).toDType("float64");
    const a = expectation(law, { samples: 40_960 }).valueAndGrad({ mu: at.mu }, { th: at.th }, { key: 0 }).grad;
    judge.check("data", { mean: [a.mean.mu.item()], stderr: [a.stderr.mu.item()], dof: a.dof, truth: [phi(0.2)] });
    const stopped = (p: P): Tensor => x(p).greater(p.th.stopGradient()).toDType("float64");
    const b = expectation(stopped, { samples: 40_960 }).valueAndGrad(at, { key: 0 }).grad;
    judge.check("stopped", { mean: [b.mean.mu.item()], stderr: [b.stderr.mu.item()], dof: b.dof, truth: [phi(0.2)] });
    expect(b.mean.th.item()).toBe(0);
  });

  it("follows its own advice: the threshold in the law", () => {
    const f = (p: P): Tensor =>
      sample(Normal({ loc: p.mu.sub(p.th) }), { name: "x" })
        .greater(0)
        .toDType("float64");
    const { grad: g } = expectation(f, { samples: 40_960 }).valueAndGrad(at, { key: 0 });
    const [mean, stderr] = [g.mean, g.stderr].map((side) => [side.mu.item(), side.th.item()]) as [number[], number[]];
    judge.check("law", { mean, stderr, dof: g.dof, truth: [phi(0.2), -phi(0.2)] });
  });

  it("sees parameters that meet plain noise: sites without parameters, and keys", () => {
    expect(refused((p) => sample(Uniform({}), { name: "u" }).less(p.th).toDType("float64"))).toThrow(
      /^sample "u": .* a jump \(params.th → less\)/,
    );
    expect(refused((p) => sample(Normal({}), { name: "e" }).add(p.mu).greater(0).toDType("float64"))).toThrow(
      /^sample "e": .*params.mu → add → greater/,
    );
    expect(refused((p) => Uniform({}).sample(randomKey()).less(p.th).toDType("float64"))).toThrow(
      /^noise: a derivative meets it at a jump/,
    );
    const gumbel = (p: P): Tensor => {
      const noise = sample(Uniform({ low: f64([0, 0]), high: 1 }), { name: "g" })
        .log()
        .neg()
        .log()
        .neg();
      return argmax(noise.add(p.mu.mul(f64([1, 2])))).toDType("float64");
    };
    expect(refused(gumbel)).toThrow(/^sample "g": .*argmax/);
  });

  it("is none where a constant draw of a discrete variable is compared", () => {
    const f = (p: P): Tensor =>
      where(sample(Bernoulli({ probs: p.mu }), { name: "b" }).greater(0.5), p.th, p.th.mul(3));
    // E = .3 th + .7·3 th
    const { grad: g } = expectation(f).valueAndGrad(at, { key: 0 });
    expect(g.mean.th.item()).toBeCloseTo(2.4, 12);
    expect(g.mean.mu.item()).toBeCloseTo(-0.2, 12);
  });
});

describe("a kink", () => {
  const relu = (p: P): Tensor => x(p).sub(p.th).relu();

  it("lets one derivative through and refuses the second", () => {
    const { grad: g } = expectation(relu, { samples: 40_960 }).valueAndGrad(at, { key: 0 });
    const Phi = 0.579259709439103; // Φ(.2)
    const [mean, stderr] = [g.mean, g.stderr].map((side) => [side.mu.item(), side.th.item()]) as [number[], number[]];
    judge.check("relu", { mean, stderr, dof: g.dof, truth: [Phi, -Phi] });
    for (const f of [
      relu,
      (p: P) => maximum(x(p), p.th),
      (p: P) => sample(Normal({}), { name: "x" }).add(p.mu).relu(),
    ]) {
      expect(() => expectation(f, { samples: 4, order: 2 }).hessian(at, { key: 0 })).toThrow(
        /^sample "x": a derivative meets it at a kink .* second derivative would miss part/,
      );
    }
  });
});

describe("the law of a later site", () => {
  it("is an end of the path: a pathwise sample that jumps into it is refused, and the default is right", () => {
    const f = ({ mu }: { mu: Tensor }): Tensor => {
      const probs = where(sample(Normal({ loc: mu }), { name: "x" }).greater(0), f64(0.8), f64(0.2));
      return sample(Bernoulli({ probs }), { name: "b" });
    };
    expect(() => expectation(f, { estimators: { x: pathwise() } }).valueAndGrad({ mu: 0.3 }, { key: 0 })).toThrow(
      'sample "x": pathwise would be biased: the sample reaches the cost through greater (x → greater → where → b → loss), whose ' +
        "derivative is zero or undefined; use scoreFunction().",
    );
    const plan = expectation(f).plan({ mu: f64(0.3) }, { key: 0 }).plan;
    expect([...plan.choices.values()].map((choice) => choice.estimator.name)).toEqual(["scoreFunction", "enumerate"]);
    const exact = 0.6 * phi(0.3);
    const { mean, stderr } = expectation(f, { samples: 20_000 }).valueAndGrad({ mu: f64(0.3) }, { key: 0 }).grad;
    expect(Math.abs(mean.mu.item() - exact)).toBeLessThan(6 * stderr.mu.item());
    expect(stderr.mu.item()).toBeLessThan(0.02 * exact);
    const poisson = ({ mu }: { mu: Tensor }): Tensor =>
      sample(Poisson({ rate: floor(sample(Normal({ loc: mu }), { name: "x" })).square() }), { name: "n" });
    const chosen = [...expectation(poisson, { samples: 2 }).plan({ mu: 0.3 }, { key: 0 }).plan.choices.values()];
    expect(chosen.map((choice) => choice.estimator.name)).toEqual(["scoreFunction", "scoreFunction"]);
  });
});

describe("unknowns captured from an outer transform", () => {
  const inner = (p: Tensor): Tensor =>
    sample(Bernoulli({ probs: p }), { name: "b", estimator: scoreFunction({ baseline: "none" }) });

  it("are differentiated like arguments, traced and dynamic", () => {
    const outer = (dynamic: boolean) => (p: Tensor) =>
      expectation((_: object) => (dynamic ? inner(p).item() : inner(p)), { samples: 400, dynamic }).value(
        {},
        { key: 0 },
      ).mean;
    const passed = (p: Tensor): Tensor =>
      expectation(({ q }: { q: Tensor }) => inner(q), { samples: 400 }).value({ q: p }, { key: 0 }).mean;
    const truth = grad(passed)(f64(0.3)).item();
    expect(truth).not.toBe(0);
    expect(grad(outer(false))(f64(0.3)).item()).toBeCloseTo(truth, 12);
    // A number that was read comes back as float32.
    expect(grad(outer(true))(f64(0.3)).item()).toBeCloseTo(truth, 6);
  });

  it("are those of the present call, also with one expectation for all calls", () => {
    let captured: Tensor;
    const E = expectation((_: object) => sample(Bernoulli({ probs: captured }), { name: "b" }).mul(3));
    const slopes = [0.3, 0.4, 0.5, 0.6].map((v) =>
      grad((p: Tensor) => {
        captured = p;
        return E.value({}, { key: 0 }).mean.mul(p);
      })(f64(v)).item(),
    );
    // d(3p·p) = 6p
    slopes.forEach((slope, i) => {
      expect(slope).toBeCloseTo(6 * (0.3 + 0.1 * i), 12);
    });
  });
});
