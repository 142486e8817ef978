import { fail } from "../base/errors.js";
import { type Blas, type BlasType, type Gemm, gemmFlags, setBlas } from "../wasm/blas.js";
import { memory } from "../wasm/memory.js";
import { gemmSource } from "./binding.js";
import { chooseLibrary, type Wish } from "./choose.js";
import { loadKoffi } from "./koffi.js";

/** The library that computes large matrix products. */
export interface NodeBlas {
  /** "OpenBLAS 0.3.30 (Haswell)" */
  readonly name: string;
  /** Its file, or the name under which the system found it. */
  readonly path: string;
}

export interface InstallOptions extends Wish {
  /** The file of koffi. */
  readonly koffi: string;
  readonly require: NodeJS.Require;
}

/** Makes a library of the system compute the large products of all plans that are made from now on. */
export function installBlas({ koffi, require, ...wish }: InstallOptions): NodeBlas {
  if (!memory().shared)
    fail({
      where: "samplegrad/node-blas",
      got: "a process without SharedArrayBuffer",
      expected: "memory that does not move when it grows",
      write: "start node without flags that turn SharedArrayBuffer off",
    });
  return onOneThread(() => {
    const library = chooseLibrary(loadKoffi(koffi, require), wish);
    const sources = { float32: gemmSource(library, "float32", koffi), float64: gemmSource(library, "float64", koffi) };
    const gemm = { float32: evaluate(sources.float32, require), float64: evaluate(sources.float64, require) };
    const blas: Blas = { name: library.name, gemm, sources };
    for (const dtype of ["float32", "float64"] as const) check(blas, dtype);
    setBlas(blas);
    return { name: library.name, path: library.path };
  });
}

/** As a worker does it. */
function evaluate(source: string, require: NodeJS.Require): Gemm {
  return new Function("require", "memory", `return (${source})`)(require, memory().wasm) as Gemm;
}

/** Read by libraries when they are loaded or begin: without it OpenBLAS starts a thread for every core. */
const variables = ["OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"];

/** Child processes of the program do not get the variables. */
function onOneThread<T>(body: () => T): T {
  const before = variables.map((name) => process.env[name]);
  for (const name of variables) process.env[name] = "1";
  try {
    return body();
  } finally {
    variables.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
}

/** [[1, 2, 3], [4, 5, 6]] · [[7, 8], [9, 10], [11, 12]] + 1, with both operands as their transposes. */
const example = { a: [1, 4, 2, 5, 3, 6], b: [7, 9, 11, 8, 10, 12], c: [59, 65, 140, 155] };

/** One product with a known answer, between numbers that must stay as they are: a library that takes other integers is found out here. */
function check({ name, gemm }: Blas, dtype: BlasType): void {
  const region = memory().allocate(192);
  const all = dtype === "float32" ? memory().views().f32 : memory().views().f64;
  const width = all.BYTES_PER_ELEMENT;
  const start = (region.address >>> 0) / width;
  const numbers = all.subarray(start, start + 20);
  numbers.set([...example.a, ...example.b, -1, 1, 1, 1, 1, -1]);
  const address = (element: number): number => (start + element) * width;
  const flags = gemmFlags.transposeA + gemmFlags.transposeB + gemmFlags.accumulate;
  gemm[dtype](flags, 2, 2, 3, address(0), 2, address(6), 3, address(13), 2);
  const got = [...numbers.subarray(12, 18)];
  region.free();
  if (got.join() === [-1, ...example.c, -1].join()) return;
  fail({
    where: "samplegrad/node-blas",
    what: `${name} computes wrong products of ${dtype}: got [${got.slice(1, 5).join(", ")}], expected [${example.c.join(", ")}]`,
    write: "use another library, by its path in SAMPLEGRAD_BLAS",
  });
}
