import type { BlasType } from "../wasm/blas.js";
import type { Library } from "./library.js";

/** Of CBLAS: CblasRowMajor, CblasNoTrans, CblasTrans. */
const order = { rowMajor: 101, plain: 111, transposed: 112 } as const;

/**
 * A JavaScript expression of `require` and `memory` that is the product of a library on the thread that evaluates it. All threads use this
 * text, the one that loads the library included. Memory that is shared never moves, so its address is asked for once. Addresses
 * of a process are below 2⁵³ and fit a number.
 * @param koffi the file of the package
 */
export function gemmSource({ path, gemm, integer, single }: Library, dtype: BlasType, koffi: string): string {
  const scalar = dtype === "float32" ? "float" : "double";
  const matrix = ["intptr_t", integer];
  const params = ["int", "int", "int", integer, integer, integer, scalar, ...matrix, ...matrix, scalar, ...matrix];
  const text = JSON.stringify;
  return `(({ load, address }) => {
  const library = load(${text(path)});
  for (const { name, type } of ${text(single)}) library.func(name, "void", [type])(1);
  const gemm = library.func(${text(gemm[dtype])}, "void", ${text(params)});
  const base = Number(address(new Uint8Array(memory.buffer)));
  return (flags, m, n, k, a, lda, b, ldb, c, ldc) => {
    const [formA, formB] = [flags & 1 ? ${order.transposed} : ${order.plain}, flags & 2 ? ${order.transposed} : ${order.plain}];
    const [atA, atB, atC] = [base + (a >>> 0), base + (b >>> 0), base + (c >>> 0)];
    gemm(${order.rowMajor}, formA, formB, m, n, k, 1, atA, lda, atB, ldb, flags & 4 ? 1 : 0, atC, ldc);
  };
})(require(${text(koffi)}))`;
}
