import type { ValueType } from "../../kernel/expr/block.js";
import { define, defineWide } from "./arithmetic.js";
import { EVEN_WORDS, type Frame } from "./frame.js";
import type { Node } from "./nodes.js";
import type { Registers } from "./registers.js";

/** The low halves of two vectors. */
const LOW_HALVES: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
/** The high half of a vector, twice. */
const HIGH_HALF: readonly number[] = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** Pushes a vector of the half of four 32-bit lanes. */
function pushHalf({ code }: Registers, vector: number, half: number): void {
  code.get(vector);
  if (half === 1) code.get(vector).shuffle(HIGH_HALF);
}

/** Four lanes as float64: pushes half of them. */
export function pushDouble(frame: Frame, value: number, type: ValueType, half: number): void {
  const { registers } = frame;
  const { code } = registers;
  if (type === "bool") {
    code.get(frame.wide(value)[half] as number).get(registers.number(1, "float64"));
    code.op("v128.and");
    return;
  }
  const vectors = frame.vectors(value);
  if (type === "int64") throw new Error("wasm: there is no convert of int64 to float64");
  if (type === "float64") code.get(vectors[half] as number);
  else {
    pushHalf(registers, vectors[0] as number, half);
    if (type === "float32") code.op("f64x2.promote_low_f32x4");
    else code.op(`f64x2.convert_low_i32x4_${type === "int32" ? "s" : "u"}`);
  }
}

/** Two float64 vectors in another type: the vectors (of bool: wide masks) are left in the locals given. */
export function fromDouble(frame: Frame, node: Node, type: ValueType, doubles: readonly number[]): void {
  const { registers } = frame;
  const { code } = registers;
  if (type === "bool") {
    const zero = registers.number(0, "float64");
    defineWide(frame, node, (half) =>
      code
        .get(doubles[half] as number)
        .get(zero)
        .op("f64x2.ne"),
    );
  } else if (type === "float64") define(frame, node, type, (half) => code.get(doubles[half] as number));
  else if (type === "int64") throw new Error("wasm: there is no convert of float64 to int64");
  else
    define(frame, node, type, () => {
      for (const vector of doubles)
        if (type === "float32") code.get(vector).op("f32x4.demote_f64x2_zero");
        else pushWrapped(registers, vector);
      code.shuffle(LOW_HALVES);
    });
}

/** Pushes two float64 lanes as whole numbers modulo 2³² in the low lanes; NaN and infinities give 0. */
function pushWrapped(registers: Registers, vector: number): void {
  const { code } = registers;
  const whole = registers.take();
  code.get(vector).op("f64x2.trunc").tee(whole).get(whole);
  code
    .get(registers.number(2 ** -32, "float64"))
    .op("f64x2.mul")
    .op("f64x2.floor");
  // Every step is exact; infinities become NaN, which the last instruction makes 0.
  code
    .get(registers.number(2 ** 32, "float64"))
    .op("f64x2.mul")
    .op("f64x2.sub");
  code.op("i32x4.trunc_sat_f64x2_u_zero");
  registers.give(whole);
}

/** Pushes four float32 lanes as whole numbers modulo 2³²: |x| less a multiple of 2³², with the sign of x. */
function pushWrappedSingle(registers: Registers, vector: number): void {
  const { code } = registers;
  const [whole, sign] = [registers.take(), registers.take()];
  code.get(vector).i32(31).op("i32x4.shr_s").set(sign);
  code.get(vector).op("f32x4.abs").op("f32x4.trunc").tee(whole).get(whole);
  code
    .get(registers.number(2 ** -32, "float32"))
    .op("f32x4.mul")
    .op("f32x4.trunc");
  code
    .get(registers.number(2 ** 32, "float32"))
    .op("f32x4.mul")
    .op("f32x4.sub");
  code.op("i32x4.trunc_sat_f32x4_u").get(sign).op("v128.xor").get(sign).op("i32x4.sub");
  registers.give(whole);
  registers.give(sign);
}

/** x/y of whole numbers, toward zero; x/0 is 0. */
export function divideWhole(frame: Frame, node: Node): void {
  const { registers } = frame;
  const type = node.op.type;
  const [a, b] = node.args as [number, number];
  if (type === "int64" || type === "bool") throw new Error(`wasm: there is no div of ${type}`);
  const quotients = [0, 1].map((half) => {
    const local = registers.take();
    pushDouble(frame, a, type, half);
    pushDouble(frame, b, type, half);
    registers.code.op("f64x2.div").set(local);
    return local;
  });
  fromDouble(frame, node, type, quotients);
  for (const local of quotients) registers.give(local);
}

export function convert(frame: Frame, node: Node): void {
  const [from, to] = [node.from[0] as ValueType, node.op.type];
  const [value] = node.args as [number];
  const { registers } = frame;
  const { code } = registers;
  if (to === "float64") define(frame, node, to, (half) => pushDouble(frame, value, from, half));
  else if (from === "float64") fromDouble(frame, node, to, frame.vectors(value));
  else if (to === "int64" || from === "int64") convert64(frame, node, from, to);
  else if (from === "bool") {
    const mask = frame.vectors(value)[0] as number;
    define(frame, node, to, () => code.get(mask).get(registers.number(1, to)).op("v128.and"));
  } else {
    const vector = frame.vectors(value)[0] as number;
    define(frame, node, to, () => pushNarrow(registers, vector, from, to));
  }
}

/** Between 32-bit types, but from bool. */
function pushNarrow(registers: Registers, vector: number, from: ValueType, to: ValueType): void {
  const { code } = registers;
  if (to === "bool")
    code
      .get(vector)
      .get(registers.number(0, from))
      .op(from === "float32" ? "f32x4.ne" : "i32x4.ne");
  else if (to === "float32") code.get(vector).op(`f32x4.convert_i32x4_${from === "int32" ? "s" : "u"}`);
  else if (from === "float32") pushWrappedSingle(registers, vector);
  else code.get(vector);
}

function convert64(frame: Frame, node: Node, from: ValueType, to: ValueType): void {
  const { registers } = frame;
  const { code } = registers;
  const [value] = node.args as [number];
  if (from === "float32" || to === "float32") throw new Error(`wasm: there is no convert of ${from} to ${to}`);
  if (from === "bool") {
    const masks = frame.wide(value);
    define(frame, node, to, (half) =>
      code
        .get(masks[half] as number)
        .get(registers.number(1n, "int64"))
        .op("v128.and"),
    );
  } else if (to === "bool") {
    const zero = registers.number(0n, "int64");
    const vectors = frame.vectors(value);
    defineWide(frame, node, (half) =>
      code
        .get(vectors[half] as number)
        .get(zero)
        .op("i64x2.ne"),
    );
  } else if (to === "int64") {
    const [vector] = frame.vectors(value) as [number];
    const sign = from === "int32" ? "s" : "u";
    define(frame, node, to, (half) => code.get(vector).op(`i64x2.extend_${half ? "high" : "low"}_i32x4_${sign}`));
  } else {
    const [low, high] = frame.vectors(value) as [number, number];
    define(frame, node, to, () => code.get(low).get(high).shuffle(EVEN_WORDS));
  }
}
