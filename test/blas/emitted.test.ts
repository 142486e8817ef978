import { describe, expect, it } from "vitest";
import { type BlasType, type Gemm, gemmParams } from "../../src/wasm/blas.js";
import { Code, ModuleBuilder } from "../../src/wasm/encode.js";
import { emitBlasMatmul, suitsBlas } from "../../src/wasm/matmul/foreign.js";
import type { MatmulSpec } from "../../src/wasm/matmul/index.js";
import { memory } from "../../src/wasm/memory.js";
import { numbers, Product } from "./products.js";

const params = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** The module of a product whose calls go to `gemm`, and how many units it has. */
function compiled(spec: MatmulSpec, gemm: Gemm): [run: (...args: number[]) => void, units: number] {
  const builder = new ModuleBuilder();
  const callee = builder.importFunction("gemm", [...gemmParams], []);
  const { run, units, scratchBytes } = emitBlasMatmul(spec, callee, (code, label) => builder.add(code, label));
  expect(scratchBytes).toBe(0);
  const entry = new Code(params);
  for (let i = 0; i < params.length; i++) entry.get(i);
  builder.add(entry.call(run), "run", "run");
  const { wasm, shared, pages } = memory();
  const module = new WebAssembly.Module(builder.bytes({ shared, pages }));
  const { exports } = new WebAssembly.Instance(module, { env: { memory: wasm, gemm } });
  return [exports["run"] as (...args: number[]) => void, units];
}

/** A gemm of three loops, from its description. */
function loops(dtype: BlasType): Gemm {
  return (flags, m, n, k, a, lda, b, ldb, c, ldc) => {
    const { f32, f64 } = memory().views();
    const all = dtype === "float32" ? f32 : f64;
    const [atA, atB, atC] = [a, b, c].map((x) => (x >>> 0) / all.BYTES_PER_ELEMENT) as [number, number, number];
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = flags & 4 ? (all[atC + i * ldc + j] as number) : 0;
        for (let l = 0; l < k; l++) {
          const x = all[atA + (flags & 1 ? l * lda + i : i * lda + l)] as number;
          sum += x * (all[atB + (flags & 2 ? j * ldb + l : l * ldb + j)] as number);
        }
        all[atC + i * ldc + j] = sum;
      }
  };
}

interface Form {
  readonly dtype: BlasType;
  readonly size: readonly [m: number, n: number, k: number];
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly batch?: number;
  readonly accumulate?: boolean;
  /** Elements between rows of the operands. */
  readonly gap?: number;
}

function specOf({ dtype, size, transA = false, transB = false, batch = 1, accumulate, gap = 0 }: Form): MatmulSpec {
  const [m, n, k] = size;
  const [lda, ldb] = [(transA ? m : k) + gap, (transB ? k : n) + gap];
  const a = { transposed: transA, lead: lda, step: batch === 1 ? 0 : lda * (transA ? k : m) };
  const b = { transposed: transB, lead: ldb, step: batch === 1 ? 0 : ldb * (transB ? n : k) };
  return { dtype, m, n, k, a, b, batch, accumulate, numerics: "exact", relaxed: false };
}

/** Runs units 0 to `split` and the rest in two calls; gives the number of units. */
function checked(form: Form, split = 1): number {
  const { dtype, size, transA = false, transB = false, batch = 1, accumulate = false, gap = 0 } = form;
  const [m, n, k] = size;
  const spec = specOf(form);
  const product = new Product(dtype, { m, n, k, transA, transB, gap: 0 }, batch);
  // With a gap the operands are the larger ones of another product, whose rows are longer.
  const operands = gap === 0 ? product : new Product(dtype, { m, n, k, transA, transB, gap }, batch);
  const [run, units] = compiled(spec, loops(dtype));
  const { a, b } = operands;
  if (accumulate) numbers(dtype, product.c).fill(3);
  run(a.address, b.address, product.c.address, 0, 0, split);
  run(a.address, b.address, product.c.address, 0, split, units);
  const whole = Object.create(operands, { c: { value: product.c }, ldc: { value: n } }) as Product;
  for (let e = 0; e < batch; e++) {
    const at = { a: e * spec.a.step, b: e * spec.b.step, c: e * m * n };
    expect(whole.worst(accumulate ? 3 : 0, at)).toBeLessThan(accumulate ? 8 : 2);
  }
  for (const each of new Set([product, operands])) each.free();
  return units;
}

