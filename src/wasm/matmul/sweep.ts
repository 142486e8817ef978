import { Code } from "../encode.js";
import type { Form, Lanes } from "./spec.js";

/** Where a sweep finds its operands: strides in bytes. */
export interface Sweep {
  readonly lanes: Lanes;
  readonly rows: number;
  readonly vectors: number;
  /** Columns that exist; the last vector may be partial. */
  readonly columns: number;
  readonly aRow: number;
  readonly aInner: number;
  readonly bInner: number;
  readonly bColumn: number;
  readonly cRow: number;
  readonly cColumn: number;
  /** How far A, B and C move from tile to tile. */
  readonly move: readonly [a: number, b: number, c: number];
  /** The k of the whole product. */
  readonly k: number;
  readonly fused: boolean;
}

/** The parameters of a sweep: addresses, tiles, length of the block of k, and whether C is added to. */
export const sweepParams = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;
const [paramA, paramB, paramC, paramCount, paramAdd] = [0, 1, 2, 3, 5];
export const paramLength = 4;

/** What the bodies of sweeps share: accumulators, running pointers and fences. */
export class Tile {
  readonly code: Code = new Code(sweepParams);
  readonly sweep: Sweep;
  readonly sums: readonly number[][];
  readonly a: number;
  readonly b: number;
  readonly end: number;
  /** Bytes of A that a last, shorter step takes. */
  readonly rest: number;
  private fences = 0;

  constructor(sweep: Sweep) {
    this.sweep = sweep;
    this.sums = Array.from({ length: sweep.rows }, () =>
      Array.from({ length: sweep.vectors }, () => this.code.local("v128")),
    );
    this.a = this.code.local("i32");
    this.b = this.code.local("i32");
    this.end = this.code.local("i32");
    this.rest = this.code.local("i32");
  }

  /**
   * An exit that is never taken. V8 schedules all loads of a basic block first, which spills accumulators; the exit ends the block, and
   * as what comes after it needs the accumulators, arithmetic stays before it. No pointer to elements is 1, 2, 3, 5, ...
   */
  fence(depth: number): void {
    this.fences++;
    if (this.fences % 4 === 0) this.fences++;
    this.code.get(this.a).i32(this.fences).op("i32.eq").brIf(depth);
  }

  /** sums[row][vector] += (splat in a local) · (vector on the stack or in a local) */
  multiplyAdd(row: number, vector: number, splat: number, other: () => void): void {
    const { code, sweep } = this;
    const sum = this.sums[row]?.[vector] as number;
    const type = sweep.lanes.type;
    if (sweep.fused) {
      code.get(splat);
      other();
      code.get(sum).op(`${type}.relaxed_madd`).set(sum);
      return;
    }
    code.get(sum).get(splat);
    other();
    code.op(`${type}.mul`).op(`${type}.add`).set(sum);
  }

  /** The function: for each tile zeros, `inner` from a and b to end, and the store. */
  finish(inner: () => void): Code {
    const { code, sweep } = this;
    const move = (param: number, bytes: number): void => {
      if (bytes !== 0) code.get(param).i32(bytes).op("i32.add").set(param);
    };
    code.loop(() => {
      for (const sum of this.sums.flat()) code.v128(new Array<number>(16).fill(0)).set(sum);
      code.get(paramA).tee(this.a).get(paramLength).i32(sweep.aInner).op("i32.mul").op("i32.add").set(this.end);
      code.get(paramB).set(this.b);
      inner();
      code.get(paramAdd).if(() => this.addToSums());
      this.store();
      move(paramA, sweep.move[0]);
      move(paramB, sweep.move[1]);
      move(paramC, sweep.move[2]);
      code.get(paramCount).i32(1).op("i32.sub").tee(paramCount).brIf(0);
    });
    return code;
  }

  /** Lanes of a vector that are columns of C. */
  private lanesOf(vector: number): number {
    const { columns, lanes } = this.sweep;
    return Math.min(lanes.count, columns - vector * lanes.count);
  }

  private place(row: number, vector: number): number {
    const { cRow, cColumn, lanes } = this.sweep;
    return row * cRow + vector * lanes.count * cColumn;
  }

  private each(visit: (sum: number, place: number, lanes: number) => void): void {
    this.sums.forEach((row, r) => {
      row.forEach((sum, v) => {
        visit(sum, this.place(r, v), this.lanesOf(v));
      });
    });
  }

  private addToSums(): void {
    const { code } = this;
    const { lanes, cColumn } = this.sweep;
    this.each((sum, place, count) => {
      if (cColumn === lanes.width) code.get(paramC).memory("v128.load", place);
      else {
        code.get(paramC).memory(lanes.splat, place).set(this.spare());
        for (let lane = 1; lane < count; lane++) {
          code
            .get(paramC)
            .get(this.spare())
            .memoryLane(`v128.load${lanes.width * 8}_lane`, lane, place + lane * cColumn);
          code.set(this.spare());
        }
        code.get(this.spare());
      }
      code.get(sum).op(`${lanes.type}.add`).set(sum);
    });
  }

  private spareLocal = -1;

  private spare(): number {
    if (this.spareLocal < 0) this.spareLocal = this.code.local("v128");
    return this.spareLocal;
  }

  private store(): void {
    const { code } = this;
    const { lanes, cColumn } = this.sweep;
    this.each((sum, place, count) => {
      if (cColumn === lanes.width) storeLanes(code, lanes, paramC, sum, place, count);
      else {
        for (let lane = 0; lane < count; lane++) {
          code
            .get(paramC)
            .get(sum)
            .memoryLane(`v128.store${lanes.width * 8}_lane`, lane, place + lane * cColumn);
        }
      }
    });
  }
}

/** Stores the first lanes of a vector and nothing beyond. */
function storeLanes(code: Code, lanes: Lanes, address: number, value: number, offset: number, count: number): void {
  if (count === lanes.count) {
    code.get(address).get(value).memory("v128.store", offset);
    return;
  }
  const bytes = count * lanes.width;
  if (bytes >= 8) code.get(address).get(value).memoryLane("v128.store64_lane", 0, offset);
  if (bytes % 8 === 4)
    code
      .get(address)
      .get(value)
      .memoryLane("v128.store32_lane", bytes >> 2 === 3 ? 2 : 0, offset + bytes - 4);
}

/** The strides of a form as a sweep's, where nothing is packed. */
export function directSweep(form: Form): Pick<Sweep, "aRow" | "aInner" | "bInner" | "bColumn" | "cRow" | "cColumn"> {
  const { aRow, aInner, bInner, bColumn, cRow, cColumn } = form;
  return { aRow, aInner, bInner, bColumn, cRow, cColumn };
}
