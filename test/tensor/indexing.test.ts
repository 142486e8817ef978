import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { type Tensor, tensor } from "../../src/index.js";
import { dice } from "../primitives/draw.js";
import { reach } from "../primitives/links.js";
import { message } from "../runtime/message.js";
import { flat } from "./arrays.js";

const int = (data: number[] | number[][]): Tensor => tensor(data, { dtype: "int32" });

describe("writing at places", () => {
  test("the last of several for one place stays; the others have no derivative", () => {
    const [x, u] = [tensor([1, 2, 3]), tensor([10, 20, 30, 40])];
    const put = (a: Tensor, v: Tensor): Tensor => a.putAlongAxis([0, 2, 0, 2], v);
    expect(put(x, u).toArray()).toEqual([30, 2, 40]);
    const [dx, du] = sg.grad(([a, v]: [Tensor, Tensor]) => sg.sum(sg.mul(put(a, v), [1, 10, 100])))([x, u]);
    expect([flat(dx as Tensor), flat(du as Tensor)]).toEqual([
      [0, 10, 0],
      [0, 0, 1, 100],
    ]);
    expect(x.putAlongAxis([0, 2, 0, 2], u, -1, { accumulate: true }).toArray()).toEqual([41, 2, 63]);
    expect(x.scatterSet([1, 1], [5, 6]).toArray()).toEqual([1, 6, 3]);
    expect(x.scatterAdd([1, 1], [5, 6]).toArray()).toEqual([1, 13, 3]);
  });

  test("is a loop, on every axis", () => {
    const roll = dice(5);
    const shape = [2, 3, 4];
    for (const axis of [0, 1, -1]) {
      const at = axis < 0 ? 2 : axis;
      const own = shape.map((n, i) => (i === at ? 5 : n));
      const count = own.reduce((a, b) => a * b);
      const places = Array.from({ length: count }, () => Math.floor(roll() * (shape[at] as number)));
      const values = Array.from({ length: count }, () => Math.floor(100 * roll()));
      const start = Array.from({ length: 24 }, (_, i) => i);
      const strides = [12, 4, 1];
      const [set, added] = [start.slice(), start.slice()];
      places.forEach((place, i) => {
        const index = [
          Math.floor(i / ((own[1] as number) * (own[2] as number))),
          Math.floor(i / (own[2] as number)) % (own[1] as number),
          i % (own[2] as number),
        ];
        index[at] = place;
        const to = index.reduce((total, k, d) => total + k * (strides[d] as number), 0);
        set[to] = values[i] as number;
        added[to] = (added[to] as number) + (values[i] as number);
      });
      const [x, index] = [tensor(start, { shape }), tensor(places, { shape: own, dtype: "int32" })];
      const v = tensor(values, { shape: own });
      expect(flat(x.putAlongAxis(index, v, axis))).toEqual(set);
      expect(flat(x.putAlongAxis(index, v, axis, { accumulate: true }))).toEqual(added);
    }
  });

  test("keeps whole numbers whole, broadcasts updates, takes no places at all", () => {
    const x = int([1, 2, 3]);
    expect([x.scatterAdd([0, 0], 2).dtype, x.scatterAdd([0, 0], 2).toArray()]).toEqual(["int32", [5, 2, 3]]);
    expect(x.scatterSet([0], [7]).dtype).toBe("int32");
    expect(x.scatterAdd([0], 0.5).toArray()).toEqual([1.5, 2, 3]);
    expect(tensor([0, 0], { dtype: "float64" }).scatterSet([0], [0.1]).toArray()).toEqual([0.1, 0]);
    const none = tensor([], { dtype: "int32" });
    expect([flat(sg.ones([2]).scatterSet(none, [])), flat(sg.ones([2]).scatterAdd(none, []))]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(
      sg
        .ones([2, 2])
        .putAlongAxis(sg.zeros([2, 0], { dtype: "int32" }), 5)
        .toArray(),
    ).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(sg.ones([3]).scatterSet(int([2]), 0).dtype).toBe("float32");
  });

  test("under vmap, also where only the places are mapped", () => {
    const f = sg.vmap((i: Tensor) => sg.scatterSet(sg.zeros([3]), i, [1, 2]));
    expect(
      f(
        int([
          [0, 1],
          [2, 2],
        ]),
      ).toArray(),
    ).toEqual([
      [1, 2, 0],
      [0, 0, 2],
    ]);
    const g = sg.vmap((s: Tensor) => sg.dynamicSlice([1, 2, 3, 4], s, [2]));
    expect(g(int([[0], [1], [-1], [9]])).toArray()).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [3, 4],
    ]);
  });
});

