import { describe, expect, it } from "vitest";
import { allocate, type DType, type TypedArray } from "../../src/base/dtype.js";
import type { Group, Layout, Reduce } from "../../src/compile/plan.js";
import type { Callee } from "../../src/wasm/encode.js";
import { emitGroup, measureGroup, STRIPS_PER_UNIT } from "../../src/wasm/group.js";
import { generator, place, runGroup } from "./groupRun.js";

const shapes: readonly (readonly [kind: Layout["kind"], rows: number, length: number, strip: number])[] = [
  ["flat", 1, 3, 1024],
  ["flat", 1, 100003, 1024],
  ["flat", 7, 3001, 64],
  ["rows", 333, 3, 1023],
  ["rows", 50, 61, 61],
  ["rows", 11, 1000, 1000],
  ["rows", 5, 40000, 1024],
  ["rows", 40, 1025, 1024],
  ["columns", 9000, 2, 1024],
  ["columns", 3000, 7, 1022],
  ["columns", 150, 8, 1024],
  ["columns", 127, 8, 1024],
  ["columns", 700, 100, 1000],
  ["columns", 20, 50, 1000],
  ["columns", 64, 1100, 1024],
  ["columns", 200, 2100, 1024],
];

function layoutOf(kind: Layout["kind"], length: number): Layout {
  return kind === "flat" ? { kind } : { kind, length };
}

function resultsOf(kind: Layout["kind"], rows: number, length: number): number {
  return kind === "flat" ? 1 : kind === "rows" ? rows : length;
}

/** A gather of everything and one reduction, with some threads. */
function reduceAll(
  op: Reduce["op"],
  x: TypedArray,
  dtype: DType,
  [kind, rows, length, strip]: (typeof shapes)[number],
  threads = 1,
): TypedArray {
  const group: Group = {
    kind: "group",
    shape: [rows, length],
    layout: layoutOf(kind, length),
    strip,
    slots: [dtype],
    stages: [
      { kind: "gather", from: { place: place(0), dtype, strides: [length, 1] }, to: 0, once: false },
      { kind: "reduce", op, from: 0, to: place(1), dtype },
    ],
  };
  const world = { buffers: [x, allocate(dtype, resultsOf(kind, rows, length))], cells: [] };
  return runGroup(group, world, threads)[1] as TypedArray;
}

/** Sums and sums of absolute values with an error far below float64's: Neumaier's compensated sum. */
function exactly(x: TypedArray, [kind, rows, length]: (typeof shapes)[number]): { sum: number[]; size: number[] } {
  const results = resultsOf(kind, rows, length);
  const [sum, lost, size] = [0, 1, 2].map(() => new Array<number>(results).fill(0)) as [number[], number[], number[]];
  x.forEach((value, i) => {
    const r = kind === "flat" ? 0 : kind === "rows" ? Math.floor(i / length) : i % length;
    const before = sum[r] as number;
    const after = before + value;
    lost[r]! += Math.abs(before) >= Math.abs(value) ? before - after + value : value - after + before;
    sum[r] = after;
    size[r]! += Math.abs(value);
  });
  return { sum: sum.map((s, r) => s + (lost[r] as number)), size };
}

