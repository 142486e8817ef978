import type { WindowAxis } from "../../kernel/window.js";
import { type Callee, Code } from "../encode.js";
import type { Lanes, Triple } from "./geometry.js";
import { type Add, bump, sum, times } from "./loops.js";

/**
 * A part of the input with the zeros around it, in the scratch memory of a thread: [channels][z][y][step][width], where along the last
 * axis each row is dealt out to `step` rows, so that places `step` apart lie next to each other and vectors load them whatever the
 * stride is.
 */
export interface Region {
  readonly channels: number;
  /** Places of the input it holds, per axis, zeros around it included. */
  readonly extent: Triple<number>;
  readonly step: number;
  /** Elements from one of the dealt-out rows to the next. */
  readonly width: number;
  /** In elements. */
  readonly y: number;
  readonly z: number;
  readonly channel: number;
  readonly bytes: number;
}

export function regionOf(channels: number, extent: Triple<number>, step: number, lanes: Lanes): Region {
  const width = Math.ceil(Math.ceil(extent[2] / step) / lanes.count) * lanes.count;
  const y = step * width;
  const z = extent[1] * y;
  // Channels at a power of two apart would all fall on a few lines of the cache.
  const whole = extent[0] * z;
  const channel = (whole * lanes.width) % 1024 === 0 ? whole + 64 / lanes.width : whole;
  return { channels, extent, step, width, y, z, channel, bytes: channels * channel * lanes.width + 128 };
}

/** Where place `at` of the last axis, counted from the first of the region, lies in its row. */
export function dealt(region: Region, at: number): number {
  return (at % region.step) * region.width + Math.floor(at / region.step);
}

/** What a region is filled from. */
export interface Filling {
  readonly region: Region;
  readonly axes: Triple<WindowAxis>;
  /** Elements from one channel of the input to the next. */
  readonly apart: number;
  readonly lanes: Lanes;
  /** The place where every row begins, which may lie outside; null: it differs from call to call. */
  readonly x: number | null;
}

/**
 * (from, to, z, y, x): fills the region at `to` with the input whose first channel begins at `from`, beginning with place (z, y, x), which
 * may lie outside.
 */
export function fillRegion(filling: Filling, add: Add): Callee {
  const { region, axes, apart, lanes } = filling;
  const code = new Code(["i32", "i32", "i32", "i32", "i32"]);
  const [from, to, z, y] = [0, 1, 2, 3] as const;
  const size = lanes.width;
  const [source, iz, iy] = [code.local("i32"), code.local("i32"), code.local("i32")];
  const [plane, line] = [axes[1].input * axes[2].input * size, axes[2].input * size];
  const row = isShort(filling) ? shortRow(filling, code, source) : longRow(filling, code, source, add);
  times(code, region.channels, (c) => {
    times(code, region.extent[0], (dz) => {
      sum(code, z, [[dz, 1]]).set(iz);
      times(code, region.extent[1], (dy) => {
        sum(code, y, [[dy, 1]]).set(iy);
        const place = [
          [c, apart * size],
          [iz, plane],
          [iy, line],
        ] as const;
        sum(code, from, place).set(source);
        code.get(iz).i32(axes[0].input).op("i32.lt_u").get(iy).i32(axes[1].input).op("i32.lt_u").op("i32.and");
        code.if(row(true), row(false));
        bump(code, to, region.y * size);
      });
    });
    bump(code, to, (region.channel - region.extent[0] * region.z) * size);
  });
  return add(code, "conv region");
}

/** What writes the filling of one row at `to`, from `source` where it lies inside the input and with zeros where it does not. */
type Row = (inside: boolean) => () => void;

/** Vectors of a row written out one after another. */
const SHORT = 40;

/** Whether rows are all alike, and short enough to be written out. */
function isShort({ region, lanes, x }: Filling): boolean {
  return x !== null && region.step <= 2 && (region.step * region.width) / lanes.count <= SHORT;
}

