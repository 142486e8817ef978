import type { Code } from "../encode.js";
import { block } from "./spec.js";
import { paramLength, type Sweep, Tile } from "./sweep.js";
import { square, turn } from "./turn.js";

/**
 * A sweep of tiles over columns of B that lie contiguous, for products too small to pack B: squares of B are transposed in registers, so
 * that lanes are columns and every sum still runs from left to right. (Sums along the lanes would be a few shuffles cheaper but depend
 * on more than k.) Reads up to three elements beyond the end of a column.
 */
export function lineSweep(sweep: Sweep): Code {
  const tile = new Tile(sweep);
  const { code } = tile;
  const { lanes, k } = sweep;
  const step = stepper(tile);
  const rest = k % lanes.count;
  // Of several blocks only the last has a rest, and it may be nothing else.
  const open = k > block;
  const loop = (depth: number): void => {
    code.loop(() => {
      step(lanes.count, depth);
      code.get(tile.a).get(tile.end).op("i32.lt_u").brIf(0);
    });
  };
  return tile.finish(() => {
    withoutRest(tile, open, rest);
    code.block(() => {
      if (open)
        code
          .get(tile.a)
          .get(tile.end)
          .op("i32.lt_u")
          .if(() => loop(2));
      else if (k >= 2 * lanes.count) loop(1);
      else if (k >= lanes.count) step(lanes.count, 0);
      if (rest === 0) return;
      if (open) code.get(tile.rest).if(() => step(rest, 1));
      else step(rest, 0);
    });
  });
}

/** Lets the end stand where whole squares end. */
function withoutRest({ code, sweep: { lanes, aInner }, rest, end }: Tile, open: boolean, left: number): void {
  if (open) {
    code
      .get(paramLength)
      .i32(lanes.count - 1)
      .op("i32.and");
    code.i32(aInner).op("i32.mul").set(rest);
    code.get(end).get(rest).op("i32.sub").set(end);
  } else if (left > 0) {
    code.get(end).i32(left * aInner);
    code.op("i32.sub").set(end);
  }
}

/** Emits the products of up to `lanes.count` steps of k. */
function stepper(tile: Tile): (steps: number, depth: number) => void {
  const { sweep } = tile;
  const step = sweep.rows === 1 ? oneRow(tile) : someRows(tile);
  return (steps, depth) => {
    step(steps, depth);
    bump(tile.code, tile.b, steps * sweep.lanes.width);
  };
}

function bump(code: Code, local: number, bytes: number): void {
  code.get(local).i32(bytes).op("i32.add").set(local);
}

type Square = ReturnType<typeof square>;

/** Loads the columns of vector `v` of the tile, turned. */
function loadTurned({ code, b, sweep }: Tile, v: number, place: Square): readonly number[] {
  const { lanes, columns, bColumn } = sweep;
  place.given.forEach((local, i) => {
    // Columns that do not exist repeat the last one.
    const column = Math.min(v * lanes.count + i, columns - 1);
    code.get(b).memory("v128.load", column * bColumn);
    code.set(local);
  });
  return turn(code, lanes, place);
}

/** A single row shares one square, and keeps its splats in registers instead. */
function oneRow(tile: Tile): (steps: number, depth: number) => void {
  const { code, sweep } = tile;
  const { lanes, vectors } = sweep;
  const shared = square(code, lanes);
  const splats = Array.from({ length: lanes.count }, () => code.local("v128"));
  return (steps, depth) => {
    const used = splats.slice(0, steps);
    used.forEach((local, l) => {
      code.get(tile.a).memory(lanes.splat, l * sweep.aInner);
      code.set(local);
    });
    tile.fence(depth);
    for (let v = 0; v < vectors; v++) {
      const turned = loadTurned(tile, v, shared);
      used.forEach((local, l) => {
        tile.multiplyAdd(0, v, local, () => code.get(turned[l] as number));
      });
      tile.fence(depth);
    }
    bump(code, tile.a, steps * sweep.aInner);
  };
}

function someRows(tile: Tile): (steps: number, depth: number) => void {
  const { code, sweep } = tile;
  const { lanes, rows, vectors } = sweep;
  const splat = code.local("v128");
  const squares = Array.from({ length: vectors }, () => square(code, lanes));
  return (steps, depth) => {
    const turned = squares.map((place, v) => loadTurned(tile, v, place));
    for (let l = 0; l < steps; l++) {
      for (let row = 0; row < rows; row++) {
        code.get(tile.a).memory(lanes.splat, row * sweep.aRow);
        code.set(splat);
        for (let v = 0; v < vectors; v++) tile.multiplyAdd(row, v, splat, () => code.get(turned[v]?.[l] as number));
      }
      bump(code, tile.a, sweep.aInner);
      tile.fence(depth);
    }
  };
}