describe("sums", () => {
  it.each(shapes)(
    "of %s [%d, %d] in strips of %d: near the exact sum, the same bits for any number of threads",
    (...shape) => {
      for (const dtype of ["float32", "float64"] as const) {
        const random = generator(shape[1] + shape[2]);
        const x = allocate(dtype, shape[1] * shape[2]);
        for (let i = 0; i < x.length; i++) x[i] = random(2 ** 24) / 2 ** 20 - 3 + random(2 ** 24) / 2 ** 44;
        const got = reduceAll("sum", x, dtype, shape);
        const { sum, size } = exactly(x, shape);
        // A lane takes at most 64 numbers before float64 does, and their errors hardly ever point the same way.
        const unit = dtype === "float32" ? 2 ** -24 : 2 ** -53;
        const depth = dtype === "float32" ? 24 : 160;
        got.forEach((value, r) => {
          const error = Math.abs(value - (sum[r] as number));
          expect(error).toBeLessThanOrEqual(unit * depth * (size[r] as number));
        });
        for (const threads of [2, 3]) expect(reduceAll("sum", x, dtype, shape, threads)).toEqual(got);
      }
    },
  );

  it("of a million float32 are those of float64, rounded: partial sums do not grow", () => {
    const x = new Float32Array(1_000_000).fill(0.1);
    const [got] = reduceAll("sum", x, "float32", ["flat", 1, x.length, 1024]);
    const exact = Math.fround(0.1) * 1e6;
    expect(Math.abs((got as number) - exact) / exact).toBeLessThan(2 ** -21);
  });

  it.each(["int32", "uint32"] as const)("of %s wrap", (dtype) => {
    for (const shape of [
      ["flat", 1, 5000, 64],
      ["rows", 9, 70, 70],
      ["columns", 70, 9, 63],
    ] as const) {
      const x = allocate(dtype, shape[1] * shape[2]).fill(2 ** 31 - 1);
      const count = x.length / resultsOf(...(shape.slice(0, 3) as [Layout["kind"], number, number]));
      const want = allocate(dtype, 1);
      want[0] = Number(BigInt.asIntN(32, BigInt(count) * (2n ** 31n - 1n)));
      for (const value of reduceAll("sum", x, dtype, shape)) expect(value).toBe(want[0]);
    }
  });

  it.each(shapes)("max and min of %s [%d, %d] in strips of %d see one NaN, wherever it stands", (...shape) => {
    const [kind, rows, length] = shape;
    for (const dtype of ["float32", "float64"] as const) {
      for (const op of ["max", "min"] as const) {
        for (const part of [0, 0.37, 0.999999]) {
          const x = allocate(dtype, rows * length).fill(-1.5);
          const at = Math.floor(part * x.length);
          x[at] = Number.NaN;
          const hit = kind === "flat" ? 0 : kind === "rows" ? Math.floor(at / length) : at % length;
          const got = reduceAll(op, x, dtype, shape, 2);
          for (const [r, value] of got.entries())
            if (!Object.is(value, r === hit ? Number.NaN : -1.5)) expect.fail(`${r}`);
        }
      }
    }
  });
});

describe("what a group is made of", () => {
  const group = (shape: readonly number[], layout: Layout, strip: number): Group => ({
    kind: "group",
    shape,
    layout,
    strip,
    slots: ["float32", "float32"],
    stages: [0, 1].flatMap((slot) => [
      { kind: "gather", from: { place: place(slot), dtype: "float32", strides: [1] }, to: slot, once: false } as const,
      { kind: "reduce", op: "sum", from: slot, to: place(2, slot), dtype: "float32" } as const,
    ]),
  });

  it("cuts units by the shape alone, and needs a table only where results are spread over several", () => {
    const size = (shape: readonly number[], layout: Layout, strip: number): number[] => {
      const { units, partialBytes } = measureGroup(group(shape, layout, strip));
      return [units, partialBytes];
    };
    expect(size([10], { kind: "flat" }, 10)).toEqual([1, 0]);
    expect(size([10 * STRIPS_PER_UNIT + 1], { kind: "flat" }, 10)).toEqual([2, 128]);
    expect(size([100, 10], { kind: "rows", length: 10 }, 10)).toEqual([7, 0]);
    expect(size([3, 33], { kind: "rows", length: 33 }, 2)).toEqual([6, 128]);
    expect(size([3, 32], { kind: "rows", length: 32 }, 2)).toEqual([3, 0]);
    expect(size([65, 20], { kind: "columns", length: 20 }, 10)).toEqual([4, 640]);
    expect(size([0], { kind: "flat" }, 10)).toEqual([0, 0]);
  });

  it("builds each stage once", () => {
    const labels: string[] = [];
    const add = (_code: unknown, label: string): Callee => ({ index: labels.push(label) });
    const address = (): { constant: number; cells: [] } => ({ constant: 0, cells: [] });
    const given = group([100], { kind: "flat" }, 10);
    emitGroup(given, { address, add, shared: new Map(), partials: 0, map: () => ({ index: 0 }) });
    expect(labels).toHaveLength(new Set(labels).size);
    expect(labels).toHaveLength(3);
  });

  it("refuses strips that cut short rows", () => {
    expect(() => measureGroup(group([4, 3], { kind: "rows", length: 3 }, 4))).toThrow(
      "wasm: strips of 4 do not hold rows of 3",
    );
  });
});
