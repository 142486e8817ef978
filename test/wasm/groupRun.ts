import type { DType, TypedArray } from "../../src/base/dtype.js";
import { allocate } from "../../src/base/dtype.js";
import type { Group, Map as MapStage, Place, View } from "../../src/compile/plan.js";
import { type Callee, Code, ModuleBuilder } from "../../src/wasm/encode.js";
import { emitGroup, measureGroup } from "../../src/wasm/group.js";

/** A map stage for tests: the first input times the scalar, plus the last three bits of the place. */
export function mapCode(stage: MapStage): Code {
  const inputs = stage.inputs.length;
  const code = new Code(Array.from({ length: 2 + inputs + stage.outputs.length }, () => "i32" as const));
  const [count, place] = [0, 1];
  const i = code.local("i32");
  const at = (operand: number): Code =>
    code
      .get(2 + operand)
      .get(i)
      .i32(2)
      .op("i32.shl")
      .op("i32.add");
  code.block(() => {
    code.loop(() => {
      code.get(i).get(count).op("i32.ge_s").brIf(1);
      at(inputs);
      at(0).memory("f32.load").get(3).memory("f32.load").op("f32.mul");
      code.get(place).get(i).op("i32.add").i32(7).op("i32.and").op("f32.convert_i32_s").op("f32.add");
      code.memory("f32.store");
      code.get(i).i32(1).op("i32.add").set(i).br(0);
    });
  });
  return code;
}

export type MapEmitter = (stage: MapStage, add: (code: Code, label: string) => Callee) => Callee;

const emitTestMap: MapEmitter = (stage, add) => add(mapCode(stage), "map");

/** What `mapCode` computes of element `i`. */
export function mapped(x: number, scalar: number, i: number): number {
  return Math.fround(Math.fround(x * scalar) + (i & 7));
}

export interface World {
  readonly buffers: readonly TypedArray[];
  readonly cells: readonly number[];
}

const canary = 0xa5;
const margin = 128;

export interface Built {
  readonly world: World;
  readonly starts: readonly number[];
  readonly partials: number;
  readonly scratch: number;
  readonly pages: number;
  readonly partialBytes: number;
  readonly units: number;
  readonly slotBytes: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly finishes: boolean;
}

/** The module of a group, its memory laid out as: cells, buffers with margins, partial results, scratch. */
export function build(group: Group, world: World, map: MapEmitter = emitTestMap): Built {
  let at = 1024;
  const take = (bytes: number): number => {
    const start = Math.ceil((at + margin) / 64) * 64;
    at = start + bytes;
    return start;
  };
  const starts = world.buffers.map((buffer) => take(buffer.byteLength));
  const size = measureGroup(group);
  const partials = take(size.partialBytes);
  const scratch = take(size.slotBytes);
  const pages = Math.ceil((at + margin) / 65536);
  const builder = new ModuleBuilder();
  const add = (code: Code, label: string): Callee => builder.add(code, label);
  const address = (place: Place): { constant: number; cells: { address: number; stride: number }[] } => {
    const bytes = (world.buffers[place.buffer] as TypedArray).BYTES_PER_ELEMENT;
    return {
      constant: (starts[place.buffer] as number) + place.offset * bytes,
      cells: place.rows.map(({ cell, stride }) => ({ address: 4 * cell, stride: stride * bytes })),
    };
  };
  const code = emitGroup(group, {
    address,
    add,
    shared: new Map(),
    partials,
    map: (stage) => map(stage, add),
  });
  const run = new Code(["i32", "i32", "i32"]).get(0).get(1).get(2).call(code.run);
  builder.add(run, "run", "run");
  if (code.finish) builder.add(new Code(["i32"]).get(0).call(code.finish), "finish", "finish");
  const bytes = builder.bytes({ shared: false, pages: [pages, pages] });
  return { ...size, world, starts, partials, scratch, pages, bytes, finishes: code.finish !== null };
}

export interface Ready {
  readonly memory: WebAssembly.Memory;
  readonly run: (from: number, to: number, scratch: number) => void;
  readonly finish: ((scratch: number) => void) | undefined;
}

export function ready(built: Built): Ready {
  const memory = new WebAssembly.Memory({ initial: built.pages, maximum: built.pages });
  const all = new Uint8Array(memory.buffer).fill(canary);
  new Int32Array(memory.buffer).set(built.world.cells);
  built.world.buffers.forEach((buffer, i) => {
    all.set(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength), built.starts[i]);
  });
  all.fill(255, built.scratch, built.scratch + built.slotBytes);
  all.fill(255, built.partials, built.partials + built.partialBytes);
  const module = new WebAssembly.Module(built.bytes);
  const { run, finish } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return { memory, run: run as Ready["run"], finish: finish as Ready["finish"] };
}

/** The buffers after the group ran on so many threads, the last one first. @throws where anything else was written */
export function runGroup(group: Group, world: World, threads = 1, map?: MapEmitter): TypedArray[] {
  const built = build(group, world, map);
  const { memory, run, finish } = ready(built);
  const { units } = built;
  for (let t = threads - 1; t >= 0; t--) {
    run(Math.floor((t * units) / threads), Math.floor(((t + 1) * units) / threads), built.scratch);
  }
  finish?.(built.scratch);
  const all = new Uint8Array(memory.buffer);
  const out = world.buffers.map((buffer, i) => {
    const start = built.starts[i] as number;
    const copy = all.slice(start, start + buffer.byteLength);
    all.fill(canary, start, start + buffer.byteLength);
    return new (buffer.constructor as { new (b: ArrayBuffer): TypedArray })(copy.buffer);
  });
  all.fill(canary, built.partials, built.partials + built.partialBytes);
  all.fill(canary, built.scratch, built.scratch + built.slotBytes);
  const strange = differing(all);
  if (strange >= 0) throw new Error(`byte ${strange} was written; scratch is at ${built.scratch}`);
  return out;
}

/** The first byte that is no canary, or -1: eight at a time. */
function differing(all: Uint8Array): number {
  const long = new BigUint64Array(all.buffer, 1024);
  const all8 = 0xa5a5a5a5a5a5a5a5n;
  for (let i = 0; i < long.length; i++) if (long[i] !== all8) return 1024 + 8 * i;
  return -1;
}

/** Element i of the domain: its indices along the axes. */
export function indicesOf(shape: readonly number[], i: number): number[] {
  const indices = shape.map(() => 0);
  for (let a = shape.length - 1; a >= 0; a--) {
    const size = shape[a] as number;
    indices[a] = i % size;
    i = Math.floor(i / size);
  }
  return indices;
}

/** Number of the element of its buffer that a place is. */
export function offsetOf(place: Place, world: World): number {
  return place.rows.reduce((at, { cell, stride }) => at + (world.cells[cell] as number) * stride, place.offset);
}

/** Where element i of a view lies in its buffer. */
export function elementOf(view: View, shape: readonly number[], i: number, world: World): number {
  const indices = indicesOf(shape, i);
  return view.strides.reduce((at, stride, a) => at + stride * (indices[a] as number), offsetOf(view.place, world));
}

export function place(buffer: number, offset = 0, rows: Place["rows"] = []): Place {
  return { buffer, offset, rows };
}

/** A generator of its own, so that a failure repeats. */
export function generator(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * below);
  };
}

/** Small whole numbers, or truth values: sums of them are exact. */
export function wholes(dtype: DType, size: number, random: (below: number) => number): TypedArray {
  const out = allocate(dtype, size);
  for (let i = 0; i < size; i++) out[i] = dtype === "bool" ? random(2) : random(201) - (dtype === "uint32" ? 0 : 100);
  return out;
}
