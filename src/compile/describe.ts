import { show, sizeOf } from "../base/shape.js";
import { arenaOf, bytesOf } from "./arena.js";
import type { Group, Place, Plan, Rounds, Stage, Step } from "./plan.js";

/** A plan for people: what runs, over how many elements, and what it reads and writes. */
export function describePlan(plan: Plan): string {
  const { bytes } = arenaOf(plan);
  const named = plan.buffers.map(
    ({ dtype, size, constant }, i) =>
      `b${i} ${dtype}[${size}]${constant ? " constant" : plan.inputs.includes(i) ? " input" : ""}`,
  );
  return [
    `arena ${bytes} bytes, buffers ${plan.buffers.length}: ${named.join(", ")}`,
    ...roundLines(plan, plan.rounds, 0),
    `results ${plan.outputs.map(placeText).join(", ")}`,
  ].join("\n");
}

function roundLines(plan: Plan, rounds: Rounds, depth: number): string[] {
  return rounds.flatMap((round, i) => [
    `${"  ".repeat(depth)}round ${i}`,
    ...round.flatMap((step) => stepLines(plan, step, depth + 1)),
  ]);
}

function stepLines(plan: Plan, step: Step, depth: number): string[] {
  const indent = "  ".repeat(depth);
  switch (step.kind) {
    case "group":
      return [`${indent}${groupText(step)}`, ...step.stages.map((stage) => `${indent}  ${stageText(step, stage)}`)];
    case "matmul": {
      const form = `${step.a.transposed ? "T" : "N"}${step.b.transposed ? "T" : "N"}`;
      const { batch, m, n, k, a, b, c } = step;
      return [
        `${indent}matmul ${form} ${batch > 1 ? `${batch} × ` : ""}[${m}, ${k}]·[${k}, ${n}]  ${placeText(a.place)}, ${placeText(b.place)} -> ${placeText(c)}  ${2 * batch * m * n * k} flops`,
      ];
    }
    case "conv":
      return [
        `${indent}conv ${step.spec.batch} × ${step.spec.groups * step.spec.channels} channels ${show(step.spec.sizes)}, window ${show(step.spec.window)} -> ${step.spec.groups * step.spec.filters} ${show(step.spec.outs)}`,
      ];
    case "host":
      return [
        `${indent}host ${step.primitive.name} -> ${step.outputs.flatMap((p) => (p ? [placeText(p)] : [])).join(", ")}`,
      ];
    case "alarm":
      return [`${indent}alarm if ${placeText(step.flag)}`];
    case "copy":
      return [`${indent}copy ${step.size} ${step.dtype} ${placeText(step.from)} -> ${placeText(step.to)}`];
    case "loop":
      return [
        `${indent}loop of ${step.length} rows${step.reverse ? " from the last" : ""}`,
        ...roundLines(plan, step.rounds, depth + 1),
      ];
    case "branch":
      return [
        `${indent}if ${placeText(step.condition)}`,
        ...roundLines(plan, step.sides[0], depth + 1),
        `${indent}else`,
        ...roundLines(plan, step.sides[1], depth + 1),
      ];
  }
}

function groupText({ shape, layout, strip, slots }: Group): string {
  const kind = layout.kind === "flat" ? "" : `, ${layout.kind} of ${layout.length}`;
  const scratch = slots.reduce((sum, dtype) => sum + Math.max(4, bytesOf(dtype)) * strip, 0);
  return `loop over ${show(shape)} = ${sizeOf(shape)}${kind}, strips of ${strip}, ${slots.length} slots (${scratch} bytes)`;
}

function stageText(_group: Group, stage: Stage): string {
  switch (stage.kind) {
    case "gather":
      return `gather ${placeText(stage.from.place)} strides ${show(stage.from.strides)}${stage.once ? ", once" : ""} -> s${stage.to}`;
    case "bits":
      return `bits of key ${placeText(stage.key)} -> s${stage.to}`;
    case "map": {
      const from = stage.inputs.map((x) =>
        x.kind === "slot" ? `s${x.slot}` : `${x.kind === "scalar" ? "the number " : ""}${placeText(x.place)}`,
      );
      const to = stage.outputs.map((x) => (x.kind === "slot" ? `s${x.slot}` : placeText(x.place)));
      return `map of ${stage.block.ops.length} operations: ${from.join(", ")} -> ${to.join(", ")}`;
    }
    case "reduce":
      return `${stage.op} s${stage.from} -> ${placeText(stage.to)}`;
    case "scatter":
      return `scatter s${stage.from} -> ${placeText(stage.to.place)} strides ${show(stage.to.strides)}`;
  }
}

function placeText({ buffer, offset, rows }: Place): string {
  return `b${buffer}${offset === 0 ? "" : ` + ${offset}`}${rows.map(({ cell, stride }) => ` + ${stride}·t${cell}`).join("")}`;
}
