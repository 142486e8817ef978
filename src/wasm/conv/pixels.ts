import { Code } from "../encode.js";
import type { Triple } from "./geometry.js";
import { type Add, digit, once, overUnits, share, sum } from "./loops.js";
import { packWeights, prepareCode } from "./pack.js";
import { type Block, phaseCode } from "./pixelPhase.js";
import type { PixelPhase, PixelPlan } from "./pixelPlan.js";
import { fillRegion } from "./region.js";
import type { ConvKernel } from "./request.js";

/** Convolution with vectors along the places of the output. */
export function emitPixels(plan: PixelPlan, add: Add): ConvKernel {
  const { spec, tiles, lanes, region, direct } = plan;
  const run = new Code(["i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
  if (plan.units > 0) overUnits(run, [0, 2, 3, 4], 5, 6, add(unitCode(plan, add), "conv unit"));
  const packs = plan.units > 0 && plan.weights > 0;
  return {
    run: add(run, "conv"),
    prepare: packs ? add(prepareCode(packWeights(plan, add)), "conv prepare") : null,
    units: plan.units,
    prepareUnits: packs ? tiles.count * spec.groups * plan.phases.length : 0,
    scratchBytes: plan.units > 0 && !direct ? region.bytes : 0,
    sharedBytes: packs ? plan.weights * lanes.width + 64 : 0,
  };
}

/** (input, output, shared, scratch, unit) */
function unitCode(plan: PixelPlan, add: Add): Code {
  const { spec, axes, strides, lanes, tiles, filterBlocks, blocks } = plan;
  const code = new Code(["i32", "i32", "i32", "i32", "i32"]);
  const [input, output, shared, scratch, unit] = [0, 1, 2, 3, 4] as const;
  const size = lanes.width;
  // The unit's number is read from its last digit: [batch][group][z][y][x][filters].
  const [firstTile, endTile] = blockOf(code, unit, tiles.count, filterBlocks);
  const x = blockOf(code, unit, axes[2].places, blocks[2]);
  const y = blockOf(code, unit, axes[1].places, blocks[1]);
  const z = blockOf(code, unit, axes[0].places, blocks[0]);
  const group = digit(code, unit, spec.groups);
  const slice = (local: number, step: { readonly batch: number; readonly group: number }): void => {
    sum(code, local, [
      [unit, step.batch * size],
      [group, step.group * size],
    ]).set(local);
  };
  slice(input, strides.input);
  slice(output, strides.output);
  look(plan, code, [z, y, x], add);
  const phaseOf = once(
    ({ key }: PixelPhase) => key,
    (phase) => add(phaseCode(plan, phase, add), "conv phase"),
  );
  for (const phase of plan.phases) {
    sum(code, scratch, [], phase.from * size);
    sum(code, output, [], phase.to * size);
    sum(code, shared, [[group, spec.filters * spec.channels * phase.taps * size]], phase.weights * size);
    for (const local of [...z, ...y, ...x, firstTile, endTile]) code.get(local);
    code.call(phaseOf(phase));
  }
  return code;
}

/** Makes the local `scratch` point at what the unit sees: a region that it fills, or the input itself. */
function look(plan: PixelPlan, code: Code, block: Block, add: Add): void {
  const { axes, lanes, strides, region, blocks } = plan;
  const [input, scratch] = [0, 3] as const;
  const size = lanes.width;
  const origins = block.map(([start], k) => {
    const { step, low } = axes[k] as (typeof axes)[0];
    const origin = code.local("i32");
    code.get(start).i32(step).op("i32.mul").i32(low).op("i32.add").set(origin);
    return origin;
  }) as [number, number, number];
  if (plan.direct) {
    sum(code, input, [
      [origins[0], region.z * size],
      [origins[1], region.y * size],
      [origins[2], size],
    ]).set(scratch);
    return;
  }
  const inputs = axes.map(({ axis }) => axis) as unknown as Triple<(typeof axes)[0]["axis"]>;
  const x = blocks[2] === 1 ? axes[2].low : null;
  code.get(input).get(scratch);
  for (const origin of origins) code.get(origin);
  code.call(fillRegion({ region, axes: inputs, apart: strides.input.channel, lanes, x }, add));
}

/** Which of `parts` runs of n a unit has: the next digit of the unit's number. */
function blockOf(code: Code, unit: number, n: number, parts: number): readonly [number, number] {
  const which = digit(code, unit, parts);
  const [start, end] = [code.local("i32"), code.local("i32")];
  share(code, which, n, parts).set(start);
  share(code, which, n, parts, 1).set(end);
  return [start, end];
}
