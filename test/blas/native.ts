import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installBlas, type NodeBlas } from "../../src/blas/install.js";
import { findKoffi } from "../../src/blas/koffi.js";

export const nodeRequire: NodeJS.Require = createRequire(import.meta.url);
export const koffiPath: string = findKoffi();

/** Installs the library at a path. */
export function install(chosen: string | undefined): NodeBlas {
  return installBlas({ platform: process.platform, chosen, koffi: koffiPath, require: nodeRequire });
}

/** Why nothing can be compiled here; null: it can. */
export const noCompiler: string | null =
  process.platform !== "win32" && spawnSync("cc", ["--version"]).status === 0 ? null : "there is no C compiler (cc)";

const folder = mkdtempSync(join(tmpdir(), "samplegrad-blas-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Compiles the naive library under a name of its own. @param definitions of the preprocessor */
export function compileNaive(name: string, definitions: readonly string[]): string {
  const path = join(folder, `${name}.so`);
  const source = fileURLToPath(new URL("./naive.c", import.meta.url));
  const flags = ["-O1", "-shared", "-fPIC", ...definitions.map((each) => `-D${each}`)];
  const { status, stderr } = spawnSync("cc", [...flags, "-o", path, source], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cc: ${stderr}`);
  return path;
}

/** Why no BLAS of this machine can be tested; null: one can. */
export function missingBlas(): string | null {
  try {
    install(process.env["SAMPLEGRAD_BLAS"]);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
