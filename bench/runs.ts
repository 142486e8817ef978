import { fileURLToPath } from "node:url";
import { prepare, threadCounts } from "./engine.js";
import type { Line } from "./line.js";
import { measure } from "./measure.js";
import { type Options, WrongUse } from "./options.js";
import { linesOf, Peers } from "./peers.js";

export type OnLine = (line: Line) => void;

/** Repetitions of --quick, where nothing else is said. */
const QUICK_REPS = 3;

/** The workloads in this process, one after the other. @throws WrongUse where the library cannot do what is asked */
export async function ownLines({ only, threads, blas, quick, reps }: Options, onLine: OnLine): Promise<Line[]> {
  const about = await prepare(threads ?? Math.max(...threadCounts), blas);
  const how = { scale: quick ? "small" : "full", reps: reps ?? (quick ? QUICK_REPS : undefined) } as const;
  const lines: Line[] = [];
  for (const workload of only)
    for (const line of measure(workload, about, how)) {
      lines.push(line);
      onLine(line);
    }
  return lines;
}

/**
 * The workloads beside the peers: family after family (W1-1, W1-100 … are one), and for each a process of the library, then one of
 * every peer, so that what else the machine does meets all alike.
 */
export async function linesBeside(
  options: Options,
  folder: string,
  onLine: OnLine,
): Promise<{ lines: Line[]; missing: ReadonlyMap<string, string> }> {
  const peers = new Peers(folder);
  const lines: Line[] = [];
  const { only, threads } = options;
  for (const family of new Set(only.map(({ name }) => familyOf(name)))) {
    const names = only.map(({ name }) => name).filter((name) => familyOf(name) === family);
    const ours = await inProcesses(options, names);
    const theirs = (await peers.run(family, threads)).filter(({ workload }) => names.includes(workload));
    for (const line of [...ours, ...theirs]) {
      lines.push(line);
      onLine(line);
    }
  }
  return { lines, missing: peers.missing };
}

function familyOf(name: string): string {
  return name.replace(/-.*/, "");
}

/** This program again, in a process for each number of threads. */
async function inProcesses({ threads, blas, quick, reps }: Options, names: readonly string[]): Promise<Line[]> {
  const lines: Line[] = [];
  for (const count of threads === undefined ? threadCounts : [threads]) {
    const { found, problem } = await linesOf([
      process.execPath,
      ...process.execArgv,
      fileURLToPath(new URL("main.ts", import.meta.url)),
      ...["--json", "--only", names.join(","), "--threads", String(count)],
      ...(blas ? ["--blas"] : []),
      ...(quick ? ["--quick"] : []),
      ...(reps === undefined ? [] : ["--reps", String(reps)]),
    ]);
    // Status 1 says that a check failed, and so does its line.
    if (found.length === 0) throw new WrongUse(problem ?? "no results");
    lines.push(...found);
  }
  return lines;
}
