import { show, sizeOf } from "../base/shape.js";
import type { About } from "./about.js";
import { bytesText, type Column, entry, hanging, lineWidth, rowOf, timeText, together, withPrefix } from "./columns.js";
import { idOf, Names } from "./names.js";
import type { Conv, Group, Host, Loop, Matmul, Plan, Rounds, Stage, Step } from "./plan.js";
import { headOf } from "./summary.js";
import { operationsOf, type Work, workOfStep } from "./work.js";

/**
 * A plan for people: totals, buffers, and a line for each step that says over which elements it runs, what it reads, computes and writes.
 */
export function describePlan(plan: Plan, about: About = {}): string {
  const names = new Names(plan, about);
  const lines = new Lines(about, names);
  const steps = lines.rounds(plan.rounds, { depth: 0, id: "", inLoop: false });
  return [...headOf(plan, about, names), "", ...lines.head(), ...steps, "", ...legendOf(plan, about)].join("\n");
}

/** Where a step stands. */
interface At {
  readonly depth: number;
  /** Numbers of the steps around it. */
  readonly id: string;
  readonly inLoop: boolean;
}

const numbers: readonly Column[] = [
  { head: "elements", width: 10 },
  { head: "op", width: 4 },
  { head: "read", width: 7 },
  { head: "written", width: 7 },
  { head: "flop", width: 6 },
];
const times: readonly Column[] = [
  { head: "time", width: 6 },
  { head: "threads", width: 7 },
];

class Lines {
  private readonly about: About;
  private readonly names: Names;
  private readonly columns: readonly Column[];

  constructor(about: About, names: Names) {
    this.about = about;
    this.names = names;
    this.columns = about.timeOf ? [...numbers, ...times] : numbers;
  }

  head(): string[] {
    return rowOf(
      "step",
      this.columns.map(({ head }) => head),
      this.columns,
      0,
    );
  }

  rounds(rounds: Rounds, at: At): string[] {
    return rounds.flatMap((round, r) =>
      round.flatMap((step, s) => {
        const id = at.id + idOf(round, r, s);
        return [...this.row(step, id, at), ...this.inside(step, id, at)];
      }),
    );
  }

  private row(step: Step, id: string, at: At): string[] {
    const { timeOf, isShared, threads = 1 } = this.about;
    const indent = "  ".repeat(at.depth);
    const { read, written, flops } = workOfStep(step);
    const cells = [...elementsAndOperations(step), ...inBytes({ read, written }), flops === 0 ? "" : withPrefix(flops)];
    const control = step.kind === "loop" || step.kind === "branch";
    const by = control ? "" : isShared?.(step, at.inLoop) && threads > 1 ? `${threads}` : "1";
    const all = timeOf ? [...cells, timeText(timeOf(step)), by] : cells;
    return rowOf(`${indent}${id} ${this.what(step)}`, all, this.columns, indent.length + id.length + 1);
  }

  /** What flows through a step, or the steps in it. */
  private inside(step: Step, id: string, at: At): string[] {
    const indent = "  ".repeat(at.depth + 2);
    const within = { depth: at.depth + 1, id: `${id}.`, inLoop: true };
    if (step.kind === "loop") return this.rounds(step.rounds, within);
    if (step.kind === "branch")
      return [
        ...this.rounds(step.sides[0], { ...within, inLoop: at.inLoop }),
        `${"  ".repeat(at.depth)}${" ".repeat(id.length)} else`,
        ...this.rounds(step.sides[1], { ...within, inLoop: at.inLoop }),
      ];
    const flow = this.flow(step);
    return flow === "" ? [] : hanging(`${indent}${flow}`, lineWidth, indent.length + 2);
  }

  private what(step: Step): string {
    switch (step.kind) {
      case "group":
        return groupText(step);
      case "matmul":
        return productText(step);
      case "conv":
        return convText(step);
      case "host":
        return `host ${step.primitive.name} ${resultsOf(step)}`;
      case "alarm":
        return `check ${this.names.place(step.flag)}`;
      case "copy":
        return `copy ${step.dtype}`;
      case "loop":
        return this.loopText(step);
      case "branch":
        return `if ${this.names.place(step.condition)}`;
    }
  }

  private loopText({ length, reverse, cell, alive }: Loop): string {
    const [first, last] = reverse ? [length - 1, 0] : [0, length - 1];
    const rows = length === 0 ? "no rows" : length === 1 ? `t${cell} = 0` : `t${cell} = ${first} … ${last}`;
    return `for ${rows}${alive === null ? "" : `, while any of ${this.names.place(alive.place)}`}`;
  }

