import type { ConvSpec } from "../../kernel/convSpec.js";
import {
  type AxisPhase,
  type AxisPlan,
  type ConvStrides,
  denseStrides,
  evenly,
  type Lanes,
  planAxis,
  type Triple,
  threeAxes,
} from "./geometry.js";
import { dealt, type Region, regionOf } from "./region.js";

/**
 * How a convolution is cut when vectors run along the places of the output: each unit is a block of places of one example and group (and
 * some of its filters), with the part of the input that it sees in scratch memory; each tile a few filters by a few vectors.
 */
export interface PixelPlan {
  readonly spec: ConvSpec;
  readonly strides: ConvStrides;
  readonly lanes: Lanes;
  readonly axes: Triple<AxisPlan>;
  /** Into how many blocks the places of each axis are cut. */
  readonly blocks: Triple<number>;
  readonly filterBlocks: number;
  /** Tiles of filters: `more` of `size` + 1, then those of `size`. */
  readonly tiles: { readonly count: number; readonly size: number; readonly more: number };
  readonly region: Region;
  /** Whether the input is read as it lies: no zeros around it are ever met, and no stride. */
  readonly direct: boolean;
  readonly phases: readonly PixelPhase[];
  readonly units: number;
  /** Elements of packed weights. */
  readonly weights: number;
}

/** One phase of each axis. */
export interface PixelPhase {
  readonly axes: Triple<AxisPhase>;
  /** Taps per channel. */
  readonly taps: number;
  /** Where its packed weights begin, in elements: [group][tile][channel][tap][filter]. */
  readonly weights: number;
  /** The least place, in elements of the region, that any tap adds to a place of the phase. */
  readonly from: number;
  /** Where its first place lies in the output. */
  readonly to: number;
  /** Phases of the same key differ in `weights`, `from` and `to` alone, and share their code. */
  readonly key: string;
  readonly vectors: readonly Vector[];
  /** Elements that the tile is wide where it slides along a row; 0: it does not, and is `rows` high. */
  readonly slide: number;
  readonly rows: number;
}

/** A vector of places in a tile: where it is read and written, in elements from the first place, and how many of its lanes count. */
export interface Vector {
  readonly from: number;
  readonly to: number;
  readonly lanes: number;
}

/** Bytes of the part of the input a unit sees: what stays in the second cache beside the weights. */
const REGION = 160 * 1024;
/** Places of a row at most. */
const ROW = 512;
/** So many units are wanted, of no fewer multiplications each. */
const UNITS = 16;
const WORK = 1 << 16;

export function planPixels(spec: ConvSpec, strides: ConvStrides | undefined, lanes: Lanes): PixelPlan {
  const axes = threeAxes(spec).map(planAxis) as unknown as Triple<AxisPlan>;
  const count = Math.ceil(spec.filters / 5);
  const tiles = { count, ...evenly(spec.filters, Math.max(1, count)) };
  const blocks = blocksOf(spec, axes, lanes);
  const extent = extentOf(axes, blocks);
  const places = axes.reduce((n, { axis }) => n * axis.size, 1);
  const cut = spec.batch * spec.groups * blocks[0] * blocks[1] * blocks[2];
  const per = (spec.filters * spec.channels * tapsOf(axes) * places * spec.batch * spec.groups) / Math.max(1, cut);
  const filterBlocks = Math.max(1, Math.min(tiles.count, Math.ceil(UNITS / Math.max(1, cut)), Math.floor(per / WORK)));
  const region = regionOf(spec.channels, extent, axes[2].step, lanes);
  const direct =
    isDirect(axes) &&
    ((axes[0].axis.input * axes[1].axis.input * axes[2].axis.input * lanes.width) % 4096 !== 0 || spec.channels < 8);
  const plan = {
    spec,
    strides: strides ?? denseStrides(spec),
    lanes,
    axes,
    blocks,
    filterBlocks,
    tiles,
    direct,
    units: places * spec.filters === 0 ? 0 : cut * filterBlocks,
  };
  const laid = direct ? asItLies(region, axes, plan.strides.input.channel) : region;
  const { phases, weights } = phasesOf(plan, laid);
  return { ...plan, region: laid, phases, weights };
}

function tapsOf(axes: Triple<AxisPlan>): number {
  return axes.reduce((n, { axis, every }) => (n * axis.window) / every, 1);
}

/** Blocks of places per axis: first so that a unit's input fits, then so that there are enough units. */
function blocksOf(spec: ConvSpec, axes: Triple<AxisPlan>, lanes: Lanes): Triple<number> {
  const blocks: [number, number, number] = [1, 1, Math.max(1, Math.ceil(axes[2].places / ROW))];
  const bytes = (): number => spec.channels * extentOf(axes, blocks).reduce((a, b) => a * b, 1) * lanes.width;
  const macs = spec.filters * spec.channels * tapsOf(axes) * axes.reduce((n, { axis }) => n * axis.size, 1);
  for (const k of [0, 1] as const) {
    const most = axes[k].places;
    while (blocks[k] < most && bytes() > REGION) blocks[k] = Math.min(most, blocks[k] * 2);
    // Overlap costs: blocks of a few places only where nothing else is left.
    const cut = (): number => spec.batch * spec.groups * blocks[0] * blocks[1] * blocks[2];
    const work = (): number => macs / (blocks[0] * blocks[1] * blocks[2]);
    while (blocks[k] * 4 <= most && cut() < UNITS && work() > 2 * WORK) blocks[k] *= 2;
  }
  return blocks;
}

