import type { Block, Op, Value, ValueType } from "./block.js";

/** A value of an element: bool as 0 or 1, int64 as a bigint, everything else a number its type can hold. */
export type Element = number | bigint;

const words = new DataView(new ArrayBuffer(8));

/** The outputs of a block for one element: slow, obviously right, and bit for bit what emitted code computes. */
export function interpret(block: Block, inputs: readonly Element[], place = 0): Element[] {
  const values: Element[] = [];
  const loops = new Map<Value, readonly Element[]>();
  block.ops.forEach((op, at) => {
    values.push(elementOf(block, op, at, values, inputs, place, loops));
  });
  return block.outputs.map((value) => values[value] as Element);
}

function elementOf(
  block: Block,
  op: Op,
  at: Value,
  values: readonly Element[],
  inputs: readonly Element[],
  place: number,
  loops: Map<Value, readonly Element[]>,
): Element {
  const args = op.args.map((arg) => values[arg] as Element);
  const from = op.args.length > 0 ? (block.ops[op.args[0] as number] as Op).type : op.type;
  switch (op.op) {
    case "input":
      return inputs[op.index] as Element;
    case "const":
      return convert(op.value, op.type);
    case "place":
      return place >>> 0;
    case "select":
    case "rare":
      return args[0] ? (args[1] as Element) : (args[2] as Element);
    case "call":
      return convert(op.run(...args.map(Number)), op.type);
    case "loop":
      return loop(op, at, args, place, loops);
    case "result":
      return (loops.get(op.args[0]) as readonly Element[])[op.index] as Element;
    case "convert":
      return convert(args[0] as Element, op.type);
    case "bits":
      return reinterpret(args[0] as Element, from, op.type);
    case "shl":
    case "shr":
    case "rotl":
      return shift(op.op, args[0] as Element, op.by, op.type);
    default:
      return args.length === 1
        ? unary(op.op, args[0] as Element, op.type)
        : binary(op.op, args[0] as Element, args[1] as Element, op.type);
  }
}

function loop(
  { body, carried, limit }: Extract<Op, { op: "loop" }>,
  at: Value,
  args: readonly Element[],
  place: number,
  loops: Map<Value, readonly Element[]>,
): Element {
  let carry = args.slice(0, carried);
  const captured = args.slice(carried);
  let ended = 0;
  for (let round = 0; round < limit && !ended; round++) {
    const [again, ...next] = interpret(body, [...carry, ...captured], place);
    carry = next;
    if (!again) ended = 1;
  }
  loops.set(at, carry);
  return ended;
}

/** As a store into a typed array of that type. */
function convert(x: Element, type: ValueType): Element {
  switch (type) {
    case "int64":
      return BigInt.asIntN(64, typeof x === "bigint" ? x : BigInt(x));
    case "bool":
      return x ? 1 : Number.isNaN(x) ? 1 : 0;
    default:
      return round(typeof x === "bigint" ? Number(BigInt.asIntN(32, x)) : x, type);
  }
}

function round(x: number, type: ValueType): number {
  if (type === "float32") return Math.fround(x);
  if (type === "int32") return x | 0;
  if (type === "uint32") return x >>> 0;
  return x;
}

function reinterpret(x: Element, from: ValueType, to: ValueType): Element {
  write(x, from);
  switch (to) {
    case "float32":
      return words.getFloat32(0);
    case "float64":
      return words.getFloat64(0);
    case "int32":
      return words.getInt32(0);
    case "uint32":
      return words.getUint32(0);
    case "int64":
      return words.getBigInt64(0);
    case "bool":
      return x;
  }
}

function write(x: Element, type: ValueType): void {
  if (type === "float32") words.setFloat32(0, Number(x));
  else if (type === "float64") words.setFloat64(0, Number(x));
  else if (type === "int64") words.setBigInt64(0, x as bigint);
  else words.setInt32(0, Number(x));
}

function shift(op: "shl" | "shr" | "rotl", x: Element, by: number, type: ValueType): Element {
  if (typeof x === "bigint") return BigInt.asIntN(64, op === "shl" ? x << BigInt(by) : x >> BigInt(by));
  if (op === "shl") return round(x << by, type);
  if (op === "shr") return type === "uint32" ? x >>> by : x >> by;
  return round((x << by) | (x >>> (32 - by)), type);
}

function unary(op: string, x: Element, type: ValueType): Element {
  if (typeof x === "bigint") return BigInt.asIntN(64, op === "neg" ? -x : op === "abs" ? (x < 0n ? -x : x) : ~x);
  switch (op) {
    case "neg":
      return round(-x, type);
    case "abs":
      return round(Math.abs(x), type);
    case "sqrt":
      return round(Math.sqrt(x), type);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "trunc":
      return Math.trunc(x);
    case "nearest":
      return nearest(x);
    case "not":
      return type === "bool" ? (x ? 0 : 1) : round(~x, type);
    default:
      throw new Error(`no operation ${op} of one argument`);
  }
}

function nearest(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  // −0.3 rounds to −0, as the instruction does.
  if (rest !== 0.5) return x < 0 && x >= -0.5 ? -0 : Math.round(x);
  return down % 2 === 0 ? (x < 0 && down === 0 ? -0 : down) : x < 0 && down + 1 === 0 ? -0 : down + 1;
}

function binary(op: string, a: Element, b: Element, type: ValueType): Element {
  if (typeof a === "bigint" && typeof b === "bigint") return binary64(op, a, b);
  const [x, y] = [a as number, b as number];
  switch (op) {
    case "add":
      return round(x + y, type);
    case "sub":
      return round(x - y, type);
    case "mul":
      return type === "float32" || type === "float64" ? round(x * y, type) : round(Math.imul(x, y), type);
    case "div":
      return round(x / y, type);
    case "min":
      return Math.min(x, y);
    case "max":
      return Math.max(x, y);
    case "pmin":
      return picked(y < x, y, x);
    case "pmax":
      return picked(x < y, y, x);
    case "and":
      return type === "bool" ? (x && y ? 1 : 0) : round(x & y, type);
    case "or":
      return type === "bool" ? (x || y ? 1 : 0) : round(x | y, type);
    case "xor":
      return type === "bool" ? (x === y ? 0 : 1) : round(x ^ y, type);
    default:
      return compare(op, x, y);
  }
}

/** Not Math.min: NaN and −0 count by the comparison alone. */
function picked(holds: boolean, a: number, b: number): number {
  return holds ? a : b;
}

function binary64(op: string, a: bigint, b: bigint): Element {
  switch (op) {
    case "add":
      return BigInt.asIntN(64, a + b);
    case "sub":
      return BigInt.asIntN(64, a - b);
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    default:
      return compare(op, a, b);
  }
}

function compare(op: string, a: Element, b: Element): number {
  switch (op) {
    case "eq":
      return a === b ? 1 : 0;
    case "ne":
      return a !== b ? 1 : 0;
    case "lt":
      return a < b ? 1 : 0;
    case "le":
      return a <= b ? 1 : 0;
    case "gt":
      return a > b ? 1 : 0;
    case "ge":
      return a >= b ? 1 : 0;
    default:
      throw new Error(`no operation ${op} of two arguments`);
  }
}
