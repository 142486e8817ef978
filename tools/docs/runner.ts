/**
 * The process that runs documentation blocks: imports each module that its arguments name and reports to its parent
 * what the module prints, call by call.
 */
import { Console } from "node:console";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import type { Message } from "./run.js";

process.setSourceMapsEnabled(true);

let path = "";

function send(message: Message): Promise<void> {
  return new Promise((done) => process.send?.(message, () => done()));
}

/**
 * The lines of the running module on the stack, innermost and outermost: the call itself, and the statement of the block that led to it
 * (a helper may stand in an earlier block). 0 where it is not there (a callback that the library calls later).
 */
function callerLines(): { line: number; from: number } {
  const frames = (new Error().stack ?? "").split("\n").filter((frame) => frame.includes(path));
  const lineOf = (frame = ""): number => Number(/:(\d+):\d+\)?$/.exec(frame)?.[1] ?? 0);
  return { line: lineOf(frames[0]), from: lineOf(frames[frames.length - 1]) };
}

function capture(): void {
  Error.stackTraceLimit = 50;
  for (const method of ["log", "info", "table"] as const) {
    console[method] = (...args: unknown[]): void => {
      const chunks: string[] = [];
      const stdout = new Writable({ write: (chunk, _encoding, done) => done(void chunks.push(String(chunk))) });
      new Console({ stdout, colorMode: false })[method](...(args as []));
      void send({ kind: "print", path, print: { ...callerLines(), text: chunks.join("").replace(/\n$/, "") } });
    };
  }
}

/** The message of an error with the lines of the block it went through. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const frames = (error.stack ?? "").split("\n").filter((frame) => frame.includes(path));
  const lines = frames.flatMap((frame) => /:(\d+):\d+\)?$/.exec(frame)?.[1] ?? []);
  return `threw ${error.name}: ${error.message}${lines.length > 0 ? ` (line ${lines.join(", from ")})` : ""}`;
}

capture();
for (path of process.argv.slice(2)) {
  await send({ kind: "start", path });
  let error: string | undefined;
  try {
    await import(pathToFileURL(path).href);
  } catch (thrown) {
    error = describe(thrown);
  }
  await send({ kind: "end", path, error });
}
// Worker threads and open timers of a block must not keep the process.
process.exit(0);
