import { describe, expect, it } from "vitest";
import { FreeList } from "../../src/wasm/freeList.js";
import { EngineMemory, memory, RESERVED, type Region, sized } from "../../src/wasm/memory.js";

const PAGE = 65536;

/** A generator of its own, so that a failure repeats. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * below);
  };
}

/** Throws where a region is not what it should be beside all others. */
function checkPlaces(store: EngineMemory, live: readonly Region[]): void {
  const sorted = [...live].sort((a, b) => a.address - b.address);
  const end = store.wasm.buffer.byteLength;
  sorted.forEach(({ address, bytes }, i) => {
    const next = sorted[i + 1]?.address ?? end;
    if (address % 64 !== 0 || address < RESERVED || address + bytes + 64 > next)
      throw new Error(`region of ${bytes} at ${address}, the next at ${next}, the end at ${end}`);
  });
}

const fill = (store: EngineMemory, { address, bytes }: Region, byte: number): void =>
  void store.views().u8.fill(byte, address, address + bytes);
const holds = (store: EngineMemory, { address, bytes }: Region, byte: number): boolean =>
  store
    .views()
    .u8.subarray(address, address + bytes)
    .every((each) => each === byte);

describe.each([true, false])("a memory (shared: %s)", (shared) => {
  it("gives out places that do not overlap, and gets all of them back", () => {
    const store = new EngineMemory({ shared, initial: 1, maximum: 200 });
    const random = generator(7);
    const live: { readonly region: Region; readonly byte: number }[] = [];
    let peak = 0;
    for (let step = 0; step < 6000; step++) {
      // More is allocated than freed for 2000 steps, then the other way round, and so on.
      if (live.length === 0 || random(10) < (Math.floor(step / 2000) % 2 === 0 ? 6 : 4)) {
        const region = store.allocate(random(8) === 0 ? random(60_000) : random(700));
        const byte = random(256);
        fill(store, region, byte);
        live.push({ region, byte });
      } else {
        const out = live.splice(random(live.length), 1)[0] as (typeof live)[number];
        if (!holds(store, out.region, out.byte)) throw new Error(`overwritten at step ${step}`);
        out.region.free();
        if (random(4) === 0) out.region.free();
      }
      const inUse = live.reduce((sum, { region }) => sum + Math.ceil(region.bytes / 64 + 1) * 64, 0);
      peak = Math.max(peak, inUse);
      if (store.inUse !== inUse || store.peak !== peak) throw new Error(`counts ${store.inUse}, not ${inUse}`);
      if (step % 10 === 0)
        checkPlaces(
          store,
          live.map(({ region }) => region),
        );
    }
    for (const { region } of live) region.free();
    expect(store.inUse).toBe(0);
    const size = store.wasm.buffer.byteLength;
    const whole = store.allocate(size - RESERVED - 64);
    expect([whole.address, store.wasm.buffer.byteLength]).toEqual([RESERVED, size]);
  });

  it("keeps what is in it when it grows, in every view", () => {
    const store = new EngineMemory({ shared, initial: 1, maximum: 40 });
    const first = store.allocate(64);
    const before = store.views();
    before.f64[first.address / 8] = Math.PI;
    const second = store.allocate(3 * PAGE);
    const { f32, f64, i32, u32, u8 } = store.views();
    expect(f64[first.address / 8]).toBe(Math.PI);
    expect(second.address + second.bytes + 64).toBeLessThanOrEqual(u8.length);
    expect([f32, f64, i32, u32, u8].map((view) => view.byteLength)).toEqual(
      Array(5).fill(store.wasm.buffer.byteLength),
    );
    i32[second.address / 4 + 1] = -2;
    expect([u32[second.address / 4 + 1], u8[second.address + 4]]).toEqual([4294967294, 254]);
    expect(Number.isNaN(f32[second.address / 4 + 1])).toBe(true);
    expect(store.views()).toBe(store.views());
  });

  it("says what is missing when it is full, and goes on", () => {
    const store = new EngineMemory({ shared, initial: 1, maximum: 16 });
    const most = store.allocate(15 * PAGE);
    expect(store.wasm.buffer.byteLength).toBe(16 * PAGE);
    expect(() => store.allocate(2 * PAGE)).toThrow(
      "memory: got a request for 128 KiB with 960 KiB in use, expected at most 1020 KiB together; " +
        "ask for fewer runs at a time or smaller batches, and keep no results that nobody reads any more.",
    );
    store.allocate(PAGE - RESERVED - 128);
    expect(() => store.allocate(0)).toThrow("memory: got a request for 0 bytes with");
    most.free();
    expect(store.allocate(2 * PAGE).address).toBe(most.address);
  });
});

it("uses addresses up to 4 GiB", () => {
  const store = new EngineMemory({ shared: true, initial: 16, maximum: 65536 });
  const gib = 2 ** 30;
  const [low, high] = [store.allocate(2.5 * gib), store.allocate(gib)];
  expect([low.address, high.address]).toEqual([RESERVED, RESERVED + 2.5 * gib + 64]);
  const at = high.address / 4;
  const view = store.views().f32;
  view[at] = 2;
  expect([view[at], store.wasm.buffer.byteLength > 3.5 * gib]).toEqual([2, true]);
  expect(() => store.allocate(gib)).toThrow(
    "got a request for 1 GiB with 3.5 GiB in use, expected at most 4 GiB together",
  );
});

it("is one per process, shared where there are threads", () => {
  expect(memory()).toBe(memory());
  const { wasm, shared, pages } = memory();
  expect([shared, wasm.buffer instanceof SharedArrayBuffer, pages[0]]).toEqual([true, true, 1]);
});

it("takes the smallest free block that is large enough, the first of several, and joins neighbours", () => {
  const list = new FreeList();
  for (const [start, size] of [
    [1000, 30],
    [0, 20],
    [100, 25],
    [200, 20],
  ] as const)
    list.give(start, size);
  expect([list.take(21), list.take(20), list.take(20), list.take(31), list.take(20)]).toEqual([
    100,
    0,
    200,
    null,
    1000,
  ]);
  // Left: [121, 4], [1020, 10].
  expect([list.count, list.lastBefore(1030), list.lastBefore(1029)]).toEqual([2, 10, 0]);
  list.give(1000, 20);
  list.give(100, 21);
  expect([list.count, list.lastBefore(1030)]).toEqual([2, 30]);
  list.give(125, 875);
  expect([list.count, list.take(930), list.count, list.take(1)]).toEqual([1, 100, 0, null]);
});

it("says sizes as people do", () => {
  expect([0, 1023, 1024, 1536, 1048576, 5 * 2 ** 30, 2 ** 45].map(sized)).toEqual([
    "0 bytes",
    "1023 bytes",
    "1 KiB",
    "1.5 KiB",
    "1 MiB",
    "5 GiB",
    "32 TiB",
  ]);
});
