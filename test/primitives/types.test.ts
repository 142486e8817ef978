import { describe, expect, test } from "vitest";
import type { DType } from "../../src/base/dtype.js";
import type { AnyPrimitive, Type } from "../../src/graph/tensor.js";
import { apply } from "../../src/graph/tensor.js";
import { tensor } from "../../src/index.js";
import { deriveKey, randomBits, unitUniform } from "../../src/primitives/bits.js";
import { relate, validate } from "../../src/primitives/check.js";
import { concat } from "../../src/primitives/concat.js";
import { matmul, mul } from "../../src/primitives/contract.js";
import { attach } from "../../src/primitives/control.js";
import { cumsum } from "../../src/primitives/cumulative.js";
import * as elementary from "../../src/primitives/elementary.js";
import { gather, scatterAdd } from "../../src/primitives/indexing.js";
import * as linear from "../../src/primitives/linear.js";
import * as point from "../../src/primitives/pointwise.js";
import { igammac, poissonInverse } from "../../src/primitives/special.js";
import { message } from "../runtime/message.js";

const f32 = (...shape: number[]): Type => ({ shape, dtype: "float32" });
const of = (dtype: DType, ...shape: number[]): Type => ({ shape, dtype });

/** Inputs that do not fit: the exact sentence. The law of types finds those that nobody thought of. */
const misfits: readonly (readonly [AnyPrimitive, readonly Type[], unknown, string])[] = [
  [linear.add, [f32(2), f32(3)], null, "add: got float32[2] and float32[3], expected equal types."],
  [mul, [f32(2), of("float64", 2)], null, "mul: got float32[2] and float64[2], expected equal types."],
  [elementary.exp, [of("int32", 2)], null, "exp: got int32[2], expected float32 or float64."],
  [point.and, [f32(2), f32(2)], null, "and: got float32[2], expected bool."],
  [point.not, [of("int32")], null, "not: got int32[], expected bool."],
  [point.where, [f32(2), f32(2), f32(2)], null, "where: got mask float32[2], expected bool[2]."],
  [point.cast, [of("int32")], { dtype: "float32" }, "cast: got int32 to float32, expected float32 and float64."],
  [
    point.convert,
    [f32()],
    { dtype: "float64" },
    "convert: got float32 to float64, expected whole numbers or truth values on one side; cast.",
  ],
  [igammac, [f32(2), f32(3)], null, "igammac: got float32[2] and float32[3], expected equal types."],
  [
    poissonInverse,
    [f32(2), of("float64", 2)],
    null,
    "poissonInverse: got float32[2] and float64[2], expected equal types.",
  ],
  [attach, [f32(2), f32(3)], {}, "attach: got float32[2] and float32[3], expected equal types."],
  [linear.broadcast, [f32(2, 3)], { shape: [3] }, "broadcast: got [2, 3] to [3], expected a shape it repeats into."],
  [linear.sum, [f32(2)], { axes: [1] }, "sum: got axis 1 of a tensor of rank 1, expected an axis in [-1, 0]."],
  [
    linear.transpose,
    [f32(2, 3)],
    { order: [0] },
    "transpose: got [0] for [2, 3], expected one whole number of at least 0 per axis.",
  ],
  [
    linear.slice,
    [f32(4)],
    { start: [1], stop: [5], step: [1] },
    "slice: got 1 to 5 on axis 0 of [4], expected places of the axis.",
  ],
  [
    linear.pad,
    [f32(4)],
    { low: [1, 1], high: [0], interior: [0] },
    "pad: got [1, 1] for [4], expected one whole number of at least 0 per axis.",
  ],
  [linear.flip, [f32(4)], { axes: [0, 0] }, "flip: got axes [0, 0], expected each axis once."],
  [
    cumsum,
    [f32(4)],
    { axis: 1, reverse: false },
    "cumsum: got axis 1 of a tensor of rank 1, expected an axis in [-1, 0].",
  ],
  [
    concat,
    [f32(2, 3), f32(2, 4)],
    { axis: 0 },
    "concat: got float32[2, 3], float32[2, 4], expected types that differ on axis 0 only.",
  ],
  [
    matmul,
    [f32(2, 3), f32(2, 3)],
    null,
    "matmul: got float32[2, 3] and float32[2, 3], expected [..., n, k] and [..., k, m] of one dtype.",
  ],
  [gather, [f32(3), f32(2)], { batch: 0 }, "gather: got an index float32[2], expected int32 or uint32."],
  [
    gather,
    [f32(3), of("int32", 2, 2)],
    { batch: 0 },
    "gather: got operand [3] and index [2, 2], expected equal first 0 axes and one more in the index.",
  ],
  [
    scatterAdd,
    [f32(2), f32(2)],
    { batch: 0, size: 3 },
    "scatterAdd: got an index float32[2], expected int32 or uint32.",
  ],
  [
    scatterAdd,
    [f32(3), of("int32", 2)],
    { batch: 0, size: 3 },
    "scatterAdd: got updates [3] and index [2], expected equal first 1 axes.",
  ],
  [
    randomBits,
    [f32(2), of("uint32")],
    { shape: [], lane: -1 },
    "randomBits: got a key float32[2], expected uint32[..., 2]; key(seed), split(key, n) or foldIn(key, i).",
  ],
  [
    randomBits,
    [of("uint32", 2), of("uint32", 5)],
    { shape: [], lane: -1 },
    "randomBits: got a key [2] and words uint32[5], expected one uint32 word per key, [].",
  ],
  [
    deriveKey,
    [of("uint32", 3, 2), of("int32", 3)],
    { domain: 7 },
    "foldIn: got a key [3, 2] and words int32[3], expected one uint32 word per key, [3].",
  ],
  [
    unitUniform,
    [of("uint32", 3)],
    { dtype: "float64" },
    "unitUniform: got uint32[3], expected one uint32 word for float32, two of one shape for float64.",
  ],
  [relate, [f32(2), f32(3)], {}, "relate: got shapes [2] and [3], expected equal shapes."],
];

describe("type errors", () => {
  test.each(misfits.map(([primitive, inputs, params, text]) => [text, primitive, inputs, params] as const))(
    "%s",
    (text, primitive, inputs, params) => {
      expect(message(() => primitive.type(inputs, params))).toBe(text);
    },
  );
});

describe("numbers that are checked when they are computed", () => {
  const holds = (x: number): boolean => x >= 0 && x <= 1;
  const demand = { where: "Bernoulli", name: "probs", expected: "a probability in [0, 1]", holds };

  test("validate names the first element that does not fit", () => {
    expect(
      message(() =>
        apply(
          validate,
          [
            tensor([
              [0.5, 1],
              [0, 2],
            ]),
          ],
          demand,
        ).toArray(),
      ),
    ).toBe("Bernoulli: got probs[1, 1] = 2, expected a probability in [0, 1].");
    expect(message(() => apply(validate, [tensor(NaN)], demand).item())).toBe(
      "Bernoulli: got probs = NaN, expected a probability in [0, 1].",
    );
    expect(apply(validate, [tensor([0, 1])], demand).toArray()).toEqual([0, 1]);
  });

  test("relate names the first pair that does not fit", () => {
    const ordered = {
      where: "Uniform",
      names: ["low", "high"] as const,
      expected: "low < high",
      holds: (a: number, b: number) => a < b,
    };
    expect(message(() => apply(relate, [tensor([0, 3]), tensor([1, 2])], ordered).toArray())).toBe(
      "Uniform: got low[1] = 3, high[1] = 2, expected low < high.",
    );
  });
});
