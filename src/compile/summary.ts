import type { About } from "./about.js";
import { arenaOf, bytesOf } from "./arena.js";
import { bytesText, counted, entry, percent, timeText, together, withPrefix } from "./columns.js";
import { idOf, type Names } from "./names.js";
import type { Host, Plan, Rounds, Step } from "./plan.js";
import { everyStep, workOfRounds, workOfStep } from "./work.js";

const indent = 11;

/** The totals of a plan, and its buffers. */
export function headOf(plan: Plan, about: About, names: Names): string[] {
  return [
    ...entry("plan", stepsText(plan), indent),
    ...entry("arena", arenaText(plan, about), indent),
    ...workLines(plan),
    ...timeLines(plan, about),
    ...hostLines(plan),
    "",
    ...bufferLines(plan, about, names),
  ];
}

function stepsText({ rounds }: Plan): string {
  const counts = new Map<Step["kind"], number>();
  for (const { kind } of everyStep(rounds)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const nouns: readonly (readonly [Step["kind"], string])[] = [
    ["group", "fused loop"],
    ["matmul", "product"],
    ["conv", "convolution"],
    ["loop", "loop over rows"],
    ["branch", "branch"],
    ["copy", "copy"],
    ["host", "host step"],
    ["alarm", "check"],
  ];
  const plurals: Readonly<Record<string, string>> = {
    "loop over rows": "loops over rows",
    branch: "branches",
    copy: "copies",
  };
  const parts = nouns.flatMap(([kind, noun]) => {
    const n = counts.get(kind) ?? 0;
    return n === 0 ? [] : [counted(n, noun, plurals[noun])];
  });
  return `${counted(rounds.length, "round")}: ${parts.length === 0 ? "nothing to compute" : parts.join(", ")}`;
}

function arenaText(plan: Plan, { elsewhere }: About): string {
  const { bytes } = arenaOf(plan, elsewhere);
  const own = plan.buffers.length - (elsewhere?.size ?? 0);
  const outside = plan.buffers.reduce(
    (sum, { dtype, size }, i) => sum + (elsewhere?.has(i) ? size * bytesOf(dtype) : 0),
    0,
  );
  const all = plan.buffers.reduce((sum, { dtype, size }) => sum + size * bytesOf(dtype), 0) - outside;
  const more = elsewhere?.size
    ? `; ${counted(elsewhere.size, "more", "more")} of ${bytesText(outside)} come and go by address`
    : "";
  return `${bytesText(bytes)}, shared by ${counted(own, "buffer")} of ${bytesText(all)}, each padded to 64 B${more}`;
}

function workLines({ rounds }: Plan): string[] {
  const { read, written, flops } = workOfRounds(rounds);
  const products = flopsOf(rounds, ({ kind }) => kind === "matmul" || kind === "conv");
  const of = products === 0 ? "" : `, ${percent(products, flops)} in products and convolutions`;
  return [
    ...entry("moved", `${bytesText(read)} read, ${bytesText(written)} written`, indent),
    ...entry("flop", `${withPrefix(flops)}${of}`, indent),
  ];
}

/** Operations of some steps, those inside loops as often as they run. */
function flopsOf(rounds: Rounds, which: (step: Step) => boolean): number {
  return rounds.flat().reduce((sum, step) => {
    if (step.kind === "loop") return sum + step.length * flopsOf(step.rounds, which);
    if (step.kind === "branch") return sum + Math.max(...step.sides.map((side) => flopsOf(side, which)));
    return sum + (which(step) ? workOfStep(step).flops : 0);
  }, 0);
}

function timeLines({ rounds }: Plan, { timeOf, isShared, threads = 1 }: About): string[] {
  if (!timeOf || rounds.length === 0) return [];
  const sharedTime = (some: Rounds, inLoop: boolean): number =>
    some.flat().reduce((sum, step) => {
      if (step.kind === "loop") return sum + step.length * sharedTime(step.rounds, true);
      if (step.kind === "branch") return sum + Math.max(...step.sides.map((side) => sharedTime(side, inLoop)));
      return sum + (isShared?.(step, inLoop) ? timeOf(step) : 0);
    }, 0);
  const time = rounds.flat().reduce((sum, step) => sum + timeOf(step), 0);
  const shared = sharedTime(rounds, false);
  const how =
    shared === 0
      ? "too short to be shared by threads"
      : `${percent(shared, time)} of it in steps that ${threads > 1 ? `${threads} threads share` : "threads could share; there is one"}`;
  const most = longest(rounds, timeOf, time);
  return entry("time", `about ${timeText(time)} on one thread, ${how}; most in ${most}`, indent);
}

/** The three steps that take longest. */
function longest(rounds: Rounds, timeOf: (step: Step) => number, all: number): string {
  const steps = rounds.flatMap((round, r) => round.map((step, s) => ({ id: idOf(round, r, s), time: timeOf(step) })));
  const first = steps.sort((a, b) => b.time - a.time).slice(0, 3);
  return first.map(({ id, time }) => `${id} (${percent(time, all)})`).join(", ");
}

function hostLines({ rounds }: Plan): string[] {
  const why = new Map<string, Set<string>>();
  for (const step of everyStep(rounds)) {
    if (step.kind !== "host") continue;
    const reason = whyOnHost(step);
    why.set(reason, (why.get(reason) ?? new Set()).add(step.primitive.name));
  }
  const text = [...why].map(([reason, names]) => `${[...names].join(", ")}: ${reason}`).join("; ");
  return text === "" ? [] : entry("host", text, indent);
}

/** Why an operation is left to its reference kernel. */
function whyOnHost({ primitive, node }: Host): string {
  switch (primitive.lower.kind) {
    case "matmul":
      return `there is no compiled product of ${node.dtype}`;
    case "conv":
      return node.rank > 5
        ? `there is no compiled convolution over ${node.rank - 2} axes`
        : `there is no compiled convolution of ${node.dtype}`;
    case "check":
      return "only its own code can tell whether it holds";
    case "bits":
      return "its random words are not those of one stream in order";
    case "host":
      return "no compiled form";
    default:
      return "no compiled form for these operands";
  }
}

function bufferLines({ buffers, inputs, outputs }: Plan, { elsewhere }: About, names: Names): string[] {
  const [given, found] = [new Set(inputs), new Set(outputs.map(({ buffer }) => buffer))];
  const kindOf = (i: number): string => {
    if (given.has(i)) return "inputs";
    if (buffers[i]?.constant) return "constants";
    return found.has(i) ? "results" : "between";
  };
  const typed = (kind: string): string[] =>
    buffers.flatMap((_, i) =>
      kindOf(i) === kind ? [`${names.typed(i)}${elsewhere?.has(i) ? " (by address)" : ""}`] : [],
    );
  const results = [
    ...new Set(outputs.map((place, i) => resultText(place, i, names, elsewhere?.has(place.buffer) === true))),
  ];
  const lists = { inputs: typed("inputs"), constants: typed("constants"), between: typed("between"), results };
  return Object.entries(lists).flatMap(([kind, list]) =>
    list.length === 0 ? [] : entry(kind, list.map(together).join(", "), indent),
  );
}

/** A result may lie in a buffer that is an input or another result, or in a part of one. */
function resultText(place: Plan["outputs"][number], i: number, names: Names, passed: boolean): string {
  const found = names.place(place);
  return found === `result ${i}`
    ? `${names.typed(place.buffer)}${passed ? " (by address)" : ""}`
    : `result ${i} = ${found}`;
}
