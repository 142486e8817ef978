import { describe, expect, it } from "vitest";
import { allocate, type DType, type TypedArray } from "../../src/base/dtype.js";
import { sizeOf } from "../../src/base/shape.js";
import type { Gather, Group, Layout, Map as MapStage, Reduce, Scatter, View } from "../../src/compile/plan.js";
import { elementOf, generator, indicesOf, mapped, place, runGroup, type World, wholes } from "./groupRun.js";

type Random = (below: number) => number;
const dtypes: readonly DType[] = ["float32", "float64", "int32", "uint32", "bool"];

/** The shortest view that fits the strides: its buffer's size and the place of the element at index 0. */
function spanOf(shape: readonly number[], strides: readonly number[]): { size: number; offset: number } {
  let [low, high] = [0, 0];
  strides.forEach((stride, a) => {
    const far = stride * Math.max(0, (shape[a] as number) - 1);
    low += Math.min(0, far);
    high += Math.max(0, far);
  });
  return { size: high - low + 1, offset: -low };
}

/** Strides of an array of the shape, its axes in some order, some of them repeated, some backwards, with room between. */
function someStrides(shape: readonly number[], random: Random, repeats: boolean): number[] {
  const order = shape.map((_, a) => a);
  for (let a = order.length - 1; a > 0; a--) {
    if (random(3) > 0) continue;
    const b = random(a + 1);
    [order[a], order[b]] = [order[b] as number, order[a] as number];
  }
  const strides = shape.map(() => 0);
  let step = random(4) === 0 ? 2 : 1;
  for (const a of order.slice().reverse()) {
    if (repeats && random(4) === 0) continue;
    strides[a] = random(5) === 0 ? -step : step;
    step = step * (shape[a] as number) + (random(5) === 0 ? random(3) : 0);
  }
  return strides;
}

function viewOf(
  world: { buffers: TypedArray[] },
  dtype: DType,
  shape: readonly number[],
  random: Random,
  repeats = true,
): View {
  const strides = someStrides(shape, random, repeats);
  const { size, offset } = spanOf(shape, strides);
  world.buffers.push(wholes(dtype, size, random));
  return { place: place(world.buffers.length - 1, offset), dtype, strides };
}

interface Case {
  readonly group: Group;
  readonly world: World;
}

/** Slots gathered from some views, each reduced and scattered elsewhere. */
function someCase(
  random: Random,
  shape: readonly number[],
  layout: Layout,
  strip: number,
  types: readonly DType[],
): Case {
  const world = { buffers: [] as TypedArray[], cells: [] };
  const stages: Group["stages"][number][] = [];
  types.forEach((dtype, slot) => {
    const from = viewOf(world, dtype, shape, random);
    const axis = random(shape.length || 1);
    const size = shape[axis] ?? 0;
    const low = random(size + 1);
    const inside =
      size > 0 && random(3) === 0 ? [{ axis, low, high: low + random(size - low + 1), step: 1 }] : undefined;
    stages.push({ kind: "gather", from, to: slot, once: false, ...(inside ? { inside } : {}) });
  });
  types.forEach((dtype, from) => {
    if (random(4) > 0) {
      const op = (["sum", "max", "min"] as const)[dtype === "bool" ? 1 + random(2) : random(3)] as Reduce["op"];
      world.buffers.push(allocate(dtype, resultsOf(shape, layout)));
      stages.push({ kind: "reduce", op, from, to: place(world.buffers.length - 1), dtype });
    } else stages.push({ kind: "scatter", from, to: viewOf(world, dtype, shape, random, false) });
  });
  return { group: { kind: "group", shape, layout, strip, slots: types, stages }, world };
}

function resultsOf(shape: readonly number[], layout: Layout): number {
  if (layout.kind === "flat") return 1;
  if (layout.kind === "columns") return layout.length;
  return layout.length > 0 ? sizeOf(shape) / layout.length : sizeOf(shape.slice(0, shape.lastIndexOf(0)));
}

/** Slots as arrays over the whole domain. */
function gathered({ group, world }: Case): number[][] {
  const slots: number[][] = [];
  for (const stage of group.stages) if (stage.kind === "gather") slots[stage.to] = elements(stage, group, world);
  return slots;
}

function elements(stage: Gather, { shape }: Group, world: World): number[] {
  const from = world.buffers[stage.from.place.buffer] as TypedArray;
  return Array.from({ length: sizeOf(shape) }, (_, i) => {
    const indices = indicesOf(shape, i);
    const there = (stage.inside ?? []).every(({ axis, low, high }) => {
      const index = indices[axis] as number;
      return index >= low && index < high;
    });
    return there ? (from[elementOf(stage.from, shape, i, world)] as number) : 0;
  });
}

