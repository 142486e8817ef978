import { bytesOf } from "../../compile/arena.js";
import type { Branch, Copy, Loop, Place, Rounds, Step } from "../../compile/plan.js";
import type { Callee, Code } from "../encode.js";
import type { Address } from "../group.js";
import { pushAddress } from "./address.js";
import { costOfStep } from "./cost.js";
import type { Kernels } from "./kernels.js";
import type { Layout } from "./layout.js";
import { noneOf, repeatRows } from "./rows.js";

/**
 * Nanoseconds of one thread from which a step is shared. Two barriers take less than one, but much longer where others use the machine
 * too: in loops, which meet them again and again, steps have to be longer.
 */
const worthSharing = 20_000;
const worthSharingInLoop = 60_000;

/** What was done since all threads met last: nothing, something by thread 0, something by all. */
type Since = "nothing" | "one" | "all";

/** Functions of the world outside that the driver calls. */
export interface Calls {
  /** (number of a host step) */
  readonly host: Callee;
  readonly alarm: Callee;
  /** (tid, threads) */
  readonly barrier: Callee;
}

const [tid, threads] = [0, 1];

/**
 * The function run(tid, threads) that every thread runs: the steps in order, large ones shared by units, small ones by thread 0 alone,
 * barriers where one thread needs what another did.
 */
export class Driver {
  readonly hosts: Extract<Step, { kind: "host" }>[] = [];
  private readonly code: Code;
  private readonly kernels: Kernels;
  private readonly layout: Layout;
  private readonly calls: Calls;
  private readonly scratch: number;
  private since: Since = "nothing";
  /** Loops around. */
  private depth = 0;
  /** Code that thread 0 alone runs. */
  private solo: boolean;

  constructor(code: Code, kernels: Kernels, layout: Layout, calls: Calls, rounds: Rounds) {
    this.code = code;
    this.kernels = kernels;
    this.layout = layout;
    this.calls = calls;
    this.solo = !isShared(rounds);
    this.scratch = code.local("i32");
    code.get(tid).i32(layout.scratchBytes).op("i32.mul").i32(layout.scratch).op("i32.add").set(this.scratch);
    this.rounds(rounds);
  }

  private rounds(rounds: Rounds): void {
    for (const round of rounds) this.round(round);
  }

  private round(round: readonly Step[]): void {
    const control = (step: Step): step is Loop | Branch => step.kind === "loop" || step.kind === "branch";
    const simple = round.filter((step) => !control(step));
    const shared = this.solo ? [] : simple.filter((step) => isLarge(step, this.depth > 0));
    if (shared.length > 0) this.share(shared);
    const rest = simple.filter((step) => !shared.includes(step));
    if (rest.length > 0)
      this.alone(() => {
        for (const step of rest) this.whole(step);
      });
    for (const step of round.filter(control)) this.control(step);
  }

  /** Waits for what others did. */
  private meet(): void {
    if (this.solo) return;
    if (this.since !== "nothing") this.code.get(tid).get(threads).call(this.calls.barrier);
    this.since = "nothing";
  }

  /** By thread 0; what all did before is done. */
  private alone(body: () => void): void {
    if (this.solo) {
      body();
      return;
    }
    if (this.since === "all") this.meet();
    this.code.get(tid).op("i32.eqz");
    this.solo = true;
    this.code.if(body);
    this.solo = false;
    this.since = "one";
  }

  /** Each thread does its part of each step; then thread 0 finishes what needs all parts. */
  private share(steps: readonly Step[]): void {
    this.meet();
    const parts = steps.map((step) => this.partsOf(step));
    for (const { prepare } of parts) if (prepare) this.part(prepare.units, prepare.call);
    if (parts.some(({ prepare }) => prepare)) {
      this.since = "all";
      this.meet();
    }
    for (const { units, call } of parts) this.part(units, call);
    this.since = "all";
    const finishes = parts.flatMap(({ finish }) => (finish ? [finish] : []));
    if (finishes.length > 0)
      this.alone(() => {
        for (const finish of finishes) finish();
      });
  }

  /** Units ⌊t·U/T⌋ to ⌊(t + 1)·U/T⌋ − 1. */
  private part(units: number, call: Parts["call"]): void {
    const { code } = this;
    const bound = (next: number): void => {
      code.get(tid);
      if (next > 0) code.i32(next).op("i32.add");
      code.i32(units).op("i32.mul").get(threads).op("i32.div_u");
    };
    call(
      () => bound(0),
      () => bound(1),
    );
  }

  private whole(step: Step): void {
    if (step.kind === "copy") this.copy(step);
    else if (step.kind === "alarm") {
      this.push(step.flag);
      this.code.memory("i32.load8_u").if(() => this.code.call(this.calls.alarm));
    } else if (step.kind === "host") {
      this.hosts.push(step);
      this.code.i32(this.hosts.length - 1).call(this.calls.host);
    } else {
      const { units, call, prepare, finish } = this.partsOf(step);
      const all = (count: number, run: Parts["call"]): void =>
        run(
          () => this.code.i32(0),
          () => this.code.i32(count),
        );
      if (units === 0 && finish === null) return;
      if (prepare) all(prepare.units, prepare.call);
      if (units > 0) all(units, call);
      finish?.();
    }
  }

