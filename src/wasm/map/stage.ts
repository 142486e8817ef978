import type { Block, Op } from "../../kernel/expr/block.js";
import { type Callee, Code } from "../encode.js";
import { type Context, emit } from "./emit.js";
import { Frame } from "./frame.js";
import { type Analysis, analyse, type Mode } from "./nodes.js";
import { load, type Store, type Stream, storeLeft, storeWhole, strideOf } from "./ports.js";
import { Registers } from "./registers.js";

/** A stage to emit, and how. */
export interface Request {
  readonly block: Block;
  readonly inputs: readonly Stream[];
  readonly outputs: readonly Stream[];
  readonly context: Context;
  /** Of the block, for these inputs and in the mode of the context: see `analysisOf`. */
  readonly analysis: Analysis;
  /** Units per round of the main loop. */
  readonly units: number;
  /** Does elements again, the rare cases among them. */
  readonly twin: Callee | null;
}

interface Work extends Request {
  readonly registers: Registers;
  readonly common: Frame;
}

/** What the function of a stage has for parameters: count, place, pointers. */
const [COUNT, PLACE, POINTERS] = [0, 1, 2] as const;

/** How a block is to be taken apart for these inputs. */
export function analysisOf(block: Block, inputs: readonly Stream[], mode: Mode): Analysis {
  return analyse(block, mode, (index) => inputs[index]?.kind === "scalar");
}

/** The function of a stage: rounds of several units, then single ones, the last of which may be incomplete. */
export function emitStage(request: Request): Code {
  const { block, inputs, outputs, analysis, units } = request;
  const pointers = inputs.length + outputs.length;
  const code = new Code(["i32", "i32", ...new Array<"i32">(pointers).fill("i32")]);
  const registers = new Registers(code, COUNT, PLACE);
  const common = new Frame(registers, block, analysis);
  const work: Work = { ...request, registers, common };
  emitCommon(work);
  if (units > 1) {
    const enough = (): Code =>
      code
        .get(COUNT)
        .i32(4 * units)
        .op("i32.ge_s");
    enough().if(() => {
      code.loop(() => {
        emitRound(work, units, false);
        enough().brIf(0);
      });
    });
  }
  const left = (): Code => code.get(COUNT).i32(0).op("i32.gt_s");
  left().if(() => {
    code.loop(() => {
      emitRound(work, 1, true);
      left().brIf(0);
    });
  });
  return registers.finish();
}

/** What all elements have in common is computed once. */
function emitCommon({ analysis, block, common, inputs, registers, context }: Work): void {
  for (const node of analysis.nodes) {
    if (!node.uniform) continue;
    if (node.op.op === "input") {
      const { index } = node.op;
      common.bind(node.value, load(registers, inputs[index] as Stream, POINTERS + index, 0), true);
    } else emit([common], node, context);
    if ((block.ops[node.value] as Op).type !== "bool") continue;
    // Both forms, since one made in a loop would be missing in the next.
    common.vectors(node.value);
    common.wide(node.value);
  }
}

/** Loads of all units, then arithmetic, then all stores: the compiler keeps loads and stores in this order, and mixes the rest. */
function emitRound(work: Work, units: number, partial: boolean): void {
  const { registers, analysis, block, common, context, inputs, outputs } = work;
  registers.rare = null;
  const active = analysis.has("loop") ? activeMask(registers) : null;
  const frames = Array.from(
    { length: units },
    (_, unit) => new Frame(registers, block, analysis, { common, active, unit }),
  );
  for (const { op, uniform, value } of analysis.nodes)
    if (op.op === "input" && !uniform)
      for (const frame of frames)
        frame.bind(value, load(registers, inputs[op.index] as Stream, POINTERS + op.index, frame.unit));
  for (const node of analysis.nodes) if (node.op.op !== "input" && !node.uniform) emit(frames, node, context);
  const stores = frames.flatMap((frame) =>
    outputs.map((stream, i): Store => {
      const pointer = POINTERS + inputs.length + i;
      return { stream, pointer, unit: frame.unit, vectors: frame.vectors(analysis.outputs[i] as number) };
    }),
  );
  if (partial) storeLeft(registers, stores);
  else for (const store of stores) storeWhole(registers, store);
  for (const frame of frames) for (const value of analysis.outputs) frame.release(value);
  if (active !== null) registers.give(active);
  callTwin(work, units);
  advance(work, units);
}

/** A mask of the elements that are left. */
function activeMask(registers: Registers): number {
  const active = registers.take();
  registers.code.get(registers.count).op("i32x4.splat");
  registers.code
    .get(registers.lanes(0, 1, 2, 3))
    .op("i32x4.gt_s")
    .set(active);
  return active;
}

function callTwin({ registers, twin, inputs, outputs }: Work, units: number): void {
  const { code, rare } = registers;
  if (rare === null || twin === null) return;
  code
    .get(rare)
    .op("v128.any_true")
    .if(() => {
      code.get(COUNT).i32(4 * units);
      code.get(COUNT).i32(4 * units);
      code.op("i32.lt_s").op("select").get(PLACE);
      for (let i = 0; i < inputs.length + outputs.length; i++) code.get(POINTERS + i);
      code.call(twin);
    });
}

function advance({ registers, inputs, outputs, analysis }: Work, units: number): void {
  const { code } = registers;
  const add = (local: number, by: number): void => {
    if (by !== 0) code.get(local).i32(by).op("i32.add").set(local);
  };
  [...inputs, ...outputs].forEach((stream, i) => {
    // The twin may read what this function does not.
    if (analysis.inputs.has(i) || i >= inputs.length || registers.rare !== null)
      add(POINTERS + i, 4 * units * strideOf(stream));
  });
  add(PLACE, 4 * units);
  add(COUNT, -4 * units);
}
