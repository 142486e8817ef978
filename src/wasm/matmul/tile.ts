import type { Code } from "../encode.js";
import { type Sweep, Tile } from "./sweep.js";

/** Steps of k per turn of the loop: the loop's bookkeeping is spread over them. */
const unroll = 4;
/** Up to so many steps there is no loop. */
const straight = 8;

/**
 * A sweep of tiles over rows of B that lie contiguous. Every step of k loads `vectors` vectors of B, and for each row an element of A
 * that is multiplied with them.
 */
export function tileSweep(sweep: Sweep): Code {
  const tile = new Tile(sweep);
  const { code } = tile;
  const splat = code.local("v128");
  const loaded = Array.from({ length: sweep.rows > 1 ? sweep.vectors : 0 }, () => code.local("v128"));
  const steps = sweep.k <= straight ? sweep.k : unroll;
  const looped = sweep.k > straight;
  const turn = (): void => {
    for (let step = 0; step < steps; step++) {
      tileStep(tile, splat, loaded, step * sweep.bInner, looped ? 1 : 0);
      if (!looped && step === steps - 1) break;
      code.get(tile.a).i32(sweep.aInner).op("i32.add").tee(tile.a);
      // The real end of the block: any length ends here, and between steps the test is a fence.
      code
        .get(tile.end)
        .op("i32.ge_u")
        .brIf(looped ? 1 : 0);
    }
    if (!looped) return;
    code
      .get(tile.b)
      .i32(steps * sweep.bInner)
      .op("i32.add")
      .set(tile.b);
    code.br(0);
  };
  return tile.finish(() => {
    code.block(() => {
      if (looped) code.loop(turn);
      else turn();
    });
  });
}

/** Products between two fences. */
const between = 4;

function tileStep(tile: Tile, splat: number, loaded: readonly number[], at: number, depth: number): void {
  const { code, sweep } = tile;
  loaded.forEach((local, v) => {
    code
      .get(tile.b)
      .memory("v128.load", at + v * 16)
      .set(local);
  });
  let since = 0;
  for (let row = 0; row < sweep.rows; row++) {
    if (since + sweep.vectors > between && since > 0) {
      tile.fence(depth);
      since = 0;
    }
    code
      .get(tile.a)
      .memory(sweep.lanes.splat, row * sweep.aRow)
      .set(splat);
    for (let v = 0; v < sweep.vectors; v++) {
      if (v > 0 && v % between === 0) tile.fence(depth);
      const local = loaded[v];
      tile.multiplyAdd(row, v, splat, () => {
        if (local === undefined) code.get(tile.b).memory("v128.load", at + v * 16);
        else code.get(local);
      });
      since++;
    }
  }
}
