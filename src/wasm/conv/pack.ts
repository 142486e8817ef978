import { Code } from "../encode.js";
import type { Triple } from "./geometry.js";
import { type Add, bump, digit, once, overUnits, sum, times } from "./loops.js";
import type { PixelPhase, PixelPlan } from "./pixelPlan.js";

/**
 * (kernel, packed, unit): packs the weights of one phase, group and tile of filters as the tiles read them: [channel][tap][filter].
 */
export function packWeights(plan: PixelPlan, add: Add): { readonly index: number } {
  const { spec, tiles, phases, strides, lanes } = plan;
  const code = new Code(["i32", "i32", "i32"]);
  const [kernel, packed, unit] = [0, 1, 2] as const;
  const tile = digit(code, unit, tiles.count);
  const group = digit(code, unit, spec.groups);
  const first = code.local("i32");
  firstFilter(code, tile, plan).set(first);
  const tileOf = once(
    ({ phase, filters }: { readonly phase: PixelPhase; readonly filters: number }) => `${phase.key}:${filters}`,
    ({ phase, filters }) => add(packTile(plan, phase, filters), "conv pack"),
  );
  for (const [p, phase] of phases.entries()) {
    if (phase.taps * spec.channels === 0) continue;
    const depth = spec.channels * phase.taps;
    const call = (filters: number) => (): void => {
      sum(
        code,
        kernel,
        [
          [group, strides.kernel.group * lanes.width],
          [first, strides.kernel.filter * lanes.width],
        ],
        startOf(plan, phase) * lanes.width,
      );
      sum(
        code,
        packed,
        [
          [group, spec.filters * depth * lanes.width],
          [first, depth * lanes.width],
        ],
        phase.weights * lanes.width,
      );
      code.call(tileOf({ phase, filters }));
    };
    code.get(unit).i32(p).op("i32.eq");
    code.if(() => bySize(code, tile, plan, call));
  }
  return add(code, "conv weights");
}

/** Elements from one place of the window to the next of each axis. */
function windowSteps({ axes, strides }: PixelPlan): Triple<number> {
  const [, height, width] = axes.map(({ axis }) => axis.window) as [number, number, number];
  const turn = strides.kernel.turned ? -1 : 1;
  return [turn * height * width, turn * width, turn];
}

/** Where the first tap of a phase lies in the window. */
function startOf(plan: PixelPlan, phase: PixelPhase): number {
  const last = plan.axes.reduce((n, { axis }) => n * axis.window, 1) - 1;
  const steps = windowSteps(plan);
  return phase.axes.reduce(
    (at, { window }, k) => at + window * (steps[k] as number),
    plan.strides.kernel.turned ? last : 0,
  );
}

/** (kernel, packed): one tile; the kernel begins with the first tap. */
function packTile(plan: PixelPlan, phase: PixelPhase, filters: number): Code {
  const code = new Code(["i32", "i32"]);
  const [kernel, packed] = [0, 1] as const;
  const { spec, strides, lanes } = plan;
  const steps = windowSteps(plan);
  const step = (k: 0 | 1 | 2): number => phase.axes[k].windowGap * steps[k] * lanes.width;
  const from = code.local("i32");
  times(code, spec.channels, (c) =>
    times(code, phase.axes[0].taps, (z) =>
      times(code, phase.axes[1].taps, (y) => {
        const place = [
          [c, strides.kernel.channel * lanes.width],
          [z, step(0)],
          [y, step(1)],
        ] as const;
        sum(code, kernel, place).set(from);
        times(code, phase.axes[2].taps, () => {
          for (let f = 0; f < filters; f++)
            code
              .get(packed)
              .get(from)
              .memory(lanes.load, f * strides.kernel.filter * lanes.width)
              .memory(lanes.store, f * lanes.width);
          bump(code, from, step(2));
          bump(code, packed, filters * lanes.width);
        });
      }),
    ),
  );
  return code;
}

/** Filters in tiles: `more` of `size` + 1 filters, then those of `size`. */
interface Tiled {
  readonly tiles: { readonly size: number; readonly more: number };
}

/** Leaves the first filter of a tile on the stack: those with one more come first. */
export function firstFilter(code: Code, tile: number, { tiles }: Tiled): Code {
  code.get(tile).i32(tiles.size).op("i32.mul");
  code.get(tile).i32(tiles.more).get(tile).i32(tiles.more).op("i32.lt_s").op("select");
  return code.op("i32.add");
}

/** What `call` writes for the number of filters that a tile has. */
export function bySize(code: Code, tile: number, { tiles }: Tiled, call: (filters: number) => () => void): void {
  if (tiles.more === 0) call(tiles.size)();
  else
    code
      .get(tile)
      .i32(tiles.more)
      .op("i32.lt_s")
      .if(call(tiles.size + 1), call(tiles.size));
}

/** (input, kernel, shared, from, to): the units that pack weights. */
export function prepareCode(pack: { readonly index: number }): Code {
  const code = new Code(["i32", "i32", "i32", "i32", "i32"]);
  overUnits(code, [1, 2], 3, 4, pack);
  return code;
}
