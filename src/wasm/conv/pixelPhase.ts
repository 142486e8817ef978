import { Code } from "../encode.js";
import type { Triple } from "./geometry.js";
import { type Add, each, once, smaller, sum } from "./loops.js";
import { bySize, firstFilter } from "./pack.js";
import type { PixelPhase, PixelPlan } from "./pixelPlan.js";
import { pixelTile } from "./pixelTile.js";

/** A block of places: per axis the locals with its first place and that behind its last. */
export type Block = Triple<readonly [start: number, end: number]>;

/** The function being written: the first three parameters, the block, and locals for where it is. */
interface Walk {
  readonly code: Code;
  readonly plan: PixelPlan;
  readonly phase: PixelPhase;
  readonly block: Block;
  readonly z: number;
  readonly y: number;
  /** Pointers at the first place of a row: where it is read, where it is written. */
  readonly row: number;
  readonly line: number;
}

const [region, output, weights, tile0, tile1] = [0, 1, 2, 9, 10] as const;

/**
 * (region, output, weights, z0, z1, y0, y1, x0, x1, tile0, tile1): one phase of a unit, row by row. The region begins at `from` of the
 * phase, the output at `to`.
 */
export function phaseCode(plan: PixelPlan, phase: PixelPhase, add: Add): Code {
  const code = new Code(new Array<"i32">(11).fill("i32"));
  const block: Block = [
    [3, 4],
    [5, 6],
    [7, 8],
  ];
  for (const [k, [, end]] of block.entries()) {
    // A block may reach one place further than this phase has any.
    const count = code.local("i32");
    code.i32((phase.axes[k] as (typeof phase.axes)[0]).count).set(count);
    smaller(code, end, count).set(end);
  }
  const [z, y, row, line] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
  const walk: Walk = { code, plan, phase, block, z, y, row, line };
  const tiles = tilesOf(walk, add);
  const [start, end] = block[0];
  each(
    code,
    z,
    () => code.get(start),
    end,
    () =>
      rows(code, y, block[1], phase.rows, () => {
        reach(walk);
        tiles();
      }),
  );
  return code;
}

/** Sets the pointers of row (z, y). The region begins with the block, the output with the first place of the phase. */
function reach({ code, plan, block, z, y, row, line }: Walk): void {
  const { axes, lanes, region: seen } = plan;
  const size = lanes.width;
  const [plane, step] = [axes[0].step * seen.z * size, axes[1].step * seen.y * size];
  sum(code, region, [
    [z, plane],
    [block[0][0], -plane],
    [y, step],
    [block[1][0], -step],
  ]).set(row);
  const [, height, width] = axes.map(({ axis }) => axis.size) as [number, number, number];
  sum(code, output, [
    [z, axes[0].every * height * width * size],
    [y, axes[1].every * width * size],
    [block[2][0], axes[2].every * size],
  ]).set(line);
}

/** What writes the calls of the tiles of one row: all filters of the unit. */
function tilesOf({ code, plan, phase, block, row, line }: Walk, add: Add): () => void {
  const { lanes, strides, spec } = plan;
  const size = lanes.width;
  const depth = spec.channels * phase.taps;
  const [tile, first, last] = [code.local("i32"), code.local("i32"), code.local("i32")];
  const [start, end] = block[2];
  code.get(end).get(start).op("i32.sub").i32(phase.slide).op("i32.sub").set(last);
  const tileOf = once(Number, (filters: number) => add(pixelTile(plan, phase, filters), `conv tile ${filters}`));
  const call = (filters: number) => (): void => {
    code.get(row);
    sum(code, weights, [[first, depth * size]]);
    sum(code, line, [[first, strides.output.filter * size]]);
    code.get(last).call(tileOf(filters));
  };
  const body = (): void => {
    firstFilter(code, tile, plan).set(first);
    bySize(code, tile, plan, call);
  };
  return () => each(code, tile, () => code.get(tile0), tile1, body);
}

/** Body for y from the start of a block on in steps of `high`; the last is moved back so that it ends with the block. */
function rows(code: Code, y: number, [start, end]: readonly [number, number], high: number, body: () => void): void {
  if (high === 1) {
    each(code, y, () => code.get(start), end, body);
    return;
  }
  const last = code.local("i32");
  code.get(end).i32(high).op("i32.sub").set(last);
  code.get(start).set(y);
  code.block(() => {
    code.loop(() => {
      code.get(y).get(end).op("i32.ge_s").brIf(1);
      body();
      code.get(y).get(last).op("i32.ge_s").brIf(1);
      code.get(y).i32(high).op("i32.add").set(y);
      smaller(code, y, last).set(y);
      code.br(0);
    });
  });
}