describe("windows", () => {
  test("starts one by one, some computed; scalars; empty windows; float32 and whole numbers", () => {
    const x = int([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
    ]);
    expect(sg.dynamicSlice(x, [int([1]).at(0), 2], [2, 1]).toArray()).toEqual([[5], [8]]);
    expect(sg.dynamicSlice(7, [], []).item()).toBe(7);
    expect(sg.dynamicUpdateSlice(7, 8, []).item()).toBe(8);
    expect(x.dynamicSlice([5, 0], [0, 3]).shape).toEqual([0, 3]);
    expect(x.dynamicUpdateSlice([[9]], [1, 1]).toArray()).toEqual([
      [0, 1, 2],
      [3, 9, 5],
      [6, 7, 8],
    ]);
    expect(x.dynamicUpdateSlice(sg.zeros([0, 3], { dtype: "int32" }), [1, 0]).toArray()).toEqual(x.toArray());
  });

  test("an axis that the window fills is read place by place", () => {
    const x = sg.ones([4, 3]);
    const out = sg.dynamicSlice(x, int([1, 0]), [2, 3]);
    // From any row with room for the window, the same column.
    expect(reach(x, out).map((s) => [...s].sort((a, b) => a - b))).toEqual(
      [[0], [0, 3], [0, 3], [3]].flatMap((rows) => [0, 1, 2].map((column) => rows.map((row) => row + column))),
    );
  });
});

describe("padding, rolling, joining", () => {
  test("edges and images of several axes, numbers beside infinities, empty axes", () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(
      x
        .pad(
          [
            [0, 1],
            [2, 0],
          ],
          { mode: "edge" },
        )
        .toArray(),
    ).toEqual([
      [1, 1, 1, 2, 3],
      [4, 4, 4, 5, 6],
      [4, 4, 4, 5, 6],
    ]);
    expect(
      x
        .pad(
          [
            [1, 1],
            [2, 2],
          ],
          { mode: "reflect" },
        )
        .toArray(),
    ).toEqual([
      [6, 5, 4, 5, 6, 5, 4],
      [3, 2, 1, 2, 3, 2, 1],
      [6, 5, 4, 5, 6, 5, 4],
      [3, 2, 1, 2, 3, 2, 1],
    ]);
    expect(
      tensor([Infinity, -0])
        .pad([[1, 1]], { value: -Infinity })
        .toArray(),
    ).toEqual([-Infinity, Infinity, -0, -Infinity]);
    expect(
      sg
        .zeros([0])
        .pad([[1, 2]], { value: 3 })
        .toArray(),
    ).toEqual([3, 3, 3]);
    expect(int([1]).pad([[0, 1]], { value: 2 }).dtype).toBe("int32");
    expect(
      sg.zeros([0, 2]).pad(
        [
          [0, 0],
          [1, 0],
        ],
        { mode: "edge" },
      ).shape,
    ).toEqual([0, 3]);
  });

  test("roll by more than there is, backwards, of nothing", () => {
    const x = int([0, 1, 2, 3]);
    for (const k of [-9, -4, -1, 0, 1, 4, 6])
      expect(x.roll(k, 0).toArray()).toEqual([0, 1, 2, 3].map((i) => (((i - k) % 4) + 4) % 4));
    expect(sg.zeros([0]).roll(3).shape).toEqual([0]);
    expect(sg.zeros([2, 3]).roll(2, [0, 1]).shape).toEqual([2, 3]);
  });

  test("linspace of numbers is exact at both ends, and of one number or none", () => {
    const x = flat(sg.linspace(-0.1, 0.7, 11, { dtype: "float64" }));
    expect([x[0], x[10], x.length]).toEqual([-0.1, 0.7, 11]);
    x.forEach((v, i) => {
      expect(Math.abs(v - (-0.1 + 0.08 * i))).toBeLessThanOrEqual(2e-16);
    });
    expect([
      flat(sg.linspace(2, 5, 1)),
      flat(sg.linspace(2, 5, 0)),
      flat(sg.linspace(0, 1, 4, { endpoint: false })),
    ]).toEqual([[2], [], [0, 0.25, 0.5, 0.75]]);
    expect(sg.linspace(int([0]), 3, 4).toArray()).toEqual([[0], [1], [2], [3]]);
  });

  test("meshgrid of one and of empty vectors; select takes the first that holds", () => {
    expect(sg.meshgrid([[1, 2]]).map((v) => v.toArray())).toEqual([[1, 2]]);
    expect(sg.meshgrid([[1, 2], tensor([])]).map((v) => v.shape)).toEqual([
      [0, 2],
      [0, 2],
    ]);
    expect(sg.meshgrid([])).toEqual([]);
    expect(
      sg
        .select(
          [
            [true, false],
            [true, false],
          ],
          [1, 2],
          -1,
        )
        .toArray(),
    ).toEqual([1, -1]);
  });
});

