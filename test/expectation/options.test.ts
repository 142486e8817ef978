import { expect, test } from "vitest";
import { type ExpectationOptions, expectation, type Tensor } from "../../src/index.js";

const make = (options: object): unknown =>
  expectation(({ p }: { p: Tensor }) => p, options as unknown as ExpectationOptions);

test("unknown options are refused by name, with those there are", () => {
  const known = "expected options out of samples, replicates, chunk, estimators, order, dynamic or allowBias.";
  expect(() => make({ sample: 10 })).toThrow(`expectation: got the unknown option "sample", ${known}`);
  expect(() => make({ samples: 10, estimator: {}, key: 0 })).toThrow(
    `expectation: got the unknown option "estimator" and "key", ${known}`,
  );
});

test("all that are known are taken, and what was settled can be settled again", () => {
  const all = { samples: 2, replicates: 32, chunk: 8, estimators: {}, order: 2, dynamic: true, allowBias: true };
  const E = make(all) as { readonly options: object };
  expect(E.options).toEqual(all);
  expect((make(E.options) as { readonly options: object }).options).toEqual(all);
});
