import { expect, it } from "vitest";
import type { Group, Source } from "../../src/compile/plan.js";
import { Builder } from "../../src/kernel/expr/block.js";
import { fillBits } from "../../src/kernel/threefry.js";
import { emitMap, type Stream } from "../../src/wasm/map.js";
import { generator, type MapEmitter, place, runGroup, wholes } from "./groupRun.js";

const emit: MapEmitter = (stage, add) =>
  emitMap(stage.block, stage.inputs.map(streamOf), stage.outputs.map(streamOf), {
    numerics: "exact",
    relaxed: false,
    calls: () => ({ index: 0 }),
    add,
  });

/** Types of the slots of the group below. */
const slots = ["uint32", "bool", "float32"] as const;

function streamOf(port: Source): Stream {
  return { kind: port.kind, dtype: port.kind === "slot" ? slots[port.slot]! : port.dtype };
}

const [rows, columns] = [50, 20];

function masked(): Group["stages"][number] {
  const b = new Builder();
  const [word, mask, scale] = [b.input("uint32"), b.input("bool"), b.input("float32")];
  const uniform = b.mul(b.convert(b.shift("shr", word, 8), "float32"), b.constant(2 ** -24, "float32"));
  const value = b.select(mask, b.mul(uniform, scale), b.constant(-1, "float32"));
  const less = b.compare("lt", uniform, b.constant(0.5, "float32"));
  return {
    kind: "map",
    block: { ops: b.ops, inputs: b.inputs, outputs: [value, less] },
    inputs: [
      { kind: "slot", slot: 0 },
      { kind: "slot", slot: 1 },
      { kind: "scalar", place: place(3), dtype: "float32" },
    ],
    outputs: [
      { kind: "slot", slot: 2 },
      { kind: "stream", place: place(4), dtype: "bool" },
    ],
  };
}

it.each([20, 100, 1000])("bits, a mask, a map and a maximum over columns, in strips of %d", (strip) => {
  const mask = wholes("bool", columns, generator(3));
  const buffers = [
    Uint32Array.of(7, 11),
    Uint32Array.of(3),
    mask,
    Float32Array.of(3.3),
    new Uint8Array(1000),
    new Float32Array(columns),
  ];
  const group: Group = {
    kind: "group",
    shape: [rows, columns],
    layout: { kind: "columns", length: columns },
    strip,
    slots,
    stages: [
      { kind: "bits", key: place(0), start: place(1), size: 999, lane: -1, to: 0 },
      { kind: "gather", from: { place: place(2), dtype: "bool", strides: [0, 1] }, to: 1, once: true },
      masked(),
      { kind: "reduce", op: "max", from: 2, to: place(5), dtype: "float32" },
    ],
  };
  const words = new Uint32Array(rows * columns);
  fillBits(words, 7, 11, 3 * 999, -1);
  const uniform = Array.from(words, (word) => (word >>> 8) * 2 ** -24);
  for (const threads of [1, 2, 3]) {
    const out = runGroup(group, { buffers, cells: [] }, threads, emit);
    expect([...out[4]!]).toEqual(uniform.map((u) => (u < 0.5 ? 1 : 0)));
    const largest = Array.from({ length: columns }, (_, c) => {
      const column = uniform.filter((_u, i) => i % columns === c);
      return mask[c] ? Math.fround(Math.max(...column) * Math.fround(3.3)) : -1;
    });
    expect([...out[5]!]).toEqual(largest);
  }
});
