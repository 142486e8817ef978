import type { Koffi, NativeLibrary } from "../../src/blas/koffi.js";

/** Functions of a library by their names; each gets the arguments that a native one would. */
export type Functions = Readonly<Record<string, (...args: number[]) => unknown>>;

/** koffi with libraries that do not exist. @param libraries their functions by path, or the text of the error on loading */
export function fakeKoffi(libraries: Readonly<Record<string, Functions | string>>): Koffi & { loaded: string[] } {
  const loaded: string[] = [];
  return {
    loaded,
    address: () => 0x7000_0000_0000n,
    load: (path) => {
      loaded.push(path);
      const library = libraries[path] ?? "no such file";
      if (typeof library === "string") throw new Error(`Failed to load shared library: ${library}`);
      return nativeOf(library);
    },
  };
}

function nativeOf(functions: Functions): NativeLibrary {
  return {
    func: (name) => {
      const run = functions[name];
      if (run === undefined) throw new Error(`Cannot find function '${name}' in shared library`);
      return run as (...args: unknown[]) => unknown;
    },
  };
}

export const cblas: Functions = { cblas_sgemm: () => undefined, cblas_dgemm: () => undefined };

/** Of a build of OpenBLAS. */
export function openBlas(config: string, before = "", after = ""): Functions {
  const named = (name: string): string => `${before}${name}${after}`;
  return {
    [named("cblas_sgemm")]: () => undefined,
    [named("cblas_dgemm")]: () => undefined,
    [named("openblas_get_config")]: () => config,
    [named("openblas_get_corename")]: () => "Haswell",
    [named("openblas_set_num_threads")]: () => undefined,
  };
}
