import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
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

const folders: string[] = [];
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

/** A folder outside the repository with files in it. */
export function folder(files: { readonly [name: string]: string }): string {
  const path = mkdtempSync(join(tmpdir(), "samplegrad-cli-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  folders.push(path);
  return path;
}

interface Esbuild {
  buildSync(options: {
    entryPoints: string[];
    outbase: string;
    outdir: string;
    format: "esm";
    target: string;
  }): unknown;
}

/** The sources as JavaScript, as a package that is installed: beside the other packages, but not in the repository's own folders. */
export function build(target: string): void {
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "package.json"), readFileSync(join(root, "package.json")));
  const src = join(root, "src");
  const names = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  // esbuild comes with tsx and takes a tenth of a second, tsc many.
  const esbuild = createRequire(createRequire(import.meta.url).resolve("tsx"))("esbuild") as Esbuild;
  const entryPoints = names.map((name) => join(src, name));
  esbuild.buildSync({ entryPoints, outbase: src, outdir: join(target, "dist"), format: "esm", target: "es2022" });
}
