import { describe, expect, it } from "vitest";
import { bernoulliFamily } from "../../src/distributions/bernoulli.js";
import { arange } from "../../src/graph/leaves.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  Bernoulli,
  expectation,
  foldIn,
  key,
  Normal,
  sample,
  scoreFunction,
  sin,
  square,
  sum,
  tensor,
  vmap,
} from "../../src/index.js";
import { hash } from "../../src/random/key.js";
import { numbersOf, t64 } from "./exact.js";

/** Runs in chunks: whatever their size the noise is the same, and a baseline stays within its chunk. */

const theta = [0.4, -0.7];
const cost = (x: readonly number[]): number => ((x[0] as number) * 0.8 - (x[1] as number) * 0.5 - 0.3) ** 2;
const f = ({ theta: logits }: { theta: Tensor }): Tensor => {
  const a = sample(Bernoulli({ logits }), { name: "a", estimator: scoreFunction() });
  return square(sum(a.mul(t64([0.8, -0.5]))).sub(0.3));
};
const noisy = ({ loc }: { loc: Tensor }): Tensor => sin(sample(Normal({ loc, scale: 1.2 }), { name: "x" }));

/** What site "a" draws in runs 0 … S − 1 of key 0, straight from the family. */
function drawn(samples: number): Float64Array {
  const site = foldIn(key(0), hash("a"));
  const one = (run: Tensor): Tensor => bernoulliFamily.sample({ key: site, run }, { logits: t64(theta) });
  return numbersOf(vmap(one)(arange(samples, { dtype: "uint32" })));
}

/** Leave-one-out within chunks, written as loops. */
function byHand(samples: number, chunk: number): { value: number; gradient: number[] } {
  const draws = drawn(samples);
  const p = theta.map((l) => 1 / (1 + Math.exp(-l)));
  const runs = Array.from({ length: samples }, (_, r) => [draws[2 * r] as number, draws[2 * r + 1] as number]);
  const gradient = [0, 0];
  for (let first = 0; first < samples; first += chunk) {
    const part = runs.slice(first, first + chunk);
    const total = part.reduce((s, x) => s + cost(x), 0);
    for (const x of part) {
      const advantage = cost(x) - (total - cost(x)) / (part.length - 1);
      for (const i of [0, 1])
        gradient[i] = (gradient[i] as number) + (advantage * ((x[i] as number) - (p[i] as number))) / samples;
    }
  }
  return { value: runs.reduce((s, x) => s + cost(x), 0) / samples, gradient };
}