  private flow(step: Step): string {
    const { names } = this;
    switch (step.kind) {
      case "group":
        return `${listOf(step.stages.flatMap((stage) => names.read(stage)))} → ${listOf(
          step.stages.flatMap((stage) => names.written(stage)),
        )}`;
      case "matmul":
        return `${names.place(step.a.place)}, ${names.place(step.b.place)} → ${names.place(step.c)}`;
      case "conv":
        return `${names.place(step.input)}, ${names.place(step.kernel)} → ${names.place(step.output)}`;
      case "host":
        return `${listOf(step.inputs.flatMap((p) => (p ? [names.place(p)] : [])))} → ${listOf(
          step.outputs.flatMap((p) => (p ? [names.place(p)] : [])),
        )}`;
      case "copy":
        return `${names.place(step.from)} → ${names.place(step.to)}`;
      default:
        return "";
    }
  }
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? "nothing" : [...new Set(names)].map(together).join(", ");
}

function elementsAndOperations(step: Step): [string, string] {
  switch (step.kind) {
    case "group":
      return [grouped(sizeOf(step.shape)), `${operationsOf(step)}`];
    case "matmul":
      return [grouped(step.batch * step.m * step.n), ""];
    case "conv":
      return [grouped(step.spec.batch * step.spec.groups * step.spec.filters * sizeOf(step.spec.outs)), ""];
    case "copy":
      return [grouped(step.size), ""];
    default:
      return ["", ""];
  }
}

/** 1,234,567; from a hundred million on with a prefix. */
function grouped(n: number): string {
  return n < 1e8 ? String(n).replace(/\B(?=(\d{3})+$)/g, ",") : withPrefix(n);
}

function inBytes({ read, written }: Pick<Work, "read" | "written">): [string, string] {
  return [read === 0 ? "" : bytesText(read), written === 0 ? "" : bytesText(written)];
}

function groupText({ shape, layout, strip, stages }: Group): string {
  const reduces = stages.some(({ kind }) => kind === "reduce");
  const how = {
    flat: reduces ? ", all reduced" : "",
    rows: layout.kind === "rows" ? `, rows of ${layout.length} reduced` : "",
    columns: layout.kind === "columns" ? `, reduced to ${layout.length} columns` : "",
  };
  return `fused ${show(shape)}${how[layout.kind]}${sizeOf(shape) > strip ? `, strips of ${strip}` : ""}`;
}

function productText({ a, b, batch, m, n, k, dtype }: Matmul): string {
  const left = a.transposed ? `[${k}, ${m}]ᵀ` : `[${m}, ${k}]`;
  const right = b.transposed ? `[${n}, ${k}]ᵀ` : `[${k}, ${n}]`;
  return `product ${batch > 1 ? `${batch} × ` : ""}${left} · ${right}${dtype === "float64" ? " float64" : ""}`;
}

function convText({ spec, dtype }: Conv): string {
  const { batch, groups, channels, filters, sizes, window, outs } = spec;
  const from = show([batch, groups * channels, ...sizes]);
  const kernel = show([groups * filters, channels, ...window]);
  return `convolution ${from} ∗ ${kernel} → ${show(outs)}${dtype === "float64" ? " float64" : ""}`;
}

function resultsOf({ node }: Host): string {
  return (node.parts ?? [node]).map(({ dtype, shape }) => `${dtype}${show(shape)}`).join(", ");
}

function legendOf({ rounds }: Plan, { timeOf }: About): string[] {
  const has = (kind: Step["kind"] | Stage["kind"]): boolean => contains(rounds, kind);
  const entries: readonly (readonly [string, string, boolean])[] = [
    ["1a, 1b", "steps that do not wait for each other", rounds.some((round) => round.length > 1)],
    ["fused", "one loop: what passes between its operations stays in the nearest cache, strip by strip", has("group")],
    ["op", "operations on each element, its random words and reductions aside", has("group")],
    [
      "x by [2, 0]",
      "x is read, or written, with these strides; along axes with 0 it is repeated",
      has("gather") || has("scatter"),
    ],
    [
      "for",
      "its own line counts all rows, the lines inside one row; x[t0] is the row at which the loop stands",
      has("loop"),
    ],
    ["host", "computed by the library's JavaScript, between parts of the compiled code", has("host")],
    ["check", "where it holds the interpreter computes all once more, and says what is wrong", has("alarm")],
    ["read, written", "bytes of different numbers", true],
    ["flop", "operations on numbers; 2·m·n·k for a product [m, k] · [k, n]; random words are not counted", true],
    ["time", "an estimate for one thread, not a measurement", timeOf !== undefined],
  ];
  return entries.flatMap(([head, text, shown]) => (shown ? entry(head, text, 15) : []));
}

function contains(rounds: Rounds, kind: Step["kind"] | Stage["kind"]): boolean {
  return rounds
    .flat()
    .some(
      (step) =>
        step.kind === kind ||
        (step.kind === "group" && step.stages.some((stage) => stage.kind === kind)) ||
        (step.kind === "loop" && contains(step.rounds, kind)) ||
        (step.kind === "branch" && step.sides.some((side) => contains(side, kind))),
    );
}
