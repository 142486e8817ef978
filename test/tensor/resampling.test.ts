import { describe, expect, test } from "vitest";
import { grad, repeat, resize, type Tensor, tensor, tile, upsample, vmap } from "../../src/index.js";
import { flat, streamTensor, worst } from "./convOracle.js";

/** repeat and tile are index formulas; resize against JAX and PyTorch is in conv.test.ts. */

const at = (x: Tensor, index: readonly number[]): number =>
  flat(x)[index.reduce((place, i, axis) => place * (x.shape[axis] as number) + i, 0)] as number;

/** Every index of a shape. */
const indices = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>(
    (heads, n) => heads.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])),
    [[]],
  );

describe("repeat and tile", () => {
  const x = streamTensor([2, 3, 2], 1);

  test.each([0, 1, 2, -1])("repeat along axis %i: out[i] = x[⌊i / times⌋]", (axis) => {
    const k = axis < 0 ? axis + 3 : axis;
    const out = repeat(x, 3, axis);
    expect(out.shape).toEqual(x.shape.map((n, i) => (i === k ? 3 * n : n)));
    const expected = indices(out.shape).map((o) =>
      at(
        x,
        o.map((i, a) => (a === k ? Math.floor(i / 3) : i)),
      ),
    );
    expect(flat(out)).toEqual(expected);
  });

  test.each([
    [2, [2, 3, 4]],
    [
      [2, 1],
      [2, 6, 2],
    ],
    [
      [3, 1, 2, 2],
      [3, 2, 6, 4],
    ],
    [
      [1, 0, 1],
      [2, 0, 2],
    ],
  ] as const)("tile by %j: out[i] = x[i mod n], new axes in front", (reps, shape) => {
    const out = tile(x, reps);
    expect(out.shape).toEqual(shape);
    const extra = out.rank - 3;
    expect(flat(out)).toEqual(
      indices(shape).map((o) =>
        at(
          x,
          o.slice(extra).map((i, a) => i % (x.shape[a] as number)),
        ),
      ),
    );
  });

  test("of a scalar, and their derivatives: as often as an element is there", () => {
    expect(tile(7, [2, 3]).toArray()).toEqual([
      [7, 7, 7],
      [7, 7, 7],
    ]);
    expect(grad((y: Tensor) => repeat(y, 2).mul([1, 2, 3, 4]).sum())([0, 0]).toArray()).toEqual([3, 7]);
    expect(grad((y: Tensor) => tile(y, 2).mul([1, 2, 3, 4]).sum())([0, 0]).toArray()).toEqual([4, 6]);
    expect(
      vmap((row: Tensor) => row.repeat(2))(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ).toArray(),
    ).toEqual([
      [1, 1, 2, 2],
      [3, 3, 4, 4],
    ]);
  });
});

describe("resize and upsample", () => {
  test("upsample is resize by whole factors, per axis of space", () => {
    const x = streamTensor([2, 1, 3, 4], 1);
    expect(upsample(x, [2, 3]).toArray()).toEqual(resize(x, [6, 12]).toArray());
    expect(upsample(x, 2, { mode: "bilinear" }).toArray()).toEqual(resize(x, [6, 8], { mode: "linear" }).toArray());
    expect(upsample(x, [2]).shape).toEqual([2, 1, 3, 8]);
    expect(upsample(tensor([[[1, 2]]], { dtype: "int32" }), [2]).dtype).toBe("int32");
  });

  test("alignCorners leaves a line a line, and the centres of the corners where they are", () => {
    const line = tensor([[[0, 1, 2, 3, 4]]], { dtype: "float64" });
    const fine = flat(resize(line, [17], { mode: "linear", alignCorners: true }));
    expect(
      worst(
        fine,
        Array.from({ length: 17 }, (_, i) => i / 4),
      ),
    ).toBeLessThan(1e-15);
    expect(resize(line, [1], { mode: "linear", alignCorners: true }).toArray()).toEqual([[[0]]]);
    expect(resize(line, [1], { mode: "linear" }).toArray()).toEqual([[[2]]]);
  });

  test("the same size is the same tensor", () => {
    const x = streamTensor([1, 1, 4], 1);
    for (const mode of ["nearest", "linear"] as const) expect(resize(x, [4], { mode })).toBe(x);
  });
});