describe("chunks of runs", () => {
  it.each([
    [10_000, 4096],
    [10_000, 3000],
    [8192, 4096],
    [100, 7],
  ])("%d runs in chunks of %d are what a loop gives", (samples, chunk) => {
    const { value, grad } = expectation(f, { samples, chunk }).valueAndGrad({ theta: t64(theta) }, { key: 0 });
    const hand = byHand(samples, chunk);
    expect(value.mean.item()).toBeCloseTo(hand.value, 12);
    numbersOf(grad.mean.theta).forEach((g, i) => {
      expect(g).toBeCloseTo(hand.gradient[i] as number, 12);
    });
  });

  it("recorded values are taken chunk by chunk, and scored like drawn ones", () => {
    const E = expectation(f, { samples: 100, chunk: 40 });
    const a = tensor(drawn(100), { shape: [100, 2] });
    const [given, free] = [{ given: { a } }, { key: 0 }].map((how) => E.valueAndGrad({ theta: t64(theta) }, how));
    expect(given?.value.mean.item()).toBe(free?.value.mean.item());
    expect(given?.grad.mean.theta.toArray()).toEqual(free?.grad.mean.theta.toArray());
    expect(given?.grad.stderr.theta.toArray()).toEqual(free?.grad.stderr.theta.toArray());
  });

  it("a last chunk of one run joins the one before, for it has no others", () => {
    const { grad } = expectation(f, { samples: 9, chunk: 4 }).valueAndGrad({ theta: t64(theta) }, { key: 0 });
    const one = (samples: number): number[] => byHand(samples, samples).gradient;
    expect(numbersOf(grad.mean.theta).every(Number.isFinite)).toBe(true);
    expect(one(4).every(Number.isFinite)).toBe(true);
  });

  it("the noise of a run does not depend on them", () => {
    const at = (chunk: number) =>
      expectation(noisy, { samples: 10_000, chunk }).valueAndGrad({ loc: t64(0.5) }, { key: 0 });
    const whole = at(10_000);
    for (const chunk of [4096, 1000, 37]) {
      const { value, grad } = at(chunk);
      expect(value.mean.item()).toBeCloseTo(whole.value.mean.item(), 13);
      expect(grad.mean.loc.item()).toBeCloseTo(whole.grad.mean.loc.item(), 13);
      expect(value.stderr.item()).toBeCloseTo(whole.value.stderr.item(), 13);
    }
  });

  it("a run is the same whatever their number", () => {
    const means = [1, 2, 3].map((samples) =>
      expectation(noisy, { samples })
        .value({ loc: t64(0.5) }, { key: 0 })
        .mean.item(),
    );
    const [one, two, three] = means as [number, number, number];
    const second = 2 * two - one;
    const third = 3 * three - 2 * two;
    expect(new Set([one, second, third].map((x) => x.toFixed(9))).size).toBe(3);
    const replicated = expectation(noisy, { samples: 1, replicates: 32 })
      .value({ loc: t64(0.5) }, { key: 0 })
      .mean.item();
    expect(replicated).toBeCloseTo(
      expectation(noisy, { samples: 32 })
        .value({ loc: t64(0.5) }, { key: 0 })
        .mean.item(),
      13,
    );
  });

  it("progress is told after each, and a signal stops between two", () => {
    const seen: number[][] = [];
    const E = expectation(noisy, { samples: 100, chunk: 40 });
    E.value({ loc: 0.5 }, { key: 0, onProgress: (done, total) => seen.push([done, total]) });
    expect(seen).toEqual([
      [40, 100],
      [80, 100],
      [100, 100],
    ]);
    const stop = new AbortController();
    expect(() =>
      E.value({ loc: 0.5 }, { key: 0, signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) }),
    ).toThrow("enough");
  });
});

describe("names of sites", () => {
  const base = ({ loc }: { loc: Tensor }): Tensor => noisy({ loc });
  const more = ({ loc }: { loc: Tensor }): Tensor => {
    const other = sample(Normal({ loc: 0, scale: 1 }));
    return noisy({ loc }).add(other.mul(0));
  };

  it("keep their noise when other sites are added", () => {
    const [a, b] = [base, more].map((g) => expectation(g, { samples: 64 }).valueAndGrad({ loc: t64(0.5) }, { key: 0 }));
    expect(b?.value.mean.item()).toBe(a?.value.mean.item());
    expect(b?.grad.mean.loc.item()).toBe(a?.grad.mean.loc.item());
  });

  it("unnamed ones are named by kind and order", () => {
    const unnamed = ({ loc }: { loc: Tensor }): Tensor =>
      sample(Normal({ loc, scale: 1 })).add(sample(Normal({ loc, scale: 1 })));
    expect(() => expectation(unnamed, { estimators: { y: scoreFunction() } }).value({ loc: 0 }, { key: 0 })).toThrow(
      'one of "Normal_0", "Normal_1"',
    );
  });

  it("different keys, names and runs draw different noise", () => {
    const at = (name: string, seed: number): number =>
      expectation(({ loc }: { loc: Tensor }) => sample(Normal({ loc, scale: 1 }), { name }))
        .value({ loc: tensor(0) }, { key: seed })
        .mean.item();
    expect(new Set([at("x", 0), at("y", 0), at("x", 1), at("y", 1)]).size).toBe(4);
    expect(at("x", 5)).toBe(at("x", 5));
  });
});
