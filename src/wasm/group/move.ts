import type { DType } from "../../base/dtype.js";
import type { Code } from "../encode.js";
import { bump, bytesOf, countDown, slotBytesOf } from "./lanes.js";

/** Runs of elements `stride` bytes apart in memory, to a slot or from it. */
export interface Movement {
  readonly dtype: DType;
  readonly toSlot: boolean;
  readonly stride: number;
  /** Whether a run may write the slot past its end, up to a whole group of four: what comes next writes there again. */
  readonly overrun: boolean;
}

/**
 * Emits the moves of runs. Reading past the end of a run is harmless where elements are adjacent, and never done where they are not;
 * of buffers nothing but the elements of the run is written.
 */
export class Mover {
  private readonly code: Code;
  private readonly how: Movement;
  private readonly slotBytes: 4 | 8;
  private readonly adjacent: boolean;
  private readonly splats: boolean;
  private readonly spare: number[] = [];

  constructor(code: Code, how: Movement) {
    this.code = code;
    this.how = how;
    this.slotBytes = slotBytesOf(how.dtype);
    this.adjacent = how.stride === bytesOf(how.dtype);
    this.splats = how.stride === 0 && how.toSlot && how.overrun;
  }

  /** Moves `left` elements from `p` on; changes all three locals. */
  run(p: number, slot: number, left: number): void {
    if (this.splats) {
      this.splatRun(p, slot, left);
      return;
    }
    const { code } = this;
    if (this.adjacent) {
      countDown(code, left, 16, () => {
        this.groups(p, slot, 4, 0);
        this.forward(p, slot, 16);
      });
    }
    if (this.adjacent && this.how.overrun) {
      // The last group may be less than four elements: it is moved whole.
      code.get(left).i32(3).op("i32.add").set(left);
    }
    countDown(code, left, 4, () => {
      if (this.adjacent) this.groups(p, slot, 1, 0);
      else this.lanes(p, slot, 0);
      this.forward(p, slot, 4);
    });
    if (!(this.adjacent && this.how.overrun)) this.ones(p, slot, left);
  }

  /** As `run`, one element at a time: little code, for a few elements. */
  ones(p: number, slot: number, left: number): void {
    countDown(this.code, left, 1, () => {
      this.one(p, slot, 0);
      this.forward(p, slot, 1);
    });
  }

  /** Moves a run of constant length, in a straight line; changes no local. */
  row(p: number, slot: number, length: number): void {
    if (this.splats) {
      this.loadSplat(p);
      for (let at = 0; at < length; at += 4) this.storeSplat(slot, at);
      return;
    }
    const whole = length >> 2;
    if (this.adjacent) {
      const count = this.how.overrun ? Math.ceil(length / 4) : whole;
      for (let at = 0; at < count; at += 4) this.groups(p, slot, Math.min(4, count - at), 4 * at);
      if (4 * count >= length) return;
    } else {
      for (let at = 0; at < whole; at++) this.lanes(p, slot, 4 * at);
    }
    for (let i = 4 * whole; i < length; i++) this.one(p, slot, i);
  }

  /** Element `i` of the run. */
  one(p: number, slot: number, i: number): void {
    const { code, how, slotBytes } = this;
    const word = slotBytes === 8 ? "i64" : "i32";
    const at = i * slotBytes;
    if (how.toSlot) {
      code.get(slot);
      if (how.dtype === "bool") code.i32(0);
      const offset = this.point(p, i * how.stride);
      if (how.dtype === "bool") code.memory("i32.load8_u", offset).op("i32.sub");
      else code.memory(`${word}.load`, offset);
      code.memory(`${word}.store`, at);
      return;
    }
    const offset = this.point(p, i * how.stride);
    code.get(slot).memory(`${word}.load`, at);
    if (how.dtype === "bool") code.i32(1).op("i32.and").memory("i32.store8", offset);
    else code.memory(`${word}.store`, offset);
  }

  private splatRun(p: number, slot: number, left: number): void {
    const { code } = this;
    this.loadSplat(p);
    countDown(code, left, 16, () => {
      for (const at of [0, 4, 8, 12]) this.storeSplat(slot, at);
      bump(code, slot, 16 * this.slotBytes);
    });
    code.get(left).i32(3).op("i32.add").set(left);
    countDown(code, left, 4, () => {
      this.storeSplat(slot, 0);
      bump(code, slot, 4 * this.slotBytes);
    });
  }

