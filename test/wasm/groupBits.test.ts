import { describe, expect, it } from "vitest";
import type { Group } from "../../src/compile/plan.js";
import { fillBits } from "../../src/kernel/threefry.js";
import { place, runGroup } from "./groupRun.js";

const key = Uint32Array.of(0xdeadbeef, 0x01234567);

/** Words as the emitted code gives them, in strips. */
function words(start: number, size: number, lane: -1 | 0 | 1, strip: number, threads = 1): Uint32Array {
  const world = { buffers: [key, Uint32Array.of(start), new Uint32Array(size)], cells: [] };
  const group: Group = {
    kind: "group",
    shape: [size],
    layout: { kind: "flat" },
    strip,
    slots: ["uint32"],
    stages: [
      { kind: "bits", key: place(0), start: place(1), size, lane, to: 0 },
      { kind: "scatter", from: 0, to: { place: place(2), dtype: "uint32", strides: [1] } },
    ],
  };
  return runGroup(group, world, threads)[2] as Uint32Array;
}

function wanted(start: number, size: number, lane: -1 | 0 | 1): Uint32Array {
  const out = new Uint32Array(size);
  fillBits(out, key[0] as number, key[1] as number, start * size, lane);
  return out;
}

const lanes = [-1, 0, 1] as const;

describe("bits", () => {
  it.each(lanes)("of every size up to 70, from even and odd words: lane %d", (lane) => {
    for (let size = 1; size <= 70; size++) {
      for (const start of [0, 1, 3]) {
        expect(words(start, size, lane, 64), `${start} ${size}`).toEqual(wanted(start, size, lane));
      }
    }
  });

  it.each(lanes)("in strips of odd and even length: lane %d", (lane) => {
    for (const strip of [1, 7, 32, 33, 1000, 1024]) {
      expect(words(5, 333, lane, strip, 3), `${strip}`).toEqual(wanted(5, 333, lane));
    }
  });

  it.each(lanes)("where counters run over 2^32: lane %d", (lane) => {
    // Words around 2^32 and 2^33, the counter's low word running over in the midst of a vector or between two.
    for (const size of [257, 300, 301, 1000, 641, 6700417]) {
      const edge = lane === -1 ? 2 ** 33 : 2 ** 32;
      const start = Math.floor(edge / size);
      if (size > 10000) expect(partly(start, size, lane, edge)).toEqual(true);
      else if (start < 2 ** 32) expect(words(start, size, lane, 96), `${size}`).toEqual(wanted(start, size, lane));
    }
    expect(words(2 ** 32 - 1, 1001, lane, 128)).toEqual(wanted(2 ** 32 - 1, 1001, lane));
  });
});

/** Whether the words on both sides of an edge, somewhere within a run, are right. */
function partly(start: number, size: number, lane: -1 | 0 | 1, edge: number): boolean {
  const at = edge - start * size;
  const got = words(start, size, lane, 1024).subarray(Math.max(0, at - 50), at + 50);
  const want = new Uint32Array(got.length);
  fillBits(want, key[0] as number, key[1] as number, start * size + Math.max(0, at - 50), lane);
  return want.every((word, i) => word === got[i]);
}
