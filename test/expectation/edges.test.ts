import { describe, expect, it } from "vitest";
import { siteParams } from "../../src/expectation/differentiability.js";
import * as S from "../../src/index.js";

/**
 * Edges: singular points of smooth functions, ends of supports, probabilities of exactly 0. What is pathwise and what is not, and
 * that the numbers are right where it is not.
 */

const { Bernoulli, Categorical, Exponential, Laplace, LogNormal, Normal, Poisson, Uniform, sample } = S;
type Tensor = S.Tensor;
type Tree = Record<string, Tensor>;
// biome-ignore lint/suspicious/noExplicitAny: one parameter tree per program
type Loss = (params: any) => Tensor;

/** The estimator of every site. */
function chosen(f: Loss, params: unknown, options: S.ExpectationOptions = {}): Record<string, string> {
  const { plan } = S.expectation(f, options).plan(params as never, {});
  return Object.fromEntries([...plan.choices].map(([site, c]) => [siteParams(site).name, c.estimator.name]));
}

const phi = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const normal = ({ mu }: Tree): Tensor => sample(Normal({ loc: mu! }), { name: "x" });

/** ∫ f(x) (x − μ) φ(x − μ) dx = d/dμ E f, by the midpoint rule. */
function slope(f: (x: number) => number, mu: number): number {
  const h = 1e-4;
  let total = 0;
  for (let t = -9 + h / 2; t < 9; t += h) total += f(mu + t) * t * phi(t) * h;
  return total;
}

/** Five standard errors: under one false alarm in a million comparisons, at key 0. */
function expectSlope(f: Loss, params: Tree | Record<string, unknown>, truth: number, name = "mu"): void {
  const { mean, stderr } = S.expectation(f, { samples: 40_000 }).valueAndGrad(params as never, { key: 0 }).grad;
  const [got, bar] = [(mean as Tree)[name]!.item(), (stderr as Tree)[name]!.item()];
  expect(bar).toBeLessThan(0.02);
  expect(Math.abs(got - truth), `${got} ± ${bar}, truth ${truth}`).toBeLessThan(5 * bar);
}

describe("a sample that crosses a singular point is scored", () => {
  const { abs, div, relu, sqrt, square, tanh } = S;
  it.each<[string, (x: Tensor) => Tensor, (x: number) => number]>([
    ["x/|x|", (x) => x.div(abs(x)), Math.sign],
    ["x/√x²", (x) => x.div(sqrt(square(x))), Math.sign],
    ["relu(x)/x", (x) => relu(x).div(x), (x) => (x > 0 ? 1 : 0)],
    ["tanh(1/x)", (x) => tanh(div(1, x)), (x) => Math.tanh(1 / x)],
    ["(x²)^½/x", (x) => square(x).pow(0.5).div(x), Math.sign],
    ["log|x|", (x) => S.log(abs(x)), (x) => Math.log(Math.abs(x))],
    ["exp(log relu x)", (x) => S.exp(S.log(relu(x))), (x) => Math.max(x, 0)],
  ])("%s", (_name, f, g) => {
    const loss: Loss = (p) => f(normal(p));
    expect(chosen(loss, { mu: 0.3 })).toEqual({ x: "scoreFunction" });
    expectSlope(loss, { mu: 0.3 }, slope(g, 0.3));
    expect(() =>
      S.expectation(loss, { estimators: { x: S.pathwise() } }).valueAndGrad({ mu: 0.3 }, { key: 0 }),
    ).toThrow("pathwise would be biased");
  });

  it("√x² for a second derivative, and is pathwise for a first one", () => {
    const loss: Loss = (p) => S.sqrt(S.square(normal(p)));
    expect(chosen(loss, { mu: 0.3 })).toEqual({ x: "pathwise" });
    expect(chosen(loss, { mu: 0.3 }, { order: 2 })).toEqual({ x: "scoreFunction" });
    const E = S.expectation(loss, { samples: 40_000, order: 2 });
    const { mu } = E.hessian({ mu: 0.3 }, { key: 0 }).mean as unknown as { mu: Tree };
    expect(mu.mu!.item()).toBeCloseTo(2 * phi(0.3), 1);
  });
});

