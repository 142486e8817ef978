import { Code } from "../encode.js";
import {
  carrierOf,
  combine,
  type Fold,
  lanesOf,
  maskTail,
  outBytes,
  partialBytesOf,
  splatIdentity,
  storeResult,
  vectorOp,
  widens,
} from "./carrier.js";
import { bump, countDown, lesser, whileLoop } from "./lanes.js";
import { addToTable, storeOut } from "./sink.js";
import type { StageFunction } from "./stage.js";

/** Numbers that are added as float32 before float64 takes over. */
const BLOCK = 64;
/** Columns from this number of vectors on are held in registers a tile at a time; fewer are taken several rows at once. */
const NARROW = 2;
const TILE = 8;

/** Where column sums go: onto a row of the table of partial results, or to their places at once. */
export type Sink = "table" | "out";

/** Rows that are added as float32 at most. */
export function blockRows(fold: Fold, columns: number): number {
  return isNarrow(fold, columns) ? BLOCK * period(fold, columns).rows : BLOCK;
}

function isNarrow(fold: Fold, columns: number): boolean {
  return columns < NARROW * lanesOf(fold).count;
}

/** How many vectors hold a whole number of rows, enough of them to be added side by side. */
function period(fold: Fold, columns: number): { vectors: number; rows: number } {
  const { count } = lanesOf(fold);
  let rows = 1;
  while ((rows * columns) % count !== 0) rows++;
  const single = (rows * columns) / count;
  const times = Math.ceil(4 / single);
  return { vectors: single * times, rows: rows * times };
}

/** (pointer, rows, sink): columns of a slot reduced; a table has as many numbers as fill whole vectors. */
export function columnsFunction(fold: Fold, columns: number, sink: Sink): StageFunction {
  const build = (): Code =>
    isNarrow(fold, columns) ? new Narrow(fold, columns, sink).code : new Wide(fold, columns, sink).code;
  return { key: `columns ${fold.op} ${fold.dtype} ${columns} ${sink}`, build };
}

const [p, rows, to] = [0, 1, 2];

/** Emits `body` for blocks of rows whose number stands in `block`; all rows at once where order does not matter. */
function eachBlock(code: Code, fold: Fold, columns: number, sink: Sink, block: number, body: () => void): void {
  if (!widens(fold) || sink === "out") {
    code.get(rows).set(block);
    body();
    return;
  }
  whileLoop(
    code,
    () => void code.get(rows),
    () => {
      code.i32(blockRows(fold, columns)).set(block);
      lesser(code, rows, block).set(block);
      code.get(rows).get(block).op("i32.sub").set(rows);
      body();
    },
  );
}

class Narrow {
  readonly code = new Code(["i32", "i32", "i32"]);
  private readonly fold: Fold;
  private readonly columns: number;
  private readonly sink: Sink;
  private readonly accs: readonly number[];
  private readonly left: number;

  constructor(fold: Fold, columns: number, sink: Sink) {
    this.fold = fold;
    this.columns = columns;
    this.sink = sink;
    const { code } = this;
    const { vectors } = period(fold, columns);
    this.accs = Array.from({ length: vectors }, () => code.local("v128"));
    this.left = code.local("i32");
    eachBlock(code, fold, columns, sink, this.left, () => this.block());
  }

  /** Accumulator v holds the elements whose number is v, modulo the period. */
  private block(): void {
    const { code, fold, accs, left } = this;
    const { count } = lanesOf(fold);
    const op = vectorOp(fold);
    for (const acc of accs) splatIdentity(code, fold).set(acc);
    code.get(left).i32(this.columns).op("i32.mul").set(left);
    countDown(code, left, count * accs.length, () => {
      for (const [v, acc] of accs.entries())
        code
          .get(acc)
          .get(p)
          .memory("v128.load", 16 * v)
          .op(op)
          .set(acc);
      bump(code, p, 16 * accs.length);
    });
    code.block(() => {
      accs.forEach((acc, v) => {
        code.get(left).i32(0).op("i32.le_s").brIf(0);
        code
          .get(acc)
          .get(p)
          .memory("v128.load", 16 * v);
        maskTail(code, fold, left);
        code.op(op).set(acc);
        bump(code, left, -count);
      });
    });
    // Where a block is not the last one, nothing was left over.
    for (let column = 0; column < this.columns; column++) this.emit(column);
  }

