import type { ConvSpec } from "../../kernel/convSpec.js";
import type { WindowAxis } from "../../kernel/window.js";
import { type ConvStrides, denseStrides, evenly, type Lanes, type Triple, threeAxes } from "./geometry.js";
import { dealt, type Region, regionOf } from "./region.js";

/**
 * How a convolution with few places and a large window (such as the derivative by a kernel) is cut: vectors run along the window, each
 * element of the output has a vector of partial sums, and its lanes are added at the end. A unit is a block of examples and of filters;
 * channels come one after another, with what their windows see in scratch memory.
 */
export interface DotPlan {
  readonly spec: ConvSpec;
  readonly strides: ConvStrides;
  readonly lanes: Lanes;
  readonly axes: Triple<WindowAxis>;
  /** Examples of a unit, which divide the batch. */
  readonly examples: number;
  /** Filters of a unit: the first blocks have one tile more. */
  readonly filterBlocks: number;
  readonly tiles: { readonly count: number; readonly size: number; readonly more: number };
  readonly region: Region;
  /** The elements of the output of one example (or of `together` examples), in order, tile by tile. */
  readonly chunks: readonly Chunk[];
  readonly together: number;
  /** Elements of the output of one example and filter. */
  readonly places: number;
  readonly units: number;
}

/** Successive elements of the output, and how far apart they read. */
export interface Chunk {
  readonly first: number;
  /** Where the first reads, in elements of the region. */
  readonly from: number;
  /** Where each reads from there on; may be negative. */
  readonly offsets: readonly number[];
}

/** Bytes of what a unit keeps at hand, so that it stays in the first caches. */
const NEAR = 64 * 1024;
/** So many units are wanted, of them so many blocks of examples: blocks of filters fill the same regions again. */
const UNITS = 16;
const BLOCKS = 8;
/** Elements of the output, per example and filter, that are worth code of their own. */
const PLACES = 128;

/** Null where vectors along the window are not the better way. */
export function planDots(spec: ConvSpec, strides: ConvStrides | undefined, lanes: Lanes): DotPlan | null {
  const axes = threeAxes(spec);
  const size = axes.reduce((n, axis) => n * axis.size, 1);
  const [, , x] = axes;
  const whole = (n: number): number => Math.ceil(n / lanes.count) * lanes.count;
  const window = axes.reduce((n, axis) => n * axis.window, 1);
  const empty = size * spec.batch * spec.groups * spec.filters * spec.channels * x.input === 0;
  const plain = axes.every(({ inputDilation }) => inputDilation === 1) && !(strides?.kernel.turned ?? false);
  const better = x.size * whole(x.window) <= x.window * whole(x.size);
  if (empty || !plain || !better || size > PLACES || window < 8 * lanes.count || x.window < lanes.count) return null;
  return layOut(spec, strides ?? denseStrides(spec), lanes, axes, size);
}

function layOut(spec: ConvSpec, strides: ConvStrides, lanes: Lanes, axes: Triple<WindowAxis>, places: number): DotPlan {
  const [, , x] = axes;
  const extent = axes.map((a) => a.stride * (a.size - 1) + a.kernelDilation * (a.window - 1) + 1);
  const plane = regionOf(1, extent as unknown as Triple<number>, x.kernelDilation, lanes);
  const together = togetherOf(places, spec.batch);
  const most = Math.max(together, Math.floor(NEAR / plane.bytes));
  const divisors = Array.from({ length: spec.batch }, (_, i) => i + 1).filter(
    (n) => spec.batch % n === 0 && n % together === 0 && n <= most,
  );
  const wanted = Math.max(together, Math.ceil((spec.batch * spec.groups) / BLOCKS));
  const examples = divisors.filter((n) => n <= wanted && n <= 8).at(-1) ?? together;
  const [wide, high] = tileOf(places * together, spec.filters);
  const count = Math.ceil(spec.filters / high);
  const blocks = (spec.batch / examples) * spec.groups;
  const near = Math.ceil((spec.filters * examples * places * 16) / NEAR);
  const filterBlocks = Math.min(count, Math.max(near, Math.ceil(UNITS / blocks)));
  const region = regionOf(examples, extent as unknown as Triple<number>, x.kernelDilation, lanes);
  return {
    spec,
    strides,
    lanes,
    axes,
    examples,
    filterBlocks,
    tiles: { count, ...evenly(spec.filters, count) },
    region,
    chunks: chunksOf(region, axes, together, places, wide),
    together,
    places,
    units: blocks * filterBlocks,
  };
}

/** Of outputs with one or two places several examples are taken together, so that a tile has enough of them. */
function togetherOf(places: number, batch: number): number {
  const wanted = places === 1 ? [3, 4, 2] : places === 2 ? [2, 3] : [];
  return wanted.find((n) => batch % n === 0) ?? 1;
}

/** Elements of the output by filters, of which a tile has at most so many: accumulators, one side, and one of the other fit. */
function tileOf(elements: number, filters: number): readonly [wide: number, high: number] {
  if (filters === 1) return [6, 1];
  if (filters === 2) return [5, 2];
  if (elements === 1) return [1, 6];
  return elements === 2 ? [2, 5] : [3, 3];
}

function chunksOf(
  region: Region,
  axes: Triple<WindowAxis>,
  together: number,
  places: number,
  wide: number,
): readonly Chunk[] {
  const [z, y, x] = axes;
  const reads: number[] = [];
  for (let n = 0; n < together; n++)
    for (let a = 0; a < z.size; a++)
      for (let b = 0; b < y.size; b++)
        for (let c = 0; c < x.size; c++)
          reads.push(
            n * region.channel + a * z.stride * region.z + b * y.stride * region.y + dealt(region, c * x.stride),
          );
  const count = Math.ceil((together * places) / wide);
  return Array.from({ length: count }, (_, k) => {
    const first = Math.floor((k * reads.length) / count);
    const all = reads.slice(first, Math.floor(((k + 1) * reads.length) / count));
    // Offsets of loads are not below zero: all are counted from the least.
    const from = Math.min(...all);
    return { first, from, offsets: all.map((at) => at - from) };
  });
}