describe("ordinary code stays pathwise", () => {
  const { exp, sigmoid, softplus, abs, log, sqrt, square, mean, sum } = S;
  const z = ({ mu, s }: Tree, name = "z"): Tensor => sample(Normal({ loc: mu!, scale: exp(s!) }), { name });
  const v = ({ w }: Tree, name = "v"): Tensor => sample(Normal({ loc: w!, scale: 0.5 }), { name });
  const params = { mu: 0.3, s: -0.2, w: [0.1, -0.4, 0.7] };
  it.each<[string, Loss]>([
    [
      "scale softplus",
      (p) =>
        Normal({ loc: z(p), scale: softplus(v(p)) })
          .logProb([1, 2, 3])
          .sum(),
    ],
    ["scale exp", (p) => Normal({ loc: 0, scale: exp(z(p)) }).logProb(1)],
    ["scale sigmoid", (p) => Laplace({ loc: 0, scale: sigmoid(z(p)) }).logProb(1)],
    ["scale |·| + ε", (p) => Normal({ loc: 0, scale: abs(z(p)).add(1e-3) }).logProb(1)],
    ["scale a raw parameter", (p) => Normal({ loc: 0, scale: p.mu }).logProb(z(p))],
    ["a network's scale", (p) => Normal({ scale: softplus(S.matmul(p.w, S.tanh(v(p)))) }).logProb(0.3)],
    [
      "standardised",
      (p) => {
        const x = v(p);
        return sum(S.relu(x.sub(mean(x)).div(sqrt(S.variance(x).add(1e-5)))));
      },
    ],
    ["by the root of a sum of squares and ε", (p) => sum(v(p).div(sqrt(sum(square(v(p, "u"))).add(1e-8))))],
    ["logsumexp", (p) => S.logsumexp(v(p))],
    ["softmax", (p) => S.softmax(v(p)).mul([1, 2, 3]).sum()],
    ["log softmax, cross-entropy", (p) => S.logSoftmax(v(p)).mul([0, 1, 0]).sum().neg()],
    ["log of a chosen softmax", (p) => log(sum(S.softmax(v(p)).mul([0, 1, 0])))],
    [
      "exp over its sum",
      (p) =>
        sum(
          exp(v(p))
            .div(sum(exp(v(p, "u"))))
            .mul([1, 2, 3]),
        ),
    ],
    ["entropy of a softmax", (p) => sum(S.xlogy(S.softmax(v(p)), S.softmax(v(p, "u"))))],
    ["logaddexp", (p) => S.logaddexp(z(p), 0.3)],
    ["odds", (p) => log(sigmoid(z(p)).div(sigmoid(z(p, "y")).neg().add(1)))],
    [
      "Bernoulli likelihood",
      (p) =>
        Bernoulli({ logits: v(p) })
          .logProb([0, 1, 1])
          .sum(),
    ],
    [
      "Bernoulli likelihood of probs",
      (p) =>
        Bernoulli({ probs: sigmoid(v(p)) })
          .logProb([0, 1, 1])
          .sum(),
    ],
    ["Categorical likelihood", (p) => Categorical({ logits: v(p) }).logProb(1)],
    ["Categorical likelihood of probs", (p) => Categorical({ probs: exp(v(p)) }).logProb(1)],
    [
      "Poisson likelihood",
      (p) =>
        Poisson({ rate: exp(v(p)) })
          .logProb([0, 1, 4])
          .sum(),
    ],
    ["Exponential likelihood", (p) => Exponential({ rate: softplus(z(p)) }).logProb(0.7)],
    ["LogNormal likelihood", (p) => LogNormal({ loc: z(p) }).logProb(0.7)],
    ["KL of normals", (p) => kl(z(p), exp(v(p)), 0, 1).sum()],
    ["cdf", (p) => Normal({ loc: 0, scale: exp(z(p)) }).cdf(0.3)],
    ["Student's t with a raw parameter", (p) => S.log1p(square(z(p)).div(square(p.w.at(2))))],
  ])("%s", (_name, f) => {
    expect([...new Set(Object.values(chosen(f, params)))]).toEqual(["pathwise"]);
    const { grad } = S.expectation(f, { samples: 64 }).valueAndGrad(params as never, { key: 0 });
    const { mu, w } = grad.mean as unknown as Tree;
    expect([mu!.item(), ...(w!.toArray() as number[])].every(Number.isFinite)).toBe(true);
  });

  function kl(m: S.TensorLike, s: S.TensorLike, m0: number, s0: number): Tensor {
    const [a, b] = [S.square(S.div(s, s0)), S.square(S.div(S.sub(m, m0), s0))];
    return a.add(b).sub(1).sub(S.log(a)).mul(0.5);
  }

  it.each<[string, (p: Tree) => Tensor]>([
    ["log", (p) => log(sample(LogNormal({ loc: p.mu! })))],
    ["square root", (p) => sqrt(sample(LogNormal({ loc: p.mu! })))],
    ["quotient", (p) => S.div(1, sample(LogNormal({ loc: p.mu! })))],
    ["log", (p) => log(sample(Exponential({ rate: exp(p.mu!) })))],
    ["square root", (p) => sqrt(sample(Exponential({ rate: exp(p.mu!) })))],
    ["a ratio of two", (p) => sample(Exponential({ rate: exp(p.mu!) })).div(sample(LogNormal({ loc: p.mu! })))],
    ["log of an interval", (p) => log(sample(Uniform({ low: 0.5, high: softplus(p.mu!).add(1) })))],
    [
      "by hand: the inverse cdf",
      (p) =>
        log(sample(Uniform({})))
          .neg()
          .div(exp(p.mu!)),
    ],
  ])("a positive sample: %s", (_name, f) => {
    expect(new Set(Object.values(chosen(f, { mu: 0.3 })))).toEqual(new Set(["pathwise"]));
  });

  it.each<[string, (p: Tree) => S.Distribution<"logProb">]>([
    ["Normal", ({ a, b }) => Normal({ loc: a!, scale: b! })],
    ["Uniform", ({ a, b }) => Uniform({ low: a!, high: b! })],
    ["Exponential", ({ b }) => Exponential({ rate: b! })],
    ["Laplace", ({ a, b }) => Laplace({ loc: a!, scale: b! })],
    ["LogNormal", ({ a, b }) => LogNormal({ loc: a!, scale: b! })],
  ])("the log-density of its own sample: %s", (_name, law) => {
    const f: Loss = (p) => {
      const d = law(p);
      return d.logProb(sample(d, { name: "x" }));
    };
    expect(chosen(f, { a: 0.2, b: 1.3 })).toEqual({ x: "pathwise" });
    const batched: Loss = (p) => f({ a: p.a.broadcastTo([3]), b: p.b }).sum();
    expect(chosen(batched, { a: 0.2, b: 1.3 })).toEqual({ x: "pathwise" });
  });
});

