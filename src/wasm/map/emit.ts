import type { Op } from "../../kernel/expr/block.js";
import type { Callee } from "../encode.js";
import { compare, contracted, define, elementwise, select, shift } from "./arithmetic.js";
import { convert, divideWhole, fromDouble, pushDouble } from "./convert.js";
import { Frame } from "./frame.js";
import { analyse, type Mode, type Node } from "./nodes.js";

/** What the operations of a function have in common. */
export interface Context {
  readonly mode: Mode;
  readonly calls: (op: Extract<Op, { op: "call" }>) => Callee;
}

/** Emits an operation for units one after another, and lets go of what it was the last to read. */
export function emit(frames: readonly Frame[], node: Node, context: Context): void {
  const emitter = EMITTERS[node.kind] ?? elementwise;
  for (const frame of frames) {
    emitter(frame, node, context);
    for (const arg of node.args) frame.release(arg);
  }
}

type Emitter = (frame: Frame, node: Node, context: Context) => void;

function divide(frame: Frame, node: Node): void {
  const { type } = node.op;
  if (type === "float32" || type === "float64") elementwise(frame, node);
  else divideWhole(frame, node);
}

/** Everything else is one instruction. */
const EMITTERS: Readonly<Partial<Record<Node["kind"], Emitter>>> = {
  note,
  convert,
  call,
  loop,
  result,
  place,
  select,
  madd: contracted,
  nmadd: contracted,
  shl: shift,
  shr: shift,
  rotl: shift,
  div: divide,
  eq: compare,
  ne: compare,
  lt: compare,
  le: compare,
  gt: compare,
  ge: compare,
};

/** Takes down which elements are rare. */
function note(frame: Frame, node: Node): void {
  const { registers, active } = frame;
  const { code } = registers;
  const [mask] = node.args as [number];
  if (active !== null)
    code
      .get(frame.vectors(mask)[0] as number)
      .get(active)
      .op("v128.and");
  else if (frame.isWide(mask)) {
    const [low, high] = frame.wide(mask) as [number, number];
    code.get(low).get(high).op("v128.or");
  } else code.get(frame.vectors(mask)[0] as number);
  if (registers.rare !== null) code.get(registers.rare).op("v128.or");
  registers.rare ??= code.local("v128");
  code.set(registers.rare);
}

function place(frame: Frame, node: Node): void {
  const { registers, unit } = frame;
  const { code } = registers;
  const first = 4 * unit;
  define(frame, node, node.op.type, () => {
    code.get(registers.place).op("i32x4.splat");
    code.get(registers.lanes(first, first + 1, first + 2, first + 3)).op("i32x4.add");
  });
}

/** One call per element at work, through float64. */
function call(frame: Frame, node: Node, context: Context): void {
  const { registers, active } = frame;
  const { code } = registers;
  const op = node.op as Extract<Op, { op: "call" }>;
  const callee = context.calls(op);
  const double = (push: (half: number) => void): number[] =>
    [0, 1].map((half) => {
      const local = registers.take();
      push(half);
      code.set(local);
      return local;
    });
  const args = node.args.map((arg, i) => double((half) => pushDouble(frame, arg, node.from[i] as Op["type"], half)));
  const results = double(() => code.get(registers.number(0, "float64")));
  for (let lane = 0; lane < 4; lane++) {
    const half = lane >> 1;
    if (active === null) code.get(registers.count).i32(lane).op("i32.gt_s");
    else code.get(active).lane("i32x4.extract_lane", lane);
    code.if(() => {
      code.get(results[half] as number);
      for (const arg of args) code.get(arg[half] as number).lane("f64x2.extract_lane", lane & 1);
      code
        .call(callee)
        .lane("f64x2.replace_lane", lane & 1)
        .set(results[half] as number);
    });
  }
  fromDouble(frame, node, op.type, results);
  for (const local of [...args.flat(), ...results]) registers.give(local);
}

