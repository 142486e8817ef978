import { createRequire } from "node:module";
import { join } from "node:path";
import { fail } from "../base/errors.js";

/** What is used of koffi, a package that calls functions of native libraries. */
export interface Koffi {
  load(path: string): NativeLibrary;
  /** Where the numbers of a typed array lie. */
  address(view: ArrayBufferView): bigint;
}

export interface NativeLibrary {
  /** @throws where the library has no function of this name */
  func(name: string, result: string, params: readonly string[]): (...args: unknown[]) => unknown;
}

/** The version this library is tested with. */
const version = "3";

/** Looks for koffi beside the library, or else in the folder the program runs in. */
export function findKoffi(folders: readonly string[] = [import.meta.url, join(process.cwd(), "package.json")]): string {
  for (const folder of folders) {
    try {
      return createRequire(folder).resolve("koffi");
    } catch (error) {
      if ((error as { readonly code?: string }).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return fail({
    where: "samplegrad/node-blas",
    what: "this needs the package koffi, which is not installed",
    write: `npm install koffi@${version}`,
  });
}

/** @param path the file of the package */
export function loadKoffi(path: string, load: NodeJS.Require = createRequire(import.meta.url)): Koffi {
  try {
    return load(path) as Koffi;
  } catch (error) {
    return fail({
      where: "samplegrad/node-blas",
      what: `the package koffi is installed but does not load here (${reasonOf(error)})`,
      write: `install it on this machine, with its optional dependencies: npm install koffi@${version}`,
    });
  }
}

/** The first line of what went wrong, without the words koffi begins with. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = (text.split("\n")[0] as string).trim().replace(/\.$/, "");
  return line.replace(/^Failed to load shared library: /, "");
}
