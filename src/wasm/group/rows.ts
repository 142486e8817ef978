import { Code } from "../encode.js";
import { type Fold, foldLanes, lanesOf, maskRest, outBytes, storeElement, storeResult, vectorOp } from "./carrier.js";
import { bump, countDown, shuffle32 } from "./lanes.js";
import { lineFunction } from "./line.js";
import { type Library, type StageFunction, shared } from "./stage.js";

/** Rows from this many vectors on are reduced one by one. */
const LONG = 32;
/** Vectors of a row that are added in a straight line. */
const STRAIGHT = 3;

const [p, rows, out] = [0, 1, 2];

/** (pointer, rows, out): each row of `length` elements of a slot into one number of a buffer. */
export function rowsFunction(fold: Fold, length: number): StageFunction {
  return {
    key: `rows ${fold.op} ${fold.dtype} ${length}`,
    build: (library) =>
      length >= LONG * lanesOf(fold).count ? long(library, fold, length) : new Short(fold, length).code,
  };
}

function long(library: Library, fold: Fold, length: number): Code {
  const line = shared(library, lineFunction(fold));
  const code = new Code(["i32", "i32", "i32"]);
  countDown(code, rows, 1, () => {
    code.get(out);
    storeResult(code, fold, () => code.get(p).i32(length).call(line));
    bump(code, p, length * lanesOf(fold).bytes);
    bump(code, out, outBytes(fold));
  });
  return code;
}

/** Some rows side by side: their sums are turned so that one vector holds them all. */
class Short {
  readonly code = new Code(["i32", "i32", "i32"]);
  private readonly fold: Fold;
  private readonly length: number;
  private readonly lanes: 2 | 4;
  private readonly rowBytes: number;
  private readonly op: string;
  private readonly accs: readonly number[];
  private readonly at: number;
  private readonly left: number;

  constructor(fold: Fold, length: number) {
    const { count, bytes } = lanesOf(fold);
    this.fold = fold;
    this.length = length;
    this.lanes = count;
    this.rowBytes = length * bytes;
    this.op = vectorOp(fold);
    const { code } = this;
    this.accs = Array.from({ length: count }, () => code.local("v128"));
    this.at = code.local("i32");
    this.left = code.local("i32");
    if (fold.dtype !== "bool") countDown(code, rows, count, () => this.together());
    countDown(code, rows, 1, () => this.single());
  }

  private together(): void {
    const { code, accs, lanes } = this;
    this.accumulate(accs);
    code.get(out);
    if (lanes === 4) this.turnFour();
    else this.turnTwo();
    code.memory("v128.store");
    bump(code, p, this.rowBytes * lanes);
    bump(code, out, 16);
  }

  private single(): void {
    const { code, fold, lanes } = this;
    const acc = this.accs[0] as number;
    this.accumulate([acc]);
    foldLanes(code, this.op, acc, lanes);
    code
      .get(out)
      .get(acc)
      .lane(`${lanesOf(fold).shape}.extract_lane`, 0);
    storeElement(code, fold);
    bump(code, p, this.rowBytes);
    bump(code, out, outBytes(fold));
  }

  /** Row r goes into accumulator r, vector by vector. */
  private accumulate(accs: readonly number[]): void {
    const { code, lanes, length } = this;
    const whole = Math.floor(length / lanes);
    const rest = length % lanes;
    code.get(p).set(this.at);
    this.vector(accs, 0, 0, whole === 0 ? rest : lanes);
    if (whole > STRAIGHT) {
      code.i32(whole - 1).set(this.left);
      countDown(code, this.left, 1, () => {
        bump(code, this.at, 16);
        this.vector(accs, 1, 0, lanes);
      });
    } else {
      for (let v = 1; v < whole; v++) this.vector(accs, v, 16 * v, lanes);
    }
    if (whole > 0 && rest > 0) this.vector(accs, whole, whole > STRAIGHT ? 16 : 16 * whole, rest);
  }

  private vector(accs: readonly number[], v: number, offset: number, used: number): void {
    const { code } = this;
    accs.forEach((acc, r) => {
      if (v > 0) code.get(acc);
      code.get(this.at).memory("v128.load", offset + r * this.rowBytes);
      if (used < this.lanes) maskRest(code, this.fold, used);
      if (v > 0) code.op(this.op);
      code.set(acc);
    });
  }

  /** [a, b, c, d] -> (a0 + a2) + (a1 + a3), and so on: the order of `foldLanes`. */
  private turnFour(): void {
    const { code, op } = this;
    const [a, b, c, d] = this.accs as [number, number, number, number];
    for (const [x, y] of [
      [a, b],
      [c, d],
    ] as const) {
      shuffle32(code.get(x).get(y), [0, 4, 1, 5]);
      shuffle32(code.get(x).get(y), [2, 6, 3, 7]).op(op).set(x);
    }
    shuffle32(code.get(a).get(c), [0, 1, 4, 5]);
    shuffle32(code.get(a).get(c), [2, 3, 6, 7]).op(op);
  }

  private turnTwo(): void {
    const { code, op } = this;
    const [a, b] = this.accs as [number, number];
    shuffle32(code.get(a).get(b), [0, 1, 4, 5]);
    shuffle32(code.get(a).get(b), [2, 3, 6, 7]).op(op);
  }
}
