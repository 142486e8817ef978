import { describe, expect, it } from "vitest";
import { pathInWords, pathToLoss } from "../../src/expectation/differentiability.js";
import { ancestors } from "../../src/graph/walk.js";
import { expectation, scoreFunction } from "../../src/index.js";
import { expectEqual, f64, flat, judge } from "./judge.js";
import {
  byHand,
  costOf,
  differences,
  example,
  expected,
  lines,
  loss,
  numbers,
  outcomes,
  probability,
  weights,
} from "./network.js";

/** Statistical comparisons in this file: 14 weights, so m ≤ 100 and z ≤ 5.8. First key 0. */
const compare = judge(14);

describe("the stochastic computation graph, line by line", () => {
  const hand = byHand(numbers);
  const outputs = numbers.W2[0]!.reduce((t, w, i) => t + w * hand.theta[i]!, 0);
  const truth = (w: typeof numbers | Parameters<typeof costOf>[0]): number => expected(w, (a) => costOf(w, a));
  const slopes = differences(truth);
  const sum = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0);

  it.each([
    ["z0", sum(hand.z0)],
    ["a0", sum(hand.a0)],
    ["z1", sum(hand.z1)],
    ["theta", sum(hand.theta)],
    ["a1", sum(hand.theta)],
    ["z2", outputs],
    ["a2", outputs],
    ["L", truth(numbers)],
  ] as const)("line %s has the expectation of its elements known by hand", (name, wanted) => {
    const line = expectation((w: typeof weights, e: typeof example) => lines(w, e)[name].sum());
    const { mean, stderr } = line.value(weights, example, { key: 0 });
    expectEqual(mean, wanted);
    expect(stderr.item()).toBe(0);
  });

  it("has one random node; W0 and W1 lie before it, W2 only after it", () => {
    const { program } = expectation(loss).plan(weights, example, {});
    const [site] = program.sites;
    expect(program.sites).toHaveLength(1);
    const before = ancestors([site!]).flatMap((node) => node.label ?? []);
    expect(before.sort()).toEqual(["data.x", "params.W0", "params.W1"]);
    expect(pathInWords(pathToLoss(site!, program))).toBe("a → matmul → sub → mul → mul → loss");
  });

  it("the default enumerates a: value and gradient are exact", () => {
    const { value, grad } = expectation(loss).valueAndGrad(weights, example, { key: 0 });
    expectEqual(value.mean, truth(numbers));
    expectEqual(grad.mean, slopes, 1e-10);
    expect(flat(grad.stderr)).toEqual(flat(slopes).map(() => 0));
  });

  it("REINFORCE at each recorded outcome, weighted with its probability, is the gradient", () => {
    const E = expectation(loss, { estimators: { a: scoreFunction({ baseline: "none" }) } });
    const total = flat(slopes).map(() => 0);
    for (const a of outcomes) {
      const { value, grad } = E.valueAndGrad(weights, example, { key: 0, given: { a: f64(a) } });
      expectEqual(value.mean, costOf(numbers, a));
      flat(grad.mean).forEach((g, i) => {
        total[i]! += probability(numbers, a) * g;
      });
    }
    expectEqual(total, flat(slopes), 1e-10);
  });

  it("REINFORCE on drawn runs agrees", () => {
    const E = expectation(loss, { samples: 10, replicates: 3000, estimators: { a: scoreFunction() } });
    compare(E.valueAndGrad(weights, example, { key: 0 }).grad, slopes);
  });
});