describe("the density of a value of another law jumps at the end of the support", () => {
  it("x ~ Normal in the density of Uniform", () => {
    const f: Loss = (p) => Uniform({}).prob(normal(p));
    expect(chosen(f, { mu: 0.3 })).toEqual({ x: "scoreFunction" });
    expectSlope(f, { mu: 0.3 }, phi(0.3) - phi(0.7));
  });

  it("x ~ Normal in the density of Exponential", () => {
    const f: Loss = (p) => Exponential({ rate: 1 }).prob(normal(p));
    expect(chosen(f, { mu: 0.3 })).toEqual({ x: "scoreFunction" });
    const density = (x: number): number => (x >= 0 ? Math.exp(-x) : 0);
    expectSlope(f, { mu: 0.3 }, slope(density, 0.3));
  });

  it("an end that is a sample", () => {
    const f: Loss = (p) => Uniform({ high: sample(LogNormal({ loc: p.mu }), { name: "z" }) }).prob(0.5);
    expect(chosen(f, { mu: 0.3 })).toEqual({ z: "scoreFunction" });
    // e^y with y ~ Normal(.3, 1): 1/z where z ≥ ½.
    const density = (y: number): number => (y >= Math.log(0.5) ? Math.exp(-y) : 0);
    expectSlope(f, { mu: 0.3 }, slope(density, 0.3));
  });

  it("is smooth where the value is known to lie within", () => {
    const f: Loss = (p) => {
      const x = normal(p);
      return Uniform({ low: -1 })
        .logProb(S.tanh(x).abs())
        .add(Exponential({ rate: 2 }).logProb(S.exp(x)));
    };
    expect(chosen(f, { mu: 0.3 })).toEqual({ x: "pathwise" });
    const other: Loss = (p) => LogNormal({ loc: 1 }).logProb(sample(Exponential({ rate: p.mu }), { name: "x" }));
    expect(chosen(other, { mu: 0.3 })).toEqual({ x: "pathwise" });
  });

  it("the same law written twice is one law", () => {
    const f: Loss = (p) => Uniform({ low: p.mu }).logProb(sample(Uniform({ low: p.mu }), { name: "x" }));
    expect(chosen(f, { mu: 0.3 })).toEqual({ x: "pathwise" });
    const shifted: Loss = (p) => Uniform({ low: p.nu }).logProb(sample(Uniform({ low: p.mu }), { name: "x" }));
    expect(() => chosen(shifted, { mu: 0.3, nu: 0.3 })).toThrow("the cost jumps in it");
  });

  it("the same law at other parameters is another law", () => {
    const f: Loss = (p) => Uniform({ low: 0, high: 1 }).prob(sample(Uniform({ low: p.mu, high: 2 }), { name: "x" }));
    expect(() => chosen(f, { mu: 0.3 })).toThrow("the support of Uniform moves with low");
  });
});

