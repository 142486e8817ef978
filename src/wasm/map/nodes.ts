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
  /** Inputs that are read. */
  readonly inputs: ReadonlySet<number>;
}

/** What a block needs done. @param isUniform inputs that are one number for all elements */
export function analyse(block: Block, mode: Mode, isUniform: (index: number) => boolean): Analysis {
  const held = holders(block, mode);
  const live = livesOf(block, mode);
  const uniform = uniforms(block, held, isUniform);
  const all: Node[] = [];
  block.ops.forEach((op, at) => {
    const node = live[at] ? nodeOf(block, op, at, mode, held, uniform) : null;
    if (node) all.push(node);
  });
  const outputs = heldOf(block.outputs, held);
  const nodes = mode.contract ? contractAll(block, all, held, outputs) : all;
  const kinds = new Set<Node["kind"]>();
  const inputs = new Set<number>();
  for (const { kind, op } of nodes) {
    kinds.add(kind);
    if (op.op === "input") inputs.add(op.index);
  }
  return { nodes, uses: usesOf(block, nodes, outputs), outputs, has: (kind) => kinds.has(kind), inputs };
}

/** How often each value is read. */
function usesOf(block: Block, nodes: readonly Node[], outputs: readonly Value[]): number[] {
  const uses = new Array<number>(block.ops.length).fill(0);
  for (const { args } of nodes) for (const value of args) uses[value]!++;
  for (const value of outputs) uses[value]!++;
  return uses;
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

/** Where values are held. */
function heldOf(values: readonly Value[], held: readonly Value[]): readonly Value[] {
  return values.every((value) => held[value] === value) ? values : values.map((value) => held[value] as Value);
}

function livesOf(block: Block, mode: Mode): boolean[] {
  const live = new Array<boolean>(block.ops.length).fill(false);
  for (const value of block.outputs) live[value] = true;
  for (let at = block.ops.length - 1; at >= 0; at--) {
    if (!live[at]) continue;
    const op = block.ops[at] as Op;
    const args = op.op === "rare" && !mode.slow ? [op.args[0], op.args[2]] : op.args;
    for (const arg of args) live[arg] = true;
  }
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
  return {
    value,
    op,
    kind,
    args: heldOf(op.args, held),
    from: op.args.map(typeOf),
    uniform: uniform[value] as boolean,
  };
}

/** Sums take in the products that nothing else reads. */
function contractAll(block: Block, nodes: readonly Node[], held: readonly Value[], outputs: readonly Value[]): Node[] {
  const reads = usesOf(block, nodes, outputs);
  const at = new Map(nodes.map((node) => [node.value, node]));
  // The fast side of a rare case is read where it is chosen, although it is never copied.
  for (const { kind, op } of nodes) if (kind === "note") reads[held[op.args[2] as Value] as Value]!++;
  const merged = new Set<Node>();
  const contracted = nodes.map((node) =>
    contract(node, (value) => (reads[value] === 1 ? at.get(value) : undefined), merged),
  );
  return contracted.filter((_, i) => !merged.has(nodes[i] as Node));
}

function contract(node: Node, once: (value: Value) => Node | undefined, merged: Set<Node>): Node {
  const { op, kind, args } = node;
  if ((kind !== "add" && kind !== "sub") || (op.type !== "float32" && op.type !== "float64")) return node;
  const productOf = (value: Value): Node | null => {
    const product = once(value);
    return product?.kind === "mul" && product.op.type === op.type && product.uniform === node.uniform ? product : null;
  };
  const [a, b] = args as [Value, Value];
  if (a === b) return node;
  const right = productOf(b);
  const product = right ?? (kind === "add" ? productOf(a) : null);
  if (!product) return node;
  merged.add(product);
  const all = [...product.args, right ? a : b];
  return { ...node, kind: kind === "add" ? "madd" : "nmadd", args: all, from: all.map(() => op.type) };
}

/** Vectors that a value of a unit of four elements takes. */
export function widthOf(type: ValueType): 1 | 2 {
  return type === "float64" || type === "int64" ? 2 : 1;
}
