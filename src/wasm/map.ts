import type { Block, Op, Outside } from "../kernel/expr/block.js";
import type { Callee, Code } from "./encode.js";
import { analyse, type Mode, widthOf } from "./map/nodes.js";
import type { Stream } from "./map/ports.js";
import { analysisOf, emitStage } from "./map/stage.js";

export type { Stream };

export interface MapOptions {
  /** "fast" allows products to be fused with sums; "exact" means the block bit for bit. */
  readonly numerics: "exact" | "fast";
  /** The engine has relaxed SIMD; used only with "fast". */
  readonly relaxed: boolean;
  /** The import of an outside function: as many float64 numbers to one. Imports are declared first: callsOf lists them. */
  readonly calls: (name: string, run: Outside, arity: number) => Callee;
  /** ModuleBuilder.add or a cache in front of it; called for the twin first, then for the stage. */
  readonly add: (code: Code, label: string) => Callee;
  readonly label?: string;
  /** Units of four elements per round; chosen by cost when left out. */
  readonly units?: number;
}

/**
 * The function of a map stage: (count, place, a pointer per input, a pointer per output) -> (), all i32, computes elements 0 to
 * count − 1, of which element 0 has the given place. Pointers of inputs that are not read may be anything. It reads up to three
 * elements past the end. Outputs must not overlap inputs.
 *
 * Rare cases are left out of its loop: a round that meets one is done again by a twin of the function, which computes both sides.
 *
 * @throws where the block has an operation that vectors lack: see `arithmetic.ts`
 */
export function emitMap(
  block: Block,
  inputs: readonly Stream[],
  outputs: readonly Stream[],
  options: MapOptions,
): Callee {
  check(block, inputs, outputs);
  const { add, label = "map" } = options;
  const contract = options.numerics === "fast" && options.relaxed;
  const calls = ({ name, run, args }: Extract<Op, { op: "call" }>): Callee => options.calls(name, run, args.length);
  const request = (slow: boolean) => ({ block, inputs, outputs, context: { mode: { slow, contract }, calls } });
  const fast = request(false);
  const twin = hasRare(block, fast.context.mode)
    ? add(emitStage({ ...request(true), units: 1, twin: null }), `${label} twin`)
    : null;
  const analysis = analysisOf(fast);
  const single = analysis.has("loop") || analysis.has("call");
  const units = single ? 1 : (options.units ?? unitsFor(costOf(block)));
  return add(emitStage({ ...fast, units, twin }), label);
}

function check(block: Block, inputs: readonly Stream[], outputs: readonly Stream[]): void {
  const typesOf = (streams: readonly Stream[]): string => streams.map(({ dtype }) => dtype).join(", ");
  const wanted = block.outputs.map((value) => (block.ops[value] as Op).type).join(", ");
  if (typesOf(inputs) !== block.inputs.join(", ") || typesOf(outputs) !== wanted)
    throw new Error(
      `wasm: a map from (${block.inputs.join(", ")}) to (${wanted}) is given (${typesOf(inputs)}) to (${typesOf(outputs)})`,
    );
}

const FAST: Mode = { slow: false, contract: false };
const WHOLE: Mode = { slow: true, contract: false };

function hasRare(block: Block, mode: Mode): boolean {
  return analyse(block, mode, () => false).nodes.some(
    ({ kind, op }) => kind === "note" || (op.op === "loop" && hasRare(op.body, mode)),
  );
}

/** So many that the latency of one unit hides behind the others, and their values still fit the registers. */
function unitsFor(cost: number): number {
  if (cost <= 8) return 6;
  if (cost <= 30) return 5;
  if (cost <= 45) return 4;
  if (cost <= 80) return 3;
  return cost <= 250 ? 2 : 1;
}

const FREE: ReadonlySet<string> = new Set(["input", "result", "const"]);
const CALL = 100;
const ROUNDS = 10;

/** Vector instructions per unit of four elements, roughly; calls and loops weighted, rare cases left out. */
export function costOf(block: Block): number {
  let cost = 0;
  for (const { kind, op, from } of analyse(block, FAST, () => false).nodes) {
    if (FREE.has(kind)) continue;
    if (op.op === "call") cost += CALL;
    else if (op.op === "loop") cost += ROUNDS * costOf(op.body);
    else cost += Math.max(widthOf(op.type), ...from.map(widthOf));
  }
  return cost;
}

/** Outside functions of a block, its rare sides and its loops, each once. */
export function callsOf(block: Block): readonly { name: string; run: Outside; arity: number }[] {
  const found = new Map<string, { name: string; run: Outside; arity: number }>();
  const visit = (inner: Block): void => {
    for (const { op } of analyse(inner, WHOLE, () => false).nodes) {
      if (op.op === "call") found.set(op.name, { name: op.name, run: op.run, arity: op.args.length });
      else if (op.op === "loop") visit(op.body);
    }
  };
  visit(block);
  return [...found.values()];
}
