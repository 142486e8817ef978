import type { DType } from "../base/dtype.js";
import { Builder, type Op, type Value, type ValueType } from "../kernel/expr/block.js";
import type { Map as MapStage, Source, Target } from "./plan.js";

/** Vector operations per stage above which code becomes slow to compile and registers run out. */
const largest = 160;

/** Slots as they are handed out. */
export interface Slots {
  add(dtype: DType): number;
}

/**
 * A block as stages of a size that compiles well; what passes from one to a later one goes through slots.
 * @param sources where each input of the block comes from
 * @param targets for some values where they go; a value may go to several places
 */
export function cutIntoStages(
  b: Builder,
  sources: readonly Source[],
  targets: readonly { readonly value: Value; readonly to: Target }[],
  slots: Slots,
): MapStage[] {
  const live = liveOps(b.ops, targets);
  const floats = floating(b.ops, live, targets);
  const latest = latestUses(b.ops, live, floats);
  const piece = pieces(b.ops, live, floats, latest);
  const last = latest.map((at) => (at < 0 ? -1 : (piece[at] as number)));
  const slotOf = new Map<Value, number>();
  const stages: MapStage[] = [];
  const count = piece.reduce((most, p) => Math.max(most, p), 0) + 1;
  for (let p = 0; p < count; p++) {
    const stage = stageOf(b.ops, p, { piece, last, live, sources, targets, slotOf, slots });
    if (stage.outputs.length > 0) stages.push(stage);
  }
  return stages;
}

function isFree(op: Op): boolean {
  return op.op === "const" || op.op === "input" || op.op === "place";
}

function liveOps(ops: readonly Op[], targets: readonly { readonly value: Value }[]): boolean[] {
  const live = ops.map(() => false);
  for (const { value } of targets) live[value] = true;
  for (let i = ops.length - 1; i >= 0; i--) if (live[i]) for (const arg of (ops[i] as Op).args) live[arg] = true;
  return live;
}

/** Operations that are computed wherever they are needed: constants, inputs, and what rare cases alone take. */
function floating(
  ops: readonly Op[],
  live: readonly boolean[],
  targets: readonly { readonly value: Value }[],
): boolean[] {
  const common = ops.map(() => false);
  for (const { value } of targets) common[value] = true;
  for (let i = ops.length - 1; i >= 0; i--) {
    if (!common[i]) continue;
    const { op, args } = ops[i] as Op;
    args.forEach((arg, k) => {
      if (op !== "rare" || k !== 1) common[arg] = true;
    });
  }
  return ops.map((op, i) => live[i] === true && (isFree(op) || !common[i]));
}

/** Of each operation the latest that takes it at its own place. */
function latestUses(ops: readonly Op[], live: readonly boolean[], floats: readonly boolean[]): number[] {
  const latest = ops.map(() => -1);
  for (let i = ops.length - 1; i >= 0; i--) {
    if (!live[i]) continue;
    const at = floats[i] ? (latest[i] as number) : i;
    for (const arg of (ops[i] as Op).args) latest[arg] = Math.max(latest[arg] as number, at);
  }
  return latest;
}

/** For each operation the stage it is computed in; −1: wherever it is needed. A cut never separates a 64-bit word or a loop from its use. */
function pieces(
  ops: readonly Op[],
  live: readonly boolean[],
  floats: readonly boolean[],
  latest: readonly number[],
): number[] {
  const result: number[] = [];
  let piece = 0;
  let size = 0;
  let held = -1;
  ops.forEach((op, i) => {
    if (!live[i] || floats[i]) {
      result.push(-1);
      return;
    }
    if (size >= largest && i > held) {
      piece++;
      size = 0;
    }
    if (inseparable(op)) held = Math.max(held, latest[i] as number);
    size += op.op === "call" || op.op === "loop" ? 20 : 1;
    result.push(piece);
  });
  return result;
}

function inseparable(op: Op): boolean {
  return op.type === "int64" || op.op === "loop";
}

interface Cut {
  readonly piece: readonly number[];
  readonly last: readonly number[];
  readonly live: readonly boolean[];
  readonly sources: readonly Source[];
  readonly targets: readonly { readonly value: Value; readonly to: Target }[];
  readonly slotOf: Map<Value, number>;
  readonly slots: Slots;
}

function stageOf(ops: readonly Op[], p: number, cut: Cut): MapStage {
  const b = new Builder();
  const inputs: Source[] = [];
  const made = new Map<Value, Value>();
  const get = (value: Value): Value => {
    const known = made.get(value);
    if (known !== undefined) return known;
    const op = ops[value] as Op;
    let fresh: Value;
    if (op.op === "const") fresh = b.constant(op.value, op.type);
    else if (op.op === "place") fresh = b.place();
    else if (op.op !== "input" && (cut.piece[value] as number) < 0) fresh = b.copy(op, op.args.map(get));
    else {
      inputs.push(
        op.op === "input" ? (cut.sources[op.index] as Source) : { kind: "slot", slot: cut.slotOf.get(value) as number },
      );
      fresh = b.input(op.type);
    }
    made.set(value, fresh);
    return fresh;
  };
  ops.forEach((op, i) => {
    if (cut.piece[i] === p) made.set(i, b.copy(op, op.args.map(get)));
  });
  const outputs: Target[] = [];
  const values: Value[] = [];
  const put = (value: Value, to: Target): void => {
    outputs.push(to);
    values.push(get(value));
  };
  ops.forEach((op, i) => {
    if (cut.piece[i] !== p || (cut.last[i] as number) <= p) return;
    const slot = cut.slots.add(op.type as DType);
    cut.slotOf.set(i, slot);
    put(i, { kind: "slot", slot });
  });
  for (const { value, to } of cut.targets) {
    const where = cut.piece[value] as number;
    if (where === p || (where < 0 && p === 0)) put(value, to);
  }
  return { kind: "map", block: b.block(values), inputs, outputs };
}

/** The type of a value that may lie in memory. */
export function storable(type: ValueType): DType {
  if (type === "int64") throw new Error("compile: a 64-bit word has no place in memory");
  return type;
}
