import type { Op, ValueType } from "../../kernel/expr/block.js";
import type { Frame } from "./frame.js";
import { type Node, widthOf } from "./nodes.js";

const SHAPES: Readonly<Record<ValueType, string>> = {
  float32: "f32x4",
  float64: "f64x2",
  int32: "i32x4",
  uint32: "i32x4",
  bool: "i32x4",
  int64: "i64x2",
};

/** Computes the vectors of a value one after another; `push` leaves one on the stack. */
export function define(frame: Frame, node: Node, type: ValueType, push: (half: number) => void): void {
  frame.bind(node.value, computed(frame, widthOf(type), push), node.uniform);
}

/** The same for a bool as 64-bit masks. */
export function defineWide(frame: Frame, node: Node, push: (half: number) => void): void {
  frame.bindWide(node.value, computed(frame, 2, push), node.uniform);
}

/** Locals are taken before anything is pushed: the results of one half may not lie where the other is read from. */
function computed({ registers }: Frame, width: 1 | 2, push: (half: number) => void): number[] {
  const locals = width === 2 ? [registers.take(), registers.take()] : [registers.take()];
  for (let half = 0; half < width; half++) {
    push(half);
    registers.code.set(locals[half] as number);
  }
  return locals;
}

function isFloat(type: ValueType): boolean {
  return type === "float32" || type === "float64";
}

function unsupported(op: string, type: ValueType): never {
  throw new Error(`wasm: there is no ${op} of ${type}`);
}

/** Operations on one or two vectors of one type. */
export function elementwise(frame: Frame, node: Node): void {
  const { kind, args, op } = node;
  const { code } = frame.registers;
  const name = nameOf(kind, op.type);
  const isLogic = name.startsWith("v128.") && op.type === "bool";
  if (isLogic && args.every((arg) => frame.isWide(arg))) {
    defineWide(frame, node, (half) => {
      for (const arg of args) code.get(frame.wide(arg)[half] as number);
      code.op(name);
    });
    return;
  }
  const vectors = args.map((arg) => frame.vectors(arg));
  define(frame, node, op.type, (half) => {
    for (const vector of vectors) code.get(vector[half] as number);
    code.op(name);
  });
}

const LOGIC: Readonly<Record<string, string>> = { and: "and", or: "or", xor: "xor", not: "not" };
/** What arithmetic of bool comes to. */
const TRUTH: Readonly<Record<string, string>> = {
  ...LOGIC,
  mul: "and",
  min: "and",
  pmin: "and",
  max: "or",
  pmax: "or",
};
const FLOAT_ONLY: ReadonlySet<string> = new Set(["sqrt", "floor", "ceil", "trunc", "nearest"]);

const noNames = (): Map<string, string> => new Map();
const NAMES: Readonly<Record<ValueType, Map<string, string>>> = {
  float32: noNames(),
  float64: noNames(),
  int32: noNames(),
  uint32: noNames(),
  bool: noNames(),
  int64: noNames(),
};

/** The name of an instruction, made up once: blocks are full of the same few. */
function nameOf(kind: string, type: ValueType): string {
  const known = NAMES[type].get(kind);
  if (known !== undefined) return known;
  const name = instruction(kind, type);
  NAMES[type].set(kind, name);
  return name;
}

function instruction(kind: string, type: ValueType): string {
  if (type === "bool") {
    const name = TRUTH[kind];
    return name === undefined ? unsupported(kind, type) : `v128.${name}`;
  }
  const shape = SHAPES[type];
  const logic = LOGIC[kind];
  if (logic !== undefined) return isFloat(type) ? unsupported(kind, type) : `v128.${logic}`;
  if (isFloat(type)) return `${shape}.${kind}`;
  if (FLOAT_ONLY.has(kind)) return unsupported(kind, type);
  const base = kind === "pmin" ? "min" : kind === "pmax" ? "max" : kind;
  if (base === "min" || base === "max")
    return type === "int64" ? unsupported(kind, type) : `${shape}.${base}_${type === "uint32" ? "u" : "s"}`;
  return base === "mul" && type === "int64" ? unsupported(kind, type) : `${shape}.${base}`;
}

/** The masks of true are less than those of false. */
const TURNED: Readonly<Record<string, string>> = { lt: "gt", le: "ge", gt: "lt", ge: "le" };

export function compare(frame: Frame, node: Node): void {
  const { code } = frame.registers;
  const type = node.from[0] as ValueType;
  const kind = type === "bool" ? (TURNED[node.kind] ?? node.kind) : node.kind;
  const sign = isFloat(type) || kind === "eq" || kind === "ne" ? "" : type === "uint32" ? "_u" : "_s";
  const [a, b] = node.args.map((arg) => frame.vectors(arg)) as [readonly number[], readonly number[]];
  const push = (half: number): void => {
    code
      .get(a[half] as number)
      .get(b[half] as number)
      .op(`${SHAPES[type]}.${kind}${sign}`);
  };
  if (widthOf(type) === 2) defineWide(frame, node, push);
  else define(frame, node, "bool", push);
}

export function shift(frame: Frame, node: Node): void {
  const { code } = frame.registers;
  const { by, type } = node.op as Extract<Op, { by: number }>;
  const [x] = node.args.map((arg) => frame.vectors(arg)) as [readonly number[]];
  if (isFloat(type) || type === "bool" || (type === "int64" && node.kind === "rotl")) unsupported(node.kind, type);
  const shape = SHAPES[type];
  const get = (half: number): typeof code => code.get(x[half] as number);
  define(frame, node, type, (half) => {
    if (node.kind === "shl") get(half).i32(by).op(`${shape}.shl`);
    else if (node.kind === "shr")
      get(half)
        .i32(by)
        .op(`${shape}.shr_${type === "uint32" ? "u" : "s"}`);
    else {
      get(half).i32(by).op(`${shape}.shl`);
      get(half)
        .i32(32 - by)
        .op(`${shape}.shr_u`)
        .op("v128.or");
    }
  });
}

export function select(frame: Frame, node: Node): void {
  const { code } = frame.registers;
  const [mask, a, b] = node.args as [number, number, number];
  const { type } = node.op;
  const masks = widthOf(type) === 2 ? frame.wide(mask) : frame.vectors(mask);
  const pushed = [a, b].map((arg) => (frame.isZero(arg) ? null : frame.vectors(arg)));
  const [yes, no] = pushed as [readonly number[] | null, readonly number[] | null];
  define(frame, node, type, (half) => {
    const by = masks[half] as number;
    if (yes && no)
      code
        .get(yes[half] as number)
        .get(no[half] as number)
        .get(by)
        .op("v128.bitselect");
    else if (no)
      code
        .get(no[half] as number)
        .get(by)
        .op("v128.andnot");
    else
      code
        .get((yes ?? frame.vectors(a))[half] as number)
        .get(by)
        .op("v128.and");
  });
}

export function contracted(frame: Frame, node: Node): void {
  const { code } = frame.registers;
  const vectors = node.args.map((arg) => frame.vectors(arg));
  define(frame, node, node.op.type, (half) => {
    for (const vector of vectors) code.get(vector[half] as number);
    code.op(`${SHAPES[node.op.type]}.relaxed_${node.kind}`);
  });
}
