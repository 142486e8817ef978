import { describe, expect, it } from "vitest";
import { siteParams } from "../../src/expectation/differentiability.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  abs,
  Bernoulli,
  Categorical,
  type ExpectationOptions,
  expectation,
  floor,
  matmul,
  mean,
  Normal,
  oneHot,
  Poisson,
  relu,
  sample,
  scoreFunction,
  sigmoid,
  square,
  sum,
  tensor,
  Uniform,
} from "../../src/index.js";

/** The estimator at each site when nothing is said, and why. */

interface Chosen {
  readonly estimator: string;
  readonly baseline: string;
  readonly outcomes: number;
  readonly why: string;
}

// biome-ignore lint/suspicious/noExplicitAny: one parameter tree per program
type AnyProgram = (params: any) => Tensor;

function chosen(f: AnyProgram, params: unknown, options: ExpectationOptions = {}): Record<string, Chosen> {
  const { plan } = expectation(f, options).plan(params as never, {});
  return Object.fromEntries(
    [...plan.choices].map(([site, { estimator, baseline, outcomes, why }]) => [
      siteParams(site).name,
      { estimator: estimator.name, baseline, outcomes, why },
    ]),
  );
}

const normal = ({ loc }: { loc: Tensor }, name = "x"): Tensor => sample(Normal({ loc, scale: 0.5 }), { name });
const bits = ({ theta }: { theta: Tensor }, name = "a"): Tensor => sample(Bernoulli({ logits: theta }), { name });

describe("a continuous site", () => {
  it("is pathwise where the cost is smooth in it", () => {
    expect(chosen((p) => sigmoid(normal(p)), { loc: 0.1 }).x).toEqual({
      estimator: "pathwise",
      baseline: "none",
      outcomes: 1,
      why: "reparameterised and smooth below",
    });
  });

  it("is pathwise for first derivatives at a kink, scored for second ones", () => {
    const f: AnyProgram = (p) => relu(normal(p));
    expect(chosen(f, { loc: 0.1 }).x).toMatchObject({
      estimator: "pathwise",
      why: "reparameterised; the cost is continuous in it (x → maximum → loss)",
    });
    expect(chosen(f, { loc: 0.1 }, { order: 2 }).x).toMatchObject({
      estimator: "scoreFunction",
      why: "the cost has no derivative of order 2 in it (x → maximum → loss), which pathwise would miss",
    });
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ["floor", floor],
    ["greater", (x) => x.greater(0).toDType("float32")],
    ["where", (x) => x.greater(0).mul(x)],
  ])("is scored where the cost jumps in it: %s", (_name, jump) => {
    const found = chosen((p) => jump(normal(p)), { loc: 0.1 }, { samples: 8 }).x as Chosen;
    expect([found.estimator, found.baseline]).toEqual(["scoreFunction", "leaveOneOut"]);
    expect(found.why).toMatch(/^the cost jumps in it \(x → .* → loss\), which pathwise would miss$/);
  });

  it("stays pathwise before a scored site, whose draw is constant", () => {
    const f: AnyProgram = (p) => square(sample(Poisson({ rate: normal(p).mul(1).exp() }), { name: "n" }).sub(1));
    expect(chosen(f, { loc: 0.1 })).toMatchObject({ x: { estimator: "pathwise" }, n: { estimator: "scoreFunction" } });
  });

  it("is plain noise where no parameter reaches it, even through a jump", () => {
    const f: AnyProgram = ({ loc }) => floor(sample(Normal({ loc: 0, scale: 1 }), { name: "noise" })).mul(loc);
    expect(chosen(f, { loc: 0.1 }).noise).toMatchObject({
      estimator: "pathwise",
      why: "no parameter reaches it: plain noise",
    });
  });

  it("with a moving support is pathwise, or refused by name", () => {
    const u = ({ high }: { high: Tensor }): Tensor => sample(Uniform({ low: 0, high }), { name: "u" });
    expect(chosen((p) => square(u(p)), { high: 2 }).u).toMatchObject({ estimator: "pathwise" });
    expect(() => chosen((p) => floor(u(p)), { high: 2 })).toThrow("the support of Uniform moves with high");
  });
});

