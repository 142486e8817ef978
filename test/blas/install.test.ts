import { afterEach, describe, expect, it } from "vitest";
import "../../src/index.js";
import { installBlas, type NodeBlas } from "../../src/blas/install.js";
import { backend } from "../../src/wasm/backend.js";
import { currentBlas, gemmImport, setBlas } from "../../src/wasm/blas.js";
import { memory } from "../../src/wasm/memory.js";
import { runsAnywhere } from "../../src/wasm/threads/index.js";
import { type Functions, fakeKoffi, openBlas } from "./fake.js";

const base = 0x7000_0000_0000;
const calls: number[][] = [];
const environments: unknown[] = [];
const config = "OpenBLAS 0.3.30 DYNAMIC_ARCH Haswell MAX_THREADS=64";

afterEach(() => {
  setBlas(null);
  calls.length = 0;
  environments.length = 0;
});

/** What comes after the sizes. */
type Rest = [number, number, number, number, number, number, number, number];

/** The product of CBLAS in row-major order, of the memory that lies at `base`; `wrong` is added to every element. */
function gemm(width: 4 | 8, wrong = 0): (...args: number[]) => void {
  return (...args) => {
    calls.push(args);
    const [, formA, formB, m, n, k] = args as [number, number, number, number, number, number];
    const [alpha, a, lda, b, ldb, beta, c, ldc] = args.slice(6) as Rest;
    const all = width === 4 ? memory().views().f32 : memory().views().f64;
    const at = (address: number, element: number): number => (address - base) / width + element;
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = wrong;
        for (let l = 0; l < k; l++) {
          const x = all[at(a, formA === 112 ? l * lda + i : i * lda + l)] as number;
          sum += x * (all[at(b, formB === 112 ? j * ldb + l : l * ldb + j)] as number);
        }
        const old = all[at(c, i * ldc + j)] as number;
        all[at(c, i * ldc + j)] = alpha * sum + beta * old;
      }
  };
}

function install(functions: Functions): NodeBlas {
  const koffi = fakeKoffi({ "/x/lib.so": functions });
  const require = ((path: string) => {
    environments.push([path, process.env["OPENBLAS_NUM_THREADS"]]);
    return koffi;
  }) as unknown as NodeJS.Require;
  return installBlas({ platform: "linux", chosen: "/x/lib.so", koffi: "/x/koffi.cjs", require });
}

const working = { ...openBlas(config), cblas_sgemm: gemm(4), cblas_dgemm: gemm(8) };

describe("installing a BLAS", () => {
  it("tells its name", () => {
    expect(backend().blas).toBeNull();
    expect(install(working)).toEqual({ name: "OpenBLAS 0.3.30 (Haswell)", path: "/x/lib.so" });
    expect(backend().blas).toBe("OpenBLAS 0.3.30 (Haswell)");
    expect(currentBlas()?.name).toBe("OpenBLAS 0.3.30 (Haswell)");
    setBlas(null);
    expect([backend().blas, currentBlas()]).toEqual([null, null]);
  });

  it("gives workers products of their own", () => {
    install(working);
    expect([runsAnywhere(gemmImport("float32")), runsAnywhere(gemmImport("float64"))]).toEqual([true, true]);
  });

  it("asks for one thread before the library is loaded, and leaves the environment as it was", () => {
    const before = process.env["OPENBLAS_NUM_THREADS"];
    process.env["OPENBLAS_NUM_THREADS"] = "7";
    install(working);
    expect(environments[0]).toEqual(["/x/koffi.cjs", "1"]);
    expect(process.env["OPENBLAS_NUM_THREADS"]).toBe("7");
    delete process.env["OPENBLAS_NUM_THREADS"];
    install(working);
    expect("OPENBLAS_NUM_THREADS" in process.env).toBe(false);
    if (before !== undefined) process.env["OPENBLAS_NUM_THREADS"] = before;
  });

  it("asks the library for one thread each time it is bound", () => {
    const asked: number[] = [];
    install({ ...working, openblas_set_num_threads: (n: number) => asked.push(n) });
    expect(asked).toEqual([1, 1]);
  });

  it("passes the arguments of CBLAS, with addresses from 2 GiB on", () => {
    const silent = (...args: number[]): void => void calls.push(args);
    let products: (...args: number[]) => void = gemm(4);
    install({ ...working, cblas_sgemm: (...args: number[]) => products(...args) });
    products = silent;
    calls.length = 0;
    currentBlas()?.gemm.float32(2, 5, 6, 7, -64, 8, 1024, 9, -2147483648, 10);
    const [a, b, c] = [base + 2 ** 32 - 64, base + 1024, base + 2 ** 31];
    expect(calls).toEqual([[101, 111, 112, 5, 6, 7, 1, a, 8, b, 9, 0, c, 10]]);
  });

  it("refuses memory that may move", () => {
    Object.defineProperty(memory(), "shared", { value: false, writable: true });
    expect(() => install(working)).toThrow(
      "samplegrad/node-blas: got a process without SharedArrayBuffer, expected memory that does not move when it grows; start node without " +
        "flags that turn SharedArrayBuffer off.",
    );
    Object.defineProperty(memory(), "shared", { value: true });
  });

  it("refuses a library that computes something else, and keeps what there was", () => {
    install(working);
    expect(() => install({ ...openBlas(config), cblas_sgemm: gemm(4), cblas_dgemm: gemm(8, 1) })).toThrow(
      "samplegrad/node-blas: OpenBLAS 0.3.30 (Haswell) computes wrong products of float64: got [60, 66, 141, 156], expected [59, 65, 140, " +
        "155]; use another library, by its path in SAMPLEGRAD_BLAS.",
    );
    expect(currentBlas()?.name).toBe("OpenBLAS 0.3.30 (Haswell)");
  });
});
