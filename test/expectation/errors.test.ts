import { describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  Bernoulli,
  enumerate,
  expectation,
  floor,
  hessian,
  mean,
  NoGradientError,
  Normal,
  pathwise,
  relu,
  SamplegradError,
  sample,
  scoreFunction,
  square,
  sum,
  tensor,
  Uniform,
} from "../../src/index.js";

/** What is refused, word for word. */

const bits = ({ theta }: { theta: Tensor }): Tensor => sample(Bernoulli({ logits: theta }), { name: "a" });
const cost = (p: { theta: Tensor }): Tensor => sum(square(bits(p).sub(0.3)));
const normal = ({ loc }: { loc: Tensor }): Tensor => sample(Normal({ loc, scale: 1 }), { name: "x" });
const theta = { theta: [0.2, -0.4] };
const as = (estimator: unknown): Estimator<never> => estimator as Estimator<never>;

describe("estimators that do not fit", () => {
  it("pathwise at a Bernoulli", () => {
    const E = expectation(cost, { estimators: { a: pathwise() } });
    const text =
      'sample "a": Bernoulli gives no reparam, which pathwise needs: ∂a/∂logits does not exist on the path logits → a → sub → mul → sum → loss; use scoreFunction() or enumerate().';
    expect(() => E.valueAndGrad(theta, { key: 0 })).toThrow(text);
    expect(() => E.valueAndGrad(theta, { key: 0 })).toThrow(NoGradientError);
  });

  it("enumeration of a Normal", () => {
    const E = expectation((p: { loc: Tensor }) => normal(p), { estimators: { x: enumerate() } });
    expect(() => E.value({ loc: 0 }, { key: 0 })).toThrow(
      'sample "x": Normal gives no enumerate, which enumerate needs; use pathwise() or scoreFunction().',
    );
  });

  it("enumeration of too many outcomes", () => {
    const E = expectation(({ theta: t }: { theta: Tensor }) => square(sum(bits({ theta: t }))), {
      estimators: { a: enumerate() },
    });
    expect(() => E.value({ theta: Array<number>(17).fill(0) }, {})).toThrow(
      'sample "a": got 131072 joint outcomes to enumerate, expected at most 65536; scoreFunction() at some of the sites.',
    );
  });

  it("pathwise through a jump", () => {
    const E = expectation((p: { loc: Tensor }) => floor(normal(p)), { estimators: { x: pathwise() } });
    expect(() => E.valueAndGrad({ loc: 0 }, { key: 0 })).toThrow(
      'sample "x": pathwise would be biased: the sample reaches the cost through floor (x → floor → loss), whose derivative is zero or undefined; use scoreFunction().',
    );
  });

  it("the score function under a support that moves", () => {
    const f = ({ high }: { high: Tensor }): Tensor =>
      square(sample(Uniform({ low: 0, high }), { name: "u", estimator: as(scoreFunction()) }));
    expect(() => expectation(f).valueAndGrad({ high: 2 }, { key: 0 })).toThrow(
      'sample "u": the support of Uniform moves with high, so the score function loses the boundary term; use pathwise().',
    );
  });

  it("baselines that are not there", () => {
    const loo = expectation(cost, { estimators: { a: scoreFunction({ baseline: "leaveOneOut" }) } });
    expect(() => loo.valueAndGrad(theta, { key: 0 })).toThrow(
      'sample "a": got leave-one-out over 1 run, expected at least 2 runs; samples: 2, or scoreFunction({ baseline: "none" }).',
    );
    const aligned = expectation((p: { theta: Tensor }) => square(mean(bits(p))), {
      estimators: { a: scoreFunction({ baseline: "aligned" }) },
    });
    expect(() => aligned.valueAndGrad(theta, { key: 0 })).toThrow(
      `sample "a": no axis of two or more elements is kept apart by every cost, so none can be another's baseline; scoreFunction({ baseline: "leaveOneOut" }) with samples ≥ 2.`,
    );
  });
});

describe("orders", () => {
  const kink = (p: { loc: Tensor }): Tensor => relu(normal(p));

  it("an explicit pathwise second derivative at a kink", () => {
    const E = expectation(kink, { estimators: { x: pathwise() }, order: 2 });
    expect(() => E.valueAndGrad({ loc: 0 }, { key: 0 })).toThrow(
      'sample "x": pathwise would miss part of the derivative of order 2 at the kink of maximum (x → maximum → loss); use scoreFunction().',
    );
  });

  it("a second derivative of an expectation that was made for one", () => {
    const E = expectation(kink, { samples: 4 });
    expect(() => hessian((p: { loc: Tensor }) => E.value(p, { key: 0 }).mean)({ loc: 0.3 })).toThrow(
      'sample "x": pathwise is right for 1 derivative only: the cost has a kink in it (x → maximum → loss); expectation(f, { order: 2 }).',
    );
  });

  it("made for two, it falls back to the score function and is right", () => {
    // d²/dμ² E relu(x) is the density at 0.
    const E = expectation(kink, { samples: 4096, order: 2 });
    const { mean: h, stderr } = E.hessian({ loc: 0.3 }, { key: 0 });
    expect(Math.abs(h.loc.loc.item() - 0.3813878154605241)).toBeLessThan(5 * stderr.loc.loc.item());
    expect(stderr.loc.loc.item()).toBeLessThan(0.1);
    const inside = hessian((p: { loc: Tensor }) => E.value(p, { key: 0 }).mean)({ loc: 0.3 });
    expect(inside.loc.loc.item()).toBeCloseTo(h.loc.loc.item(), 4);
  });
});

