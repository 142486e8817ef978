import { describe, expect, test } from "vitest";
import { add, matmul, ones, sum, tensor } from "../../src/index.js";
import { message } from "./message.js";

describe("errors", () => {
  test.each([
    [
      "broadcasting prints both shapes and the axis",
      () => add(ones([2, 3]), ones([2, 4])),
      "add: got shapes [2, 3] and [2, 4], which differ on axis -1 (3 and 4), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
    ],
    [
      "... of batch axes",
      () => matmul(ones([2, 1, 1]), ones([3, 1, 1])),
      "matmul: got shapes [2] and [3], which differ on axis -1 (2 and 3), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
    ],
    [
      "contracted axes",
      () => matmul(ones([2, 3]), ones([2, 3])),
      "matmul: got [2, 3] and [2, 3], whose contracted axes have 3 and 2 elements, expected [..., n, k] and [..., k, m]; transpose one of them.",
    ],
    [
      "a scalar in a product",
      () => matmul(1, ones([2])),
      "matmul: got [] and [2], expected at least one axis in each; mul.",
    ],
    [
      "gather out of range",
      () => ones([3]).take([0, 3]).toArray(),
      "gather: got index 3, expected an index in [0, 2].",
    ],
    ["a negative index", () => ones([3]).take([-1]).toArray(), "gather: got index -1, expected an index in [0, 2]."],
    [
      "a fractional index",
      () => ones([3]).take(tensor([0.5])),
      'take: got a float32 index, expected int32 or uint32; tensor([…], { dtype: "int32" }) or x.toDType("int32").',
    ],
    ["at", () => ones([3]).at(3), "at: got index 3 on axis 0 of [3], expected an index in [-3, 2]."],
    [
      "an axis that is not there",
      () => sum(ones([2]), 1),
      "sum: got axis 1 of a tensor of rank 1, expected an axis in [-1, 0].",
    ],
    ["an axis twice", () => sum(ones([2, 2]), [0, -2]), "sum: got axes [0, -2], expected each axis once."],
    [
      "a reshape that does not fit",
      () => ones([6]).reshape([4, 2]),
      "reshape: got [6] to [4, 2], expected a shape of 6 elements.",
    ],
    [
      "a reshape that does not divide",
      () => ones([6]).reshape([4, -1]),
      "reshape: got [6] to [4, 1.5], expected a shape of 6 elements.",
    ],
    [
      "a reshape of negative sizes",
      () => ones([6]).reshape([-2, -3]),
      "reshape: got [6] to [-2, -3], expected a shape of 6 elements.",
    ],
    [
      "a negative pad",
      () => ones([3]).pad([[-1, 0]]),
      "pad: got [-1] for [3], expected one whole number of at least 0 per axis.",
    ],
    [
      "a fractional slice",
      () => ones([3]).slice(0.5),
      "slice: got [0.5] for [3], expected one whole number of at least 0 per axis.",
    ],
    [
      "ragged data",
      () => tensor([[1, 2], [3]]),
      "tensor: got ragged data: row 1 has shape [1], the row before [2], expected rows of one shape.",
    ],
    [
      "nothing where a number is expected",
      () => tensor([1, 2]).add(undefined as never),
      "tensor: got undefined, expected a tensor, number, truth value, typed array or arrays of numbers.",
    ],
    [
      "null, which JavaScript counts as 0",
      () => tensor(null as never),
      "tensor: got null, expected a tensor, number, truth value, typed array or arrays of numbers.",
    ],
    [
      "a text",
      () => tensor([1, 2]).mul("3" as never),
      "tensor: got a value of type string, expected a tensor, number, truth value, typed array or arrays of numbers.",
    ],
    [
      "data that does not fill its shape",
      () => tensor(new Float32Array(3), { shape: [2, 2] }),
      "tensor: got 3 numbers for shape [2, 2], expected 4.",
    ],
  ])("%s", (_what, body, text) => {
    expect(message(body)).toBe(text);
  });
});
