import type { DType } from "../base/dtype.js";
import type { Buffer, Group, Loop, Place, Plan, Rounds, Stage, Step } from "./plan.js";

/** Where each buffer of a plan lies in its arena: buffers that are never needed at one time share memory. */
export interface Arena {
  /** Byte offsets. */
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** Reading past the end of a buffer is harmless up to so many bytes; buffers begin at multiples of it. */
const slack = 64;

export function bytesOf(dtype: DType): number {
  return dtype === "float64" ? 8 : dtype === "bool" ? 1 : 4;
}

function roomOf({ dtype, size }: Buffer): number {
  return (Math.ceil((size * bytesOf(dtype)) / slack) + 1) * slack;
}

interface Life {
  first: number;
  last: number;
}

/**
 * Inputs, outputs and constants stay; everything else lives from the first step that touches it to the last.
 * @param elsewhere buffers that need no room here
 */
export function arenaOf(plan: Plan, elsewhere: ReadonlySet<number> = new Set()): Arena {
  const timeline = new Timeline(plan.buffers.length);
  timeline.walk(plan.rounds);
  const lives = timeline.lives();
  const forever = [...plan.inputs.filter((b): b is number => b !== null), ...plan.outputs.map(({ buffer }) => buffer)];
  plan.buffers.forEach((buffer, i) => {
    if (buffer.constant !== null) forever.push(i);
  });
  for (const buffer of forever) lives[buffer] = { first: -1, last: Number.POSITIVE_INFINITY };
  for (const buffer of elsewhere) lives[buffer] = null;
  return place(plan.buffers, lives);
}

/** The rounds of a plan one after another, those of loops once; and when each buffer is touched. */
class Timeline {
  private readonly times: number[][];
  /** Inner ones first. */
  private readonly loops: Life[] = [];
  private now = 0;

  constructor(buffers: number) {
    this.times = Array.from({ length: buffers }, () => []);
  }

  walk(rounds: Rounds): void {
    for (const round of rounds) {
      this.now++;
      for (const step of round) this.touch(step);
      for (const step of round) {
        if (step.kind === "loop") this.loop(step);
        else if (step.kind === "branch") for (const side of step.sides) this.walk(side);
      }
      // Steps of a round run in any order: what one needs lasts until all are done.
      this.now++;
      for (const step of round) this.touch(step);
    }
  }

  private touch(step: Step): void {
    for (const { buffer } of touched(step)) (this.times[buffer] as number[]).push(this.now);
  }

  private loop(step: Loop): void {
    const first = ++this.now;
    this.touch(step);
    this.walk(step.rounds);
    this.now++;
    this.touch(step);
    this.loops.push({ first, last: this.now });
  }

  /** What a loop touches that is touched outside too has to last through all of it: its rows come again. */
  lives(): (Life | null)[] {
    return this.times.map((times) => {
      if (times.length === 0) return null;
      const life = { first: Math.min(...times), last: Math.max(...times) };
      for (const { first, last } of this.loops) {
        const inside = times.filter((t) => t >= first && t <= last).length;
        if (inside === 0 || inside === times.length) continue;
        life.first = Math.min(life.first, first);
        life.last = Math.max(life.last, last);
      }
      return life;
    });
  }
}

/** Places a step itself reads and writes. */
function touched(step: Step): readonly Place[] {
  switch (step.kind) {
    case "group":
      return groupPlaces(step);
    case "matmul":
      return [step.a.place, step.b.place, step.c];
    case "conv":
      return [step.input, step.kernel, step.output];
    case "host":
      return [...step.inputs, ...step.outputs].filter((place): place is Place => place !== null);
    case "copy":
      return [step.from, step.to];
    case "branch":
      return [step.condition];
    case "alarm":
      return [step.flag];
    case "loop":
      return [...(step.alive ? [step.alive.place] : []), ...step.stacked.map(({ place }) => place)];
  }
}

function groupPlaces({ stages }: Group): Place[] {
  return stages.flatMap(stagePlaces);
}

function stagePlaces(stage: Stage): Place[] {
  if (stage.kind === "gather") return [stage.from.place];
  if (stage.kind === "bits") return [stage.key, stage.start];
  if (stage.kind === "map")
    return [...stage.inputs, ...stage.outputs].flatMap((x) => (x.kind === "slot" ? [] : [x.place]));
  return [stage.kind === "scatter" ? stage.to.place : stage.to];
}

/** A buffer that has its bytes, and when it needs them. */
interface Placed extends Life {
  readonly from: number;
  readonly to: number;
}

/** The largest first, each as low as it fits beside those it lives with. */
function place(buffers: readonly Buffer[], lives: readonly (Life | null)[]): Arena {
  const offsets = new Array<number>(buffers.length).fill(0);
  const rooms = buffers.map(roomOf);
  const order = [...rooms.keys()].filter((i) => lives[i] !== null);
  order.sort((a, b) => (rooms[b] as number) - (rooms[a] as number) || a - b);
  /** By where they begin. */
  const placed: Placed[] = [];
  let bytes = 0;
  for (const i of order) {
    const { first, last } = lives[i] as Life;
    const room = rooms[i] as number;
    let at = 0;
    for (const other of placed) {
      if (at + room <= other.from) break;
      if (other.first <= last && first <= other.last) at = Math.max(at, other.to);
    }
    const next = placed.findIndex(({ from }) => from > at);
    placed.splice(next < 0 ? placed.length : next, 0, { from: at, to: at + room, first, last });
    offsets[i] = at;
    bytes = Math.max(bytes, at + room);
  }
  return { offsets, bytes };
}