describe("the score function at a probability of exactly 0", () => {
  const scored = { samples: 64, estimators: { a: S.scoreFunction() } };
  const square = (a: Tensor): Tensor => a.toDType("float32").add(1).square().sum();
  const at = (f: Loss, params: unknown): unknown =>
    S.expectation((p: never) => f(p), scored).valueAndGrad(params as never, { key: 0 }).grad.mean;
  const cases: [string, Loss, unknown, string][] = [
    [
      "Bernoulli at 0",
      (p) => square(sample(Bernoulli({ probs: p.q }), { name: "a" })),
      { q: [0.5, 0] },
      "probs[1] = 0",
    ],
    ["Bernoulli at 1", (p) => square(sample(Bernoulli({ probs: p.q }), { name: "a" })), { q: 1 }, "probs = 1"],
    ["Categorical", (p) => square(sample(Categorical({ probs: p.q }), { name: "a" })), { q: [1, 0] }, "probs[1] = 0"],
    ["Poisson", (p) => square(sample(Poisson({ rate: p.q }), { name: "a" })), { q: 0 }, "rate = 0"],
  ];
  it.each(cases)("%s throws when the derivative is read", (name, f, params, got) => {
    const [family] = name.split(" ") as [string];
    expect(() => read(at(f, params))).toThrow(`${family}: got ${got}`);
    expect(() => read(at(f, params))).toThrow(
      /where the score function is right; (enumerate\(\), or logits|make the rate with exp or softplus)\.$/,
    );
  });

  const read = (tree: unknown): unknown =>
    S.isTensor(tree) ? tree.toArray() : Object.values(tree as Record<string, unknown>).map(read);

  it("asks nothing where no derivative comes in, nor for the value alone", () => {
    const f: Loss = (p) => square(sample(Bernoulli({ probs: 0 }), { name: "a" })).mul(p.q);
    expect(read(at(f, { q: 2 }))).toEqual([1]);
    const [, loss, params] = cases[0]!;
    expect(
      S.expectation(loss, scored)
        .value(params as never, { key: 0 })
        .mean.item(),
    ).toBeGreaterThan(1);
  });

  it("lets a saturated sigmoid and infinite logits through: their own derivative vanishes there", () => {
    const soft: Loss = (p) => square(sample(Bernoulli({ probs: S.sigmoid(p.q) }), { name: "a" }));
    expect(read(at(soft, { q: 200 }))).toEqual([0]);
    const logits: Loss = (p) => square(sample(Bernoulli({ logits: p.q }), { name: "a" }));
    expect(read(at(logits, { q: -Infinity }))).toEqual([0]);
  });

  it("enumerates exactly there", () => {
    const f: Loss = (p) => square(sample(Categorical({ probs: p.q }), { name: "a" }));
    const E = S.expectation(f, { estimators: { a: S.enumerate() } });
    // d/dp_k of Σ p_k (k + 1)² / Σp at (1, 0, 0)
    expect(read(E.valueAndGrad({ q: [1, 0, 0] }, { key: 0 }).grad.mean)).toEqual([[0, 3, 8]]);
  });
});

