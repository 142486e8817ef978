import type { Reduce } from "../../compile/plan.js";
import type { Code, WasmType } from "../encode.js";
import { bytesOf, shuffle32, slotBytesOf } from "./lanes.js";

/** What is done to the elements of one type. */
export type Fold = Pick<Reduce, "op" | "dtype">;

/** How a vector holds elements of a slot. */
export interface Lanes {
  readonly count: 2 | 4;
  readonly bytes: 4 | 8;
  /** The prefix of its instructions. */
  readonly shape: "f32x4" | "f64x2" | "i32x4";
}

export function lanesOf({ dtype }: Fold): Lanes {
  if (dtype === "float64") return { count: 2, bytes: 8, shape: "f64x2" };
  return { count: 4, bytes: 4, shape: dtype === "float32" ? "f32x4" : "i32x4" };
}

/** Sums of float32 go on in float64 between blocks; everything else in its own type. */
export function widens({ op, dtype }: Fold): boolean {
  return op === "sum" && dtype === "float32";
}

/** Bytes of a partial result. */
export function partialBytesOf(fold: Fold): 4 | 8 {
  return widens(fold) ? 8 : slotBytesOf(fold.dtype);
}

export function carrierOf(fold: Fold): WasmType {
  if (widens(fold) || fold.dtype === "float64") return "f64";
  return fold.dtype === "float32" ? "f32" : "i32";
}

/** The instruction that combines two vectors. Masks of bool are ordered as uint32: max is "any", min is "all". */
export function vectorOp(fold: Fold): string {
  const { shape } = lanesOf(fold);
  if (fold.op === "sum") return `${shape}.add`;
  if (shape !== "i32x4") return `${shape}.${fold.op}`;
  return `${shape}.${fold.op}_${fold.dtype === "int32" ? "s" : "u"}`;
}

/** What nothing at all is reduced to. */
function identityOf({ op, dtype }: Fold): number {
  if (op === "sum") return 0;
  const max = op === "max";
  if (dtype === "float32" || dtype === "float64") return max ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (dtype === "int32") return max ? -(2 ** 31) : 2 ** 31 - 1;
  return max ? 0 : -1;
}

export function pushIdentity(code: Code, fold: Fold): Code {
  return code[carrierOf(fold) as "i32" | "f32" | "f64"](identityOf(fold));
}

/** All lanes the identity, in the type of the slot. */
export function splatIdentity(code: Code, fold: Fold): Code {
  const { shape } = lanesOf(fold);
  const type = shape.slice(0, 3) as "i32" | "f32" | "f64";
  return code[type](identityOf(fold)).op(`${shape}.splat`);
}

/** Local `into` (a carrier) combined with what `push` leaves. @param spare a local of the carrier's type */
export function combine(code: Code, fold: Fold, into: number, spare: number, push: () => void): void {
  const carrier = carrierOf(fold);
  if (fold.op === "sum" || carrier !== "i32") {
    code.get(into);
    push();
    code.op(`${carrier}.${fold.op === "sum" ? "add" : fold.op}`).set(into);
    return;
  }
  push();
  code.set(spare).get(into).get(spare).get(into).get(spare);
  const sign = fold.dtype === "int32" ? "s" : "u";
  code
    .op(`i32.${fold.op === "max" ? "gt" : "lt"}_${sign}`)
    .op("select")
    .set(into);
}

/** Stores a carrier as an element of a buffer; the address is on the stack already. */
export function storeResult(code: Code, fold: Fold, push: () => void, offset = 0): void {
  push();
  if (widens(fold)) code.op("f32.demote_f64");
  storeElement(code, fold, offset);
}

/** Stores a number of the slot's type as an element of a buffer; address and number are on the stack. */
export function storeElement(code: Code, { dtype }: Fold, offset = 0): void {
  if (dtype === "bool") code.i32(1).op("i32.and").memory("i32.store8", offset);
  else code.memory(`${dtype === "float64" ? "f64" : dtype === "float32" ? "f32" : "i32"}.store`, offset);
}

export function outBytes({ dtype }: Fold): 1 | 4 | 8 {
  return bytesOf(dtype);
}

/** The vector in a local: every lane combined with the others into lane 0, halves first. */
export function foldLanes(code: Code, op: string, v: number, lanes: 2 | 4): void {
  code.get(v).get(v).get(v);
  shuffle32(code, [2, 3, 0, 1]).op(op).set(v);
  if (lanes === 2) return;
  code.get(v).get(v).get(v);
  shuffle32(code, [1, 0, 3, 2]).op(op).set(v);
}

/** Leaves the vector on the stack with lanes from `left` (a local) on replaced by the identity. */
export function maskTail(code: Code, fold: Fold, left: number): void {
  splatIdentity(code, fold);
  code.get(left);
  if (lanesOf(fold).count === 4)
    code
      .op("i32x4.splat")
      .v128(lane32(0, 1, 2, 3))
      .op("i32x4.gt_s");
  else
    code
      .op("i32x4.splat")
      .v128(lane32(0, 0, 1, 1))
      .op("i32x4.gt_s");
  code.op("v128.bitselect");
}

/** As `maskTail` for a number known when it is emitted. */
export function maskRest(code: Code, fold: Fold, rest: number): void {
  const { count } = lanesOf(fold);
  const mask = [0, 1, 2, 3].map((word) => (Math.floor((word * count) / 4) < rest ? -1 : 0));
  splatIdentity(code, fold);
  code.v128(lane32(...mask)).op("v128.bitselect");
}

function lane32(...values: number[]): number[] {
  return values.flatMap((value) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255));
}
