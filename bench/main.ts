import { OWN } from "./engine.js";
import type { Line } from "./line.js";
import { type Options, parse, WrongUse } from "./options.js";
import { linesBeside, ownLines } from "./runs.js";
import { measureSizes, sizesTable } from "./sizes.js";
import { ratiosTable, timesTable } from "./tables.js";

/** `npm run bench`. Exit status 1: a number is wrong, or a bundle is too large; 2: a wrong command line. */
async function main(args: readonly string[]): Promise<number> {
  const options = parse(args, process.env);
  if (typeof options === "string") {
    process.stdout.write(options);
    return 0;
  }
  return options.sizes ? sizes(options) : times(options);
}

async function times(options: Options): Promise<number> {
  const onLine = options.json ? printed : progress;
  if (options.peers === undefined) {
    const lines = await ownLines(options, onLine);
    if (!options.json) print(timesTable(lines));
    return status(lines);
  }
  const { lines, missing } = await linesBeside(options, options.peers, onLine);
  const ours = lines.filter(({ peer }) => peer === OWN);
  if (!options.json) print(`${timesTable(ours)}\n\n${ratiosTable(lines, OWN)}`);
  for (const [name, why] of missing) console.error(`without ${name}: ${why}`);
  return status(ours);
}

async function sizes({ json }: Options): Promise<number> {
  const found = await measureSizes();
  if (json) for (const size of found) console.log(JSON.stringify(size));
  else console.log(sizesTable(found));
  return found.some(({ gzipped, budget }) => budget !== undefined && gzipped > budget) ? 1 : 0;
}

function status(lines: readonly Line[]): number {
  return lines.some(({ value_check: value }) => value?.ok === false) ? 1 : 0;
}

function printed(line: Line): void {
  console.log(JSON.stringify(line));
}

const CLEAR = "\r\u001b[K";

/** The workload at hand, where somebody watches. */
function progress({ peer, workload, variant = "" }: Line): void {
  if (process.stderr.isTTY) process.stderr.write(`${CLEAR}${peer} ${workload} ${variant}`);
}

function print(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(CLEAR);
  console.log(text);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WrongUse)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
