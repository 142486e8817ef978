/**
 * `npm run floors`: checks the layering of the sources, import cycles, and the sizes of files and functions.
 * Exit status 1 when there is an error. An optional argument names another root folder.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cycleProblems } from "./floors/cycles.js";
import { floorProblems } from "./floors/order.js";
import type { Problem } from "./floors/problem.js";
import { sizeProblems } from "./floors/sizes.js";
import { readSources } from "./floors/sources.js";

/** Everything that is wrong under `root`, errors before warnings. */
export function checkFloors(root: string): Problem[] {
  const sources = readSources(root);
  const problems = [...floorProblems(sources), ...cycleProblems(sources), ...sizeProblems(sources)];
  const severity = (problem: Problem): number => (problem.level === "error" ? 0 : 1);
  return problems.sort((a, b) => severity(a) - severity(b) || a.where.localeCompare(b.where));
}

function main(root: string): void {
  const problems = checkFloors(root);
  for (const { level, where, message } of problems) console.log(`${level}: ${where}: ${message}`);
  const errors = problems.filter((problem) => problem.level === "error").length;
  console.log(`floors: ${errors} errors, ${problems.length - errors} warnings`);
  process.exitCode = errors > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(resolve(process.argv[2] ?? "."));