describe("products by calls of a BLAS", () => {
  const wide = [70, 523, 50] as const;
  const tall = [523, 70, 50] as const;
  it.each([
    ["NN", false, false],
    ["NT", false, true],
    ["TN", true, false],
    ["TT", true, true],
  ])("%s in slices of rows or of columns", (_, transA, transB) => {
    for (const dtype of ["float32", "float64"] as const)
      for (const size of [wide, tall]) expect(checked({ dtype, size, transA, transB })).toBe(2);
  });

  it("with rows that lie apart", () => {
    for (const transA of [false, true])
      for (const size of [wide, tall]) checked({ dtype: "float32", size, transA, transB: !transA, gap: 5 });
  });

  it("adds to C where asked", () => {
    checked({ dtype: "float64", size: wide, accumulate: true });
  });

  it("in batches: slices of each matrix where there are few, whole matrices where there are many", () => {
    expect(checked({ dtype: "float32", size: [64, 150, 120], batch: 3 }, 4)).toBe(6);
    expect(checked({ dtype: "float32", size: [40, 30, 33], batch: 9, transB: true }, 4)).toBe(9);
  });

  it("covers C once, in slices of whole tiles as even as can be", () => {
    for (const [m, n] of [
      [1000, 400],
      [400, 1000],
      [129, 128],
      [513, 64],
    ] as const) {
      const seen: number[] = [];
      const spec = specOf({ dtype: "float32", size: [m, n, 2000] });
      const [run, units] = compiled(spec, (_flags, rows, columns) => void seen.push(m >= n ? rows : columns));
      run(0, 0, 0, 0, 0, units);
      expect(seen.length).toBe(units);
      expect(seen.reduce((x, y) => x + y)).toBe(Math.max(m, n));
      expect(seen.slice(0, -1).filter((x) => x % 16 !== 0)).toEqual([]);
      expect(Math.max(...seen) - Math.min(...seen)).toBeLessThanOrEqual(31);
    }
  });
});

describe("which products a BLAS gets", () => {
  const suits = (size: Form["size"], more: Partial<Form> = {}): boolean =>
    suitsBlas(specOf({ dtype: "float32", size, ...more }));

  it("the large ones", () => {
    expect([suits([32, 32, 32]), suits([31, 32, 32]), suits([8, 64, 64]), suits([7, 640, 64])]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([suits([640, 4, 640]), suits([640, 640, 4]), suits([0, 640, 640])]).toEqual([false, false, false]);
  });

  it("those whose rows do not overlap", () => {
    const spec = specOf({ dtype: "float32", size: [40, 50, 60] });
    const plain = (lead: number): MatmulSpec["a"] => ({ transposed: false, lead, step: 0 });
    const turned = (lead: number): MatmulSpec["a"] => ({ transposed: true, lead, step: 0 });
    expect([59, 60, 0].map((lead) => suitsBlas({ ...spec, a: plain(lead) }))).toEqual([false, true, false]);
    expect([39, 40].map((lead) => suitsBlas({ ...spec, a: turned(lead) }))).toEqual([false, true]);
    expect([49, 50].map((lead) => suitsBlas({ ...spec, b: plain(lead) }))).toEqual([false, true]);
    expect([59, 60].map((lead) => suitsBlas({ ...spec, b: turned(lead) }))).toEqual([false, true]);
  });
});
