import type { Block, Op, Value } from "../../kernel/expr/block.js";
import type { Analysis } from "./nodes.js";
import type { Registers } from "./registers.js";

/** The even 32-bit words of two vectors: masks of 64 bits become masks of 32, and int64 their low halves. */
export const EVEN_WORDS: readonly number[] = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
/** Each word of half a vector twice. */
const TWICE: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7],
  [8, 9, 10, 11, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15],
];

interface Held {
  /** One or two vectors; none where a bool is only held wide. */
  own: readonly number[];
  /** Of a bool: its masks as 64-bit words. */
  wide: readonly number[] | null;
  /** Reads to come. */
  left: number;
}

/** Where the values of a block are held for one unit of four elements. */
export class Frame {
  readonly registers: Registers;
  readonly block: Block;
  readonly analysis: Analysis;
  /** A mask of the elements that are at work; null: as many as are left. */
  readonly active: number | null;
  /** Which of the units of a round it is. */
  readonly unit: number;
  /** Carried values of loops. */
  readonly loops: Map<Value, readonly (readonly number[])[]> = new Map();
  /** What the elements have in common. */
  private readonly common: Frame | null;
  private readonly held: (Held | undefined)[] = [];

  constructor(
    registers: Registers,
    block: Block,
    analysis: Analysis,
    options: { readonly common?: Frame; readonly active?: number | null; readonly unit?: number } = {},
  ) {
    this.registers = registers;
    this.block = block;
    this.analysis = analysis;
    this.common = options.common ?? null;
    this.active = options.active ?? null;
    this.unit = options.unit ?? 0;
  }

  /** @param pinned never to be taken for another value */
  bind(value: Value, own: readonly number[], pinned = false): void {
    this.held[value] = { own, wide: null, left: pinned ? Infinity : this.analysis.uses[value]! };
  }

  bindWide(value: Value, wide: readonly number[], pinned = false): void {
    this.held[value] = { own: [], wide, left: pinned ? Infinity : this.analysis.uses[value]! };
  }

  private find(value: Value): Held {
    return this.held[value] ?? this.common?.held[value] ?? this.constant(value);
  }

  /** Constants are everybody's. */
  private constant(value: Value): Held {
    const op = this.block.ops[value] as Op;
    if (op.op !== "const") throw new Error(`wasm: value ${value} (${op.op}) is not there yet`);
    const local = this.registers.number(op.value, op.type);
    const two = op.type === "float64" || op.type === "int64";
    const constant: Held = {
      own: two ? [local, local] : [local],
      wide: op.type === "bool" ? [local, local] : null,
      left: Infinity,
    };
    (this.common ?? this).held[value] = constant;
    return constant;
  }

  /** The vectors of a value; of a bool the mask of 32-bit words. */
  vectors(value: Value): readonly number[] {
    const held = this.find(value);
    if (held.own.length > 0) return held.own;
    const { code } = this.registers;
    const local = this.registers.take();
    for (const half of held.wide as readonly number[]) code.get(half);
    code.shuffle(EVEN_WORDS).set(local);
    held.own = [local];
    return held.own;
  }

  /** The masks of a bool as 64-bit words. */
  wide(value: Value): readonly number[] {
    const held = this.find(value);
    if (held.wide) return held.wide;
    const [mask] = held.own as readonly [number];
    held.wide = TWICE.map((order) => {
      const local = this.registers.take();
      this.registers.code.get(mask).get(mask).shuffle(order).set(local);
      return local;
    });
    return held.wide;
  }

  isWide(value: Value): boolean {
    return this.find(value).wide !== null;
  }

  /** Whether it is a constant all of whose bits are 0. */
  isZero(value: Value): boolean {
    const op = this.block.ops[value] as Op;
    return op.op === "const" && (op.value === 0n || Object.is(op.value, 0));
  }

  /** One reader less. */
  release(value: Value): void {
    const held = this.held[value];
    if (!held || --held.left > 0) return;
    for (const local of held.own) this.registers.give(local);
    if (held.wide) for (const local of held.wide) this.registers.give(local);
    this.held[value] = undefined;
  }
}
