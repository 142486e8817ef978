import { createRequire } from "node:module";
import { afterAll, describe, expect, it } from "vitest";
import "../../src/index.js";
import { backend } from "../../src/wasm/backend.js";
import { currentBlas, gemmFlags, gemmImport, gemmParams, setBlas } from "../../src/wasm/blas.js";
import { Code, ModuleBuilder } from "../../src/wasm/encode.js";
import { emitBlasMatmul } from "../../src/wasm/matmul/foreign.js";
import { type EngineMemory, memory } from "../../src/wasm/memory.js";
import { program, runOnAll, setThreads, stopPool } from "../../src/wasm/threads/index.js";
import { compileNaive, install, koffiPath, missingBlas, noCompiler } from "./native.js";
import { numbers, Product, type Shape } from "./products.js";

afterAll(() => setBlas(null));

const dtypes = ["float32", "float64"] as const;
const sizes = [
  [1, 1, 1],
  [3, 5, 7],
  [17, 33, 9],
  [64, 64, 64],
  [101, 67, 203],
] as const;

const shapes: Shape[] = sizes.flatMap(([m, n, k]) =>
  [false, true].flatMap((transA) =>
    [false, true].flatMap((transB) => [0, 3].map((gap) => ({ m, n, k, transA, transB, gap }))),
  ),
);

const words = ({ m, n, k, transA, transB, gap }: Shape): string =>
  `${m}x${n}x${k} ${transA ? "T" : "N"}${transB ? "T" : "N"} gap ${gap}`;

/** The products of the current library against a float64 loop; names of those that are wrong. */
function wrongProducts(): string[] {
  const { gemm } = currentBlas() as NonNullable<ReturnType<typeof currentBlas>>;
  return dtypes.flatMap((dtype) =>
    shapes.flatMap((shape) => {
      const product = new Product(dtype, shape);
      const { m, n, k, transA, transB } = shape;
      const flags = (transA ? gemmFlags.transposeA : 0) + (transB ? gemmFlags.transposeB : 0);
      const call = (extra: number): void => {
        const { a, b, c, lda, ldb, ldc } = product;
        gemm[dtype](flags + extra, m, n, k, a.address, lda, b.address, ldb, c.address, ldc);
      };
      call(0);
      const first = product.worst();
      // Twice the product, halved.
      call(gemmFlags.accumulate);
      const c = numbers(dtype, product.c);
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) (c[i * product.ldc + j] as number) /= 2;
      const second = product.worst();
      product.free();
      return first < 4 && second < 8 ? [] : [`${dtype} ${words(shape)}: ${first}, ${second}`];
    }),
  );
}

/** A product of 256×300×200 by units on all threads, with what it computes. */
function slicedOnThreads(count: number, dtype: "float32" | "float64"): { c: number[]; took: number } {
  const [m, n, k] = [256, 300, 200];
  const product = new Product(dtype, { m, n, k, transA: true, transB: false, gap: 0 });
  const module = sliced(dtype, product, [m, n, k], memory());
  setThreads(count);
  const step = program(module, { [gemmImport(dtype)]: currentBlas()?.gemm[dtype] as never });
  const took = runOnAll(step, { wait: 20_000 });
  expect(product.worst()).toBeLessThan(4);
  const c = [...numbers(dtype, product.c)];
  step.drop();
  product.free();
  return { c, took };
}

/** run(tid, threads): thread t does the units from ⌊t·U/T⌋ to ⌊(t+1)·U/T⌋. */
function sliced(
  dtype: "float32" | "float64",
  { a, b, c }: Product,
  [m, n, k]: readonly [number, number, number],
  { shared, pages }: EngineMemory,
): WebAssembly.Module {
  const builder = new ModuleBuilder();
  const gemm = builder.importFunction(gemmImport(dtype), [...gemmParams], []);
  const form = { dtype, m, n, k, batch: 1, numerics: "exact", relaxed: false } as const;
  const operands = { a: { transposed: true, lead: m, step: 0 }, b: { transposed: false, lead: n, step: 0 } };
  const { run, units } = emitBlasMatmul({ ...form, ...operands }, gemm, (code, label) => builder.add(code, label));
  const entry = new Code(["i32", "i32"]);
  for (const { address } of [a, b, c]) entry.i32(address);
  entry.i32(0);
  entry.get(0).i32(units).op("i32.mul").get(1).op("i32.div_u");
  entry.get(0).i32(1).op("i32.add").i32(units).op("i32.mul").get(1).op("i32.div_u");
  builder.add(entry.call(run), "run", "run");
  return new WebAssembly.Module(builder.bytes({ shared, pages }));
}

