import { Code } from "../encode.js";
import {
  carrierOf,
  combine,
  type Fold,
  lanesOf,
  outBytes,
  partialBytesOf,
  pushIdentity,
  storeResult,
  vectorOp,
  widens,
} from "./carrier.js";
import { bump, countDown, scale } from "./lanes.js";
import type { StageFunction } from "./stage.js";

/** Partial results in their order: what is left to do once all units are done. */

const [table, out, results, blocks] = [0, 1, 2, 3];

/** (table [results, blocks], out, results, blocks). */
export function finishRows(fold: Fold): StageFunction {
  const build = (): Code => {
    const code = new Code(["i32", "i32", "i32", "i32"]);
    countDown(code, results, 1, () => oneResult(code, fold, () => code.i32(partialBytesOf(fold))));
    return code;
  };
  return { key: `finish rows ${fold.op} ${fold.dtype}`, build };
}

/** The numbers from `table` on, as far apart as `step` says; moves on to the end of them and in `out`. */
function oneResult(code: Code, fold: Fold, step: () => void): void {
  const carrier = carrierOf(fold);
  const [left, total, spare] = [code.local("i32"), code.local(carrier), code.local(carrier)];
  pushIdentity(code, fold).set(total);
  code.get(blocks).set(left);
  countDown(code, left, 1, () => {
    combine(code, fold, total, spare, () => code.get(table).memory(`${carrier}.load`));
    code.get(table);
    step();
    code.op("i32.add").set(table);
  });
  code.get(out);
  storeResult(code, fold, () => code.get(total));
  bump(code, out, outBytes(fold));
}

/** Bytes of a row of the table: whole vectors of what is reduced. */
export function tableRowBytes(fold: Fold, columns: number): number {
  const { count } = lanesOf(fold);
  return Math.ceil(columns / count) * count * partialBytesOf(fold);
}

/** (table [blocks, columns padded], out, columns, blocks). */
export function finishColumns(fold: Fold): StageFunction {
  return { key: `finish columns ${fold.op} ${fold.dtype}`, build: () => columnsCode(fold) };
}

function columnsCode(fold: Fold): Code {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const { count: lanes } = lanesOf(fold);
  const bytes = partialBytesOf(fold);
  const [step, start] = [code.local("i32"), code.local("i32")];
  code
    .get(results)
    .i32(lanes - 1)
    .op("i32.add")
    .i32(-lanes)
    .op("i32.and");
  scale(code, bytes).set(step);
  if (fold.dtype !== "bool") countDown(code, results, lanes, () => vectorOfColumns(code, fold, step));
  countDown(code, results, 1, () => {
    code.get(table).set(start);
    oneResult(code, fold, () => code.get(step));
    code.get(start).i32(bytes).op("i32.add").set(table);
  });
  return code;
}

function vectorOfColumns(code: Code, fold: Fold, step: number): void {
  const wide = widens(fold);
  const op = wide ? "f64x2.add" : vectorOp(fold);
  const { count: lanes } = lanesOf(fold);
  const accs = (wide ? [0, 1] : [0]).map(() => code.local("v128"));
  const [at, left] = [code.local("i32"), code.local("i32")];
  for (const acc of accs) {
    pushIdentity(code, fold);
    code.op(`${wide ? "f64x2" : lanesOf(fold).shape}.splat`).set(acc);
  }
  code.get(table).set(at).get(blocks).set(left);
  countDown(code, left, 1, () => {
    for (const [i, acc] of accs.entries())
      code
        .get(acc)
        .get(at)
        .memory("v128.load", 16 * i)
        .op(op)
        .set(acc);
    code.get(at).get(step).op("i32.add").set(at);
  });
  code.get(out);
  const [low, high] = accs as [number, number];
  code.get(low);
  if (wide) {
    code.op("f32x4.demote_f64x2_zero").get(high).op("f32x4.demote_f64x2_zero");
    code.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  }
  code.memory("v128.store");
  bump(code, out, 16);
  bump(code, table, lanes * partialBytesOf(fold));
}
