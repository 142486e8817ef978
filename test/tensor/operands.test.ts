import { expect, test } from "vitest";
import { add, concat, einsum, interp, matmul, mean, solve, stack, tensor, zeros } from "../../src/index.js";

test("a mean of nothing is an error, not NaN", () => {
  expect(() => mean(zeros([0]))).toThrow("mean: got no elements: axes [0] of [0], expected at least one.");
  expect(() => zeros([2, 0]).mean(1)).toThrow("mean: got no elements: axes [1] of [2, 0], expected at least one.");
  expect(zeros([0, 2]).mean(1).shape).toEqual([0]);
});

test("numbers and lists are as exact as the floats beside them", () => {
  const x = tensor([0.1, 0.3], { dtype: "float64" });
  expect(add(x, [0.1, 0.1]).toArray()).toEqual([0.1 + 0.1, 0.3 + 0.1]);
  expect(matmul(x, [0.1, 0.7]).item()).toBe(0.1 * 0.1 + 0.3 * 0.7);
  expect(einsum("i,i->", [0.1, 0.7], x).item()).toBe(0.1 * 0.1 + 0.3 * 0.7);
  expect(concat([x, [0.7]]).toArray()).toEqual([0.1, 0.3, 0.7]);
  expect(stack([0.7, x.at(0)]).toArray()).toEqual([0.7, 0.1]);
  expect(
    solve(
      [
        [0.1, 0],
        [0, 0.3],
      ],
      x,
    ).toArray(),
  ).toEqual([1, 1]);
  expect(interp(x, [0, 0.1, 0.3], [0, 0.7, 0.9]).toArray()).toEqual([0.7, 0.9]);
  expect(matmul([0.1], [0.7]).dtype).toBe("float32");
});

test("concat promotes as every other operation does", () => {
  expect(concat([tensor([1, 2]), tensor([3], { dtype: "float64" })]).dtype).toBe("float64");
  expect(concat([tensor([1], { dtype: "int32" }), tensor([0.5])]).toArray()).toEqual([1, 0.5]);
  expect(concat([tensor([true]), tensor([2], { dtype: "uint32" })]).dtype).toBe("uint32");
});
