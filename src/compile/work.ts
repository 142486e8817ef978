import { sizeOf } from "../base/shape.js";
import type { Block } from "../kernel/expr/block.js";
import { bytesOf } from "./arena.js";
import type { Conv, Gather, Group, Host, Matmul, Place, Rounds, Step } from "./plan.js";

/** What steps do, in numbers: of a step inside a loop, in one row of it. */
export interface Work {
  /** Bytes of the numbers it reads, each counted once: what is repeated along an axis is there once. */
  readonly read: number;
  readonly written: number;
  /** Operations on single numbers, multiply and add of a product among them; those of random words and of host steps are not counted. */
  readonly flops: number;
}

const nothing: Work = { read: 0, written: 0, flops: 0 };

/** Of a loop all its rows, of a branch the side with more operations. */
export function workOfStep(step: Step): Work {
  switch (step.kind) {
    case "group":
      return ofGroup(step);
    case "matmul":
      return ofMatmul(step);
    case "conv":
      return ofConv(step);
    case "host":
      return ofHost(step);
    case "copy": {
      const bytes = step.size * bytesOf(step.dtype);
      return { read: bytes, written: bytes, flops: 0 };
    }
    case "alarm":
      return { read: 1, written: 0, flops: 0 };
    case "loop": {
      const { read, written, flops } = workOfRounds(step.rounds);
      return { read: step.length * read, written: step.length * written, flops: step.length * flops };
    }
    case "branch": {
      const [a, b] = [workOfRounds(step.sides[0]), workOfRounds(step.sides[1])];
      return b.flops > a.flops ? b : a;
    }
  }
}

export function workOfRounds(rounds: Rounds): Work {
  return rounds
    .flat()
    .map((step) => workOfStep(step))
    .reduce((a, b) => ({ read: a.read + b.read, written: a.written + b.written, flops: a.flops + b.flops }), nothing);
}

/** Operations on each element of a group, its reductions aside. */
export function operationsOf({ stages }: Group): number {
  return stages.reduce((sum, stage) => sum + (stage.kind === "map" ? operationsIn(stage.block) : 0), 0);
}

const free: ReadonlySet<string> = new Set(["input", "const", "place", "result"]);

/** A loop per element counts as one round of it. */
function operationsIn({ ops }: Block): number {
  return ops.reduce((sum, op) => sum + (free.has(op.op) ? 0 : op.op === "loop" ? operationsIn(op.body) : 1), 0);
}

function ofGroup(group: Group): Work {
  const size = sizeOf(group.shape);
  const reductions = group.stages.filter(({ kind }) => kind === "reduce").length;
  const [read, written] = [new Map<string, number>(), new Map<string, number>()];
  const add = (to: Map<string, number>, place: Place, more: string, bytes: number): void => {
    to.set(`${keyOf(place)} ${more}`, bytes);
  };
  for (const stage of group.stages) {
    if (stage.kind === "gather")
      add(read, stage.from.place, `${stage.from.strides}`, seenBy(stage, group) * bytesOf(stage.from.dtype));
    else if (stage.kind === "bits") {
      add(read, stage.key, "key", 8);
      add(read, stage.start, "start", 4);
    } else if (stage.kind === "map") {
      for (const x of stage.inputs)
        if (x.kind !== "slot") add(read, x.place, x.kind, bytesOf(x.dtype) * (x.kind === "scalar" ? 1 : size));
      for (const x of stage.outputs) if (x.kind === "stream") add(written, x.place, "", bytesOf(x.dtype) * size);
    } else if (stage.kind === "reduce") add(written, stage.to, "", bytesOf(stage.dtype) * setsOf(group));
    else add(written, stage.to.place, "", bytesOf(stage.to.dtype) * size);
  }
  return {
    read: sum([...read.values()]),
    written: sum([...written.values()]),
    flops: size * (operationsOf(group) + reductions),
  };
}

/** How many numbers each reduction of a group gives. */
function setsOf({ shape, layout }: Group): number {
  if (layout.kind === "flat") return 1;
  return layout.kind === "columns" ? layout.length : layout.length === 0 ? 0 : sizeOf(shape) / layout.length;
}

/** Different numbers that a view shows. */
function seenBy({ from, inside = [] }: Gather, { shape }: Group): number {
  return shape.reduce((product, length, axis) => {
    if (from.strides[axis] === 0) return product;
    const cut = inside.find((limits) => limits.axis === axis);
    return product * (cut ? Math.max(0, Math.ceil((Math.min(cut.high, length) - cut.low) / cut.step)) : length);
  }, 1);
}

function ofMatmul({ dtype, m, n, k, batch, a, b }: Matmul): Work {
  const bytes = bytesOf(dtype);
  const left = (a.step === 0 ? 1 : batch) * m * k;
  const right = (b.step === 0 ? 1 : batch) * k * n;
  return { read: bytes * (left + right), written: bytes * batch * m * n, flops: 2 * batch * m * n * k };
}

function ofConv({ dtype, spec }: Conv): Work {
  const { batch, groups, channels, filters, sizes, window, outs } = spec;
  const bytes = bytesOf(dtype);
  const input = batch * groups * channels * sizeOf(sizes);
  const kernel = groups * filters * channels * sizeOf(window);
  const output = batch * groups * filters * sizeOf(outs);
  return {
    read: bytes * (input + kernel),
    written: bytes * output,
    flops: 2 * output * channels * sizeOf(window),
  };
}

function ofHost({ node, inputs, outputs }: Host): Work {
  const read = node.inputs.map(({ dtype, size }, i) => (inputs[i] ? bytesOf(dtype) * size : 0));
  const parts = node.parts ?? [node];
  const written = parts.map(({ dtype, shape }, i) => (outputs[i] ? bytesOf(dtype) * sizeOf(shape) : 0));
  return { read: sum(read), written: sum(written), flops: 0 };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function keyOf({ buffer, offset, rows }: Place): string {
  return `${buffer}+${offset}${rows.map(({ cell, stride }) => `+${cell}·${stride}`).join("")}`;
}

/** Every step, those inside loops and branches too. */
export function* everyStep(rounds: Rounds): Generator<Step> {
  for (const step of rounds.flat()) {
    yield step;
    if (step.kind === "loop") yield* everyStep(step.rounds);
    else if (step.kind === "branch") for (const side of step.sides) yield* everyStep(side);
  }
}