describe("names", () => {
  it("unknown sites list the known ones", () => {
    expect(() => expectation(cost, { estimators: { b: scoreFunction() } }).value(theta, { key: 0 })).toThrow(
      'estimators: got the site name "b", expected one of "a".',
    );
    expect(() => expectation(cost).value(theta, { key: 0, given: { b: 1 } })).toThrow(
      'given: got the site name "b", expected one of "a".',
    );
    expect(() =>
      expectation(({ x }: { x: Tensor }) => x, { estimators: { b: scoreFunction() } }).value({ x: 1 }, { key: 0 }),
    ).toThrow("expected none: the program samples nothing");
  });

  it("are used once", () => {
    const twice = (p: { theta: Tensor }): Tensor => sum(bits(p).mul(bits(p)));
    expect(() => expectation(twice).value(theta, { key: 0 })).toThrow('sample "a": got a second site of this name');
  });
});

describe("programs", () => {
  it("return one float", () => {
    expect(() => expectation((p: { theta: Tensor }) => bits(p)).value(theta, { key: 0 })).toThrow(
      "expectation: got a loss of shape [2] per run, expected a scalar; loss.mean() or loss.sum().",
    );
    expect(() => expectation((p: { theta: Tensor }) => sum(bits(p)).greater(1)).value(theta, { key: 0 })).toThrow(
      'expectation: got a bool loss, expected float32 or float64; loss.toDType("float32").',
    );
  });

  it("are synchronous", () => {
    const f = async (p: { theta: Tensor }): Promise<Tensor> => cost(p);
    expect(() => expectation(f as never as typeof cost).value(theta, { key: 0 })).toThrow(
      "expectation: got a Promise from the program, expected a value",
    );
  });

  it("do not read their samples", () => {
    const f = (p: { theta: Tensor }): number => (sum(bits(p)).item() > 1 ? 1 : 0);
    expect(() => expectation(f).value(theta, { key: 0 })).toThrow("dynamic: true");
  });

  it("are pure: a constant that changes is found and named", () => {
    let weight = 2;
    const E = expectation((p: { theta: Tensor }) => cost(p).mul(weight));
    E.value(theta, { key: 0 });
    weight = 3;
    expect(() => E.value(theta, { key: 0 })).toThrow(
      /^expectation: the captured constant .* was 2 and is now 3; pass what changes in data/,
    );
  });

  it("draw only inside an expectation", () => {
    expect(() => bits({ theta: tensor([0, 0]) })).toThrow(
      "sample: nobody draws here: it works inside expectation(f); d.sample(key) for plain draws.",
    );
  });
});

describe("calls", () => {
  const E = expectation(cost, { samples: 3 });

  it("need a key as soon as something is drawn", () => {
    const drawn = expectation(cost, { samples: 3, estimators: { a: scoreFunction() } });
    expect(() => drawn.value(theta, {})).toThrow(
      "expectation: got no key, expected a key; { key: 0 }, or a key made by key(seed), split or foldIn.",
    );
    expect(E.value(theta, {}).stderr.item()).toBe(0);
  });

  it("end with their options", () => {
    expect(() => (E.value as (...args: unknown[]) => unknown)(theta)).toThrow(
      "no options behind the arguments of the program",
    );
  });

  it("take recorded values of the right shape", () => {
    expect(() =>
      E.value(theta, {
        given: {
          a: [
            [1, 0],
            [0, 1],
          ],
        },
      }),
    ).toThrow('given "a": got shape [2, 2], expected [3, 2]: samples, then the site.');
    expect(() => E.value(theta, { given: { a: [1, 0] } })).toThrow(
      'given "a": got shape [2], expected [3, 2]: samples, then the site.',
    );
  });

  it("have options in range", () => {
    expect(() => expectation(cost, { samples: 0 })).toThrow(
      "expectation: got samples: 0, expected a whole number of at least 1.",
    );
    expect(() => expectation(cost, { samples: 1.5 })).toThrow("samples: 1.5");
    expect(() => expectation(cost, { chunk: 1 })).toThrow(
      "expectation: got chunk: 1, expected a whole number of at least 2.",
    );
    expect(() => expectation(cost, { replicates: 8 })).toThrow(
      "expectation: got replicates: 8, expected 1, or at least 32 for a spread that can be trusted.",
    );
    expect(() => expectation(cost, { order: 3 as 2 })).toThrow("expectation: got order: 3, expected 1 or 2.");
    expect(() => expectation(cost, { samples: 0 })).toThrow(SamplegradError);
  });

  it("biased estimators are asked for by name", () => {
    const biased = { ...pathwise(), name: "wild", bias: "gradient" as const };
    expect(() => expectation((p: { loc: Tensor }) => normal(p), { estimators: { x: biased } })).toThrow(
      'sample "x": wild is biased in its gradient; allowBias: true if that is wanted.',
    );
    const atSite = (p: { loc: Tensor }): Tensor =>
      sample(Normal({ loc: p.loc, scale: 1 }), { name: "x", estimator: as(biased) });
    expect(() => expectation(atSite).value({ loc: 0 }, { key: 0 })).toThrow(
      'sample "x": wild is biased in its gradient; allowBias: true if that is wanted.',
    );
    expect(expectation(atSite, { allowBias: true }).valueAndGrad({ loc: 0 }, { key: 0 }).biased).toBe(true);
    const allowed = expectation((p: { loc: Tensor }) => normal(p), { estimators: { x: biased }, allowBias: true });
    expect(allowed.valueAndGrad({ loc: 0 }, { key: 0 }).biased).toBe(true);
  });
});
