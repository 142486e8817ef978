import type { BlasType } from "../wasm/blas.js";
import type { NativeLibrary } from "./koffi.js";

/** A library as it is to be called. */
export interface Library {
  readonly path: string;
  readonly name: string;
  /** Whether it is one of those that are known here, all of which are fast. */
  readonly known: boolean;
  readonly gemm: Readonly<Record<BlasType, string>>;
  /** The C type of its sizes. */
  readonly integer: "int" | "int64_t";
  /** Functions that are called with 1 on each thread, before any product: use one thread. */
  readonly single: readonly Setter[];
}

export interface Setter {
  readonly name: string;
  readonly type: "int" | "int64_t";
}

/** What is before and after the names of functions; builds that share a process with others rename them, and "64_" has sizes of 64 bits. */
const dressings = [
  ["", ""],
  ["", "64_"],
  ["scipy_", ""],
  ["scipy_", "64_"],
] as const;

/** Looks at a library that has been loaded. Returns why it is of no use in place of a description. */
export function describe(path: string, library: NativeLibrary): Library | string {
  const dressed = dressings.find(
    ([before, after]) =>
      finds(library, `${before}cblas_sgemm${after}`) && finds(library, `${before}cblas_dgemm${after}`),
  );
  if (!dressed) return "it has no functions cblas_sgemm and cblas_dgemm";
  const [before, after] = dressed;
  const kind = kindOf(library, before, after);
  if (typeof kind === "string") return kind;
  const { name, single, wide } = kind;
  const gemm = { float32: `${before}cblas_sgemm${after}`, float64: `${before}cblas_dgemm${after}` };
  const integer = wide || after !== "" ? "int64_t" : "int";
  return { path, name: name ?? fileOf(path), known: name !== null, gemm, integer, single };
}

interface Kind {
  /** null: none of those known here. */
  readonly name: string | null;
  readonly single: readonly Setter[];
  readonly wide: boolean;
}

function kindOf(library: NativeLibrary, before: string, after: string): Kind | string {
  return openBlas(library, before, after) ?? blis(library) ?? mkl(library) ?? accelerate(library) ?? unknown;
}

const unknown: Kind = { name: null, single: [], wide: false };

function openBlas(library: NativeLibrary, before: string, after: string): Kind | string | null {
  const named = (name: string): string => `${before}openblas_${name}${after}`;
  const config = ask(library, named("get_config"));
  if (config === null) return null;
  // Such a build has one buffer for all callers, unless it was built with locks, which cannot be seen.
  if (config.includes("SINGLE_THREADED"))
    return "it is an OpenBLAS built without threads, whose products may not run side by side";
  const version = /^OpenBLAS (\d\S*)/.exec(config)?.[1];
  const core = ask(library, named("get_corename"));
  const name = `OpenBLAS${version === undefined ? "" : ` ${version}`}${core === null ? "" : ` (${core})`}`;
  return { name, single: [{ name: named("set_num_threads"), type: "int" }], wide: config.includes("USE64BITINT") };
}

function blis(library: NativeLibrary): Kind | null {
  const version = ask(library, "bli_info_get_version_str");
  if (version === null) return null;
  return { name: `BLIS ${version}`, single: [{ name: "bli_thread_set_num_threads", type: "int64_t" }], wide: false };
}

function mkl(library: NativeLibrary): Kind | null {
  if (!finds(library, "MKL_Set_Num_Threads")) return null;
  return { name: "MKL", single: [{ name: "MKL_Set_Num_Threads", type: "int" }], wide: false };
}

/** Before macOS 15 it has no function for the number of threads, but an environment variable. */
function accelerate(library: NativeLibrary): Kind | null {
  if (finds(library, "BLASSetThreading"))
    return { name: "Accelerate", single: [{ name: "BLASSetThreading", type: "int" }], wide: false };
  return finds(library, "vDSP_mmul") ? { name: "Accelerate", single: [], wide: false } : null;
}

function finds(library: NativeLibrary, name: string): boolean {
  try {
    library.func(name, "void", []);
    return true;
  } catch {
    return false;
  }
}

/** What a function without arguments says; null: there is none. */
function ask(library: NativeLibrary, name: string): string | null {
  return finds(library, name) ? String(library.func(name, "str", [])()) : null;
}

const fileOf = (path: string): string => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
