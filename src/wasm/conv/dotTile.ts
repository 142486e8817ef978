import { Code } from "../encode.js";
import type { DotPlan } from "./dotPlan.js";
import { bump, repeat } from "./loops.js";

/** Vectors of a row of the window written out one after another. */
const UNROLLED = 8;

/** Locals of a tile that is being written; `held` and `passing` are the sides of the products. */
interface Tile {
  readonly code: Code;
  readonly plan: DotPlan;
  /** [element][filter] */
  readonly sums: readonly (readonly number[])[];
  readonly held: readonly number[];
  readonly passing: number;
  /** Bytes of the elements and of the filters from the first. */
  readonly elements: readonly number[];
  readonly filters: readonly number[];
  fence: number;
}

/**
 * (region, kernel, sums): adds to the partial sums [filter][element] (a vector each, in bytes `apart` from filter to filter) the products of
 * one channel: elements read at `offsets`, filters one after another.
 *
 * The smaller side is held in locals, the other passes one by one with a fence between (see `pixelTile`).
 */
export function dotTile(plan: DotPlan, offsets: readonly number[], filters: number, apart: number): Code {
  const code = new Code(["i32", "i32", "i32"]);
  const size = plan.lanes.width;
  const vectors = (n: number): number[] => Array.from({ length: n }, () => code.local("v128"));
  const tile: Tile = {
    code,
    plan,
    sums: offsets.map(() => vectors(filters)),
    held: vectors(Math.min(offsets.length, filters)),
    passing: code.local("v128"),
    elements: offsets.map((at) => at * size),
    filters: Array.from({ length: filters }, (_, f) => f * plan.strides.kernel.filter * size),
    fence: 0,
  };
  const each = (body: (at: number, local: number) => void): void => {
    for (const [e, column] of tile.sums.entries())
      for (const [f, local] of column.entries()) body(f * apart + e * 16, local);
  };
  each((at, local) => code.get(2).memory("v128.load", at).set(local));
  code.block(() => overWindow(tile));
  each((at, local) => code.get(2).get(local).memory("v128.store", at));
  return code;
}

/** All rows of the window. */
function overWindow(tile: Tile): void {
  const { code, plan } = tile;
  const { axes, region, lanes } = plan;
  const [z, y] = axes;
  const size = lanes.width;
  repeat(code, z.window, 0, z.kernelDilation * region.z * size, 0, (outer) =>
    repeat(code, y.window, 0, y.kernelDilation * region.y * size, outer, (inner) => overRow(tile, inner)),
  );
}

/** One row: the region's pointer stays, the kernel's moves on to the next row. */
function overRow(tile: Tile, depth: number): void {
  const { code, plan } = tile;
  const { lanes, axes } = plan;
  const window = axes[2].window;
  const full = Math.floor(window / lanes.count);
  const blocks = full > UNROLLED ? Math.floor(full / 4) : 0;
  if (blocks > 0) {
    repeat(code, blocks, 0, 64, depth, (inner) => {
      for (let v = 0; v < 4; v++) step(tile, v * 16, 0, inner);
      bump(code, 1, 64);
    });
    bump(code, 0, blocks * 64);
  }
  const rest = full - blocks * 4;
  for (let v = 0; v < rest; v++) step(tile, v * 16, 0, depth);
  const tail = window % lanes.count;
  if (tail > 0) step(tile, rest * 16, tail, depth);
  bump(code, 0, -blocks * 64);
  bump(code, 1, (window - blocks * 4 * lanes.count) * lanes.width);
}

/** Products of one vector of the window; of a tail only so many lanes, others may be anything. */
function step(tile: Tile, at: number, tail: number, depth: number): void {
  const { code, plan, held, passing, elements, filters, sums } = tile;
  const { lanes } = plan;
  const mask = Array.from({ length: 16 }, (_, i) => (i < tail * lanes.width ? 255 : 0));
  const load = (pointer: number, offset: number, to: number): void => {
    code.get(pointer).memory("v128.load", offset + at);
    if (tail > 0) code.v128(mask).op("v128.and");
    code.set(to);
  };
  const swapped = elements.length > filters.length;
  const [near, far] = swapped ? [filters, elements] : [elements, filters];
  const [nearPointer, farPointer] = swapped ? [1, 0] : [0, 1];
  for (const [i, offset] of near.entries()) load(nearPointer as number, offset, held[i] as number);
  for (const [j, offset] of far.entries()) {
    load(farPointer as number, offset, passing);
    for (const [i, local] of held.entries()) {
      const sum = (swapped ? sums[j]?.[i] : sums[i]?.[j]) as number;
      if (lanes.fused) code.get(local).get(passing).get(sum).op(lanes.fused).set(sum);
      else code.get(sum).get(local).get(passing).op(lanes.mul).op(lanes.add).set(sum);
    }
    tile.fence++;
    code.get(2).i32(tile.fence).op("i32.eq").brIf(depth);
  }
}
