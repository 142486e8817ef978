import { expect, test } from "vitest";
import { mean, zeros } from "../../src/index.js";

test("a mean of nothing is an error, not NaN", () => {
  expect(() => mean(zeros([0]))).toThrow("mean: got no elements: axes [0] of [0], expected at least one.");
  expect(() => zeros([2, 0]).mean(1)).toThrow("mean: got no elements: axes [1] of [2, 0], expected at least one.");
  expect(zeros([0, 2]).mean(1).shape).toEqual([0]);
});
