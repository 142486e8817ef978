import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DocModule } from "./workspace.js";

/** One console.log call: the line it stands on, that of the outermost statement which led to it (0 where unknown), what it printed. */
export type Print = { line: number; from: number; text: string };

/** What a block did; `error` when it threw, hung or ended the process. */
export type Run = { prints: Print[]; error?: string };

/** What the runner process says, one JSON object a line. */
export type Message = { path: string } & (
  | { kind: "start" }
  | { kind: "print"; print: Print }
  | { kind: "end"; error?: string }
);

/** How long the process may take to its first block. */
const START_TIMEOUT_MS = 60_000;
const RUNNER = fileURLToPath(new URL("./runner.ts", import.meta.url));

/**
 * Runs modules one after another in one process, which loads the library once. When a module ends the process
 * or hangs, that module has failed and a new process goes on with the next.
 */
export async function runBlocks(
  modules: readonly DocModule[],
  root: string,
  timeoutMs: number,
): Promise<Map<string, Run>> {
  const runs = new Map<string, Run>();
  let waiting = modules.map((module) => module.path);
  while (waiting.length > 0) {
    await runProcess(waiting, root, timeoutMs, runs);
    const [first] = waiting;
    // A process that dies before its first module has failed that one, or this would go on for ever.
    if (first && !runs.has(first))
      runs.set(first, { prints: [], error: "the process that runs the blocks did not start" });
    waiting = waiting.filter((path) => !runs.has(path));
  }
  return runs;
}

async function runProcess(
  paths: readonly string[],
  root: string,
  timeoutMs: number,
  runs: Map<string, Run>,
): Promise<void> {
  const child = spawn(process.execPath, ["--import", "tsx", RUNNER, ...paths], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const stderr: string[] = [];
  createInterface({ input: child.stderr! }).on("line", (line) => stderr.push(line));
  let current: { path: string; run: Run } | undefined;
  let timedOut = false;
  const onTimeout = (): void => {
    timedOut = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(onTimeout, START_TIMEOUT_MS);
  child.on("message", (message: Message) => {
    if (message.kind === "start") {
      current = { path: message.path, run: { prints: [] } };
      clearTimeout(timer);
      timer = setTimeout(onTimeout, timeoutMs);
    } else if (message.kind === "print") current?.run.prints.push(message.print);
    else if (current) {
      runs.set(current.path, { ...current.run, error: message.error });
      current = undefined;
    }
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(timer);
  if (!current) return;
  const reason = timedOut ? `did not end within ${timeoutMs / 1000} s` : `ended the process (exit status ${code})`;
  runs.set(current.path, { ...current.run, error: [reason, ...stderr.slice(-10)].join("\n    ") });
}