  private loadSplat(p: number): void {
    const { code, how } = this;
    const v = this.vector(0);
    code.get(p);
    if (how.dtype === "bool") code.memory("i32.load8_u").op("i32x4.splat").op("i32x4.neg").set(v);
    else code.memory(this.slotBytes === 8 ? "v128.load64_splat" : "v128.load32_splat").set(v);
  }

  private storeSplat(slot: number, at: number): void {
    const offset = at * this.slotBytes;
    const v = this.vector(0);
    this.code.get(slot).get(v).memory("v128.store", offset);
    if (this.slotBytes === 8)
      this.code
        .get(slot)
        .get(v)
        .memory("v128.store", offset + 16);
  }

  /** `count` groups of four adjacent elements from element `at` of the run on: all loads before all stores. */
  private groups(p: number, slot: number, count: number, at: number): void {
    const { code, how } = this;
    const bool = how.dtype === "bool";
    const vectors = (count * this.slotBytes) / 4;
    const memory = (v: number): number => at * how.stride + (bool ? 4 : 16) * v;
    for (let v = 0; v < vectors; v++) {
      if (!how.toSlot) code.get(slot).memory("v128.load", at * this.slotBytes + 16 * v);
      else code.get(p).memory(bool ? "v128.load32_zero" : "v128.load", memory(v));
      if (bool && how.toSlot) code.op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u").op("i32x4.neg");
      code.set(this.vector(v));
    }
    for (let v = 0; v < vectors; v++) {
      const from = this.vector(v);
      if (how.toSlot)
        code
          .get(slot)
          .get(from)
          .memory("v128.store", at * this.slotBytes + 16 * v);
      else if (bool) this.storeBytes(p, from, memory(v));
      else code.get(p).get(from).memory("v128.store", memory(v));
    }
  }

  /** Four masks as four bytes. */
  private storeBytes(p: number, v: number, offset: number): void {
    const { code } = this;
    code.get(v).i32(1).op("i32x4.splat").op("v128.and").tee(v).get(v).op("i16x8.narrow_i32x4_u").set(v);
    code.get(p).get(v).get(v).op("i8x16.narrow_i16x8_u").memoryLane("v128.store32_lane", 0, offset);
  }

  /** Four elements that are not adjacent, from element `at` of the run on, lane by lane. */
  private lanes(p: number, slot: number, at: number): void {
    const { code, how, slotBytes } = this;
    const bits = how.dtype === "bool" ? 8 : slotBytes * 8;
    const perVector = 16 / slotBytes;
    for (let first = 0; first < 4; first += perVector) {
      const v = this.vector(first);
      const slotOffset = (at + first) * slotBytes;
      if (how.toSlot) code.i32(0).op("i32x4.splat").set(v);
      else this.loadSlot(slot, slotOffset, v);
      for (let k = 0; k < perVector; k++) {
        const offset = this.point(p, (at + first + k) * how.stride);
        const lane = how.dtype === "bool" ? 4 * k : k;
        code.get(v);
        if (!how.toSlot) code.memoryLane(`v128.store${bits}_lane`, lane, offset);
        else if (k === 0 && bits > 8) code.op("drop").memory(`v128.load${bits}_zero`, offset).set(v);
        else code.memoryLane(`v128.load${bits}_lane`, lane, offset).set(v);
      }
      if (!how.toSlot) continue;
      code.get(slot).get(v);
      if (how.dtype === "bool") code.op("i32x4.neg");
      code.memory("v128.store", slotOffset);
    }
  }

  private loadSlot(slot: number, offset: number, v: number): void {
    const { code } = this;
    code.get(slot).memory("v128.load", offset);
    if (this.how.dtype === "bool") code.i32(1).op("i32x4.splat").op("v128.and");
    code.set(v);
  }

  private forward(p: number, slot: number, count: number): void {
    bump(this.code, p, count * this.how.stride);
    bump(this.code, slot, count * this.slotBytes);
  }

  /** Pushes an address and says what offset an instruction must add to it: offsets of instructions are never negative. */
  private point(local: number, offset: number): number {
    this.code.get(local);
    if (offset >= 0) return offset;
    this.code.i32(offset).op("i32.add");
    return 0;
  }

  private vector(i: number): number {
    while (this.spare.length <= i) this.spare.push(this.code.local("v128"));
    return this.spare[i] as number;
  }
}