function extentOf(axes: Triple<AxisPlan>, blocks: Triple<number>): Triple<number> {
  const extent = axes.map(
    ({ step, places, reach }, k) => step * Math.max(0, Math.ceil(places / (blocks[k] as number)) - 1) + reach + 1,
  );
  return extent as unknown as Triple<number>;
}

function isDirect(axes: Triple<AxisPlan>): boolean {
  return axes.every(
    ({ axis, low, reach, step, places, every }, k) =>
      every === 1 && low >= 0 && step * (places - 1) + low + reach < axis.input && (k < 2 || step === 1),
  );
}

function asItLies(region: Region, axes: Triple<AxisPlan>, channel: number): Region {
  const y = axes[2].axis.input;
  return { ...region, width: y, y, z: y * axes[1].axis.input, channel, bytes: 0 };
}

function phasesOf(
  plan: Omit<PixelPlan, "region" | "phases" | "weights">,
  region: Region,
): Pick<PixelPlan, "phases" | "weights"> {
  const { spec, axes, tiles, lanes } = plan;
  const largest = tiles.size + (tiles.more > 0 ? 1 : 0);
  const most = [0, 6, 4, 3, 2, 2][largest] ?? 1;
  const phases: PixelPhase[] = [];
  let weights = 0;
  for (const z of axes[0].phases)
    for (const y of axes[1].phases)
      for (const x of axes[2].phases) {
        const taps = z.taps * y.taps * x.taps;
        // Of a row cut into blocks the tile slides along each of them.
        const rows =
          Math.floor(axes[1].places / plan.blocks[1]) - (axes[1].phases.at(-1)?.count === axes[1].places ? 0 : 1);
        const shape = tileOf(x.count, most, rows, lanes.count, {
          in: axes[1].step * region.y,
          out: axes[1].every * axes[2].axis.size,
          every: axes[2].every,
        });
        phases.push({ axes: [z, y, x], taps, weights, ...shape, ...placeOf(axes, region, [z, y, x]) });
        weights += spec.groups * spec.filters * spec.channels * taps;
      }
  return { phases, weights };
}

function placeOf(
  axes: Triple<AxisPlan>,
  region: Region,
  phase: Triple<AxisPhase>,
): Pick<PixelPhase, "from" | "to" | "key"> {
  const [z, y, x] = phase.map(({ at, taps }, k) => (taps > 0 ? at - (axes[k] as AxisPlan).low : 0)) as [
    number,
    number,
    number,
  ];
  // Dealt out, the first tap need not lie first: each of the first `step` may begin another row.
  const round = Array.from({ length: Math.max(1, Math.min(region.step, phase[2].taps)) }, (_, c) =>
    dealt(region, x + c * phase[2].gap),
  );
  const [, height, width] = axes.map(({ axis }) => axis.size) as [number, number, number];
  return {
    from: z * region.z + y * region.y + Math.min(...round),
    to: (phase[0].first * height + phase[1].first) * width + phase[2].first,
    key: `${phase.map(({ count, taps }) => [count, taps])}:${x % region.step}`,
  };
}

/** The vectors of a tile over rows of n places: at most `most` of them, over several of at least `rows` rows where one has too few. */
function tileOf(
  n: number,
  most: number,
  rows: number,
  count: number,
  line: { readonly in: number; readonly out: number; readonly every: number },
): Pick<PixelPhase, "vectors" | "slide" | "rows"> {
  const vector = (at: number, row: number): Vector => ({
    from: at + row * line.in,
    to: at * line.every + row * line.out,
    lanes: Math.min(count, n),
  });
  const across = Math.ceil(n / count);
  if (across >= most && n >= most * count)
    return { vectors: Array.from({ length: most }, (_, v) => vector(v * count, 0)), slide: most * count, rows: 1 };
  const width = Math.min(across, most);
  const high = Math.max(1, Math.min(rows, Math.floor(most / width)));
  const vectors = Array.from({ length: width * high }, (_, k) =>
    vector(Math.max(0, Math.min((k % width) * count, n - count)), Math.floor(k / width)),
  );
  return { vectors, slide: 0, rows: high };
}

/** Where tap (z, y, x) of a phase lies from `from` of the phase on, in elements. */
export function tapOffset(plan: PixelPlan, phase: PixelPhase, tap: Triple<number>): number {
  const [z, y, x] = phase.axes.map(
    (axis, k) => axis.at + (tap[k] as number) * axis.gap - (plan.axes[k] as AxisPlan).low,
  ) as [number, number, number];
  return z * plan.region.z + y * plan.region.y + dealt(plan.region, x) - phase.from;
}