  /** Lanes column, column + columns, ... in order. */
  private emit(column: number): void {
    const { code, fold, accs, columns, sink } = this;
    const { count, shape } = lanesOf(fold);
    const carrier = carrierOf(fold);
    const [total, spare] = [code.local(carrier), code.local(carrier)];
    for (let i = column; i < count * accs.length; i += columns) {
      const lane = (): void => {
        code.get(accs[Math.floor(i / count)] as number).lane(`${shape}.extract_lane`, i % count);
        if (widens(fold)) code.op("f64.promote_f32");
      };
      if (i > column) combine(code, fold, total, spare, lane);
      else {
        lane();
        code.set(total);
      }
    }
    if (sink === "out") {
      code.get(to);
      storeResult(code, fold, () => code.get(total), column * outBytes(fold));
      return;
    }
    const offset = column * partialBytesOf(fold);
    combine(code, fold, total, spare, () => code.get(to).memory(`${carrier}.load`, offset));
    code.get(to).get(total).memory(`${carrier}.store`, offset);
  }
}

/** Holds a tile of columns in registers and walks down the rows. */
class Wide {
  readonly code = new Code(["i32", "i32", "i32"]);
  private readonly fold: Fold;
  private readonly columns: number;
  private readonly sink: Sink;
  private readonly accs: readonly number[];
  private readonly at: number;
  private readonly left: number;
  private readonly height: number;
  private readonly column: number;
  private readonly target: number;
  private readonly rowBytes: number;

  constructor(fold: Fold, columns: number, sink: Sink) {
    this.fold = fold;
    this.columns = columns;
    this.sink = sink;
    const { code } = this;
    this.accs = Array.from({ length: TILE }, () => code.local("v128"));
    this.rowBytes = columns * lanesOf(fold).bytes;
    const local = (): number => code.local("i32");
    [this.at, this.left, this.height, this.column, this.target] = [local(), local(), local(), local(), local()];
    eachBlock(code, fold, columns, sink, this.height, () => this.block());
  }

  private block(): void {
    const { code, fold, columns, column, target } = this;
    const { count } = lanesOf(fold);
    const tiles = Math.floor(columns / (count * TILE));
    const rest = columns - tiles * count * TILE;
    code.get(p).set(column).get(to).set(target);
    const left = code.local("i32");
    if (tiles > 0) {
      code.i32(tiles).set(left);
      countDown(code, left, 1, () => {
        this.tile(count * TILE);
        bump(code, column, 16 * TILE);
        bump(code, target, count * TILE * (this.sink === "out" ? outBytes(fold) : partialBytesOf(fold)));
      });
    }
    if (rest > 0) this.tile(rest);
    code.get(p).get(this.height).i32(this.rowBytes).op("i32.mul").op("i32.add").set(p);
  }

  private tile(width: number): void {
    const { code, fold, at, left } = this;
    const { count } = lanesOf(fold);
    const accs = this.accs.slice(0, Math.ceil(width / count));
    for (const acc of accs) splatIdentity(code, fold).set(acc);
    code.get(this.column).set(at).get(this.height).set(left);
    countDown(code, left, 1, () => {
      for (const [v, acc] of accs.entries())
        code
          .get(acc)
          .get(at)
          .memory("v128.load", 16 * v)
          .op(vectorOp(fold))
          .set(acc);
      bump(code, at, this.rowBytes);
    });
    accs.forEach((acc, v) => {
      if (this.sink === "table") addToTable(code, fold, acc, this.target, v);
      else storeOut(code, fold, acc, this.target, v * count, Math.min(count, width - v * count));
    });
  }
}
