import { show } from "../base/shape.js";
import type { Tensor } from "../graph/tensor.js";
import type { About } from "./about.js";
import type { Place, Plan, Stage, Step } from "./plan.js";

/** What the buffers of a plan are called: inputs as their placeholders, results by number, others b0, b1, … */
export class Names {
  private readonly names: readonly string[];
  private readonly shapes: readonly string[];
  private readonly plan: Plan;

  constructor(plan: Plan, { inputs, outputs }: About) {
    this.plan = plan;
    const names = plan.buffers.map((_, i) => `b${i}`);
    const shapes = plan.buffers.map(({ size }) => `[${size}]`);
    plan.outputs.forEach((place, i) => {
      if (!isWhole(place, outputs?.[i], plan)) return;
      names[place.buffer] = `result ${i}`;
      if (outputs?.[i]) shapes[place.buffer] = show(outputs[i].shape);
    });
    plan.inputs.forEach((buffer, i) => {
      if (buffer === null) return;
      names[buffer] = inputs?.[i]?.label ?? `input ${i}`;
      if (inputs?.[i]) shapes[buffer] = show(inputs[i].shape);
    });
    this.names = names;
    this.shapes = shapes;
  }

  buffer(buffer: number): string {
    return this.names[buffer] as string;
  }

  /** `params.W0 float32[2, 3]`; a constant of one number with it. */
  typed(buffer: number): string {
    const { dtype, size, constant } = this.plan.buffers[buffer] as Plan["buffers"][number];
    const value = constant !== null && size === 1 ? ` = ${Number((constant[0] as number).toPrecision(6))}` : "";
    return `${this.buffer(buffer)} ${dtype}${this.shapes[buffer]}${value}`;
  }

  /** `b3`, `b3 + 4`, `xs[t0]` */
  place({ buffer, offset, rows }: Place): string {
    const row = rows.map(({ cell }) => `t${cell}`).join(", ");
    return `${this.buffer(buffer)}${row === "" ? "" : `[${row}]`}${offset === 0 ? "" : ` + ${offset}`}`;
  }

  /** What a stage reads from memory. */
  read(stage: Stage): string[] {
    if (stage.kind === "gather") {
      const { place, strides } = stage.from;
      return [`${this.place(place)} by ${show(strides)}${stage.inside ? " with zeros around" : ""}`];
    }
    if (stage.kind === "bits") return [`random words of ${this.place(stage.key)}`];
    return stage.kind === "map" ? stage.inputs.flatMap((x) => (x.kind === "slot" ? [] : [this.place(x.place)])) : [];
  }

  /** What a stage writes to memory. */
  written(stage: Stage): string[] {
    if (stage.kind === "map") return stage.outputs.flatMap((x) => (x.kind === "slot" ? [] : [this.place(x.place)]));
    if (stage.kind === "reduce") return [`${this.place(stage.to)} (${stage.op})`];
    return stage.kind === "scatter" ? [`${this.place(stage.to.place)} by ${show(stage.to.strides)}`] : [];
  }
}

/** Whether a place is all of its buffer. */
function isWhole({ buffer, offset, rows }: Place, node: Tensor | undefined, { buffers }: Plan): boolean {
  const { size, constant } = buffers[buffer] as Plan["buffers"][number];
  return constant === null && offset === 0 && rows.length === 0 && (node === undefined || node.size === size);
}

/** What a step is called: the number of its round, and a letter where the round has several. */
export function idOf(round: readonly Step[], r: number, s: number): string {
  return `${r + 1}${round.length === 1 ? "" : letters(s)}`;
}

/** a, b, …, z, aa, ab, … */
function letters(n: number): string {
  return (n < 26 ? "" : letters(Math.floor(n / 26) - 1)) + String.fromCharCode(97 + (n % 26));
}
