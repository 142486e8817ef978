import type { Group } from "../compile/plan.js";
import { type Callee, Code } from "./encode.js";
import { Frame, type GroupContext } from "./group/frame.js";
import { bump, lesser, type Num } from "./group/lanes.js";
import { finishReduction, isLeft, type Reduction, reductionOf, type Setting, type UnitAt } from "./group/reduction.js";
import { cutOf, ROWS_PER_UNIT, reducesOf, roomOf, STRIPS_PER_UNIT } from "./group/units.js";

export type { Address, GroupContext } from "./group/frame.js";
export { ROWS_PER_UNIT, STRIPS_PER_UNIT };

export interface GroupSize {
  /** 0 when there is nothing to be done. */
  readonly units: number;
  /** Of the table of partial results that all threads share. */
  readonly partialBytes: number;
  /** Scratch memory of one thread: 64-byte multiples. */
  readonly slotBytes: number;
}

export interface GroupCode extends GroupSize {
  /** (from, to, scratch): units from..to-1. */
  readonly run: Callee;
  /** (scratch): after a barrier by one thread; nobody reads the results, or runs the group again, before the next barrier. */
  readonly finish: Callee | null;
}

/** What a group needs, before any address is known. */
export function measureGroup(group: Group): GroupSize {
  const cut = cutOf(group);
  const { partialBytes, scratchBytes } = roomOf(group, cut);
  return { units: cut.units, partialBytes, slotBytes: scratchBytes };
}

/** The functions of a group. Units have the same boundaries, and sums the same order, whoever runs them. */
export function emitGroup(group: Group, context: GroupContext): GroupCode {
  const cut = cutOf(group);
  const room = roomOf(group, cut);
  const settingOf = (code: Code, scratch: number): Setting => {
    return { frame: new Frame(code, group, context, room, scratch), cut, room, context };
  };
  const run = new Code(["i32", "i32", "i32"]);
  if (cut.units > 0) new Run(group, settingOf(run, 2)).emit();
  const callee = context.add(run, "group");
  const size = { units: cut.units, partialBytes: room.partialBytes, slotBytes: room.scratchBytes };
  const reduces = reducesOf(group);
  if (!reduces.some((reduce) => isLeft(cut, reduce))) return { ...size, run: callee, finish: null };
  const finish = new Code(["i32"]);
  const setting = settingOf(finish, 0);
  for (const reduce of reduces) setting.frame.locate(reduce.to);
  reduces.forEach((reduce, i) => {
    if (isLeft(cut, reduce)) finishReduction(setting, reduce, i);
  });
  return { ...size, run: callee, finish: context.add(finish, "finish group") };
}

const [from, to] = [0, 1];
const zero: Num = { constant: 0 };

class Run {
  private readonly setting: Setting;
  private readonly code: Code;
  private readonly reductions: readonly Reduction[];
  private readonly stages: Group["stages"];

  constructor(group: Group, setting: Setting) {
    this.setting = setting;
    this.code = setting.frame.code;
    this.stages = group.stages;
    this.reductions = reducesOf(group).map((reduce, i) => reductionOf(setting, reduce, i));
  }

  emit(): void {
    const { code } = this;
    const { frame, cut } = this.setting;
    code.get(from).get(to).op("i32.lt_s");
    code.if(() => {
      frame.enter(true);
      frame.once(Math.min(cut.strip, cut.size));
      if (cut.size <= cut.strip && cut.kind !== "longRows" && cut.kind !== "longColumns") this.single();
      else if (cut.kind === "rows" || this.reductions.length === 0) this.strips();
      else if (cut.kind === "longColumns") this.units(() => this.tileUnit());
      else if (cut.kind === "longRows") this.units(() => this.rowUnit());
      else this.units(() => this.flatUnit());
    });
  }

  /** All in one strip. */
  private single(): void {
    const at = { unit: zero, block: zero, row: zero, column: zero, width: zero };
    for (const reduction of this.reductions) reduction.begin(at);
    this.strip(zero, { constant: this.setting.cut.size });
    for (const reduction of this.reductions) reduction.end(at);
  }

  private strip(start: Num, count: Num): void {
    const { frame } = this.setting;
    let next = 0;
    frame.strip(start, count, () => this.reductions[next++]?.strip(start, count));
  }

  /** Strips of all units as one sequence: nothing happens between units. */
  private strips(): void {
    const { code } = this;
    const { strip, size } = this.setting.cut;
    const [start, end, most] = [code.local("i32"), code.local("i32"), code.local("i32")];
    const unit = strip * STRIPS_PER_UNIT;
    code.get(from).i32(unit).op("i32.mul").set(start);
    // The product may be beyond 2^31, but not beyond 2^32 for domains below 2^31: it compares as unsigned.
    code.get(to).i32(unit).op("i32.mul").set(end);
    code.i32(size).set(most);
    code.get(end).get(most).get(end).get(most).op("i32.lt_u").op("select").set(end);
    this.along(start, end);
  }

