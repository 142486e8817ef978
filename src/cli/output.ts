import type { Estimate } from "../expectation/estimate.js";
import { fullSize, short, summary } from "../expectation/report/numbers.js";
import type { Tensor } from "../graph/tensor.js";
import { bold, type Io } from "./io.js";
import { load } from "./packages.js";

type TableModule = { readonly default: typeof import("cli-table3") };
type ProgressModule = { readonly default: typeof import("cli-progress") };

/** A table with a head line; numbers are the caller's business. */
export async function tableOf(head: readonly string[], rows: readonly (readonly string[])[], io: Io): Promise<string> {
  const { default: Table } = await load<TableModule>("cli-table3", io.cwd);
  // Colours of its own would ignore NO_COLOR.
  const table = new Table({ head: head.map((name) => bold(name, io)), style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** The numbers of a tensor in a cell: rows of a matrix under one another, a summary of large ones. */
export function cellOf(t: Tensor, digits = 4): string {
  const nested = t.toArray();
  if (typeof nested === "number") return short(nested, digits);
  const flat = (nested as unknown[]).flat(Number.POSITIVE_INFINITY) as number[];
  if (flat.length > fullSize) return summary(flat).replace(" over the elements", "").replace(/, /g, "\n");
  const line = (x: unknown): string => (Array.isArray(x) ? `[${x.map(line).join(", ")}]` : short(x as number, digits));
  return t.rank < 2 ? line(nested) : (nested as unknown[]).map(line).join("\n");
}

/** `0.972 (exact)`, `0.9713 ± 0.013`, or the reason why there is no error bar. */
export function valueText({ mean, stderr, reason }: Estimate<Tensor>): string {
  const bar = stderr.item();
  if (reason !== null) return `${short(mean.item())} (no error bar: ${reason})`;
  return bar === 0 ? `${short(mean.item())} (exact)` : `${short(mean.item())} ± ${short(bar, 2)}`;
}

export interface Progress {
  update(done: number, total: number, what: string): void;
  stop(): void;
}

/** A bar on stderr for people who watch; silent in pipes and beside JSON. */
export async function progressOf(io: Io, quiet: boolean): Promise<Progress> {
  if (quiet || !io.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const { default: bars } = await load<ProgressModule>("cli-progress", io.cwd);
  const bar = new bars.SingleBar({
    format: "{bar} {percentage}% {what}",
    stream: io.stderr as NodeJS.WritableStream,
    clearOnComplete: true,
    hideCursor: true,
    barCompleteChar: "█",
    barIncompleteChar: "░",
  });
  let started = false;
  return {
    update: (done, total, what) => {
      if (!started) bar.start(100, 0, { what });
      started = true;
      bar.update(Math.round((100 * done) / total), { what });
    },
    stop: () => bar.stop(),
  };
}