function result(frame: Frame, node: Node): void {
  const { index, type } = node.op as Extract<Op, { op: "result" }>;
  const carried = frame.loops.get(node.args[0] as number)?.[index] as readonly number[];
  define(frame, node, type, (half) => frame.registers.code.get(carried[half] as number));
}

/** Goes round until no element of the unit goes on. An element that met a rare case stops: it is to be done again anyway. */
function loop(frame: Frame, node: Node, context: Context): void {
  const { registers } = frame;
  const { code } = registers;
  const { body, carried, limit } = node.op as Extract<Op, { op: "loop" }>;
  const active = code.local("v128");
  code.get(frame.active as number).set(active);
  const carries = node.args.slice(0, carried).map((arg) =>
    frame.vectors(arg).map((from) => {
      const local = code.local("v128");
      code.get(from).set(local);
      return local;
    }),
  );
  const analysis = analyse(body, context.mode, () => false);
  const marks = analysis.has("note") || bodiesNote(analysis.nodes, context.mode);
  if (marks && registers.rare === null) {
    registers.rare = code.local("v128");
    code.get(registers.number(0, "bool")).set(registers.rare);
  }
  const inner = new Frame(registers, body, analysis, { active, unit: frame.unit });
  const inputs = [...carries, ...node.args.slice(carried).map((arg) => frame.vectors(arg))];
  for (const { kind, op, value } of analysis.nodes)
    if (kind === "input")
      inner.bind(value, inputs[(op as Extract<Op, { op: "input" }>).index] as readonly number[], true);
  if (limit > 0) {
    const round = code.local("i32");
    code
      .i32(0)
      .set(round)
      .loop(() => {
        for (const inside of analysis.nodes) if (inside.kind !== "input") emit([inner], inside, context);
        advance(inner, carries, active, marks);
        code.get(round).i32(1).op("i32.add").tee(round);
        code.i32(Math.min(limit, 2 ** 32 - 1) | 0).op("i32.lt_u");
        code.get(active).op("v128.any_true").op("i32.and").brIf(0);
      });
  }
  frame.loops.set(node.value, carries);
  // Elements that never were at work count as ended: nobody reads them.
  define(frame, node, "bool", () => code.get(active).op("v128.not"));
}

function bodiesNote(nodes: readonly Node[], mode: Mode): boolean {
  return nodes.some(({ op }) => {
    if (op.op !== "loop") return false;
    const inner = analyse(op.body, mode, () => false);
    return inner.has("note") || bodiesNote(inner.nodes, mode);
  });
}

/** The carried values of the next round, and who takes part in it. */
function advance(inner: Frame, carries: readonly (readonly number[])[], active: number, marks: boolean): void {
  const { registers, analysis } = inner;
  const { code } = registers;
  const [again, ...next] = analysis.outputs as readonly [number, ...number[]];
  // Results may be carried values themselves, in another order: all are read before any is set.
  const wide = carries.some(({ length }) => length === 2) ? wideMask(inner, active) : [];
  const chosen = carries.map((carry, j) => {
    const vectors = inner.vectors(next[j] as number);
    const masks = carry.length === 2 ? wide : [active];
    return carry.map((local, half) => {
      const mixed = registers.take();
      code.get(vectors[half] as number).get(local);
      code
        .get(masks[half] as number)
        .op("v128.bitselect")
        .set(mixed);
      return mixed;
    });
  });
  for (const local of wide) registers.give(local);
  const going = inner.vectors(again)[0] as number;
  code.get(active).get(going).op("v128.and");
  if (marks) code.get(registers.rare as number).op("v128.andnot");
  code.set(active);
  chosen.forEach((mixed, j) => {
    mixed.forEach((local, half) => {
      code.get(local).set(carries[j]![half] as number);
      registers.give(local);
    });
  });
  for (const output of analysis.outputs) inner.release(output);
}

function wideMask({ registers }: Frame, mask: number): readonly number[] {
  return [0, 1].map((half) => {
    const local = registers.take();
    registers.code
      .get(mask)
      .op(`i64x2.extend_${half ? "high" : "low"}_i32x4_s`)
      .set(local);
    return local;
  });
}