describe("an outcome of probability 0 costs nothing, be its cost infinite", () => {
  const entropy =
    (law: (q: Tensor) => S.Distribution<"logProb" | "enumerate">): Loss =>
    ({ q }) => {
      const d = law(q);
      return d.logProb(sample(d)).neg();
    };
  const bernoulli = entropy((probs) => Bernoulli({ probs }));
  const logits = entropy((l) => Bernoulli({ logits: l }));
  const several = entropy((l) => Categorical({ logits: l }));
  const value = (f: Loss, q: unknown): number =>
    S.expectation(f)
      .value({ q } as never, { key: 0 })
      .mean.item();

  it.each<[string, Loss, unknown, number]>([
    ["probs 0", bernoulli, 0, 0],
    ["probs 1", bernoulli, 1, 0],
    ["logits −∞", logits, -Infinity, 0],
    ["logits ∞", logits, Infinity, 0],
    ["one of three ruled out", several, [0, 0, -Infinity], Math.log(2)],
    ["an undefined cost", ({ q }) => S.sqrt(S.sub(0.5, sample(Bernoulli({ probs: q })))), 0, Math.SQRT1_2],
  ])("%s", (_name, f, q, truth) => {
    expect(value(f, q)).toBeCloseTo(truth, 6);
  });

  it("keeps the derivative where it is finite", () => {
    const masked = S.expectation(several).valueAndGrad({ q: [0.4, 0, -Infinity] } as never, { key: 0 }).grad.mean;
    const two = S.expectation(several).valueAndGrad({ q: [0.4, 0] } as never, { key: 0 }).grad.mean;
    const [got, truth] = [masked, two].map((g) => (g as unknown as Tree).q!.toArray() as number[]);
    expect(got!.slice(0, 2).map((n) => n.toFixed(5))).toEqual(truth!.map((n) => n.toFixed(5)));
    expect(got![2]).toBe(0);
    const saturated = S.expectation(logits).valueAndGrad({ q: -Infinity } as never, { key: 0 }).grad.mean;
    expect((saturated as unknown as Tree).q!.item()).toBe(0);
    const finite: Loss = ({ q }) =>
      sample(Bernoulli({ probs: q }))
        .add(1)
        .square();
    const grad = S.expectation(finite).valueAndGrad({ q: 0 }, { key: 0 }).grad.mean;
    expect((grad as Tree).q!.item()).toBe(3);
  });
});
