import Table from "cli-table3";
import { type Line, standing } from "./line.js";

const plain = { style: { head: [], border: [], compact: true } };

/** What was measured, for people. */
export function timesTable(lines: readonly Line[]): string {
  const table = new Table({
    ...plain,
    head: ["workload", "variant", "threads", "ms", "median", "p90", "cpu ms", "reps", "first step", "value"],
    colAligns: ["left", "left", "right", "right", "right", "right", "right", "right", "right", "left"],
  });
  for (const line of lines) {
    const { workload, variant = "", threads, ms_per_step_median: median } = line;
    if (median === null) table.push([workload, variant, threads, { colSpan: 7, content: line.reason ?? "" }]);
    else
      table.push([
        ...[workload, variant, threads, digits(standing(line)), digits(median), digits(line.p90)],
        ...[digits(line.cpu_ms_per_step), line.reps ?? "", `${digits(line.compile_ms)} ms`, verdict(line)],
      ]);
  }
  return `${table}\nms: the tenth percentile below 4 ms, the median above`;
}

function verdict({ value_check: value, env_steps_per_s: speed }: Line): string {
  const rate = speed === undefined ? "" : `, ${Math.round(speed / 1000)}k env steps/s`;
  return `${value?.ok === undefined ? "not checked" : value.ok ? "ok" : `WRONG ${JSON.stringify(value.value)}`}${rate}`;
}

/** The library beside others: best over variants and threads, and how many times faster it is. */
export function ratiosTable(lines: readonly Line[], own: string): string {
  const others = [...new Set(lines.map(({ peer }) => peer))].filter((peer) => peer !== own);
  const table = new Table({
    ...plain,
    head: ["workload", own, ...others],
    colAligns: ["left", ...[own, ...others].map(() => "right" as const)],
  });
  for (const workload of new Set(lines.map((line) => line.workload))) {
    const ours = best(lines, workload, own);
    const cells = others.map((peer) => {
      const theirs = best(lines, workload, peer);
      if (theirs === null) return "–";
      return ours === null ? digits(theirs) : `${digits(theirs)} (${(theirs / ours).toPrecision(3)} ×)`;
    });
    table.push([workload, ours === null ? "–" : digits(ours), ...cells]);
  }
  return `${table}\nms per step: the best variant and number of threads; in brackets how many times faster ${own} is`;
}

function best(lines: readonly Line[], workload: string, peer: string): number | null {
  const times = lines
    .filter((line) => line.workload === workload && line.peer === peer)
    .map(standing)
    .filter((ms) => ms !== null);
  return times.length === 0 ? null : Math.min(...times);
}

function digits(x: number | null | undefined): string {
  if (x === null || x === undefined) return "–";
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3);
}
