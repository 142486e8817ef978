import type { ValueType } from "../../kernel/expr/block.js";
import { Code } from "../encode.js";

/** The sixteen bytes of the constant that is asked for, and the words they make up. */
const bytes = new Uint8Array(16);
const view = new DataView(bytes.buffer);
const words = new Int32Array(bytes.buffer);

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
  /** What comes before everything else: it sets the constants. */
  private readonly start: Code;
  /** Locals of constants by their words. */
  private readonly constants = new Map<string, number>();
  /** The same by type and number, so that what these come to is worked out once. */
  private readonly numbers = new Map<string, number>();

  constructor(code: Code, count: number, place: number) {
    this.code = code;
    this.count = count;
    this.place = place;
    this.start = new Code(code.params);
  }

  take(): number {
    return this.free.pop() ?? this.code.local("v128");
  }

  give(local: number): void {
    this.free.push(local);
  }

  /** The local of a number in all lanes. */
  number(value: number | bigint, type: ValueType): number {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    splat(value, type);
    const local = this.constant();
    this.numbers.set(key, local);
    return local;
  }

  /** The local of four words. */
  lanes(a: number, b: number, c: number, d: number): number {
    [a, b, c, d].forEach((word, lane) => {
      view.setInt32(4 * lane, word, true);
    });
    return this.constant();
  }

  /** The local of the constant laid out in `bytes`. */
  private constant(): number {
    const key = `${words[0]} ${words[1]} ${words[2]} ${words[3]}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const local = this.code.local("v128");
    this.start.v128(bytes).set(local);
    this.constants.set(key, local);
    return local;
  }

  /** Puts the constants before everything else. */
  finish(): Code {
    this.code.prepend(this.start);
    return this.code;
  }
}

/** Lays out a number in all lanes; bool as a mask. */
function splat(value: number | bigint, type: ValueType): void {
  if (type === "float64") view.setFloat64(0, Number(value), true);
  else if (type === "int64") view.setBigInt64(0, BigInt(value), true);
  else {
    write(Number(value), type);
    bytes.copyWithin(4, 0, 4);
  }
  bytes.copyWithin(8, 0, 8);
}

function write(value: number, type: ValueType): void {
  if (type === "float32") view.setFloat32(0, value, true);
  else view.setInt32(0, type === "bool" ? (value || Number.isNaN(value) ? -1 : 0) : value, true);
}
