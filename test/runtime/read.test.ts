import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DType, promote } from "../../src/base/dtype.js";
import { placeholder } from "../../src/graph/tensor.js";
import * as sg from "../../src/index.js";
import { add, arange, concat, full, grad, matmul, mul, ones, sum, type Tensor, tensor } from "../../src/index.js";
import { plus } from "../../src/primitives/linear.js";

const f64 = { dtype: "float64" } as const;

function message(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

describe("reading", () => {
  test("nothing is computed before somebody reads", () => {
    const y = tensor([1, 2]).add(1);
    expect(y.value).toBeNull();
    expect(y.toArray()).toEqual([2, 3]);
    expect(y.value).not.toBeNull();
  });

  test("a chain of 1,000,000 nodes reads", () => {
    const one = tensor(1, f64);
    let y = one;
    for (let i = 1; i < 1_000_000; i++) y = plus(y, one);
    expect(y.item()).toBe(1_000_000);
  });

  test("outside every transform reading drops the inputs, inside grad it keeps them", () => {
    const x = tensor(3);
    const y = x.mul(x);
    y.item();
    expect([y.primitive, y.inputs]).toEqual([null, []]);
    let inner: Tensor | null = null;
    const g = grad((p: Tensor) => {
      inner = p.mul(p);
      inner.item();
      return inner;
    })(3);
    expect((inner as unknown as Tensor).inputs.length).toBe(2);
    expect((inner as unknown as Tensor).value).not.toBeNull();
    expect(g.item()).toBe(6);
  });

  test("item, toArray and data", async () => {
    expect(tensor(2.5).item()).toBe(2.5);
    expect(tensor([[2.5]]).item()).toBe(2.5);
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).toArray(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([tensor(1).toArray(), sg.zeros([2, 0]).toArray(), sg.zeros([0, 2]).toArray()]).toEqual([1, [[], []], []]);
    expect(
      await tensor(
        [
          [1, 2],
          [3, 4],
        ],
        f64,
      )
        .transpose()
        .data(),
    ).toEqual(Float64Array.of(1, 3, 2, 4));
    expect(await sg.greater(tensor([1, -1]), 0).data()).toEqual(Uint8Array.of(1, 0));
    expect(await arange(3).data()).toEqual(Int32Array.of(0, 1, 2));
    expect(message(() => tensor([1, 2]).item())).toBe(
      "item: got a tensor [2], expected one element; toArray() or await data().",
    );
  });

  test("what is read is a copy, and so is what a tensor is made of", async () => {
    const source = Float32Array.of(1, 2, 3);
    const x = tensor(source);
    source[0] = 9;
    const read = (await x.data()) as Float32Array;
    read[1] = 9;
    expect(x.toArray()).toEqual([1, 2, 3]);
    expect(x.reshape([3, 1]).toArray()).toEqual([[1], [2], [3]]);
  });

  test("views of views read right: broadcast, transpose, slice, flip, in any order", () => {
    const x = arange(24).reshape([2, 3, 4]);
    expect(x.transpose([2, 0, 1]).slice(1, 3).flip(0).at(0, 1).toArray()).toEqual([
      [2, 6, 10],
      [1, 5, 9],
    ]);
    expect(x.slice(0, 4, { axis: 2, step: 2 }).at(1).toArray()).toEqual([
      [12, 14],
      [16, 18],
      [20, 22],
    ]);
    expect(x.at(1).at(2).broadcastTo([2, 4]).transpose().toArray()).toEqual([
      [20, 20],
      [21, 21],
      [22, 22],
      [23, 23],
    ]);
    expect(
      full([2, 2], 3)
        .add(full([2, 2], 4).slice(1, 2))
        .toArray(),
    ).toEqual([
      [7, 7],
      [7, 7],
    ]);
    expect(
      concat([x.flip([1, 2]), x], 0)
        .at(0)
        .at(0)
        .toArray(),
    ).toEqual([11, 10, 9, 8]);
  });

  test("what two results share is computed once", () => {
    let calls = 0;
    const counted = { ...(plus(tensor(1), tensor(1)).primitive as NonNullable<Tensor["primitive"]>) };
    const run = counted.run;
    const node = plus(tensor(1), tensor(2));
    node.primitive = { ...counted, run: (...args) => (calls++, run(...args)) };
    expect(concat([node.add(1).reshape([1]), node.mul(2).reshape([1]), node.reshape([1])]).toArray()).toEqual([
      4, 6, 3,
    ]);
    expect(calls).toBe(1);
  });

  test("a placeholder has no numbers", () => {
    expect(message(() => placeholder({ shape: [], dtype: "float32" }, "x").add(1).item())).toBe(
      'read: "x" is a placeholder: inside compile, vmap and expectation there are no numbers yet; where(mask, a, b) instead of an if, expectation(f, { dynamic: true }) for a program that branches on its samples, or read the result after the call.',
    );
  });
});

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
      "data that does not fill its shape",
      () => tensor(new Float32Array(3), { shape: [2, 2] }),
      "tensor: got 3 numbers for shape [2, 2], expected 4.",
    ],
  ])("%s", (_what, body, text) => {
    expect(message(body)).toBe(text);
  });
});