  private partsOf(step: Step): Parts {
    const { code, kernels, layout } = this;
    if (step.kind === "group") {
      const { units, run, finish } = kernels.group(step, layout);
      return {
        units,
        prepare: null,
        call: (from, to) => {
          from();
          to();
          code.get(this.scratch).call(run);
        },
        finish: finish === null ? null : () => code.get(this.scratch).call(finish),
      };
    }
    if (step.kind === "matmul") {
      const { units, run } = kernels.product(step);
      const call: Parts["call"] = (from, to) => {
        for (const place of [step.a.place, step.b.place, step.c]) this.push(place);
        code.get(this.scratch);
        from();
        to();
        code.call(run);
      };
      return { units, call, prepare: null, finish: null };
    }
    if (step.kind === "conv") return this.convolution(step);
    throw new Error(`wasm: a ${step.kind} has no parts`);
  }

  private convolution(step: Extract<Step, { kind: "conv" }>): Parts {
    const { code, kernels, layout } = this;
    const { run, prepare, units, prepareUnits } = kernels.convolution(step);
    const table = kernels.tableOf(step, layout);
    const both = (places: readonly Place[], between: () => void, callee: Callee): Parts["call"] => {
      return (from, to) => {
        for (const place of places) this.push(place);
        code.i32(table);
        between();
        from();
        to();
        code.call(callee);
      };
    };
    const { input, kernel, output } = step;
    return {
      units,
      call: both([input, kernel, output], () => code.get(this.scratch), run),
      prepare: prepare ? { units: prepareUnits, call: both([input, kernel], () => undefined, prepare) } : null,
      finish: null,
    };
  }

  private copy({ dtype, from, to, size }: Copy): void {
    this.push(to);
    this.push(from);
    this.code.i32(size * bytesOf(dtype)).bulk("memory.copy");
  }

  private control(step: Loop | Branch): void {
    if (this.solo || isShared([[step]], this.depth > 0)) {
      if (step.kind === "loop") this.loop(step);
      else this.branch(step);
    } else this.alone(() => this.control(step));
  }

  private branch({ condition, sides }: Branch): void {
    this.meet();
    this.push(condition);
    const side = (rounds: Rounds) => (): void => {
      this.rounds(rounds);
      this.meet();
    };
    this.code.memory("i32.load8_u").if(side(sides[0]), side(sides[1]));
  }

  /** A loop over rows; the counter lies in memory, where the steps read it. */
  private loop(loop: Loop): void {
    const { length, alive, stacked } = loop;
    if (length === 0) return;
    const { code } = this;
    const [i, over] = [code.local("i32"), code.local("i32")];
    code.i32(0).set(i);
    this.meet();
    code.block(() => {
      code.loop(() => {
        if (alive) {
          noneOf(code, this.addressOf(alive.place), alive.size);
          code.set(over);
          if (stacked.length === 0) code.get(over).brIf(1);
        }
        this.alone(() => this.count(loop, i));
        this.depth++;
        this.rounds(loop.rounds);
        this.depth--;
        this.meet();
        if (alive && stacked.length > 0)
          code.get(over).if(() => {
            this.alone(() => repeatRows(code, loop, i, this.layout));
            this.meet();
            code.br(2);
          });
        code.get(i).i32(1).op("i32.add").tee(i);
        code.i32(length).op("i32.lt_s").brIf(0);
      });
    });
  }

  private count({ length, reverse, cell }: Loop, i: number): void {
    const { code } = this;
    code.i32(this.layout.cell(cell));
    if (reverse) code.i32(length - 1);
    code.get(i);
    if (reverse) code.op("i32.sub");
    code.memory("i32.store", 0, 2);
  }

  private addressOf(place: Place): Address {
    return this.layout.address(place);
  }

  private push(place: Place): void {
    pushAddress(this.code, this.addressOf(place));
  }
}

/** A step in parts that different threads may do. `from` and `to` leave the first unit and the one after the last on the stack. */
interface Parts {
  readonly units: number;
  readonly call: (from: () => void, to: () => void) => void;
  /** Done before, in units of its own. */
  readonly prepare: { readonly units: number; readonly call: Parts["call"] } | null;
  /** Done by one thread after all units. */
  readonly finish: (() => void) | null;
}

/** Steps that have units, of which all threads do some. */
function isLarge(step: Step, inLoop: boolean): boolean {
  if (step.kind !== "group" && step.kind !== "matmul" && step.kind !== "conv") return false;
  return costOfStep(step) >= (inLoop ? worthSharingInLoop : worthSharing);
}

/** Whether any step is shared. */
export function isShared(rounds: Rounds, inLoop = false): boolean {
  return rounds.some((round) => round.some((step) => sharesIn(step, inLoop)));
}

function sharesIn(step: Step, inLoop: boolean): boolean {
  if (step.kind === "loop") return isShared(step.rounds, true);
  if (step.kind === "branch") return step.sides.some((side) => isShared(side, inLoop));
  return isLarge(step, inLoop);
}