  /** Strips from the one local to the other. */
  private along(start: number, end: number): void {
    const { code } = this;
    const { strip } = this.setting.cut;
    const [count, most] = [code.local("i32"), code.local("i32")];
    code.i32(strip).set(most);
    code.loop(() => {
      code.get(end).get(start).op("i32.sub").set(count);
      lesser(code, count, most).set(count);
      this.strip({ local: start }, { local: count });
      code.get(start).get(count).op("i32.add").tee(start).get(end).op("i32.lt_s").brIf(0);
    });
  }

  /** `body` for each unit, whose number stands in `from`. */
  private units(body: () => void): void {
    const { code } = this;
    code.loop(() => {
      body();
      bump(code, from, 1);
      code.get(from).get(to).op("i32.lt_s").brIf(0);
    });
  }

  private between(at: UnitAt, strips: () => void): void {
    for (const reduction of this.reductions) reduction.begin(at);
    strips();
    for (const reduction of this.reductions) reduction.end(at);
  }

  private flatUnit(): void {
    const { code } = this;
    const { strip, size } = this.setting.cut;
    const start = this.local(() =>
      code
        .get(from)
        .i32(strip * STRIPS_PER_UNIT)
        .op("i32.mul"),
    );
    const end = this.ending(start, () => code.i32(size));
    const at = { unit: { local: from }, block: { local: from }, row: zero, column: zero, width: zero };
    this.between(at, () => this.along(start, end));
  }

  /** A block of a row. */
  private rowUnit(): void {
    const { code } = this;
    const { strip, length, blocks } = this.setting.cut;
    const row = blocks === 1 ? from : this.local(() => code.get(from).i32(blocks).op("i32.div_u"));
    const rowStart = this.local(() => code.get(row).i32(length).op("i32.mul"));
    const start = this.local(() => {
      code.get(rowStart);
      if (blocks === 1) return;
      code.get(from).get(row).i32(blocks).op("i32.mul").op("i32.sub");
      code
        .i32(strip * STRIPS_PER_UNIT)
        .op("i32.mul")
        .op("i32.add");
    });
    const end = this.ending(start, () => code.get(rowStart).i32(length).op("i32.add"));
    const at = { unit: { local: from }, block: zero, row: { local: row }, column: zero, width: zero };
    this.between(at, () => this.along(start, end));
  }

  /** Where a unit of whole strips ends, or what is left of them. */
  private ending(start: number, limit: () => void): number {
    const { code } = this;
    const last = this.local(limit);
    const left = this.local(() => code.get(last).get(start).op("i32.sub"));
    const unit = this.local(() => code.i32(this.setting.cut.strip * STRIPS_PER_UNIT));
    return this.local(() => {
      code.get(start);
      lesser(code, left, unit).op("i32.add");
    });
  }

  /** Some rows of a tile of columns. */
  private tileUnit(): void {
    const { code } = this;
    const { strip, length, rows } = this.setting.cut;
    const tiles = Math.ceil(length / strip);
    const block = this.local(() => code.get(from).i32(tiles).op("i32.div_u"));
    const column = this.local(() => {
      code.get(from).get(block).i32(tiles).op("i32.mul").op("i32.sub").i32(strip).op("i32.mul");
    });
    const [most, left] = [
      this.local(() => code.i32(strip)),
      this.local(() => code.i32(length).get(column).op("i32.sub")),
    ];
    const width = this.local(() => lesser(code, left, most));
    const row = this.local(() => code.get(block).i32(ROWS_PER_UNIT).op("i32.mul"));
    const remaining = this.local(() => code.i32(rows).get(row).op("i32.sub"));
    const height = this.local(() => code.i32(ROWS_PER_UNIT));
    const end = this.local(() => lesser(code, remaining, height).get(row).op("i32.add"));
    const start = this.local(() => code.get(row).i32(length).op("i32.mul").get(column).op("i32.add"));
    const at = {
      unit: { local: from },
      block: { local: block },
      row: zero,
      column: { local: column },
      width: { local: width },
    };
    this.between(at, () => {
      code.loop(() => {
        this.strip({ local: start }, { local: width });
        bump(code, start, length);
        bump(code, row, 1);
        code.get(row).get(end).op("i32.lt_s").brIf(0);
      });
    });
  }

  private local(value: () => void): number {
    const local = this.code.local("i32");
    value();
    this.code.set(local);
    return local;
  }
}
