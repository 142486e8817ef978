import type { DType } from "../../base/dtype.js";

/**
 * Scalar expressions as data: what one element of a loop computes. A block is a list of operations, each on results of earlier ones
 * (single assignment); it means the same whether it is interpreted element by element (interpret.ts) or emitted as vector code.
 * Arithmetic rounds to its own type after every operation, and is never contracted or reordered.
 */

/** Types of values in flight: those of tensors, and 64-bit words, which only occur between other operations (exponents of doubles). */
export type ValueType = DType | "int64";

/** A result: its place in the block. */
export type Value = number;

/** An element-wise function of the world outside, called with float64 numbers one element at a time. */
export type Outside = (...args: number[]) => number;

export type Op =
  /** The element of input `index` of the block. */
  | { readonly op: "input"; readonly type: ValueType; readonly args: readonly []; readonly index: number }
  /** A number; of int64 a bigint. */
  | { readonly op: "const"; readonly type: ValueType; readonly args: readonly []; readonly value: number | bigint }
  /** The number of the element in the loop, row-major, from 0 (uint32). */
  | { readonly op: "place"; readonly type: ValueType; readonly args: readonly [] }
  | { readonly op: Unary; readonly type: ValueType; readonly args: readonly [Value] }
  | { readonly op: Binary; readonly type: ValueType; readonly args: readonly [Value, Value] }
  | { readonly op: Comparison; readonly type: "bool"; readonly args: readonly [Value, Value] }
  /** Shifts and rotations by a constant number of bits. */
  | { readonly op: Shift; readonly type: ValueType; readonly args: readonly [Value]; readonly by: number }
  /** args[0] (bool) ? args[1] : args[2]; both are computed. */
  | { readonly op: "select"; readonly type: ValueType; readonly args: readonly [Value, Value, Value] }
  /** As select of (mask, slow, fast), where the mask hardly ever holds: code may compute `slow` apart, and only then. */
  | { readonly op: "rare"; readonly type: ValueType; readonly args: readonly [Value, Value, Value] }
  /** A call per element: arguments are converted to float64, the result to `type`. Equal names mean the same function. */
  | {
      readonly op: "call";
      readonly type: ValueType;
      readonly args: readonly Value[];
      readonly name: string;
      readonly run: Outside;
    }
  /**
   * A loop per element: `body` takes the carried values and then the captured ones, and gives whether to go on (bool) and the next
   * carried values. An element that is done keeps its values while others go on; after `limit` rounds all stop. Its own type is bool:
   * whether the element ended by itself. args: first carried values, then captured ones. Its results are taken by "result".
   */
  | {
      readonly op: "loop";
      readonly type: "bool";
      readonly args: readonly Value[];
      readonly body: Block;
      readonly carried: number;
      readonly limit: number;
    }
  /** Carried value `index` of a loop at its end. */
  | { readonly op: "result"; readonly type: ValueType; readonly args: readonly [Value]; readonly index: number };

export type Unary =
  | "neg"
  | "abs"
  | "sqrt"
  | "floor"
  | "ceil"
  | "trunc"
  /** To the nearest whole number, halves to even. */
  | "nearest"
  /** Bits; of bool the truth. */
  | "not"
  /**
   * A number in another type, as a store into a typed array would: whole numbers wrap, floats round, float to whole truncates and
   * wraps modulo 2³² (NaN and infinities are 0), anything but 0 is true (NaN too), true is 1. int64 takes part with int32 alone
   * (sign-extended, or its low half).
   */
  | "convert"
  /** The same bits in another type of the same width. */
  | "bits";

export type Binary =
  | "add"
  | "sub"
  /** Whole numbers wrap. int64 has none. */
  | "mul"
  | "div"
  /** NaN if either is; −0 is less than 0. As Math.min. */
  | "min"
  | "max"
  /** b < a ? b : a and a < b ? b : a: one instruction each; the second operand's NaN is lost. */
  | "pmin"
  | "pmax"
  | "and"
  | "or"
  | "xor";

/** By IEEE 754 for floats: all but "ne" are false with NaN. Whole numbers by their own sign. */
export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** "shr" brings in copies of the sign for int32 and int64, zeros for uint32. */
export type Shift = "shl" | "shr" | "rotl";

export interface Block {
  readonly ops: readonly Op[];
  /** Types of the inputs, whether or not an "input" operation takes them. */
  readonly inputs: readonly ValueType[];
  readonly outputs: readonly Value[];
}

