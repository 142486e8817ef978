import type { Reduce } from "../../compile/plan.js";
import { carrierOf, combine, outBytes, partialBytesOf, pushIdentity, storeResult, widens } from "./carrier.js";
import { columnsFunction } from "./columns.js";
import { finishColumns, finishRows } from "./finish.js";
import type { Frame, GroupContext } from "./frame.js";
import { scatterFunction } from "./gather.js";
import { type Num, push, scale } from "./lanes.js";
import { lineFunction } from "./line.js";
import { rowsFunction } from "./rows.js";
import { type StageFunction, shared } from "./stage.js";
import { clearFunction, depositFunction, tileFunction } from "./tiles.js";
import { type Cut, isDirect, type Room, tableStep } from "./units.js";

/** What one reduction does around the strips of a unit, and with each of them. */
export interface Reduction {
  begin(at: UnitAt): void;
  strip(start: Num, count: Num): void;
  end(at: UnitAt): void;
}

/** Which unit: its number, and of a domain cut both ways the block and the tile, with the tile's first column and its length. */
export interface UnitAt {
  readonly unit: Num;
  readonly block: Num;
  readonly row: Num;
  readonly column: Num;
  readonly width: Num;
}

/** All that the parts of a group's function share. */
export interface Setting {
  readonly frame: Frame;
  readonly cut: Cut;
  readonly room: Room;
  readonly context: GroupContext;
}

export function reductionOf(setting: Setting, reduce: Reduce, index: number): Reduction {
  switch (setting.cut.kind) {
    case "rows":
      return wholeRows(setting, reduce);
    case "columns":
      return wholeColumns(setting, reduce, index);
    case "longColumns":
      return tiledColumns(setting, reduce, index);
    default:
      return oneNumber(setting, reduce, index);
  }
}

function nothing(): void {}

function call({ frame, context }: Setting, fn: StageFunction): void {
  frame.code.call(shared(context, fn));
}

/** Leaves the address of a row of the table on the stack. */
function table({ frame, room, context }: Setting, index: number, row: Num, step: number): void {
  const start = context.partials + (room.tables[index] as number);
  if ("constant" in row) frame.code.i32(start + row.constant * step);
  else scale(frame.code.get(row.local), step).i32(start).op("i32.add");
}

function wholeRows(setting: Setting, reduce: Reduce): Reduction {
  const { frame, cut } = setting;
  const rowsOf = (n: Num): Num => {
    if ("constant" in n) return { constant: n.constant / cut.length };
    if (cut.length === 1) return n;
    const local = frame.code.local("i32");
    frame.code.get(n.local).i32(cut.length).op("i32.div_u").set(local);
    return { local };
  };
  return {
    begin: nothing,
    strip(start, count) {
      const first = rowsOf(start);
      const rows = rowsOf(count);
      push(frame.slot(reduce.from), rows);
      frame.point(reduce.to, 0, first, outBytes(reduce));
      call(setting, rowsFunction(reduce, cut.length));
    },
    end: nothing,
  };
}

/** A number per unit, in a local until the unit ends. */
function oneNumber(setting: Setting, reduce: Reduce, index: number): Reduction {
  const { frame, cut } = setting;
  const { code } = frame;
  const carrier = carrierOf(reduce);
  const [total, spare] = [code.local(carrier), code.local(carrier)];
  return {
    begin: () => void pushIdentity(code, reduce).set(total),
    strip(_start, count) {
      const line = shared(setting.context, lineFunction(reduce));
      combine(code, reduce, total, spare, () => push(frame.slot(reduce.from), count).call(line));
    },
    end({ unit, row }) {
      if (isDirect(cut, reduce)) {
        frame.point(reduce.to, 0, row, outBytes(reduce));
        storeResult(code, reduce, () => code.get(total));
        return;
      }
      table(setting, index, unit, partialBytesOf(reduce));
      code.get(total).memory(`${carrier}.store`);
    },
  };
}

function wholeColumns(setting: Setting, reduce: Reduce, index: number): Reduction {
  const { frame, cut } = setting;
  const { code } = frame;
  const step = tableStep(cut, reduce);
  const direct = isDirect(cut, reduce);
  const row = code.local("i32");
  return {
    begin({ unit }) {
      if (direct) return;
      table(setting, index, unit, step);
      code.set(row);
      const carried = widens(reduce) ? ({ op: "sum", dtype: "float64" } as const) : reduce;
      code
        .i32(0)
        .get(row)
        .i32(step / partialBytesOf(reduce));
      call(setting, clearFunction(carried));
    },
    strip(_start, count) {
      frame.slot(reduce.from);
      push(code, count);
      if (cut.length > 1) code.i32(cut.length).op("i32.div_u");
      if (direct) frame.point(reduce.to);
      else code.get(row);
      call(setting, columnsFunction(reduce, cut.length, direct ? "out" : "table"));
    },
    end() {
      if (direct || cut.units > 1) return;
      code.get(row);
      frame.point(reduce.to).i32(cut.length).i32(1);
      call(setting, finishColumns(reduce));
    },
  };
}

function tiledColumns(setting: Setting, reduce: Reduce, index: number): Reduction {
  const { frame, cut, room } = setting;
  const { code } = frame;
  const tile = (): void => void frame.own(room.tiles[index] as number);
  return {
    begin({ width }) {
      code.i32(0);
      tile();
      push(code, width);
      call(setting, clearFunction(reduce));
    },
    strip(_start, count) {
      frame.slot(reduce.from);
      tile();
      push(code, count);
      call(setting, tileFunction(reduce));
    },
    end({ block, column, width }) {
      if (isDirect(cut, reduce)) {
        const view = { place: reduce.to, dtype: reduce.dtype, strides: [1] };
        frame.point(reduce.to);
        tile();
        push(push(code, column), width);
        call(setting, scatterFunction([cut.length], { kind: "scatter", from: 0, to: view }));
        return;
      }
      tile();
      table(setting, index, block, tableStep(cut, reduce));
      scale(push(code, column), partialBytesOf(reduce)).op("i32.add");
      push(code, width);
      call(setting, depositFunction(reduce));
    },
  };
}

/** Whether something is left to do after all units: partial results to combine, or results of nothing. */
export function isLeft(cut: Cut, _reduce: Reduce): boolean {
  if (cut.kind === "rows") return cut.blocks === 0;
  return cut.blocks !== 1;
}

/** Combines the partial results of a reduction in their order. */
export function finishReduction(setting: Setting, reduce: Reduce, index: number): void {
  const { frame, cut } = setting;
  table(setting, index, { constant: 0 }, 0);
  frame.point(reduce.to).i32(cut.results).i32(cut.blocks);
  const byRows = cut.kind !== "columns" && cut.kind !== "longColumns";
  call(setting, byRows ? finishRows(reduce) : finishColumns(reduce));
}
