import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DType, promote } from "../../src/base/dtype.js";
import * as sg from "../../src/index.js";
import { add, matmul, mul, sum, type Tensor, tensor } from "../../src/index.js";
import { message } from "./message.js";

const f64 = { dtype: "float64" } as const;

describe("rounding", () => {
  test("to the dtype after every operation", () => {
    const big = 2 ** 24;
    expect(tensor(big).add(1).add(1).item()).toBe(big);
    expect(tensor(big, f64).add(1).add(1).item()).toBe(big + 2);
    expect(tensor(0.1).add(0.2).item()).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)));
    expect(tensor(0.1, f64).add(0.2).item()).toBe(0.1 + 0.2);
    expect(sg.exp(1).item()).toBe(Math.fround(Math.E));
  });

  test("whole numbers wrap at 32 bits, and products are exact modulo 2³²", () => {
    const i = tensor([2147483647, 65537], { dtype: "int32" });
    expect(i.add(1).toArray()).toEqual([-2147483648, 65538]);
    expect(i.mul(i).toArray()).toEqual([1, 131073]);
    const u = tensor([4294967295], { dtype: "uint32" });
    expect([u.add(1).toArray(), u.mul(u).toArray()]).toEqual([[0], [1]]);
  });

  test("to whole numbers and truth values towards zero; halves to even", () => {
    expect(tensor([-1.9, -0.5, 0.5, 1.9]).toDType("int32").toArray()).toEqual([-1, 0, 0, 1]);
    expect(tensor([-1.9, 0, 0.2]).toDType("bool").toArray()).toEqual([1, 0, 1]);
    expect(tensor([-1.5, -0.5, 0.5, 1.5, 2.5, 0.49]).round().add(0).toArray()).toEqual([-2, 0, 0, 2, 2, 0]);
  });
});

describe("promotion", () => {
  const dtypes: readonly DType[] = ["bool", "uint32", "int32", "float32", "float64"];
  const of = (dtype: DType): Tensor => tensor([1], { dtype });

  test("the smallest listed type that holds both", () => {
    const table = dtypes.map((a) => dtypes.map((b) => promote(a, b)));
    expect(table).toEqual([
      ["bool", "uint32", "int32", "float32", "float64"],
      ["uint32", "uint32", "int32", "float32", "float64"],
      ["int32", "int32", "int32", "float32", "float64"],
      ["float32", "float32", "float32", "float32", "float64"],
      ["float64", "float64", "float64", "float64", "float64"],
    ]);
    dtypes.forEach((a, i) => {
      dtypes.forEach((b, j) => {
        const expected = table[i]?.[j];
        expect(add(of(a), of(b)).dtype).toBe(expected === "bool" ? "int32" : expected);
        expect(sg.maximum(of(a), of(b)).dtype).toBe(expected);
        expect(sg.div(of(a), of(b)).dtype).toBe(expected === "float64" ? "float64" : "float32");
        expect(sg.less(of(a), of(b)).dtype).toBe("bool");
        expect(matmul(of(a), of(b)).dtype).toBe(expected === "bool" ? "int32" : expected);
        expect(sg.where(true, of(a), of(b)).dtype).toBe(expected);
      });
    });
  });

  test("bare numbers adapt; a fraction beside whole numbers is a float", () => {
    expect(dtypes.map((dtype) => add(of(dtype), 2).dtype)).toEqual(["int32", "uint32", "int32", "float32", "float64"]);
    expect(dtypes.map((dtype) => mul(0.5, of(dtype)).dtype)).toEqual([
      "float32",
      "float32",
      "float32",
      "float32",
      "float64",
    ]);
    expect(mul(tensor([3], { dtype: "int32" }), 0.5).toArray()).toEqual([1.5]);
    expect(dtypes.map((dtype) => sg.exp(of(dtype)).dtype)).toEqual([
      "float32",
      "float32",
      "float32",
      "float32",
      "float64",
    ]);
    expect([sg.pow(of("int32"), 2).dtype, sg.pow(of("int32"), 3).dtype]).toEqual(["float32", "float32"]);
  });

  test("sums and products of truth values count", () => {
    const mask = tensor([true, true, false]);
    expect([sum(mask).item(), mask.mean().item(), matmul(mask, mask).item(), add(mask, mask).toArray()]).toEqual([
      2,
      Math.fround(2 / 3),
      2,
      [2, 2, 0],
    ]);
  });
});

describe("contractions", () => {
  const size = fc.integer({ min: 0, max: 4 });

  test("matmul is the plain triple loop, with batches that broadcast", () => {
    fc.assert(
      fc.property(
        size,
        size,
        size,
        fc.constantFrom<[number[], number[]]>([[], []], [[2], [2]], [[2], [1]], [[], [3]], [[2, 1], [3]]),
        fc.integer(),
        (n, k, m, [left, right], seed) => {
          const fill = (shape: number[]): Tensor =>
            tensor(
              Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7919 + seed) % 11) - 5),
              { shape },
            );
          const [a, b] = [fill([...left, n, k]), fill([...right, k, m])];
          const out = matmul(a, b);
          const loops = sum(mul(a.expandDims(-1), b.expandDims(-3)), -2);
          expect(out.shape).toEqual(loops.shape);
          expect(out.toArray()).toEqual(loops.toArray());
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  test("vectors are rows on the left and columns on the right", () => {
    const [m, v] = [
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      tensor([10, 1]),
    ];
    expect([matmul(m, v).toArray(), matmul(tensor([1, 0, 1]), m).toArray(), matmul(v, v).item()]).toEqual([
      [12, 34, 56],
      [6, 8],
      101,
    ]);
  });

  test("zeros are skipped only where nothing is lost", () => {
    expect(matmul(tensor([[0, 1]]), tensor([[Infinity], [2]])).item()).toBeNaN();
    expect(matmul(tensor([[0, 1]]), tensor([[NaN], [2]])).item()).toBeNaN();
    expect(matmul(tensor([[0, 1]]), tensor([[5], [2]])).item()).toBe(2);
  });

  test("reductions of nothing", () => {
    expect([sum(sg.zeros([0])).item(), sg.matmul(sg.zeros([2, 0]), sg.zeros([0, 2])).toArray()]).toEqual([
      0,
      [
        [0, 0],
        [0, 0],
      ],
    ]);
    expect(message(() => sg.max(sg.zeros([2, 0]), 1))).toBe(
      "max: got [2, 0], empty on axis 1, expected at least one element to choose from.",
    );
  });
});
