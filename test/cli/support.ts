import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { main } from "../../src/cli/main.js";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));
export const fixtures: string = fileURLToPath(new URL("fixtures", import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  /** Whether stdout is a terminal. */
  readonly isTTY?: boolean;
}

/** The command in this process. */
export async function run(
  argv: readonly string[],
  { cwd = fixtures, env = {}, isTTY = false }: Surroundings = {},
): Promise<Outcome> {
  let [out, err] = ["", ""];
  const code = await main(argv, {
    stdout: { write: (text) => (out += text), isTTY },
    stderr: { write: (text) => (err += text) },
    env,
    cwd,
  });
  return { code, out, err };
}

/** A folder outside the repository with files in it. */
export function folder(files: { readonly [name: string]: string }): string {
  const path = mkdtempSync(join(tmpdir(), "samplegrad-cli-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

/** The sources as JavaScript, as a package that is installed: beside the other packages, but not in the repository's own folders. */
export function build(target: string): void {
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "package.json"), readFileSync(join(root, "package.json")));
  for (const name of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  )) {
    const file = join(target, "dist", name.replace(/\.ts$/, ".js"));
    const { outputText } = ts.transpileModule(readFileSync(join(root, "src", name), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
    });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
}