/** See `copyRow`; every place is known. */
function shortRow({ region: { step, width }, axes, lanes, x }: Filling, code: Code, source: number): Row {
  const size = lanes.width;
  const begin = x ?? 0;
  const edge = (place: number, r: number): number => Math.min(width, Math.ceil(Math.max(0, place - begin - r) / step));
  const zeros = (row: number, low: number, high: number): void => {
    for (let at = low; at < high; at += lanes.count)
      code
        .get(1)
        .v128(new Array<number>(16).fill(0))
        .memory("v128.store", (row + at) * size);
  };
  return (inside) => () => {
    for (let r = 0; r < step; r++) {
      const row = r * width;
      const [low, high] = inside ? [edge(0, r), edge(axes[2].input, r)] : [0, 0];
      zeros(row, 0, low);
      for (let at = low; at < high; at += lanes.count) {
        code.get(1);
        loadEvery(code, step, lanes, source, (begin + r + at * step) * size);
        code.memory("v128.store", (row + at) * size);
      }
      zeros(row, high, width);
    }
  };
}

/** Leaves a vector of every step-th element on the stack, where step is 1 or 2. */
function loadEvery(code: Code, step: number, lanes: Lanes, from: number, offset: number): void {
  code.get(from).memory("v128.load", offset);
  if (step === 1) return;
  code.get(from).memory("v128.load", offset + 16);
  code.shuffle(lanes.width === 4 ? everySecond4 : everySecond8);
}

/** By a function of its own. */
function longRow({ region, axes, lanes }: Filling, code: Code, source: number, add: Add): Row {
  const [to, x] = [1, 4] as const;
  const size = lanes.width;
  const copy = add(copyRow(region, lanes), "conv row");
  const bounds = Array.from({ length: region.step }, (_, r) => boundsOf(code, region, axes[2].input, x, r));
  return (inside) => () => {
    for (const [r, [low, high]] of bounds.entries()) {
      sum(code, source, [[x, size]], r * size);
      sum(code, to, [], r * region.width * size);
      if (inside) code.get(low).get(high).call(copy);
      else code.i32(0).i32(0).call(copy);
    }
  };
}

/** The places [low, high) of dealt-out row r that lie inside an axis of `input` places, which begins at −x. */
function boundsOf(code: Code, { step, width }: Region, input: number, x: number, r: number): [number, number] {
  const bound = (edge: number): number => {
    const local = code.local("i32");
    // ⌈(edge − x − r) / step⌉ between 0 and width
    code
      .i32(edge - r)
      .get(x)
      .op("i32.sub")
      .set(local);
    code.get(local).i32(0).get(local).i32(0).op("i32.gt_s").op("select");
    if (step > 1)
      code
        .i32(step - 1)
        .op("i32.add")
        .i32(step)
        .op("i32.div_u");
    code.set(local);
    code.get(local).i32(width).get(local).i32(width).op("i32.lt_s").op("select").set(local);
    return local;
  };
  return [bound(0), bound(input)];
}

/**
 * (from, to, low, high): one row of the region: zeros, every step-th element from place low to high, zeros. Whole vectors are written, in
 * rising order; what they spill lies in the next row, which comes later, or in the slack.
 */
function copyRow({ step, width }: Region, lanes: Lanes): Code {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const [from, to, low, high] = [0, 1, 2, 3] as const;
  const size = lanes.width;
  const [at, end] = [code.local("i32"), code.local("i32")];
  const zeros = (): void => {
    runTo(code, at, end, 16, () => code.get(at).v128(new Array<number>(16).fill(0)).memory("v128.store"));
  };
  code.get(to).set(at);
  sum(code, to, [[low, size]]).set(end);
  zeros();
  code.get(end).set(at);
  sum(code, from, [[low, step * size]]).set(from);
  sum(code, to, [[high, size]]).set(end);
  const vector = step <= 2;
  runTo(code, at, end, vector ? 16 : size, () => {
    code.get(at);
    if (vector) {
      loadEvery(code, step, lanes, from, 0);
      code.memory("v128.store");
    } else code.get(from).memory(lanes.load).memory(lanes.store);
    bump(code, from, vector ? 16 * step : step * size);
  });
  code.get(end).set(at);
  sum(code, to, [], width * size).set(end);
  zeros();
  return code;
}

const everySecond4 = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const everySecond8 = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/** Body while at < end; `at` moves on by `by`. */
function runTo(code: Code, at: number, end: number, by: number, body: () => void): void {
  code.block(() => {
    code.loop(() => {
      code.get(at).get(end).op("i32.ge_u").brIf(1);
      body();
      bump(code, at, by);
      code.br(0);
    });
  });
}