function sameOnAllThreads(): void {
  for (const dtype of dtypes) {
    const [one, two, three] = [1, 2, 3].map((count) => slicedOnThreads(count, dtype)) as [R, R, R];
    expect([one.took, two.took, three.took]).toEqual([1, 2, 3]);
    expect(two.c).toEqual(one.c);
    expect(three.c).toEqual(one.c);
  }
  stopPool();
}
type R = ReturnType<typeof slicedOnThreads>;

describe.skipIf(noCompiler !== null)(
  `a native library${noCompiler === null ? "" : ` (skipped: ${noCompiler})`}`,
  () => {
    it("that is unknown, with sizes of 32 bits", () => {
      expect(install(compileNaive("plain", [])).name).toBe("plain.so");
      expect(wrongProducts()).toEqual([]);
    });

    it("that says it has sizes of 64 bits", () => {
      const config = 'CONFIG="OpenBLAS 9.9 USE64BITINT Naive MAX_THREADS=8"';
      expect(install(compileNaive("wide", ["INTEGER=int64_t", config])).name).toBe("OpenBLAS 9.9 (Naive)");
      expect(wrongProducts()).toEqual([]);
    });

    it("with names that are dressed", () => {
      const naming = ["INTEGER=int64_t", "NAME(name)=scipy_##name##64_", 'CONFIG="OpenBLAS 9.8 Naive MAX_THREADS=8"'];
      expect(install(compileNaive("dressed", naming)).name).toBe("OpenBLAS 9.8 (Naive)");
      expect(wrongProducts()).toEqual([]);
    });

    it("is taken by the import", async () => {
      const before = process.env["SAMPLEGRAD_BLAS"];
      const path = compileNaive("imported", []);
      process.env["SAMPLEGRAD_BLAS"] = path;
      const { blas } = await import("../../src/blas/index.js");
      expect(blas).toEqual({ name: "imported.so", path });
      expect(backend().blas).toBe("imported.so");
      if (before === undefined) delete process.env["SAMPLEGRAD_BLAS"];
      else process.env["SAMPLEGRAD_BLAS"] = before;
    });

    it("without threads is refused", () => {
      const path = compileNaive("serial", ['CONFIG="OpenBLAS 9.8 Naive SINGLE_THREADED"']);
      expect(() => install(path)).toThrow(
        `samplegrad/node-blas: SAMPLEGRAD_BLAS is "${path}", which cannot be used: it is an OpenBLAS built without threads, whose ` +
          "products may not run side by side; set it to the path of OpenBLAS, BLIS, MKL or another library with CBLAS, or unset it to " +
          "have the usual places searched.",
      );
    });

    it("computes slices on all threads, each of which has told it to use one", () => {
      const path = compileNaive("threads", ['CONFIG="OpenBLAS 9.7 Naive MAX_THREADS=8"']);
      install(path);
      const { load } = createRequire(import.meta.url)(koffiPath) as {
        load(path: string): { func(...args: unknown[]): () => number };
      };
      const count = (name: string): number => load(path).func(name, "int", [])();
      const before = { quieted: count("naive_quieted"), calls: count("naive_calls") };
      sameOnAllThreads();
      expect(count("naive_threads")).toBe(1);
      // Of each type: one worker among two threads and two among three.
      expect(count("naive_quieted") - before.quieted).toBe(2 * (1 + 2));
      // Of each type: 256×300×200 in four slices, three times.
      expect(count("naive_calls") - before.calls).toBe(2 * 3 * 4);
    });
  },
);

const missing = missingBlas();

describe.skipIf(missing !== null)(`the BLAS of this machine${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  it("computes products right, with rows that lie apart and in every form", () => {
    install(process.env["SAMPLEGRAD_BLAS"]);
    expect(wrongProducts()).toEqual([]);
  });

  it("computes the same bits in slices on 1, 2 and 3 threads", () => {
    install(process.env["SAMPLEGRAD_BLAS"]);
    sameOnAllThreads();
  });
});
