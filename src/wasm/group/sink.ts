import type { Code } from "../encode.js";
import { type Fold, lanesOf, outBytes, storeElement, vectorOp, widens } from "./carrier.js";
import { shuffle32 } from "./lanes.js";

/** Combines vector `v` of a row of the table with an accumulator. */
export function addToTable(code: Code, fold: Fold, acc: number, target: number, v: number): void {
  if (!widens(fold)) {
    code
      .get(target)
      .get(target)
      .memory("v128.load", 16 * v)
      .get(acc);
    code.op(vectorOp(fold)).memory("v128.store", 16 * v);
    return;
  }
  for (const half of [0, 1]) {
    const offset = 32 * v + 16 * half;
    code.get(target).get(target).memory("v128.load", offset).get(acc);
    if (half === 1) shuffle32(code.get(acc), [2, 3, 2, 3]);
    code.op("f64x2.promote_low_f32x4").op("f64x2.add").memory("v128.store", offset);
  }
}

/** Stores the first `used` lanes as elements `first`, first + 1, ... of a buffer. */
export function storeOut(code: Code, fold: Fold, acc: number, target: number, first: number, used: number): void {
  const { count, shape } = lanesOf(fold);
  const bytes = outBytes(fold);
  if (used === count && fold.dtype !== "bool") {
    code
      .get(target)
      .get(acc)
      .memory("v128.store", first * bytes);
    return;
  }
  for (let lane = 0; lane < used; lane++) {
    code.get(target).get(acc).lane(`${shape}.extract_lane`, lane);
    storeElement(code, fold, (first + lane) * bytes);
  }
}
