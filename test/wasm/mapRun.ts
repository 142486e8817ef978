import type { Block, Op, Outside } from "../../src/kernel/expr/block.js";
import type { Element } from "../../src/kernel/expr/interpret.js";
import { type Callee, ModuleBuilder } from "../../src/wasm/encode.js";
import { callsOf, emitMap, type MapOptions, type Stream } from "../../src/wasm/map.js";

/** A map stage made by `emitMap` in a memory of its own: elements in, elements out, and whether anything else was written. */

const CANARY = 0xa5;
const MARGIN = 64;
/** Nothing may depend on alignment. */
const ASKEW = 3;

export interface Machine {
  /** The elements of each output. @throws where a byte was written that must not be */
  run(count: number, place?: number): Element[][];
  /** The function itself, and where its pointers are to point. */
  readonly call: (count: number) => void;
  readonly functions: number;
}

export interface Setting extends Partial<Pick<MapOptions, "numerics" | "relaxed" | "units">> {}

function widthOf({ kind, dtype }: Stream): number {
  if (dtype === "float64") return 8;
  return dtype === "bool" && kind !== "slot" ? 1 : 4;
}

export function write(view: DataView, at: number, stream: Stream, x: Element): void {
  const value = Number(x);
  if (stream.dtype === "float64") view.setFloat64(at, value, true);
  else if (stream.dtype === "float32") view.setFloat32(at, value, true);
  else if (stream.dtype !== "bool") view.setInt32(at, value, true);
  else if (stream.kind === "slot") view.setInt32(at, value ? -1 : 0, true);
  else view.setUint8(at, value);
}

function read(view: DataView, at: number, { kind, dtype }: Stream): number {
  if (dtype === "float64") return view.getFloat64(at, true);
  if (dtype === "float32") return view.getFloat32(at, true);
  if (dtype === "uint32") return view.getUint32(at, true);
  const word = dtype === "bool" && kind === "stream" ? view.getUint8(at) : view.getInt32(at, true);
  if (dtype !== "bool" || kind === "stream") return word;
  return word === -1 ? 1 : word === 0 ? 0 : NaN;
}

function build(block: Block, inputs: readonly Stream[], outputs: readonly Stream[], pages: number, setting: Setting) {
  const builder = new ModuleBuilder();
  const env: Record<string, Outside | WebAssembly.Memory> = {};
  const imports = new Map<string, Callee>();
  for (const { name, run, arity } of callsOf(block)) {
    imports.set(name, builder.importFunction(name, new Array<"f64">(arity).fill("f64"), ["f64"]));
    env[name] = run;
  }
  let functions = 0;
  emitMap(block, inputs, outputs, {
    numerics: "exact",
    relaxed: false,
    ...setting,
    calls: (name) => imports.get(name) as Callee,
    add: (code, label) => {
      functions++;
      return builder.add(code, label, label === "map" ? "run" : undefined);
    },
  });
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(builder.bytes({ shared: false, pages: [pages, pages] }));
  const { exports } = new WebAssembly.Instance(module, { env: { ...env, memory } });
  return { memory, functions, run: exports["run"] as (...args: number[]) => void };
}

/** @param data elements of each input, one of a scalar; null: its pointer is to nowhere */
export function machine(
  block: Block,
  inputs: readonly Stream[],
  outputs: readonly Stream[],
  data: readonly (readonly Element[] | null)[],
  setting: Setting = {},
): Machine {
  const most = Math.max(1, ...data.map((elements) => elements?.length ?? 0));
  let at = MARGIN + ASKEW;
  const places = [...inputs, ...outputs].map((stream) => {
    const place = at;
    at += (most + 8) * widthOf(stream) + 2 * MARGIN;
    return place;
  });
  const { memory, run, functions } = build(block, inputs, outputs, Math.ceil(at / 65536), setting);
  const view = new DataView(memory.buffer);
  const pointers = places.map((place, i) => (data[i] === null ? -16 : place));
  const call = (count: number, place = 0): void => run(count, place, ...pointers);
  const bytes = new Uint8Array(memory.buffer, 0, at);
  const reset = (): void => {
    bytes.fill(CANARY);
    inputs.forEach((stream, i) => {
      data[i]?.forEach((x, j) => void write(view, (places[i] as number) + j * widthOf(stream), stream, x));
    });
  };
  reset();
  const before = bytes.slice();
  return {
    call,
    functions,
    run(count, place = 0) {
      bytes.set(before);
      call(count, place);
      const results = outputs.map((stream, i) => {
        const from = places[inputs.length + i] as number;
        const width = widthOf(stream);
        const elements = Array.from({ length: count }, (_, j) => read(view, from + j * width, stream));
        const written = stream.kind === "slot" ? 4 * Math.ceil(count / 4) : count;
        bytes.fill(CANARY, from, from + written * width);
        return elements;
      });
      if (Buffer.compare(bytes, before) !== 0) {
        const wrong = bytes.findIndex((byte, k) => byte !== before[k]);
        throw new Error(`byte ${wrong} was written; outputs at ${places.slice(inputs.length)}`);
      }
      return results;
    },
  };
}

/** The type of each output of a block as a stream. */
export function outputsOf(block: Block, kind: "stream" | "slot" = "stream"): Stream[] {
  return block.outputs.map((value) => ({ kind, dtype: (block.ops[value] as Op).type as Stream["dtype"] }));
}
