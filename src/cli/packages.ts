import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { wrongProgram } from "./io.js";

/** Packages that only some commands need, with the version the library is tested with. */
const optional = {
  commander: "14",
  "cli-table3": "0.6",
  "cli-progress": "3",
  tsx: "4",
} as const;

export type Optional = keyof typeof optional;

/**
 * Loads an optional package: beside the library, or else from the folder the command runs in.
 * @param path a module inside it, `tsx/esm/api`
 * @throws with the command that installs it
 */
export async function load<T>(
  name: Optional,
  cwd: string,
  path: string = name,
  importer: Importer = native,
): Promise<T> {
  try {
    return (await importer(path)) as T;
  } catch (error) {
    if (!isMissing(error, name)) throw error;
  }
  try {
    const found = createRequire(join(cwd, "package.json")).resolve(path);
    return (await importer(pathToFileURL(found).href)) as T;
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    return wrongProgram(
      `this needs the package ${name}, which is not installed; npm install ${name}@${optional[name]}`,
    );
  }
}

export type Importer = (specifier: string) => Promise<unknown>;
const native: Importer = (specifier) => import(specifier);

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") && (message ?? "").includes(name);
}