test("errors", () => {
  const m = sg.ones([2, 3]);
  const cases: readonly (readonly [() => unknown, string])[] = [
    [
      () => m.takeAlongAxis(int([0])),
      "takeAlongAxis: got [2, 3] and indices [1], expected as many axes in both; take(x, indices, axis) for whole slices.",
    ],
    [
      () => m.takeAlongAxis(int([[0], [0], [0]]), 1),
      "takeAlongAxis: got shapes [2, 1] and [3, 1], which differ on axis -2 (2 and 3), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
    ],
    [() => m.takeAlongAxis([[3]]).toArray(), "gather: got index 3, expected an index in [0, 2]."],
    [
      () => m.takeAlongAxis(sg.ones([2, 1])),
      'takeAlongAxis: got a float32 index, expected int32 or uint32; tensor([…], { dtype: "int32" }) or x.toDType("int32").',
    ],
    [() => m.putAlongAxis([[-1]], 1).toArray(), "scatter: got index -1, expected an index in [0, 2]."],
    [
      () =>
        sg
          .zeros([2, 0])
          .putAlongAxis([[0]], 1)
          .toArray(),
      "scatter: got index 0, expected no index into an empty axis.",
    ],
    [() => m.scatterSet([5], 1).toArray(), "scatter: got index 5, expected an index in [0, 1]."],
    [
      () => m.scatterAdd([0, 1], sg.ones([3, 3])),
      "scatterAdd: got shapes [3, 3] and [2, 3], which differ on axis -2 (3 and 2), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
    ],
    [
      () => m.scatterAdd([0], sg.ones([4, 1, 3])),
      "scatterAdd: got updates [4, 1, 3] at indices [1] on axis 0 of [2, 3], expected [1, 3].",
    ],
    [() => m.dynamicSlice([0], [1, 1]), "dynamicSlice: got starts [1], expected [2]."],
    [
      () => m.dynamicSlice([0, 0], [1]),
      "dynamicSlice: got [2, 3], a window [1] and starts [2], expected a size and a start for every axis.",
    ],
    [
      () => m.dynamicSlice([0, 0], [1, 4]),
      "dynamicSlice: got a window of 4 on axis 1 of [2, 3], expected a whole number in [0, 3].",
    ],
    [
      () => m.dynamicUpdateSlice([1], [0, 0]),
      "dynamicUpdateSlice: got an update [1], expected as many axes as [2, 3].",
    ],
    [
      () => m.dynamicUpdateSlice(sg.ones([3, 1]), [0, 0]),
      "dynamicUpdateSlice: got a window of 3 on axis 0 of [2, 3], expected a whole number in [0, 2].",
    ],
    [() => m.pad([[1, 1]]), "pad: got 1 pairs, expected 2, one per axis of [2, 3]."],
    [
      () =>
        m.pad(
          [
            [0, -1],
            [0, 0],
          ],
          { mode: "edge" },
        ),
      "pad: got [-1, 0] for [2, 3], expected one whole number of at least 0 per axis.",
    ],
    [
      () => sg.zeros([0]).pad([[1, 0]], { mode: "edge" }),
      'pad: got mode "edge" on the empty axis 0 of [0], expected an element.',
    ],
    [
      () =>
        m.pad(
          [
            [2, 0],
            [0, 0],
          ],
          { mode: "reflect" },
        ),
      'pad: got mode "reflect" with 2 places on axis 0 of [2, 3], expected at most 1, what there is beside the end.',
    ],
    [() => m.roll([1, 2], 0), "roll: got shifts [1, 2] of axes [0], expected a whole number per axis."],
    [() => m.roll(0.5, 0), "roll: got shifts [0.5] of axes [0], expected a whole number per axis."],
    [
      () => sg.select([true], [1, 2]),
      "select: got 1 conditions and 2 choices, expected as many of both, and at least one.",
    ],
    [() => sg.meshgrid([m]), "meshgrid: got a tensor [2, 3], expected vectors."],
    [() => sg.linspace(0, 1, -1), "linspace: got -1 numbers, expected a whole number of at least 0."],
  ];
  for (const [body, text] of cases) expect(message(body)).toBe(text);
});
