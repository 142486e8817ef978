import { Code } from "../encode.js";
import { carrierOf, type Fold, foldLanes, lanesOf, maskTail, splatIdentity, vectorOp, widens } from "./carrier.js";
import { bump, countDown, lesser, shuffle32, whileLoop } from "./lanes.js";
import type { StageFunction } from "./stage.js";

/** float32 is summed as float32 over this many elements at most, then in float64. */
const BLOCK = 1024;
const ACCUMULATORS = 8;

const [p, count] = [0, 1];

/** (pointer, count) -> all elements of a slot reduced. */
export function lineFunction(fold: Fold): StageFunction {
  return {
    key: `reduce ${fold.op} ${fold.dtype}`,
    build: () => (widens(fold) ? widened(fold) : plain(fold)),
  };
}

function accumulators(code: Code): number[] {
  return Array.from({ length: ACCUMULATORS }, () => code.local("v128"));
}

/** Combines the accumulators with `left` elements from p on; changes both. */
function accumulate(code: Code, fold: Fold, accs: readonly number[], left: number): void {
  const { count: lanes } = lanesOf(fold);
  const op = vectorOp(fold);
  const first = accs[0] as number;
  countDown(code, left, lanes * accs.length, () => {
    for (const [i, acc] of accs.entries())
      code
        .get(acc)
        .get(p)
        .memory("v128.load", 16 * i)
        .op(op)
        .set(acc);
    bump(code, p, 16 * accs.length);
  });
  countDown(code, left, lanes, () => {
    code.get(first).get(p).memory("v128.load").op(op).set(first);
    bump(code, p, 16);
  });
  code.get(left).if(() => {
    code.get(first).get(p).memory("v128.load");
    maskTail(code, fold, left);
    code.op(op).set(first);
  });
}

/** Halves the number of accumulators, pair by pair, until `end` are left. */
function pairUp(code: Code, op: string, accs: readonly number[], end: number): void {
  for (let n = accs.length; n > end; n /= 2) {
    for (let i = 0; i < n / 2; i++) {
      const into = accs[i] as number;
      code
        .get(into)
        .get(accs[i + n / 2] as number)
        .op(op)
        .set(into);
    }
  }
}

function plain(fold: Fold): Code {
  const carrier = carrierOf(fold);
  const code = new Code(["i32", "i32"], [carrier]);
  const accs = accumulators(code);
  const { count: lanes, shape } = lanesOf(fold);
  if (fold.op !== "sum") for (const acc of accs) splatIdentity(code, fold).set(acc);
  accumulate(code, fold, accs, count);
  pairUp(code, vectorOp(fold), accs, 1);
  foldLanes(code, vectorOp(fold), accs[0] as number, lanes);
  return code.get(accs[0] as number).lane(`${shape}.extract_lane`, 0);
}

function widened(fold: Fold): Code {
  const code = new Code(["i32", "i32"], ["f64"]);
  const accs = accumulators(code);
  const [left, block, total] = [code.local("i32"), code.local("i32"), code.local("v128")];
  const [a, b] = [accs[0] as number, accs[1] as number];
  const more = (): void => void code.get(count);
  whileLoop(code, more, () => {
    code.i32(BLOCK).set(block);
    lesser(code, count, block).tee(left).get(count).op("i32.sub").i32(-1).op("i32.mul").set(count);
    for (const acc of accs) splatIdentity(code, fold).set(acc);
    accumulate(code, fold, accs, left);
    pairUp(code, "f32x4.add", accs, 2);
    code.get(total);
    promoted(code, a).op("f64x2.add");
    promoted(code, b).op("f64x2.add").set(total);
  });
  foldLanes(code, "f64x2.add", total, 2);
  return code.get(total).lane("f64x2.extract_lane", 0);
}

/** Leaves lanes 0, 1 plus lanes 2, 3 as float64. */
function promoted(code: Code, v: number): Code {
  code.get(v).op("f64x2.promote_low_f32x4");
  code.get(v).get(v);
  return shuffle32(code, [2, 3, 2, 3]).op("f64x2.promote_low_f32x4").op("f64x2.add");
}
