import type { Block, Op, Outside } from "../kernel/expr/block.js";
import type { Callee, Code } from "./encode.js";
import { mapKey } from "./map/key.js";
import { type Analysis, analyse, type Mode, widthOf } from "./map/nodes.js";
import type { Stream } from "./map/ports.js";
import { analysisOf, emitStage } from "./map/stage.js";

export { mapKey, type Stream };

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
  /** Functions of this module by what they do: stages that are alike become one. All entries have to be from one module. */
  readonly known?: Map<string, Callee>;
  /** Units of four elements per round; chosen by cost and `elements` when left out. */
  readonly units?: number;
  /** How many elements the stage has in all, if known: code that takes more room and time to make is not worth it for a few. */
  readonly elements?: number;
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
  const { known } = options;
  if (!known) return emitAnew(block, inputs, outputs, options);
  const key = `${options.units ?? isFew(options)} ${contracts(options)} ${mapKey(block, inputs, outputs)}`;
  const callee = known.get(key) ?? emitAnew(block, inputs, outputs, options);
  known.set(key, callee);
  return callee;
}

function contracts({ numerics, relaxed }: MapOptions): boolean {
  return numerics === "fast" && relaxed;
}

function emitAnew(block: Block, inputs: readonly Stream[], outputs: readonly Stream[], options: MapOptions): Callee {
  check(block, inputs, outputs);
  const { add, label = "map" } = options;
  const calls = ({ name, run, args }: Extract<Op, { op: "call" }>): Callee => options.calls(name, run, args.length);
  const request = (slow: boolean) => {
    const mode: Mode = { slow, contract: contracts(options) };
    return { block, inputs, outputs, context: { mode, calls }, analysis: analysisOf(block, inputs, mode) };
  };
  const fast = request(false);
  const { analysis } = fast;
  const twin = hasRare(analysis, fast.context.mode)
    ? add(emitStage({ ...request(true), units: 1, twin: null }), `${label} twin`)
    : null;
  const single = analysis.has("loop") || analysis.has("call");
  const units = single ? 1 : (options.units ?? (isFew(options) ? 1 : unitsFor(analysis)));
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

function hasRare({ nodes, has }: Analysis, mode: Mode): boolean {
  if (has("note")) return true;
  return nodes.some(
    ({ op }) =>
      op.op === "loop" &&
      hasRare(
        analyse(op.body, mode, () => false),
        mode,
      ),
  );
}

const FEW = 256;

function isFew({ elements }: MapOptions): boolean {
  return elements !== undefined && elements < FEW;
}

/**
 * So many that the latency of one unit hides behind the others, and their values still fit the registers. The bounds are from timings of
 * 146 blocks (the expressions of kernel/expr/math, and training steps) at 1 to 6 units: what is chosen takes 4 % more time than the best
 * on the geometric mean and at most 11 % more for nine of ten, where one unit alone takes 65 % more.
 */
function unitsFor(analysis: Analysis): number {
  const { cost, wide } = tally(analysis);
  if (wide) return cost <= 180 ? 3 : 2;
  if (cost <= 8) return 4;
  if (cost <= 110) return 5;
  return cost <= 140 ? 3 : 2;
}

const FREE: ReadonlySet<string> = new Set(["input", "result", "const"]);
const CALL = 100;
const ROUNDS = 10;

/** Vector instructions per unit of four elements, roughly; calls and loops weighted, rare cases left out. */
export function costOf(block: Block): number {
  let cost = costs.get(block);
  if (cost === undefined) {
    cost = tally(analyse(block, FAST, () => false)).cost;
    costs.set(block, cost);
  }
  return cost;
}

const costs = new WeakMap<Block, number>();

/** What one unit costs, and whether most of it is done twice, on two vectors. What all elements have in common costs nothing. */
function tally({ nodes }: Analysis): { readonly cost: number; readonly wide: boolean } {
  let [cost, twice] = [0, 0];
  for (const { kind, op, from, uniform } of nodes) {
    if (FREE.has(kind) || uniform) continue;
    if (op.op === "call") cost += CALL;
    else if (op.op === "loop") cost += ROUNDS * costOf(op.body);
    else {
      const width = Math.max(widthOf(op.type), ...from.map(widthOf));
      cost += width;
      if (width === 2) twice += width;
    }
  }
  return { cost, wide: 2 * twice > cost };
}

/** Outside functions of a block, its rare sides and its loops, each once. */
export function callsOf(block: Block): readonly { name: string; run: Outside; arity: number }[] {
  const found = new Map<string, { name: string; run: Outside; arity: number }>();
  const visit = (inner: Block): void => {
    if (!inner.ops.some(({ op }) => op === "call" || op === "loop")) return;
    for (const { op } of analyse(inner, WHOLE, () => false).nodes) {
      if (op.op === "call") found.set(op.name, { name: op.name, run: op.run, arity: op.args.length });
      else if (op.op === "loop") visit(op.body);
    }
  };
  visit(block);
  return [...found.values()];
}
