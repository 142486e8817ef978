import type { ValueType } from "../../kernel/expr/block.js";
import { Code } from "../encode.js";

/**
 * The vector locals of a function under construction: those no longer read are taken again, and every constant has one of its own, set
 * at the start of the function.
 */
export class Registers {
  readonly code: Code;
  /** The local that says how many elements are left. */
  readonly count: number;
  /** The local of the place of the next element. */
  readonly place: number;
  /** The local that gathers masks of rare cases, once there are any. */
  rare: number | null = null;
  private readonly free: number[] = [];
  private readonly constants = new Map<string, { readonly bytes: readonly number[]; readonly local: number }>();
  /** Locals of numbers, by type and number: what they come to is worked out once. */
  private readonly numbers = new Map<string, number>();

  constructor(code: Code, count: number, place: number) {
    this.code = code;
    this.count = count;
    this.place = place;
  }

  take(): number {
    return this.free.pop() ?? this.code.local("v128");
  }

  give(local: number): void {
    this.free.push(local);
  }

  /** The local of a constant of sixteen bytes. */
  constant(bytes: readonly number[]): number {
    const key = bytes.join();
    const known = this.constants.get(key);
    if (known) return known.local;
    const local = this.code.local("v128");
    this.constants.set(key, { bytes, local });
    return local;
  }

  /** The local of a number in all lanes. */
  number(value: number | bigint, type: ValueType): number {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    let local = this.numbers.get(key);
    if (local === undefined) {
      local = this.constant(splat(value, type));
      this.numbers.set(key, local);
    }
    return local;
  }

  /** The local of the numbers from `first` on, as 32-bit words. */
  lanes(first: number): number {
    return this.constant([...new Uint8Array(Int32Array.of(first, first + 1, first + 2, first + 3).buffer)]);
  }

  /** Puts the constants before everything else. */
  finish(): Code {
    const first = new Code(this.code.params);
    for (const { bytes, local } of this.constants.values()) first.v128(bytes).set(local);
    this.code.prepend(first);
    return this.code;
  }
}

/** The sixteen bytes of a number in all lanes; bool as a mask. */
function splat(value: number | bigint, type: ValueType): number[] {
  const view = new DataView(new ArrayBuffer(16));
  for (let at = 0; at < 16; at += 8) {
    if (type === "float64") view.setFloat64(at, Number(value), true);
    else if (type === "int64") view.setBigInt64(at, BigInt(value), true);
    else for (const word of [at, at + 4]) write(view, word, Number(value), type);
  }
  return [...new Uint8Array(view.buffer)];
}

function write(view: DataView, at: number, value: number, type: ValueType): void {
  if (type === "float32") view.setFloat32(at, value, true);
  else view.setInt32(at, type === "bool" ? (value || Number.isNaN(value) ? -1 : 0) : value, true);
}
