import { Code } from "../encode.js";
import type { DotPlan } from "./dotPlan.js";
import { dotTile } from "./dotTile.js";
import type { Triple } from "./geometry.js";
import { type Add, bump, digit, each, once, overUnits, share, sum, times } from "./loops.js";
import { bySize, firstFilter } from "./pack.js";
import { fillRegion } from "./region.js";
import type { ConvKernel } from "./request.js";

/** Convolution with vectors along the window. */
export function emitDots(plan: DotPlan, add: Add): ConvKernel {
  const run = new Code(["i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
  overUnits(run, [0, 1, 2, 4], 5, 6, add(unitCode(plan, add), "conv unit"));
  return {
    run: add(run, "conv"),
    prepare: null,
    units: plan.units,
    prepareUnits: 0,
    scratchBytes: sumsAt(plan) + plan.spec.filters * filterBytes(plan) + 64,
    sharedBytes: 0,
  };
}

/** Where the partial sums begin in scratch memory: behind the region. */
function sumsAt({ region }: DotPlan): number {
  return Math.ceil(region.bytes / 64) * 64;
}

/** Bytes of the partial sums of one filter. */
function filterBytes({ examples, places }: DotPlan): number {
  return examples * places * 16;
}

/** (input, kernel, output, scratch, unit) */
function unitCode(plan: DotPlan, add: Add): Code {
  const { spec, strides, lanes, tiles, filterBlocks, examples } = plan;
  const code = new Code(["i32", "i32", "i32", "i32", "i32"]);
  const [input, kernel, output, scratch, unit] = [0, 1, 2, 3, 4] as const;
  const size = lanes.width;
  // The unit's number is read from its last digit: [examples][group][filters].
  const which = digit(code, unit, filterBlocks);
  const group = digit(code, unit, spec.groups);
  const [tile0, tile1, sums] = [code.local("i32"), code.local("i32"), code.local("i32")];
  share(code, which, tiles.count, filterBlocks).set(tile0);
  share(code, which, tiles.count, filterBlocks, 1).set(tile1);
  const slice = (local: number, step: { readonly batch: number; readonly group: number }): void => {
    sum(code, local, [
      [unit, examples * step.batch * size],
      [group, step.group * size],
    ]).set(local);
  };
  slice(input, strides.input);
  slice(output, strides.output);
  sum(code, kernel, [[group, strides.kernel.group * size]]).set(kernel);
  sum(code, scratch, [], sumsAt(plan)).set(sums);
  const [first, last] = [code.local("i32"), code.local("i32")];
  firstFilter(code, tile0, plan).set(first);
  firstFilter(code, tile1, plan).set(last);
  clear(code, sums, first, last, filterBytes(plan));
  overChannels(plan, code, [tile0, tile1, sums], add);
  const fold = add(foldCode(plan), "conv fold");
  code.get(output).get(sums).get(first).get(last).call(fold);
  return code;
}

/** Adds the products of every channel to the partial sums; input and kernel are moved on from channel to channel. */
function overChannels(plan: DotPlan, code: Code, [tile0, tile1, sums]: Triple<number>, add: Add): void {
  const { spec, strides, lanes, axes, region } = plan;
  const [input, kernel, scratch] = [0, 1, 3] as const;
  const fill = fillRegion({ region, axes, apart: strides.input.batch, lanes, x: -axes[2].low }, add);
  const multiply = add(channelCode(plan, add), "conv channel");
  times(code, spec.channels, () => {
    code.get(input).get(scratch);
    for (const { low } of axes) code.i32(-low);
    code.call(fill);
    code.get(scratch).get(kernel).get(sums).get(tile0).get(tile1).call(multiply);
    bump(code, input, strides.input.channel * lanes.width);
    bump(code, kernel, strides.kernel.channel * lanes.width);
  });
}

/** Zeros the partial sums of filters [first, last). */
function clear(code: Code, sums: number, first: number, last: number, bytes: number): void {
  sum(code, sums, [[first, bytes]]);
  code.i32(0).get(last).get(first).op("i32.sub").i32(bytes).op("i32.mul").bulk("memory.fill");
}

/** (region, kernel, sums, tile0, tile1): the products of one channel. */
function channelCode(plan: DotPlan, add: Add): Code {
  const { lanes, strides, region, examples, together, places } = plan;
  const code = new Code(["i32", "i32", "i32", "i32", "i32"]);
  const [from, kernel, sums] = [0, 1, 2] as const;
  const [tile, first, weights, to] = [0, 0, 0, 0].map(() => code.local("i32")) as [number, number, number, number];
  const bytes = filterBytes(plan);
  const tileOf = once(
    ({ offsets, filters }: { readonly offsets: readonly number[]; readonly filters: number }) =>
      `${offsets}:${filters}`,
    ({ offsets, filters }) => add(dotTile(plan, offsets, filters, bytes), `conv dots ${offsets.length}x${filters}`),
  );
  times(code, examples / together, () => {
    each(
      code,
      tile,
      () => code.get(3),
      4,
      () => {
        firstFilter(code, tile, plan).set(first);
        sum(code, kernel, [[first, strides.kernel.filter * lanes.width]]).set(weights);
        sum(code, sums, [[first, bytes]]).set(to);
        bySize(code, tile, plan, (filters) => () => {
          for (const chunk of plan.chunks) {
            sum(code, from, [], chunk.from * lanes.width).get(weights);
            sum(code, to, [], chunk.first * 16).call(tileOf({ offsets: chunk.offsets, filters }));
          }
        });
      },
    );
    bump(code, from, together * region.channel * lanes.width);
    bump(code, sums, together * places * 16);
  });
  return code;
}

/** (output, sums, first, last): adds the lanes of each partial sum of filters [first, last). */
function foldCode({ lanes, strides, examples, places }: DotPlan): Code {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const [output, sums, first, last] = [0, 1, 2, 3] as const;
  const [filter, to, value] = [code.local("i32"), code.local("i32"), code.local("v128")];
  const size = lanes.width;
  sum(code, sums, [[first, examples * places * 16]]).set(sums);
  const half = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
  const quarter = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];
  each(
    code,
    filter,
    () => code.get(first),
    last,
    () =>
      times(code, examples, (n) => {
        sum(code, output, [
          [filter, strides.output.filter * size],
          [n, strides.output.batch * size],
        ]).set(to);
        times(code, places, () => {
          code.get(sums).memory("v128.load").set(value);
          for (const order of lanes.count === 4 ? [quarter, half] : [half])
            code.get(value).get(value).get(value).shuffle(order).op(lanes.add).set(value);
          code.get(to).get(value).memoryLane(lanes.storeLane, 0);
          bump(code, to, size);
          bump(code, sums, 16);
        });
      }),
  );
  return code;
}
