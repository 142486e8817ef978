/**
 * `npm run docs:check [file …]`: type-checks and runs the ```ts blocks of the documentation and compares what they print.
 *
 * - A ```text block right after a ts block is its whole printed output.
 * - `// → value` after a console.log is what that call prints.
 * - ```ts continue goes on where the block before it ended; what that one printed is not compared again.
 * - ```ts no-run is only type-checked.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { compare } from "./docs/compare.js";
import { type Block, extractBlocks } from "./docs/extract.js";
import { runBlocks } from "./docs/run.js";
import { typeErrors } from "./docs/types.js";
import { withModules } from "./docs/workspace.js";

/** A block and what is wrong with it; no complaints means it passed. */
export type Verdict = { where: string; complaints: string[] };

/**
 * Checks the blocks of some Markdown files.
 * @param root the folder whose tsconfig.json and sources the blocks see
 * @param timeoutMs how long one block may run
 */
export async function checkDocs(files: readonly string[], root: string, timeoutMs = 60_000): Promise<Verdict[]> {
  const blocks = files.flatMap((file) => extractBlocks(relative(root, file), readFileSync(file, "utf8")));
  if (blocks.length === 0) return [];
  return withModules(blocks, root, async (modules) => {
    const types = typeErrors(modules, root);
    // A block with a type error is not run: its first complaint would hide behind its second.
    const runnable = modules.filter((module) => module.block.run && !types.has(module.path));
    const runs = await runBlocks(runnable, root, timeoutMs);
    return modules.map(({ block, path }) => {
      const run = runs.get(path);
      const complaints = types.get(path) ?? (run ? compare(block, run) : []);
      return { where: whereOf(block), complaints };
    });
  });
}

const whereOf = (block: Block): string => `${block.file}:${block.line}`;

/** The documents that are checked when none is named. */
function defaultFiles(root: string): string[] {
  const top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map((name) => join(root, name));
  const folder = join(root, "docs");
  const docs = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  const pages = docs.filter((name) => name.endsWith(".md")).map((name) => join(folder, name));
  return [...top.filter((file) => existsSync(file)), ...pages.sort()];
}

async function main(args: readonly string[]): Promise<void> {
  const root = process.cwd();
  const files = args.length > 0 ? args.map((file) => resolve(file)) : defaultFiles(root);
  const verdicts = await checkDocs(files, root);
  const failed = verdicts.filter((verdict) => verdict.complaints.length > 0);
  for (const { where, complaints } of failed) console.log(`${where}\n${complaints.join("\n")}\n`);
  console.log(`${verdicts.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.slice(2));
