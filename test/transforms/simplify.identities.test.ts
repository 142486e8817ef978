import { describe, expect, test } from "vitest";
import { type DType, isFloat } from "../../src/base/dtype.js";
import type { Tensor } from "../../src/graph/tensor.js";
import type { NDArray } from "../../src/kernel/ndarray.js";
import { pushTangents } from "../../src/transforms/jvp.js";
import { identities, simplify } from "../../src/transforms/simplify/index.js";
import { type Example, examples } from "./simplifyExamples.js";
import { array, feedsOf, firstDifference, formula, holesFor, pairs, run, specials } from "./simplifying.js";

/** Each identity at ±0, subnormal numbers, infinities, NaN, ends of the range and random bits: no bit of value or tangent changes. */

function operandsOf({ shapes, operands = 1 }: Example, dtype: DType): NDArray[] {
  const list = specials(dtype);
  return shapes
    ? shapes.map((shape, k) => array(dtype, shape, (i) => list[(i * 7 + k) % list.length] as number))
    : pairs(dtype, operands);
}

/** Tangents of the operands: every special value meets every operand. */
function tangentsOf(operands: readonly NDArray[]): NDArray[] {
  return operands.map(({ dtype, shape }, k) => {
    const list = specials(dtype);
    return array(dtype, shape, (i) => list[(i + (k + 3) * Math.floor(i / list.length)) % list.length] as number);
  });
}

test("every identity has an example, and every example an identity", () => {
  expect(Object.keys(examples).sort()).toEqual(identities.map(({ name }) => name).sort());
  expect(identities.every(({ why }) => why.length > 10)).toBe(true);
});

describe.each(identities.map(({ name }) => name))("%s", (name) => {
  const cases = (examples[name] ?? []).flatMap((example) => example.dtypes.map((dtype) => ({ dtype, example })));
  test.each(cases)("$dtype: $example.after", ({ dtype, example }) => {
    const arrays = operandsOf(example, dtype);
    const holes = holesFor(arrays);
    const before = example.build(...holes);
    const [after] = simplify([before]) as [Tensor];
    expect(formula(after)).toBe(example.after);
    expect([after.dtype, after.shape]).toEqual([before.dtype, before.shape]);
    expect(firstDifference(run([before], feedsOf(holes, arrays)), run([after], feedsOf(holes, arrays)))).toBe(null);
    if (!isFloat(dtype)) return;
    const tangents = tangentsOf(arrays);
    const along = holesFor(tangents, "t");
    const feeds = feedsOf([...holes, ...along], [...arrays, ...tangents]);
    const slopes = [before, after].map((node) => pushTangents([node], holes, along));
    expect(slopes[0]?.map((t) => t === null)).toEqual(slopes[1]?.map((t) => t === null));
    const [first, second] = slopes.map((list) => run(list, feeds)) as [number[][], number[][]];
    expect(firstDifference(first, second)).toBe(null);
  });
});