/** Elements that go into each result. */
function sorted(values: readonly number[], group: Group): number[][] {
  const { layout, shape } = group;
  const parts: number[][] = Array.from({ length: resultsOf(shape, layout) }, () => []);
  values.forEach((value, i) => {
    const result =
      layout.kind === "flat" ? 0 : layout.kind === "rows" ? Math.floor(i / layout.length) : i % layout.length;
    (parts[result] as number[]).push(value);
  });
  return parts;
}

function reduced({ op, dtype }: Reduce, values: readonly number[]): number {
  if (op === "sum") return values.reduce((a, b) => a + b, 0);
  const none = allocate(dtype, 1);
  const [low, high] = dtype.startsWith("float")
    ? [-Infinity, Infinity]
    : dtype === "int32"
      ? [-(2 ** 31), 2 ** 31 - 1]
      : [0, dtype === "bool" ? 1 : 2 ** 32 - 1];
  none[0] = values.reduce((a, b) => Math[op as "max"](a, b), op === "max" ? low : high);
  return none[0] as number;
}

function expected(given: Case): TypedArray[] {
  const { group, world } = given;
  const out = world.buffers.map((buffer) => buffer.slice());
  const slots = gathered(given);
  for (const stage of group.stages) {
    if (stage.kind === "reduce") {
      const to = out[stage.to.buffer] as TypedArray;
      sorted(slots[stage.from] as number[], group).forEach((values, r) => {
        to[r] = reduced(stage, values);
      });
    } else if (stage.kind === "scatter") scattered(stage, slots[stage.from] as number[], given, out);
  }
  return out;
}

function scattered({ to }: Scatter, values: readonly number[], { group, world }: Case, out: TypedArray[]): void {
  values.forEach((value, i) => {
    (out[to.place.buffer] as TypedArray)[elementOf(to, group.shape, i, world)] = value;
  });
}

function check(given: Case, name: string): void {
  const want = expected(given);
  for (const threads of [1, 2, 3]) {
    const got = runGroup(given.group, given.world, threads);
    got.forEach((buffer, i) => {
      const other = want[i] as TypedArray;
      const wrong = buffer.findIndex((x, j) => !Object.is(x, other[j]));
      if (wrong >= 0) expect.fail(`${name}, ${threads} threads, buffer ${i}[${wrong}]: ${JSON.stringify(given.group)}`);
      expect(buffer.length).toBe(other.length);
    });
  }
}

/** [shape, length of rows or columns, strip]. */
const shapes: readonly (readonly [readonly number[], number, number])[] = [
  [[8], 8, 1024],
  [[1, 1], 1, 1],
  [[3, 5], 5, 20],
  [[7, 1], 1, 4],
  [[40, 2], 2, 6],
  [[9, 3, 7], 7, 28],
  [[9, 3, 7], 21, 42],
  [[33, 8], 8, 64],
  [[70, 13], 13, 26],
  [[5, 63], 63, 63],
  [[6, 64], 64, 128],
  [[4, 131], 131, 131],
  [[4, 131], 131, 8],
  [[3, 50], 50, 7],
  [[150, 9], 9, 5],
  [[2, 3, 4, 5], 20, 12],
  [[2, 3, 4, 5], 60, 60],
  [[200, 3], 3, 6],
  [[130, 37], 37, 16],
  [[400, 4], 4, 1024],
  [[300, 40], 40, 1000],
  [[3, 1, 2, 1, 5], 5, 10],
];

describe("groups", () => {
  it.each(shapes.map((one) => [one] as const))("gather, reduce and scatter: %j", ([shape, length, strip]) => {
    const random = generator(strip * 1000 + length);
    for (const kind of ["flat", "rows", "columns"] as const) {
      for (const types of [["float32"], ["float64", "int32"], ["uint32", "bool", "float32"]] as const) {
        check(someCase(random, shape, kind === "flat" ? { kind } : { kind, length }, strip, types), `${kind} ${types}`);
      }
    }
  });

  it.each(dtypes)("every reduction of %s in every layout, small and large", (dtype) => {
    const random = generator(17);
    for (const [rows, length, strip] of [
      [5, 6, 12],
      [90, 11, 44],
      [37, 70, 70],
      [70, 70, 16],
    ] as const) {
      for (const kind of ["flat", "rows", "columns"] as const) {
        const world = { buffers: [wholes(dtype, rows * length, random)], cells: [] };
        const from = { place: place(0), dtype, strides: [length, 1] };
        const stages: Group["stages"][number][] = [{ kind: "gather", from, to: 0, once: false }];
        const layout: Layout = kind === "flat" ? { kind } : { kind, length };
        for (const op of dtype === "bool" ? (["max", "min"] as const) : (["sum", "max", "min"] as const)) {
          world.buffers.push(allocate(dtype, resultsOf([rows, length], layout)));
          stages.push({ kind: "reduce", op, from: 0, to: place(world.buffers.length - 1), dtype });
        }
        check({ group: { kind: "group", shape: [rows, length], layout, strip, slots: [dtype], stages }, world }, kind);
      }
    }
  });

  it("reduces nothing to zeros, and to what is below or above all", () => {
    const random = generator(5);
    for (const [shape, layout] of [
      [[0], { kind: "flat" }],
      [[3, 0], { kind: "rows", length: 0 }],
      [[0, 3], { kind: "rows", length: 3 }],
      [[0, 3], { kind: "columns", length: 3 }],
      [[3, 0], { kind: "columns", length: 0 }],
      [[0, 300], { kind: "columns", length: 300 }],
    ] as const) {
      for (const types of [["float32", "int32"], ["float64", "uint32"], ["bool"]] as const) {
        for (let i = 0; i < 4; i++) check(someCase(random, shape, layout, 12, types), JSON.stringify(layout));
      }
    }
  });
});

