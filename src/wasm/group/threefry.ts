import { Code } from "../encode.js";
import { bump, countDown, shuffle32, whileLoop, words } from "./lanes.js";
import type { StageFunction } from "./stage.js";

/** Vectors of blocks that are encrypted side by side: the rounds of one wait for each other. */
const FLIGHT = 4;
const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const [key, start, size, slot, first, count] = [0, 1, 2, 3, 4, 5];

/** (key, start: pointers; size; slot; first, count): words start · size + first and so on of a stream (kernel/threefry.ts) into a slot. */
export function bitsFunction(lane: -1 | 0 | 1): StageFunction {
  return { key: `bits ${lane}`, build: () => new Bits(lane).code };
}

/** A vector of blocks in flight. */
type Pair = readonly [x: number, y: number];

class Bits {
  readonly code = new Code(["i32", "i32", "i32", "i32", "i32", "i32"]);
  private readonly lane: -1 | 0 | 1;
  /** Words that a vector of four blocks gives. */
  private readonly words: 4 | 8;
  /** The number of the first word. */
  private readonly word: number;
  /** Low words of the next counters, their sign flipped so that they compare as unsigned; and those of the first. */
  private readonly low: number;
  private readonly lowest: number;
  /** What is added to both halves before each group of rounds; the first is what counters start with. */
  private readonly keys: Pair[] = [];
  private readonly pairs: readonly Pair[];

  constructor(lane: -1 | 0 | 1) {
    this.lane = lane;
    this.words = lane === -1 ? 8 : 4;
    const { code } = this;
    this.word = code.local("i64");
    this.low = code.local("v128");
    this.lowest = code.local("v128");
    this.pairs = Array.from({ length: FLIGHT }, () => [code.local("v128"), code.local("v128")] as const);
    this.locate();
    this.schedule();
    if (lane === -1) this.odd();
    countDown(code, count, this.words * FLIGHT, () => this.encrypt(this.pairs));
    whileLoop(
      code,
      () => code.get(count).i32(0).op("i32.gt_s"),
      () => {
        this.encrypt(this.pairs.slice(0, 1));
        bump(code, count, -this.words);
      },
    );
  }

  private locate(): void {
    const { code, word, low, lowest } = this;
    code.get(start).memory("i32.load").op("i64.extend_i32_u");
    code.get(size).op("i64.extend_i32_u").op("i64.mul");
    code.get(first).op("i64.extend_i32_u").op("i64.add").set(word);
    this.counter()
      .op("i32.wrap_i64")
      .i32(-(2 ** 31))
      .op("i32.xor")
      .op("i32x4.splat")
      .tee(lowest);
    code
      .v128(words([0, 1, 2, 3]))
      .op("i32x4.add")
      .set(low);
  }

  private counter(): Code {
    this.code.get(this.word);
    return this.lane === -1 ? this.code.i64(1n).op("i64.shr_u") : this.code;
  }

  /** Keys in the order they are added. A flipped sign is undone by adding it once more. */
  private schedule(): void {
    const { code } = this;
    const k = [code.local("i32"), code.local("i32"), code.local("i32")] as const;
    code.get(key).memory("i32.load").set(k[0]);
    code.get(key).memory("i32.load", 4).set(k[1]);
    code.get(k[0]).get(k[1]).op("i32.xor").i32(0x1bd11bda).op("i32.xor").set(k[2]);
    const turned = k.map((word) => {
      const v = code.local("v128");
      code.get(word).op("i32x4.splat").set(v);
      return v;
    });
    for (let group = 0; group <= 5; group++) {
      const [x, y] = [group === 0 ? code.local("v128") : (turned[group % 3] as number), code.local("v128")];
      if (group === 0)
        code
          .get(k[0])
          .i32(-(2 ** 31))
          .op("i32.xor")
          .op("i32x4.splat")
          .set(x);
      code.get(k[(group + 1) % 3] as number);
      if (group === 0) this.counter().i64(32n).op("i64.shr_u").op("i32.wrap_i64");
      else code.i32(group);
      code.op("i32.add").op("i32x4.splat").set(y);
      this.keys.push([x, y]);
    }
  }

  /** Where the first word is the second half of a block: the seven words from it on. */
  private odd(): void {
    const { code, word } = this;
    code.get(word).op("i32.wrap_i64").i32(1).op("i32.and").get(count).i32(0).op("i32.gt_s").op("i32.and");
    code.if(() => {
      const [pair] = this.pairs as [Pair];
      this.rounds([pair]);
      code.get(slot);
      shuffle32(code.get(pair[0]).get(pair[1]), [4, 1, 5, 2]).memory("v128.store");
      code.get(slot);
      shuffle32(code.get(pair[0]).get(pair[1]), [6, 3, 7, 7]).memory("v128.store", 16);
      bump(code, slot, 28);
      bump(code, count, -7);
    });
  }

  /** The next vectors of blocks, to the slot. */
  private encrypt(pairs: readonly Pair[]): void {
    const { code, lane } = this;
    this.rounds(pairs);
    pairs.forEach(([x, y], i) => {
      if (lane !== -1) {
        code
          .get(slot)
          .get(lane === 0 ? x : y)
          .memory("v128.store", 16 * i);
        return;
      }
      code.get(slot);
      shuffle32(code.get(x).get(y), [0, 4, 1, 5]).memory("v128.store", 32 * i);
      code.get(slot);
      shuffle32(code.get(x).get(y), [2, 6, 3, 7]).memory("v128.store", 32 * i + 16);
    });
    bump(code, slot, pairs.length * this.words * 4);
  }

  private rounds(pairs: readonly Pair[]): void {
    const { code, low, lowest } = this;
    const [x0, y0] = this.keys[0] as Pair;
    for (const [x, y] of pairs) {
      code.get(low).get(x0).op("i32x4.add").set(x);
      // A counter below the first one has run over: its high word is one more.
      code.get(y0).get(lowest).get(low).op("i32x4.gt_s").op("i32x4.sub").set(y);
      code.get(low).i32(4).op("i32x4.splat").op("i32x4.add").set(low);
    }
    for (let group = 1; group <= 5; group++) {
      for (const by of rotations[(group - 1) % 2] as readonly number[]) {
        for (const pair of pairs) this.mix(pair, by);
      }
      const [a, b] = this.keys[group] as Pair;
      for (const [x, y] of pairs) {
        code.get(x).get(a).op("i32x4.add").set(x);
        code.get(y).get(b).op("i32x4.add").set(y);
      }
    }
  }

  private mix([x, y]: Pair, by: number): void {
    const { code } = this;
    code.get(x).get(y).op("i32x4.add").set(x);
    if (by % 8 === 0) {
      const bytes = by / 8;
      const from = (i: number): number => (i & ~3) | ((i + 4 - bytes) & 3);
      code
        .get(y)
        .get(y)
        .shuffle(Array.from({ length: 16 }, (_, i) => from(i)));
    } else {
      code.get(y).i32(by).op("i32x4.shl");
      code
        .get(y)
        .i32(32 - by)
        .op("i32x4.shr_u")
        .op("v128.or");
    }
    code.get(x).op("v128.xor").set(y);
  }
}
