import { sizeOf } from "../../base/shape.js";
import type { Group, Reduce } from "../../compile/plan.js";
import { partialBytesOf, widens } from "./carrier.js";
import { blockRows } from "./columns.js";
import { tableRowBytes } from "./finish.js";
import { slotBytesOf } from "./lanes.js";

/** Strips of a unit, where strips follow one another. */
export const STRIPS_PER_UNIT = 16;
/** Rows of a unit, where a row is longer than a strip and its columns are reduced. */
export const ROWS_PER_UNIT = 64;

/** How a group's domain is cut, by its shape alone. */
export interface Cut {
  /** "long" rows and columns are longer than a strip. */
  readonly kind: "flat" | "rows" | "longRows" | "columns" | "longColumns";
  readonly size: number;
  readonly strip: number;
  /** Of rows and columns as the layout says; otherwise the size. */
  readonly length: number;
  readonly rows: number;
  readonly units: number;
  /** Partial results of one result: over so many units it is spread. */
  readonly blocks: number;
  /** Numbers a reduction gives. */
  readonly results: number;
}

export function reducesOf(group: Group): Reduce[] {
  return group.stages.filter((stage): stage is Reduce => stage.kind === "reduce");
}

/** @throws where strips do not hold whole rows though a row fits */
export function cutOf(group: Group): Cut {
  const size = sizeOf(group.shape);
  const { strip, layout } = group;
  const unit = strip * STRIPS_PER_UNIT;
  const whole = Math.ceil(size / unit);
  if (layout.kind === "flat" || reducesOf(group).length === 0) {
    return { kind: "flat", size, strip, length: size, rows: 1, units: whole, blocks: whole, results: 1 };
  }
  const { length } = layout;
  const rows = length > 0 ? size / length : emptyRows(group.shape);
  const results = layout.kind === "rows" ? rows : length;
  const fixed = { size, strip, length, rows, results };
  if (length <= strip) {
    if (length > 0 && strip % length !== 0) throw new Error(`wasm: strips of ${strip} do not hold rows of ${length}`);
    return { ...fixed, kind: layout.kind, units: whole, blocks: size === 0 ? 0 : layout.kind === "rows" ? 1 : whole };
  }
  if (layout.kind === "rows") {
    const blocks = Math.ceil(length / unit);
    return { ...fixed, kind: "longRows", units: rows * blocks, blocks };
  }
  const blocks = Math.ceil(rows / ROWS_PER_UNIT);
  return { ...fixed, kind: "longColumns", units: blocks * Math.ceil(length / strip), blocks };
}

/** How many rows are empty: the last axis without elements is taken to be the first of a row. */
function emptyRows(shape: readonly number[]): number {
  return sizeOf(shape.slice(0, shape.lastIndexOf(0)));
}

/** Results that need no table: a unit knows them, and writes them. */
export function isDirect(cut: Cut, reduce: Reduce): boolean {
  if (cut.kind === "rows") return cut.blocks === 1;
  if (cut.blocks !== 1) return false;
  if (cut.kind !== "columns") return true;
  return cut.size <= cut.strip && (!widens(reduce) || cut.rows <= blockRows(reduce, cut.length));
}

/** Bytes of a unit's row of the table of a reduction over columns, or of one partial result. */
export function tableStep(cut: Cut, reduce: Reduce): number {
  const columns = cut.kind === "columns" || cut.kind === "longColumns";
  return columns ? tableRowBytes(reduce, cut.length) : partialBytesOf(reduce);
}

function tableBytes(cut: Cut, reduce: Reduce): number {
  if (isDirect(cut, reduce)) return 0;
  const rows = cut.kind === "longRows" ? cut.results * cut.blocks : cut.blocks;
  return up64(rows * tableStep(cut, reduce));
}

function up64(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Where things lie, in bytes from the start of the scratch memory and of the tables. */
export interface Room {
  readonly slots: readonly number[];
  /** Accumulators of a tile of columns, one per reduction. */
  readonly tiles: readonly number[];
  readonly scratchBytes: number;
  readonly tables: readonly number[];
  readonly partialBytes: number;
}

export function roomOf(group: Group, cut: Cut): Room {
  let at = 0;
  const slot = (bytes: number): number => {
    const start = at;
    at += up64(group.strip * bytes + 64);
    return start;
  };
  const slots = group.slots.map((dtype) => slot(slotBytesOf(dtype)));
  const reduces = reducesOf(group);
  const tiles = reduces.map(({ dtype }) => (cut.kind === "longColumns" ? slot(slotBytesOf(dtype)) : 0));
  let partialBytes = 0;
  const tables = reduces.map((reduce) => {
    partialBytes += tableBytes(cut, reduce);
    return partialBytes - tableBytes(cut, reduce);
  });
  return { slots, tiles, scratchBytes: at, tables, partialBytes };
}
