import type { DType } from "../../base/dtype.js";
import type { Code } from "../encode.js";
import type { Registers } from "./registers.js";

/**
 * How the elements of an input or output lie. slot: bool as 32-bit masks, written to a whole unit; stream: bool as bytes, written
 * exactly; scalar: one number (bool one byte), of inputs only.
 */
export interface Stream {
  readonly kind: "stream" | "scalar" | "slot";
  readonly dtype: DType;
}

/** Bytes from one element to the next. */
export function strideOf({ kind, dtype }: Stream): number {
  if (kind === "scalar") return 0;
  if (dtype === "float64") return 8;
  return dtype === "bool" && kind === "stream" ? 1 : 4;
}

/** The locals with the vectors of unit `unit` of an input, that of a scalar with its number in all lanes. */
export function load(registers: Registers, stream: Stream, pointer: number, unit: number): number[] {
  const { code } = registers;
  const { kind, dtype } = stream;
  const at = 4 * unit * strideOf(stream);
  const double = dtype === "float64";
  if (kind === "scalar") {
    const local = registers.take();
    pushScalar(registers, dtype, pointer);
    code.set(local);
    return double ? [local, local] : [local];
  }
  return (double ? [0, 1] : [0]).map((half) => {
    const local = registers.take();
    code.get(pointer);
    if (strideOf(stream) === 1) pushMasks(registers, at);
    else code.memory("v128.load", at + 16 * half);
    code.set(local);
    return local;
  });
}

function pushMasks(registers: Registers, at: number): void {
  const { code } = registers;
  code.memory("v128.load32_zero", at).op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u");
  code.get(registers.number(0, "int32")).op("i32x4.ne");
}

function pushScalar(registers: Registers, dtype: DType, pointer: number): void {
  const { code } = registers;
  code.get(pointer);
  if (dtype === "bool") {
    code.memory("i32.load8_u").op("i32x4.splat");
    code.get(registers.number(0, "int32")).op("i32x4.ne");
  } else code.memory(dtype === "float64" ? "v128.load64_splat" : "v128.load32_splat");
}

/** Bytes 0 or 1 of masks, in the first four bytes of the vector left on the stack. */
function pushBytes(registers: Registers, mask: number): void {
  const { code } = registers;
  code.get(mask).get(mask).shuffle([0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]);
  code.get(registers.number(0x01010101, "int32")).op("v128.and");
}

/** An output of one unit. */
export interface Store {
  readonly stream: Stream;
  readonly pointer: number;
  readonly unit: number;
  readonly vectors: readonly number[];
}

/** Stores four elements. */
export function storeWhole(registers: Registers, { stream, pointer, unit, vectors }: Store): void {
  const { code } = registers;
  const at = 4 * unit * strideOf(stream);
  if (strideOf(stream) === 1) {
    code.get(pointer);
    pushBytes(registers, vectors[0] as number);
    code.memoryLane("v128.store32_lane", 0, at);
    return;
  }
  vectors.forEach((vector, half) => {
    code
      .get(pointer)
      .get(vector)
      .memory("v128.store", at + 16 * half);
  });
}

/** Stores the first `count` < 4 elements of unit 0. */
export function storePart(registers: Registers, store: Store, count: 1 | 2 | 3): void {
  const { stream, pointer, vectors } = store;
  const { code } = registers;
  const size = strideOf(stream);
  const lanes = (name: string, lane: number, from: number, push: () => unknown): void => {
    code.get(pointer);
    push();
    code.memoryLane(`v128.store${name}_lane`, lane, from);
  };
  const [low, high] = vectors as [number, number | undefined];
  if (size === 8) {
    if (count === 1) lanes("64", 0, 0, () => code.get(low));
    else code.get(pointer).get(low).memory("v128.store");
    if (count === 3) lanes("64", 0, 16, () => code.get(high as number));
    return;
  }
  const push = (): unknown => (size === 1 ? pushBytes(registers, low) : code.get(low));
  if (count > 1) lanes(String(16 * size), 0, 0, push);
  if (count !== 2) lanes(String(8 * size), count - 1, (count - 1) * size, push);
}

/** Stores as many elements of one unit as are left: `count` or four. */
export function storeLeft(registers: Registers, stores: readonly Store[]): void {
  const exact = stores.filter(({ stream }) => stream.kind === "stream");
  for (const store of stores) if (!exact.includes(store)) storeWhole(registers, store);
  if (exact.length === 0) return;
  const { code, count } = registers;
  const part = (n: 1 | 2 | 3) => (): void => exact.forEach((store) => void storePart(registers, store, n));
  const atLeast = (n: number): Code => code.get(count).i32(n).op("i32.ge_s");
  atLeast(4).if(
    () => exact.forEach((store) => void storeWhole(registers, store)),
    () => {
      atLeast(2).if(() => void atLeast(3).if(part(3), part(2)), part(1));
    },
  );
}