describe("a finite site", () => {
  const theta = (n: number): { theta: Tensor } => ({ theta: tensor(Array<number>(n).fill(0.3)) });
  const whole: AnyProgram = (p) => square(sum(bits(p)));

  it("is enumerated up to 16 joint outcomes", () => {
    expect(chosen(whole, theta(4)).a).toEqual({
      estimator: "enumerate",
      baseline: "none",
      outcomes: 16,
      why: "finite: 16 joint outcomes, exact",
    });
    expect(chosen(whole, theta(5)).a).toMatchObject({
      estimator: "scoreFunction",
      outcomes: 1,
      why: "not reparameterised; 32 joint outcomes are too many to enumerate",
    });
  });

  it("costs K runs for any number of elements that no cost mixes", () => {
    expect(chosen((p) => mean(square(bits(p))), theta(1000)).a).toMatchObject({ estimator: "enumerate", outcomes: 2 });
    const rows: AnyProgram = ({ theta: t }) => mean(square(sum(bits({ theta: t }), 1)));
    expect(chosen(rows, { theta: tensor(Array.from({ length: 100 }, () => [0.1, 0.2, 0.3])) }).a).toMatchObject({
      estimator: "enumerate",
      outcomes: 8,
    });
  });

  it("counts the outcomes of all sites together", () => {
    const f: AnyProgram = ({ logits }) =>
      ["a", "b", "c"]
        .map((name) =>
          oneHot(sample(Categorical({ logits }), { name }), 3)
            .mul([1, 2, 4])
            .sum(),
        )
        .reduce((x, y) => x.mul(y));
    const found = chosen(f, { logits: [0.1, 0.2, 0.3] }, { samples: 8 });
    expect(Object.values(found).map(({ estimator }) => estimator)).toEqual(["enumerate", "enumerate", "scoreFunction"]);
  });

  it("takes the baseline that the program allows", () => {
    const aligned: AnyProgram = ({ theta: t }) => mean(square(sum(bits({ theta: t }), 1)));
    const params = { theta: tensor(Array.from({ length: 6 }, () => Array<number>(6).fill(0.1))) };
    expect(chosen(aligned, params, { samples: 2 }).a).toMatchObject({
      estimator: "scoreFunction",
      baseline: "leaveOneOut",
    });
    expect(chosen(aligned, params).a).toMatchObject({ estimator: "scoreFunction", baseline: "aligned" });
    expect(chosen(whole, theta(5)).a).toMatchObject({ estimator: "scoreFunction", baseline: "none" });
  });

  it("is scored where its values are given", () => {
    const E = expectation(whole);
    const { plan } = E.plan(theta(2), { given: { a: [[1, 0]] } });
    expect([...plan.choices.values()].map(({ estimator, given }) => [estimator.name, given])).toEqual([
      ["scoreFunction", true],
    ]);
  });
});

describe("what is said", () => {
  const f: AnyProgram = (p) =>
    square(
      sample(Bernoulli({ logits: p.theta }), { name: "a", estimator: scoreFunction({ baseline: "none" }) }).sub(0.3),
    );

  it("at the site is followed, and overridden by the expectation", () => {
    expect(chosen(f, { theta: 0.2 }, { samples: 4 }).a).toMatchObject({
      estimator: "scoreFunction",
      baseline: "none",
      why: "chosen by the program",
    });
    expect(chosen(f, { theta: 0.2 }, { samples: 4, estimators: { a: scoreFunction() } }).a).toMatchObject({
      baseline: "leaveOneOut",
    });
  });

  it("of an aligned layer shares the branches over the batch", () => {
    const net: AnyProgram = ({ w }) =>
      mean(
        abs(
          sample(
            Bernoulli({
              probs: sigmoid(
                matmul(
                  tensor([
                    [1, 2],
                    [3, 4],
                    [5, 6],
                  ]),
                  w,
                ),
              ),
            }),
            { name: "a" },
          ).sub(0.5),
        ),
      );
    expect(chosen(net, { w: [0.1, -0.2] }).a).toMatchObject({ estimator: "enumerate", outcomes: 2 });
  });
});
