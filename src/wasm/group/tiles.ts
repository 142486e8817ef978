import { Code } from "../encode.js";
import { carrierOf, type Fold, lanesOf, splatIdentity, vectorOp, widens } from "./carrier.js";
import { bump, countDown, shuffle32 } from "./lanes.js";
import type { StageFunction } from "./stage.js";

/** Columns too many for a strip: a tile of them is accumulated in scratch memory, one row after another. */

const [p, acc, count] = [0, 1, 2];

/** (_, accumulators, count): all of them the identity. Both may be overrun to whole groups of sixteen bytes. */
export function clearFunction(fold: Fold): StageFunction {
  return { key: `clear ${fold.op} ${fold.dtype}`, build: () => clear(fold) };
}

function clear(fold: Fold): Code {
  const code = new Code(["i32", "i32", "i32"]);
  const { count: lanes } = lanesOf(fold);
  bump(code, count, lanes - 1);
  countDown(code, count, lanes, () => {
    splatIdentity(code.get(acc), fold).memory("v128.store");
    bump(code, acc, 16);
  });
  return code;
}

/** (pointer, accumulators, count): a piece of a row of a slot combined with the accumulators. */
export function tileFunction(fold: Fold): StageFunction {
  return { key: `tile ${fold.op} ${fold.dtype}`, build: () => accumulate(fold) };
}

function accumulate(fold: Fold): Code {
  const code = new Code(["i32", "i32", "i32"]);
  const { count: lanes } = lanesOf(fold);
  const vectors = Array.from({ length: 4 }, () => code.local("v128"));
  const round = (used: readonly number[]): void => {
    used.forEach((v, i) => {
      code.get(acc).memory("v128.load", 16 * i);
      code
        .get(p)
        .memory("v128.load", 16 * i)
        .op(vectorOp(fold))
        .set(v);
    });
    for (const [i, v] of used.entries())
      code
        .get(acc)
        .get(v)
        .memory("v128.store", 16 * i);
    bump(code, p, 16 * used.length);
    bump(code, acc, 16 * used.length);
  };
  countDown(code, count, 4 * lanes, () => round(vectors));
  bump(code, count, lanes - 1);
  countDown(code, count, lanes, () => round(vectors.slice(0, 1)));
  return code;
}

/** (accumulators, table, count): exactly `count` numbers into a row of the table of partial results. */
export function depositFunction(fold: Fold): StageFunction {
  return { key: `deposit ${fold.op} ${fold.dtype}`, build: () => deposit(fold) };
}

function deposit(fold: Fold): Code {
  const code = new Code(["i32", "i32", "i32"]);
  const [from, to] = [0, 1];
  const { count: lanes, bytes } = lanesOf(fold);
  const v = code.local("v128");
  const wide = widens(fold);
  countDown(code, count, lanes, () => {
    code.get(from).memory("v128.load").set(v);
    code.get(to).get(v);
    if (wide) code.op("f64x2.promote_low_f32x4");
    code.memory("v128.store");
    if (wide)
      shuffle32(code.get(to).get(v).get(v), [2, 3, 2, 3]).op("f64x2.promote_low_f32x4").memory("v128.store", 16);
    bump(code, from, 16);
    bump(code, to, wide ? 32 : 16);
  });
  const carrier = carrierOf(fold);
  countDown(code, count, 1, () => {
    code.get(to).get(from);
    if (wide) code.memory("f32.load").op("f64.promote_f32");
    else code.memory(`${carrier}.load`);
    code.memory(`${carrier}.store`);
    bump(code, from, bytes);
    bump(code, to, wide ? 8 : bytes);
  });
  return code;
}