describe("padding", () => {
  it.each(dtypes)("is zeros of %s: what is outside is not read", (dtype) => {
    const random = generator(8);
    for (const [rows, length] of [
      [2, 3],
      [5, 1],
      [4, 17],
      [9, 40],
    ] as const) {
      const world = {
        buffers: [wholes(dtype, rows * length, random), allocate(dtype, (rows + 4) * (length + 7))],
        cells: [],
      };
      const shape = [rows + 4, length + 7];
      // Element [0, 0] of the domain is one row and five elements before the buffer.
      const from: View = { place: place(0, -length - 5), dtype, strides: [length, 1] };
      const inside = [
        { axis: 0, low: 1, high: rows + 1, step: 1 },
        { axis: 1, low: 5, high: length + 5, step: 1 },
      ];
      const to: View = { place: place(1), dtype, strides: [length + 7, 1] };
      const stages: Group["stages"] = [
        { kind: "gather", from, to: 0, once: false, inside },
        { kind: "scatter", from: 0, to },
      ];
      for (const strip of [3, 16, 64]) {
        check(
          { group: { kind: "group", shape, layout: { kind: "flat" }, strip, slots: [dtype], stages }, world },
          "padding",
        );
      }
    }
  });
});

describe("maps, cells and what is done once", () => {
  it.each([
    [[6, 5], 30],
    [[6, 5], 10],
    [[50, 5], 10],
    [[64, 40], 40],
  ] as const)("%j in strips of %d", (shape, strip) => {
    const size = sizeOf(shape);
    const random = generator(strip);
    const world: World = {
      buffers: [
        wholes("float32", 3 * size + 1, random),
        wholes("float32", 9, random),
        wholes("float32", size, random),
        new Float32Array(shape[0]),
        new Float32Array(2 * size),
      ],
      cells: [0, 2, 1, 3],
    };
    const stream = { kind: "stream", place: place(0, 1, [{ cell: 1, stride: size }]), dtype: "float32" } as const;
    const scalar = {
      kind: "scalar",
      place: place(1, 2, [
        { cell: 3, stride: 2 },
        { cell: 2, stride: -1 },
      ]),
      dtype: "float32",
    } as const;
    const map = (stage: Pick<MapStage, "inputs" | "outputs">): MapStage => ({
      kind: "map",
      block: { ops: [], inputs: [], outputs: [] },
      ...stage,
    });
    const row: View = { place: place(2), dtype: "float32", strides: [0, 1] };
    const group: Group = {
      kind: "group",
      shape,
      layout: { kind: "rows", length: shape[1] },
      strip,
      slots: ["float32", "float32", "float32"],
      stages: [
        { kind: "gather", from: row, to: 0, once: true },
        map({ inputs: [{ kind: "slot", slot: 0 }, scalar], outputs: [{ kind: "slot", slot: 1 }] }),
        map({
          inputs: [stream, scalar],
          outputs: [{ kind: "stream", place: place(4, 0, [{ cell: 2, stride: size }]), dtype: "float32" }],
        }),
        { kind: "reduce", op: "sum", from: 1, to: place(3), dtype: "float32" },
      ],
    };
    const [x, s, r] = world.buffers as [TypedArray, TypedArray, TypedArray];
    const factor = s[2 + 6 - 1] as number;
    for (const threads of [1, 2]) {
      const out = runGroup(group, world, threads);
      for (let i = 0; i < size; i++) expect(out[4]?.[size + i]).toBe(mapped(x[1 + 2 * size + i] as number, factor, i));
      for (let i = 0; i < shape[0]; i++) {
        let sum = 0;
        for (let j = 0; j < shape[1]; j++) sum += mapped(r[j] as number, factor, i * shape[1] + j);
        expect(out[3]?.[i]).toBe(sum);
      }
    }
  });
});
