import type {
  Bits,
  Gather,
  Group,
  Map as MapStage,
  Place,
  Reduce,
  Scatter,
  Source,
  Stage,
  Target,
} from "../../compile/plan.js";
import type { Callee, Code } from "../encode.js";
import { gatherFunction, scatterFunction } from "./gather.js";
import { bytesOf, type Num, push, scale } from "./lanes.js";
import { type Library, shared } from "./stage.js";
import { bitsFunction } from "./threefry.js";
import type { Room } from "./units.js";

/** Where numbers lie, in bytes: constant + Σ i32[address] · stride. */
export interface Address {
  readonly constant: number;
  readonly cells: readonly { readonly address: number; readonly stride: number }[];
}

export interface GroupContext extends Library {
  address(place: Place): Address;
  /** Byte address of this group's table of partial results, 64-byte aligned. */
  readonly partials: number;
  /**
   * A function for a map stage: (count, place, a pointer per input, a pointer per output), all i32. Pointers to the number, the slot, or
   * the strip's first element; `place` is the number of the strip's first element.
   */
  map(stage: MapStage): Callee;
}

/** The body of a group's function: pointers computed once, stages called strip by strip. */
export class Frame {
  readonly code: Code;
  readonly scratch: number;
  private readonly group: Group;
  private readonly context: GroupContext;
  private readonly room: Room;
  private readonly pointers = new Map<string, number>();
  private readonly maps = new Map<MapStage, Callee>();

  constructor(code: Code, group: Group, context: GroupContext, room: Room, scratch: number) {
    this.code = code;
    this.group = group;
    this.context = context;
    this.room = room;
    this.scratch = scratch;
  }

  /** Computes the pointers that depend on counters; to be called before anything else. */
  enter(reduces: boolean): void {
    for (const stage of this.group.stages) {
      if (stage.kind === "reduce" && !reduces) continue;
      for (const place of placesOf(stage)) this.locate(place);
      if (stage.kind === "map") this.maps.set(stage, this.context.map(stage));
    }
  }

  locate(place: Place): void {
    const { constant, cells } = this.context.address(place);
    const key = JSON.stringify([constant, cells]);
    if (cells.length === 0 || this.pointers.has(key)) return;
    const { code } = this;
    code.i32(constant);
    for (const { address, stride } of cells) {
      code.i32(address).memory("i32.load");
      scale(code, stride).op("i32.add");
    }
    const local = code.local("i32");
    code.set(local);
    this.pointers.set(key, local);
  }

  /** Leaves the address of an element of a place on the stack: `index` · `stride` + `shift` bytes from its own. */
  point(place: Place, shift = 0, index: Num = { constant: 0 }, stride = 0): Code {
    const { code } = this;
    const { constant, cells } = this.context.address(place);
    const fixed = shift + ("constant" in index ? index.constant * stride : 0);
    if (cells.length === 0) code.i32(constant + fixed);
    else {
      code.get(this.pointers.get(JSON.stringify([constant, cells])) as number);
      if (fixed !== 0) code.i32(fixed).op("i32.add");
    }
    if ("constant" in index || stride === 0) return code;
    code.get(index.local);
    return scale(code, stride).op("i32.add");
  }

  /** Leaves the address of something in scratch memory on the stack. */
  own(offset: number): Code {
    this.code.get(this.scratch);
    return offset === 0 ? this.code : this.code.i32(offset).op("i32.add");
  }

  slot(slot: number): Code {
    return this.own(this.room.slots[slot] as number);
  }

  /** What is the same for every strip. */
  once(count: number): void {
    for (const stage of this.group.stages) {
      if (stage.kind === "gather" && stage.once) this.gather(stage, { constant: 0 }, { constant: count });
    }
  }

  /** All stages of elements start..start+count-1. */
  strip(start: Num, count: Num, reduce: (stage: Reduce) => void): void {
    for (const stage of this.group.stages) {
      if (stage.kind === "map") this.map(stage, start, count);
      else if (stage.kind === "bits") this.bits(stage, start, count);
      else if (stage.kind === "scatter") this.scatter(stage, start, count);
      else if (stage.kind === "reduce") reduce(stage);
      else if (!stage.once) this.gather(stage, start, count);
    }
  }

  private gather(stage: Gather, start: Num, count: Num): void {
    const { shift, ...fn } = gatherFunction(this.group.shape, stage);
    this.point(stage.from.place, shift);
    push(push(this.slot(stage.to), start), count).call(shared(this.context, fn));
  }

  private scatter(stage: Scatter, start: Num, count: Num): void {
    this.point(stage.to.place);
    push(push(this.slot(stage.from), start), count).call(
      shared(this.context, scatterFunction(this.group.shape, stage)),
    );
  }

  private bits(stage: Bits, start: Num, count: Num): void {
    this.point(stage.key);
    this.point(stage.start).i32(stage.size);
    push(push(this.slot(stage.to), start), count).call(shared(this.context, bitsFunction(stage.lane)));
  }

  private map(stage: MapStage, start: Num, count: Num): void {
    push(push(this.code, count), start);
    for (const source of [...stage.inputs, ...stage.outputs]) this.operand(source, start);
    this.code.call(this.maps.get(stage) as Callee);
  }

  private operand(operand: Source | Target, start: Num): void {
    if (operand.kind === "slot") this.slot(operand.slot);
    else if (operand.kind === "scalar") this.point(operand.place);
    else this.point(operand.place, 0, start, bytesOf(operand.dtype));
  }
}

function placesOf(stage: Stage): Place[] {
  switch (stage.kind) {
    case "gather":
      return [stage.from.place];
    case "bits":
      return [stage.key, stage.start];
    case "map":
      return [...stage.inputs, ...stage.outputs].flatMap((operand) => (operand.kind === "slot" ? [] : [operand.place]));
    case "reduce":
    case "scatter":
      return [stage.kind === "reduce" ? stage.to : stage.to.place];
  }
}
