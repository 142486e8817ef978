import type { DType } from "../../base/dtype.js";
import type { Code } from "../encode.js";

/** Bytes of an element as it lies in a buffer. */
export function bytesOf(dtype: DType): 1 | 4 | 8 {
  return dtype === "float64" ? 8 : dtype === "bool" ? 1 : 4;
}

/** Bytes of an element as it lies in a slot, where bool is a 32-bit mask. */
export function slotBytesOf(dtype: DType): 4 | 8 {
  return dtype === "float64" ? 8 : 4;
}

/** A number the emitted code has in a local, or one known when it is emitted. */
export type Num = { readonly local: number } | { readonly constant: number };

export function push(code: Code, num: Num): Code {
  return "local" in num ? code.get(num.local) : code.i32(num.constant);
}

/** Tested at the end of each round as well as before the first: one jump a round. */
export function whileLoop(code: Code, condition: () => void, body: () => void): void {
  condition();
  code.if(() => {
    code.loop(() => {
      body();
      condition();
      code.brIf(0);
    });
  });
}

/** Repeats `body`, which takes `step` off the local, as long as at least `step` is left. */
export function countDown(code: Code, left: number, step: number, body: () => void): void {
  whileLoop(
    code,
    () => code.get(left).i32(step).op("i32.ge_s"),
    () => {
      body();
      bump(code, left, -step);
    },
  );
}

/** local += by. */
export function bump(code: Code, local: number, by: number): void {
  if (by !== 0) code.get(local).i32(by).op("i32.add").set(local);
}

/** The top of the stack times a constant. */
export function scale(code: Code, by: number): Code {
  const shift = Math.log2(by);
  if (by === 1) return code;
  return Number.isInteger(shift) ? code.i32(shift).op("i32.shl") : code.i32(by).op("i32.mul");
}

/** Leaves the smaller of two locals (signed) on the stack. */
export function lesser(code: Code, a: number, b: number): Code {
  return code.get(a).get(b).get(a).get(b).op("i32.lt_s").op("select");
}

/** A shuffle of 32-bit lanes: 0-3 of the first operand, 4-7 of the second. */
export function shuffle32(code: Code, lanes: readonly number[]): Code {
  return code.shuffle(lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)));
}

/** The sixteen bytes of four 32-bit words. */
export function words(values: readonly number[]): number[] {
  return values.flatMap((value) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255));
}
