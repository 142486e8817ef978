import type { Block, Op, Value, ValueType } from "../../kernel/expr/block.js";

/** How a block is to be emitted. */
export interface Mode {
  /** Rare sides are computed and selected; otherwise they are left out and their masks noted. */
  readonly slow: boolean;
  /** Products that feed one sum become one instruction with it. */
  readonly contract: boolean;
}

/** One operation to emit. */
export interface Node {
  readonly value: Value;
  readonly op: Op;
  /** What it became: "note" takes down the mask of a rare side; "madd" is a·b + c and "nmadd" c − a·b. */
  readonly kind: Op["op"] | "note" | "madd" | "nmadd";
  /** Where the arguments are held. */
  readonly args: readonly Value[];
  /** The types as which they are taken. */
  readonly from: readonly ValueType[];
  /** The same for all elements. */
  readonly uniform: boolean;
}

export interface Analysis {
  /** Operations whose results somebody reads, in order. */
  readonly nodes: readonly Node[];
  /** How often a value is read, outputs included. */
  readonly uses: readonly number[];
  /** Where the outputs are held. */
  readonly outputs: readonly Value[];
  readonly has: (kind: Node["kind"]) => boolean;
}

/** What a block needs done. @param isUniform inputs that are one number for all elements */
export function analyse(block: Block, mode: Mode, isUniform: (index: number) => boolean): Analysis {
  const held = holders(block, mode);
  const live = livesOf(block, mode);
  const reads = new Array<number>(block.ops.length).fill(0);
  const count = (value: Value): void => void reads[held[value] as Value]!++;
  block.ops.forEach((op, at) => {
    if (live[at] && (held[at] === at || op.op === "rare")) argumentsOf(op, mode).forEach(count);
  });
  block.outputs.forEach(count);
  const uniform = uniforms(block, held, isUniform);
  const nodes: Node[] = [];
  const merged = new Set<Value>();
  block.ops.forEach((op, at) => {
    if (!live[at]) return;
    const node = nodeOf(block, op, at, mode, held, uniform);
    if (!node) return;
    const contracted = mode.contract ? contract(block, node, reads, uniform, held) : null;
    if (contracted) merged.add(contracted.product);
    nodes.push(contracted?.node ?? node);
  });
  const kept = nodes.filter(({ value }) => !merged.has(value));
  const outputs = block.outputs.map((value) => held[value] as Value);
  const uses = new Array<number>(block.ops.length).fill(0);
  for (const value of [...kept.flatMap(({ args }) => args), ...outputs]) uses[value]!++;
  return { nodes: kept, uses, outputs, has: (kind) => kept.some((node) => node.kind === kind) };
}

const ROUNDING: ReadonlySet<string> = new Set(["floor", "ceil", "trunc", "nearest"]);

/** The value whose vectors an operation shares, where it changes none of their bits; else itself. */
function holders(block: Block, mode: Mode): Value[] {
  const held: Value[] = [];
  block.ops.forEach((op, at) => {
    const isWhole = op.type === "int32" || op.type === "uint32";
    const same =
      op.op === "bits" || (isWhole && ROUNDING.has(op.op)) || (op.op === "abs" && op.type === "uint32")
        ? op.args[0]
        : op.op === "rare" && !mode.slow
          ? op.args[2]
          : at;
    held.push(same === at ? at : (held[same as Value] as Value));
  });
  return held;
}

function argumentsOf(op: Op, mode: Mode): readonly Value[] {
  return op.op === "rare" && !mode.slow ? [op.args[0], op.args[2]] : op.args;
}

function livesOf(block: Block, mode: Mode): boolean[] {
  const live = new Array<boolean>(block.ops.length).fill(false);
  for (const value of block.outputs) live[value] = true;
  for (let at = block.ops.length - 1; at >= 0; at--)
    if (live[at]) for (const arg of argumentsOf(block.ops[at] as Op, mode)) live[arg] = true;
  return live;
}

const OWN: ReadonlySet<string> = new Set(["call", "loop", "result", "place"]);

function uniforms(block: Block, held: readonly Value[], isUniform: (index: number) => boolean): boolean[] {
  const uniform: boolean[] = [];
  block.ops.forEach((op, at) => {
    if (op.op === "const") uniform.push(true);
    else if (op.op === "input") uniform.push(isUniform(op.index));
    else if (OWN.has(op.op)) uniform.push(false);
    else uniform.push(held[at] === at ? op.args.every((arg) => uniform[arg]) : (uniform[held[at] as Value] as boolean));
  });
  return uniform;
}

/** Null where there is nothing to do. */
function nodeOf(
  block: Block,
  op: Op,
  value: Value,
  mode: Mode,
  held: readonly Value[],
  uniform: readonly boolean[],
): Node | null {
  const typeOf = (arg: Value): ValueType => (block.ops[arg] as Op).type;
  if (op.op === "const") return null;
  if (op.op === "rare" && !mode.slow)
    return { value, op, kind: "note", args: [held[op.args[0]] as Value], from: ["bool"], uniform: false };
  if (op.op === "bits" && (typeOf(op.args[0]) === "bool" || op.type === "bool"))
    throw new Error("wasm: bits of bool have no meaning");
  if (held[value] !== value) return null;
  const kind = op.op === "rare" ? "select" : op.op;
  const args = op.args.map((arg) => held[arg] as Value);
  return { value, op, kind, args, from: op.args.map(typeOf), uniform: uniform[value] as boolean };
}

function contract(
  block: Block,
  node: Node,
  reads: readonly number[],
  uniform: readonly boolean[],
  held: readonly Value[],
): { node: Node; product: Value } | null {
  const { op, kind, args } = node;
  if ((kind !== "add" && kind !== "sub") || (op.type !== "float32" && op.type !== "float64")) return null;
  const isProduct = (value: Value): boolean => {
    const { op: name, type } = block.ops[value] as Op;
    return name === "mul" && type === op.type && reads[value] === 1 && uniform[value] === node.uniform;
  };
  const [a, b] = args as [Value, Value];
  const product = isProduct(b) ? b : kind === "add" && isProduct(a) ? a : null;
  if (product === null || a === b) return null;
  const factors = (block.ops[product] as Op).args.map((arg) => held[arg] as Value);
  const all = [...factors, product === b ? a : b];
  const from = all.map(() => op.type);
  return { node: { ...node, kind: kind === "add" ? "madd" : "nmadd", args: all, from }, product };
}

/** Vectors that a value of a unit of four elements takes. */
export function widthOf(type: ValueType): 1 | 2 {
  return type === "float64" || type === "int64" ? 2 : 1;
}
