import { gcd } from "../../kernel/window.js";
import { Code } from "../encode.js";
import type { Lanes } from "./geometry.js";
import { bump, repeat, sum } from "./loops.js";
import { type PixelPhase, type PixelPlan, tapOffset } from "./pixelPlan.js";

/** Taps written out one after another; of more, rows of the window are looped over. */
const UNROLLED = 30;

/** Locals of a tile that is being written. */
interface Tile {
  readonly code: Code;
  readonly lanes: Lanes;
  /** Accumulators [filter][vector]. */
  readonly sums: readonly (readonly number[])[];
  readonly inputs: readonly number[];
  readonly froms: readonly number[];
  readonly weight: number;
  /** Pointers: first place of the tile in the region, the next weights, behind the last weights. */
  readonly at: number;
  readonly next: number;
  readonly end: number;
}

/**
 * (region, weights, output, last): `filters` filters over one row of places, tile by tile from the left; the last tile begins at place
 * `last` and may overlap the one before. Sums run over channels and taps in order, each from 0 in the number type of the convolution.
 *
 * The exits that are never taken are fences: V8 schedules all loads of a basic block first and would spill the accumulators. What is
 * compared is different every time, or it would be seen to be one condition. The loop's own test stands behind each tap.
 */
export function pixelTile(plan: PixelPlan, phase: PixelPhase, filters: number): Code {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const [region, weights, output, last] = [0, 1, 2, 3] as const;
  const { lanes, spec } = plan;
  const size = lanes.width;
  const vectors = (n: number): number[] => Array.from({ length: n }, () => code.local("v128"));
  const [at, next, end, x] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
  const tile: Tile = {
    code,
    lanes,
    sums: Array.from({ length: filters }, () => vectors(phase.vectors.length)),
    inputs: vectors(phase.vectors.length),
    froms: phase.vectors.map(({ from }) => from * size),
    weight: code.local("v128"),
    at,
    next,
    end,
  };
  const depth = spec.channels * phase.taps;
  sum(code, weights, [], depth * filters * size).set(end);
  const body = (): void => {
    for (const local of tile.sums.flat()) code.v128(new Array<number>(16).fill(0)).set(local);
    sum(code, region, phase.slide > 0 ? [[x, size]] : []).set(at);
    code.get(weights).set(next);
    if (depth > 0) code.block(() => everyTap(plan, phase, tile));
    storeTile(plan, phase, tile, output);
  };
  if (phase.slide === 0) body();
  else slideAlong(code, phase, plan, x, last, output, body);
  return code;
}

function slideAlong(
  code: Code,
  { slide }: PixelPhase,
  { lanes, axes }: PixelPlan,
  x: number,
  last: number,
  output: number,
  body: () => void,
): void {
  const [start, after] = [code.local("i32"), code.local("i32")];
  code.get(output).set(start);
  code.block(() => {
    code.loop(() => {
      body();
      code.get(x).get(last).op("i32.ge_s").brIf(1);
      sum(code, x, [], slide).set(after);
      code.get(after).get(last).get(after).get(last).op("i32.lt_s").op("select").set(x);
      sum(code, start, [[x, axes[2].every * lanes.width]]).set(output);
      code.br(0);
    });
  });
}

/** All taps of all channels, inside the block that the exits leave. */
function everyTap(plan: PixelPlan, phase: PixelPhase, tile: Tile): void {
  const { code } = tile;
  const [z, y, x] = phase.axes;
  const size = plan.lanes.width;
  const { region } = plan;
  const offset = (a: number, b: number, c: number): number => tapOffset(plan, phase, [a, b, c]) * size;
  if (phase.taps <= UNROLLED) {
    const offsets: number[] = [];
    for (let a = 0; a < z.taps; a++)
      for (let b = 0; b < y.taps; b++) for (let c = 0; c < x.taps; c++) offsets.push(offset(a, b, c));
    code.loop(() => {
      taps(tile, offsets, 1);
      bump(code, tile.at, region.channel * size);
      code.br(0);
    });
    return;
  }
  const planes = z.gap * region.z * size;
  const lines = y.gap * region.y * size;
  repeat(code, plan.spec.channels, tile.at, region.channel * size, 0, (depth1) =>
    repeat(code, z.taps, tile.at, planes, depth1, (depth2) =>
      repeat(code, y.taps, tile.at, lines, depth2, (depth3) => row(plan, phase, tile, offset, depth3)),
    ),
  );
}

/** The taps of one row of the window: a whole number of rounds of the dealt-out rows at a time, then the rest. */
function row(
  { region, lanes }: PixelPlan,
  { axes: [, , x] }: PixelPhase,
  tile: Tile,
  offset: (z: number, y: number, x: number) => number,
  depth: number,
): void {
  const all = Array.from({ length: x.taps }, (_, c) => offset(0, 0, c));
  if (x.taps <= UNROLLED) {
    taps(tile, all, depth);
    return;
  }
  const round = region.step / gcd(region.step, x.gap);
  const block = Math.max(1, Math.floor(8 / round)) * round;
  const blocks = Math.floor(x.taps / block);
  const step = ((block * x.gap) / region.step) * lanes.width;
  repeat(tile.code, blocks, tile.at, step, depth, (inner) => taps(tile, all.slice(0, block), inner));
  const rest = all.slice(blocks * block).map((at) => at - blocks * step);
  bump(tile.code, tile.at, blocks * step);
  taps(tile, rest, depth);
  bump(tile.code, tile.at, -blocks * step);
}

/** Taps at given offsets; `depth` says how far out the exit is. */
function taps(tile: Tile, offsets: readonly number[], depth: number): void {
  const { code, lanes, sums, inputs, froms, at, next, end } = tile;
  const step = sums.length * lanes.width;
  let fence = 0;
  const apart = inputs.length > 2 ? 1 : 2;
  for (const offset of offsets) {
    for (const [v, local] of inputs.entries())
      code
        .get(at)
        .memory("v128.load", offset + (froms[v] as number))
        .set(local);
    for (const [f, accumulators] of sums.entries()) {
      code
        .get(next)
        .memory(lanes.splat, f * lanes.width)
        .set(tile.weight);
      for (const [v, local] of accumulators.entries()) accumulate(tile, local, inputs[v] as number);
      if (f % apart === apart - 1 && f < sums.length - 1) {
        fence++;
        code.get(next).i32(fence).op("i32.eq").brIf(depth);
      }
    }
    code.get(next).i32(step).op("i32.add").tee(next).get(end).op("i32.ge_u").brIf(depth);
  }
}

function accumulate({ code, lanes, weight }: Tile, accumulator: number, input: number): void {
  if (lanes.fused) code.get(weight).get(input).get(accumulator).op(lanes.fused).set(accumulator);
  else code.get(accumulator).get(weight).get(input).op(lanes.mul).op(lanes.add).set(accumulator);
}

function storeTile({ strides, lanes, axes }: PixelPlan, phase: PixelPhase, { code, sums }: Tile, output: number): void {
  const [size, every] = [lanes.width, axes[2].every];
  for (const [f, accumulators] of sums.entries()) {
    for (const [v, local] of accumulators.entries()) {
      const vector = phase.vectors[v] as { to: number; lanes: number };
      const at = (f * strides.output.filter + vector.to) * size;
      if (every === 1 && vector.lanes === lanes.count) code.get(output).get(local).memory("v128.store", at);
      else
        for (let k = 0; k < vector.lanes; k++)
          code
            .get(output)
            .get(local)
            .memoryLane(lanes.storeLane, k, at + k * every * size);
    }
  }
}
