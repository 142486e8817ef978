import type { DType } from "../../src/base/dtype.js";
import {
  type Binary,
  type Block,
  Builder,
  type Comparison,
  type Unary,
  type Value,
  type ValueType,
} from "../../src/kernel/expr/block.js";
import type { Element } from "../../src/kernel/expr/interpret.js";

/** Random blocks of every operation, and random elements with all that is special among them. */

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number below n. */
  below(n: number): number {
    // Mulberry32.
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  uniform(): number {
    return this.below(2 ** 32) / 2 ** 32;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  0.3,
  -0.3,
  1.5,
  2.5,
  -1.5,
  -2.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 23,
  2 ** 31,
  -(2 ** 31),
  2 ** 31 - 128,
  2 ** 32,
  2 ** 32 + 512,
  -(2 ** 32) - 1024,
  3 * 2 ** 31,
  2 ** 53,
  2 ** 63,
  2 ** 70 + 2 ** 40,
  -(2 ** 84),
  1e30,
  -1e30,
  1e-40,
  -1e-45,
  1e300,
  1e-310,
  2147483647.5,
];

/** An element of a type; a tenth to a half of them special. */
export function elementOf(random: Random, type: DType): number {
  const x =
    random.below(3) === 0 ? random.of(SPECIAL) : (random.uniform() - 0.5) * 10 ** random.of([0, 0, 1, 2, 5, 10]);
  switch (type) {
    case "float32":
      return Math.fround(x);
    case "float64":
      return x;
    case "int32":
      return x | 0;
    case "uint32":
      return x >>> 0;
    case "bool":
      return random.below(2);
  }
}

export function elements(random: Random, type: DType, count: number): Element[] {
  return Array.from({ length: count }, () => elementOf(random, type));
}

export const DTYPES: readonly DType[] = ["float32", "float64", "int32", "uint32", "bool"];
export const TYPES: readonly ValueType[] = [...DTYPES, "int64"];

const COMPARISONS: readonly Comparison[] = ["eq", "ne", "lt", "le", "gt", "ge"];
const ROUNDING: readonly Unary[] = ["floor", "ceil", "trunc", "nearest"];
const LOGIC: readonly Binary[] = ["and", "or", "xor"];
const ORDER: readonly Binary[] = ["min", "max", "pmin", "pmax"];
type Own = Exclude<Unary, "convert" | "bits">;

const UNARY: Readonly<Record<ValueType, readonly Unary[]>> = {
  float32: ["neg", "abs", "sqrt", ...ROUNDING],
  float64: ["neg", "abs", "sqrt", ...ROUNDING],
  int32: ["neg", "abs", "not", ...ROUNDING],
  uint32: ["neg", "abs", "not", ...ROUNDING],
  bool: ["not"],
  int64: ["neg", "abs", "not"],
};

const BINARY: Readonly<Record<ValueType, readonly Binary[]>> = {
  float32: ["add", "sub", "mul", "div", ...ORDER],
  float64: ["add", "sub", "mul", "div", ...ORDER],
  int32: ["add", "sub", "mul", "div", ...ORDER, ...LOGIC],
  uint32: ["add", "sub", "mul", "div", ...ORDER, ...LOGIC],
  bool: ["mul", ...ORDER, ...LOGIC],
  int64: ["add", "sub", ...LOGIC],
};

const TWINS: readonly (readonly [ValueType, ValueType])[] = [
  ["float32", "int32"],
  ["float32", "uint32"],
  ["int32", "uint32"],
  ["float64", "int64"],
];

function convertible(from: ValueType, to: ValueType): boolean {
  if (from === to) return false;
  return ![from, to].includes("int64") || ![from, to].some((type) => type === "float32" || type === "float64");
}

/** Values by type. */
type Pool = Record<ValueType, Value[]>;

class Grower {
  readonly b: Builder;
  readonly pool: Pool = { float32: [], float64: [], int32: [], uint32: [], bool: [], int64: [] };
  readonly random: Random;
  /** How deep loops may nest. */
  readonly depth: number;

  constructor(b: Builder, random: Random, depth: number) {
    this.b = b;
    this.random = random;
    this.depth = depth;
  }

  any(type: ValueType): Value {
    const list = this.pool[type];
    // The newest are taken oftenest, so that blocks grow deep.
    return this.random.below(2)
      ? (list.at(-1 - this.random.below(Math.min(4, list.length))) as Value)
      : this.random.of(list);
  }

  keep(value: Value): void {
    this.pool[this.b.typeOf(value)].push(value);
  }

  step(): void {
    const { b, random } = this;
    const type = random.of(TYPES);
    const kinds = [
      this.unary,
      this.binary,
      this.binary,
      this.compare,
      this.choose,
      this.convert,
      this.bits,
      this.shift,
      this.call,
    ];
    random.of(this.depth > 0 ? [...kinds, this.loop] : kinds).call(this, type);
    if (random.below(20) === 0) this.keep(b.place());
  }

  unary(type: ValueType): void {
    this.keep(this.b.unary(this.random.of(UNARY[type]) as Own, this.any(type)));
  }

  binary(type: ValueType): void {
    this.keep(this.b.binary(this.random.of(BINARY[type]), this.any(type), this.any(type)));
  }

  compare(type: ValueType): void {
    this.keep(this.b.compare(this.random.of(COMPARISONS), this.any(type), this.any(type)));
  }

  choose(type: ValueType): void {
    const { b } = this;
    const args = [this.any("bool"), this.any(type), this.any(type)] as const;
    this.keep(this.random.below(2) ? b.select(...args) : b.rare(...args));
  }

  convert(from: ValueType): void {
    const to = this.random.of(TYPES.filter((type) => convertible(from, type)));
    this.keep(this.b.convert(this.any(from), to));
  }

  bits(): void {
    const { b } = this;
    const pair = this.random.of(TWINS);
    const [from, to] = this.random.below(2) ? pair : [pair[1], pair[0]];
    let x = this.any(from);
    // Which NaN it is, nobody promises.
    if (from === "float32" || from === "float64") x = b.select(b.compare("eq", x, x), x, b.like(x, 1));
    this.keep(b.bits(x, to));
  }

  shift(type: ValueType): void {
    const { b, random } = this;
    const of = type === "int32" || type === "int64" ? type : "uint32";
    const op = random.of(of === "int64" ? (["shl", "shr"] as const) : (["shl", "shr", "rotl"] as const));
    this.keep(b.shift(op, this.any(of), random.below(of === "int64" ? 64 : 32)));
  }

  call(type: ValueType): void {
    const { b, random } = this;
    if (random.below(4) > 0) {
      this.binary(type);
      return;
    }
    const [from, second] = [random.of(DTYPES), random.of(DTYPES)];
    const to = random.of(DTYPES);
    if (random.below(2)) this.keep(b.call("half", (x) => x / 2, [this.any(from)], to));
    else this.keep(b.call("mix", (x, y) => x! - 3 * y!, [this.any(from), this.any(second)], to));
  }

  /** Counts down from an own number while a random condition holds too. */
  loop(type: ValueType): void {
    const { b, random } = this;
    const start = b.convert(b.binary("and", this.any("uint32"), b.constant(7, "uint32")), "int32");
    const other = random.of(TYPES);
    const initial = [start, this.any(type), this.any(other)];
    const captured = TYPES.map((each) => this.any(each));
    const results = b.loop(initial, captured, random.of([0, 1, 3, 20]), (inner, carried, outside) => {
      const grower = new Grower(inner, random, this.depth - 1);
      for (const value of [...carried, ...outside]) grower.keep(value);
      for (let i = random.below(8) + 2; i > 0; i--) grower.step();
      const next = inner.sub(carried[0] as Value, inner.constant(1, "int32"));
      const more = inner.compare("gt", carried[0] as Value, inner.constant(0, "int32"));
      return [
        inner.binary("and", more, inner.binary("or", grower.any("bool"), more)),
        next,
        grower.any(type),
        grower.any(other),
      ];
    });
    for (const value of results) this.keep(value);
  }
}

/** A block with two inputs of every type, and an output of every type. */
export function randomBlock(random: Random, steps: number, loops: boolean): Block {
  const b = new Builder();
  const grower = new Grower(b, random, loops ? 2 : 0);
  for (const type of [...DTYPES, ...DTYPES]) grower.keep(b.input(type));
  grower.keep(b.convert(grower.any("int32"), "int64"));
  for (const type of DTYPES) grower.keep(b.constant(elementOf(random, type), type));
  grower.keep(b.constant(BigInt(random.below(2 ** 31)) * BigInt(random.below(2 ** 31)) - 2n ** 60n, "int64"));
  for (let i = 0; i < steps; i++) grower.step();
  // Low halves of int64 stand for them: they are no tensors.
  const low = b.convert(grower.pool.int64.at(-1) as Value, "uint32");
  return b.block([...DTYPES.map((type) => grower.pool[type].at(-1) as Value), low]);
}

/** "operation type" and "operation of argument type" of all that blocks are made of. */
export function wantedOperations(): string[] {
  const all: string[] = [];
  for (const type of TYPES) {
    for (const op of [...UNARY[type], ...BINARY[type], "select", "rare", "const"]) all.push(`${op} ${type}`);
    for (const op of [...COMPARISONS, "convert"]) all.push(`${op} of ${type}`);
    all.push(`convert ${type}`, `result ${type}`);
  }
  for (const type of DTYPES) all.push(`input ${type}`, `call ${type}`, `call of ${type}`);
  for (const [a, b] of TWINS) all.push(`bits ${a}`, `bits ${b}`, `bits of ${a}`, `bits of ${b}`);
  for (const op of ["shl", "shr"]) for (const type of ["int32", "uint32", "int64"]) all.push(`${op} ${type}`);
  return [...all, "rotl int32", "rotl uint32", "place uint32", "loop bool"];
}