/** Builds a block. Equal operations are built once. */
export class Builder {
  readonly ops: Op[] = [];
  readonly inputs: ValueType[] = [];
  private readonly known = new Map<string, Value>();

  typeOf(value: Value): ValueType {
    return (this.ops[value] as Op).type;
  }

  /** A further input of the block. */
  input(type: ValueType): Value {
    this.inputs.push(type);
    return this.push({ op: "input", type, args: [], index: this.inputs.length - 1 });
  }

  constant(value: number | bigint, type: ValueType): Value {
    return this.push({ op: "const", type, args: [], value });
  }

  /** A constant of the type of `x`. */
  like(x: Value, value: number): Value {
    return this.constant(value, this.typeOf(x));
  }

  place(): Value {
    return this.push({ op: "place", type: "uint32", args: [] });
  }

  unary(op: Exclude<Unary, "convert" | "bits">, a: Value): Value {
    return this.push({ op, type: this.typeOf(a), args: [a] });
  }

  convert(a: Value, type: ValueType): Value {
    return this.typeOf(a) === type ? a : this.push({ op: "convert", type, args: [a] });
  }

  bits(a: Value, type: ValueType): Value {
    return this.typeOf(a) === type ? a : this.push({ op: "bits", type, args: [a] });
  }

  binary(op: Binary, a: Value, b: Value): Value {
    return this.push({ op, type: this.typeOf(a), args: [a, b] });
  }

  add(a: Value, b: Value): Value {
    return this.binary("add", a, b);
  }

  sub(a: Value, b: Value): Value {
    return this.binary("sub", a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.binary("mul", a, b);
  }

  div(a: Value, b: Value): Value {
    return this.binary("div", a, b);
  }

  compare(op: Comparison, a: Value, b: Value): Value {
    return this.push({ op, type: "bool", args: [a, b] });
  }

  shift(op: Shift, a: Value, by: number): Value {
    return this.push({ op, type: this.typeOf(a), args: [a], by });
  }

  select(mask: Value, a: Value, b: Value): Value {
    return a === b ? a : this.push({ op: "select", type: this.typeOf(a), args: [mask, a, b] });
  }

  /** mask ? slow : fast, where the mask hardly ever holds. */
  rare(mask: Value, slow: Value, fast: Value): Value {
    return this.push({ op: "rare", type: this.typeOf(fast), args: [mask, slow, fast] });
  }

  call(name: string, run: Outside, args: readonly Value[], type: ValueType): Value {
    return this.push({ op: "call", type, args, name, run });
  }

  /** @returns whether each element ended by itself, and the carried values at the end */
  loop(
    initial: readonly Value[],
    captured: readonly Value[],
    limit: number,
    body: (b: Builder, carried: readonly Value[], captured: readonly Value[]) => readonly [Value, ...Value[]],
  ): readonly [Value, ...Value[]] {
    const inner = new Builder();
    const inputs = [...initial, ...captured].map((value) => inner.input(this.typeOf(value)));
    const outputs = body(inner, inputs.slice(0, initial.length), inputs.slice(initial.length));
    const args = [...initial, ...captured];
    const carried = initial.length;
    // Two loops are never known to be equal.
    this.ops.push({ op: "loop", type: "bool", args, body: inner.block(outputs), carried, limit });
    const loop = this.ops.length - 1;
    const results = initial.map((value, index) =>
      this.push({ op: "result", type: this.typeOf(value), args: [loop], index }),
    );
    return [loop, ...results];
  }

  /** An operation of another block on values of this one. */
  copy(op: Op, args: readonly Value[]): Value {
    const copied = { ...op, args } as Op;
    if (op.op !== "loop") return this.push(copied);
    this.ops.push(copied);
    return this.ops.length - 1;
  }

  block(outputs: readonly Value[]): Block {
    return { ops: this.ops, inputs: this.inputs, outputs };
  }

  private push(op: Op): Value {
    const key = keyOf(op);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.ops.push(op);
    this.known.set(key, this.ops.length - 1);
    return this.ops.length - 1;
  }
}

function keyOf(op: Op): string {
  const own =
    op.op === "const"
      ? Object.is(op.value, -0)
        ? "-0"
        : op.value
      : op.op === "input" || op.op === "result"
        ? op.index
        : op.op === "call"
          ? op.name
          : "by" in op
            ? op.by
            : "";
  // Joining by hand: arrays are slow to become text, and this is done for every operation of every block.
  let key = `${op.op} ${op.type}`;
  for (const arg of op.args) key += ` ${arg}`;
  return `${key}:${own}`;
}
