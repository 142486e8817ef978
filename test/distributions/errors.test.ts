import { describe, expect, it } from "vitest";
import {
  Bernoulli,
  Categorical,
  compile,
  Exponential,
  Laplace,
  LogNormal,
  Normal,
  Poisson,
  SamplegradError,
  type Tensor,
  tensor,
  Uniform,
} from "../../src/index.js";

/** Texts, word for word. What the types forbid is written past them. */

const read =
  (make: () => { params: Record<string, Tensor> }): (() => unknown) =>
  () =>
    Object.values(make().params).map((x) => x.toArray());
// biome-ignore lint/suspicious/noExplicitAny: mistakes the compiler would not let through
const any = (x: unknown): any => x;

describe("parameters outside their constraint", () => {
  it.each([
    [() => Bernoulli({ probs: 1.5 }), "Bernoulli: got probs = 1.5, expected a probability in [0, 1]."],
    [() => Bernoulli({ probs: [0.5, -0.25] }), "Bernoulli: got probs[1] = -0.25, expected a probability in [0, 1]."],
    [() => Bernoulli({ probs: NaN }), "Bernoulli: got probs = NaN, expected a probability in [0, 1]."],
    [() => Bernoulli({ logits: NaN }), "Bernoulli: got logits = NaN, expected a number."],
    [
      () => Categorical({ probs: [0.5, -1] }),
      "Categorical: got probs[1] = -1, expected a finite number of at least 0.",
    ],
    [
      () =>
        Categorical({
          probs: [
            [1, 1],
            [0, 0],
          ],
        }),
      "Categorical: got probs[1, 0] = 0, their sum[1, 0] = 0, expected a positive, finite sum.",
    ],
    [
      () => Categorical({ logits: [0, Infinity] }),
      "Categorical: got logits[1] = Infinity, expected a number below Infinity.",
    ],
    [
      () => Categorical({ logits: [-Infinity] }),
      "Categorical: got logits[0] = -Infinity, their largest[0] = -Infinity, expected a finite logit.",
    ],
    [() => Exponential({ rate: -1 }), "Exponential: got rate = -1, expected a positive finite number."],
    [() => Exponential({ rate: 0 }), "Exponential: got rate = 0, expected a positive finite number."],
    [() => Poisson({ rate: -2 }), "Poisson: got rate = -2, expected a finite number of at least 0."],
    [() => Poisson({ rate: Infinity }), "Poisson: got rate = Infinity, expected a finite number of at least 0."],
    [() => Laplace({ scale: 0 }), "Laplace: got scale = 0, expected a positive finite number."],
    [() => LogNormal({ scale: -3 }), "LogNormal: got scale = -3, expected a positive finite number."],
    [() => Normal({ loc: Infinity }), "Normal: got loc = Infinity, expected a finite number."],
    [() => Uniform({ low: 2, high: 1 }), "Uniform: got low = 2, high = 1, expected low < high."],
    [() => Uniform({ low: [0, 1], high: 1 }), "Uniform: got low[1] = 1, high[1] = 1, expected low < high."],
    [() => Uniform({ low: NaN }), "Uniform: got low = NaN, expected a finite number."],
  ])("%#", (make, text) => {
    expect(read(make)).toThrow(SamplegradError);
    expect(read(make)).toThrow(text);
  });

  it("is said when the numbers are known, also in a compiled program", () => {
    const f = compile((low: Tensor) => Uniform({ low, high: 1 }).mean());
    expect(f(0).item()).toBe(0.5);
    expect(() => f(3).item()).toThrow("Uniform: got low = 3, high = 1, expected low < high.");
    expect(() => Bernoulli({ probs: 2 }).sample(0).item()).toThrow(
      "Bernoulli: got probs = 2, expected a probability in [0, 1].",
    );
  });
});

describe("names", () => {
  it.each([
    [() => Bernoulli(any({ p: 0.5 })), "Bernoulli: got unknown parameter p, expected { probs } or { logits }."],
    [
      () => Bernoulli(any({ probs: 0.5, logits: 0 })),
      "Bernoulli: got { probs, logits }, expected { probs } or { logits }.",
    ],
    [() => Bernoulli(any({})), "Bernoulli: got no parameters, expected { probs } or { logits }."],
    [() => Exponential(any({ scale: 1 })), "Exponential: got unknown parameter scale, expected { rate }."],
    [() => Uniform(any({ a: 0, b: 1 })), "Uniform: got unknown parameter a and b, expected { low, high }."],
  ])("%#", (make, text) => {
    expect(make).toThrow(text);
  });
});

describe("shapes and what is missing", () => {
  it.each([
    [() => Categorical({ probs: 0.5 }), "Categorical: got probs of shape [], expected at least 1 axis."],
    [
      () =>
        Categorical({
          probs: [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        }).logProb([0, 1]),
      "Categorical.logProb: got shapes [2] and [3], which differ on axis -1 (2 and 3), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
    ],
    [
      () => Laplace({ loc: [0, 1], scale: [1, 2, 3] }),
      "Laplace: got shapes [2] and [3], which differ on axis -1 (2 and 3), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
    ],
    [() => Poisson({ rate: 1 }).entropy(), "Poisson: has no entropy."],
    [() => Categorical({ probs: [1, 1] }).mean(), "Categorical: has no mean."],
    [() => Categorical({ probs: [1, 1] }).stddev(), "Categorical: has no variance."],
    [() => Uniform({}).mode(), "Uniform: has no mode."],
    [() => Poisson({ rate: 1 }).enumerateSupport(), "Poisson: has no finite support."],
    [
      () => Exponential({ rate: 1 }).sample(tensor([1, 2]) as never),
      "Exponential.sample: got a float32 tensor [2], expected a key; { key: 0 }, or a key made by key(seed), split or foldIn.",
    ],
  ])("%#", (make, text) => {
    expect(make).toThrow(text);
  });
});
