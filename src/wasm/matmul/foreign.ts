import { gemmFlags } from "../blas.js";
import { type Callee, Code } from "../encode.js";
import { type Add, coreParams, paramA, paramB, paramC, paramFrom, paramTo } from "./core.js";
import type { MatmulProgram } from "./index.js";
import type { MatmulOperand, MatmulSpec } from "./spec.js";

/** Below it a call (0.3 µs) and a BLAS's own beginnings cost what it gains: measured against the products of this library with AVX2. */
const least = { work: 1 << 15, side: 8 };

/** Rows or columns of C that a call takes at least: each packs the whole other operand again, which at 64 costs about a tenth. */
const sliceSide = 64;

/** Multiplications that a call takes at least. */
const sliceWork = 1 << 19;

/** Slices begin at multiples of it, so that only the last has tiles that are not full. */
const grain = 16;

/** As many as there are threads, by default, where there are many. */
const mostSlices = 8;

type Shape = Pick<MatmulSpec, "m" | "n" | "k" | "a" | "b">;

/** Whether a product is large enough for a BLAS, and its operands lie as a BLAS wants them. */
export function suitsBlas({ m, n, k, a, b }: Shape): boolean {
  const large = m * n * k >= least.work && Math.min(m, n, k) >= least.side;
  return large && a.lead >= (a.transposed ? m : k) && b.lead >= (b.transposed ? k : n);
}

/** Which part of C a call computes. */
interface Cut {
  /** Whether slices are of rows; else of columns. */
  readonly rows: boolean;
  readonly count: number;
  /** Grains of all slices together. */
  readonly grains: number;
}

/**
 * By the shape alone: a BLAS sums an element in an order that depends on the size of the call and where in it the element is, so other
 * slices on other numbers of threads would give other bits.
 */
function cutOf({ m, n, k, batch }: MatmulSpec): Cut {
  const side = Math.max(m, n);
  const enough = Math.max(1, Math.min(mostSlices, side / sliceSide, (m * n * k) / sliceWork));
  // Powers of two divide evenly between most numbers of threads.
  const count = batch >= mostSlices ? 1 : 2 ** Math.floor(Math.log2(enough));
  return { rows: m >= n, count, grains: Math.ceil(side / grain) };
}

/**
 * C[b] = A[b]·B[b] by calls of a BLAS, one a unit: a slice of the rows (or columns, where there are more) of a matrix of the batch. Same
 * parameters as the products of this library; no scratch.
 * @param gemm the import `gemmImport(dtype)`, of type `gemmParams`
 */
export function emitBlasMatmul(spec: MatmulSpec, gemm: Callee, add: Add): MatmulProgram {
  const cut = cutOf(spec);
  const code = new Code(coreParams);
  const at: Locals = { element: code.local("i32"), start: code.local("i32"), length: code.local("i32") };
  code.block(() => {
    code.loop(() => {
      code.get(paramFrom).get(paramTo).op("i32.ge_s").brIf(1);
      locate(code, spec, cut, at);
      callGemm(code, spec, cut, at);
      code.call(gemm);
      code.get(paramFrom).i32(1).op("i32.add").set(paramFrom);
      code.br(0);
    });
  });
  return { run: add(code, "matmul by BLAS"), units: spec.batch * cut.count, scratchBytes: 0 };
}

interface Locals {
  readonly element: number;
  /** First row or column of the slice. */
  readonly start: number;
  readonly length: number;
}

/** Slice s of S is of the grains from ⌊s·G/S⌋ to ⌊(s+1)·G/S⌋. */
function locate(code: Code, { m, n }: MatmulSpec, { rows, count, grains }: Cut, at: Locals): void {
  const border = (next: number): void => {
    code.get(paramFrom).get(at.element).i32(count).op("i32.mul").op("i32.sub");
    code.i32(next).op("i32.add").i32(grains).op("i32.mul").i32(count).op("i32.div_u").i32(grain).op("i32.mul");
  };
  code.get(paramFrom).i32(count).op("i32.div_u").set(at.element);
  border(0);
  code.set(at.start);
  border(1);
  const side = rows ? m : n;
  code.tee(at.length).i32(side).get(at.length).i32(side).op("i32.lt_u").op("select");
  code.get(at.start).op("i32.sub").set(at.length);
}

/** Puts the ten arguments of `Gemm`. */
function callGemm(code: Code, spec: MatmulSpec, { rows }: Cut, at: Locals): void {
  const { m, n, k, a, b, accumulate } = spec;
  const width = spec.dtype === "float32" ? 4 : 8;
  const address = (param: number, step: number, slice: number): void => {
    code.get(param);
    for (const [local, elements] of [
      [at.element, step],
      [at.start, slice],
    ] as const) {
      code.get(local);
      code.i32(elements * width).op("i32.mul");
      code.op("i32.add");
    }
  };
  code.i32(
    (a.transposed ? gemmFlags.transposeA : 0) +
      (b.transposed ? gemmFlags.transposeB : 0) +
      (accumulate ? gemmFlags.accumulate : 0),
  );
  if (rows) code.get(at.length).i32(n);
  else code.i32(m).get(at.length);
  code.i32(k);
  address(paramA, a.step, rows ? rowStep(a) : 0);
  code.i32(a.lead);
  address(paramB, b.step, rows ? 0 : columnStep(b));
  code.i32(b.lead);
  address(paramC, m * n, rows ? n : 1);
  code.i32(n);
}

const rowStep = ({ transposed, lead }: MatmulOperand): number => (transposed ? 1 : lead);
const columnStep = ({ transposed, lead }: MatmulOperand): number => (transposed ? lead : 1);
