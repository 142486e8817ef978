import type { Shape } from "../../base/shape.js";
import type { Code } from "../encode.js";
import { bump, lesser, scale, whileLoop } from "./lanes.js";
import type { Mover } from "./move.js";

/** An axis of a walk: how many elements, how many bytes from one to the next. */
export interface Axis {
  readonly size: number;
  readonly stride: number;
}

/** The axes of a view with those of one element left out and those that are one run of elements joined. */
export function collapse(shape: Shape, strides: readonly number[], bytes: number): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const stride = (strides[i] as number) * bytes;
    const outer = axes[axes.length - 1];
    if (outer && outer.stride === stride * size) axes[axes.length - 1] = { size: outer.size * size, stride };
    else axes.push({ size, stride });
  });
  return axes.length > 0 ? axes : [{ size: 1, stride: 0 }];
}

/** Locals: address of element 0 of the view, of the slot, the number of the first element, how many. All are changed. */
export interface WalkLocals {
  readonly base: number;
  readonly slot: number;
  readonly start: number;
  readonly count: number;
}

/** Rows up to this length are moved in a straight line. */
const STRAIGHT = 16;

/** Moves elements start..start+count-1 of the view, row by row. */
export function emitWalk(code: Code, axes: readonly Axis[], mover: Mover, locals: WalkLocals, slotBytes: number): void {
  const inner = axes[axes.length - 1] as Axis;
  if (axes.length === 1) {
    code.get(locals.base).get(locals.start);
    scale(code, inner.stride).op("i32.add").set(locals.base);
    mover.run(locals.base, locals.slot, locals.count);
    return;
  }
  const walk = new Walk(code, axes, mover, locals, slotBytes);
  walk.locate();
  if (inner.size <= STRAIGHT) walk.shortRows();
  else walk.longRows();
}

/** Splits the number in `flat` into indices along `sizes`, outermost first; the first index is not reduced. Changes `flat`. */
export function splitIndex(code: Code, flat: number, sizes: readonly number[], into: readonly number[]): void {
  for (let a = sizes.length - 1; a > 0; a--) {
    const size = sizes[a] as number;
    code
      .get(flat)
      .get(flat)
      .i32(size)
      .op("i32.div_u")
      .tee(flat)
      .i32(size)
      .op("i32.mul")
      .op("i32.sub")
      .set(into[a] as number);
  }
  code.get(flat).set(into[0] as number);
}

class Walk {
  private readonly code: Code;
  private readonly axes: readonly Axis[];
  private readonly mover: Mover;
  private readonly at: WalkLocals;
  private readonly slotBytes: number;
  private readonly index: readonly number[];
  private readonly inner: Axis;
  private readonly rowAxis: number;
  /** Address, slot and length of a run: the mover changes them. */
  private readonly runAt: readonly [number, number, number];
  private readonly length: number;

  constructor(code: Code, axes: readonly Axis[], mover: Mover, at: WalkLocals, slotBytes: number) {
    this.code = code;
    this.axes = axes;
    this.mover = mover;
    this.at = at;
    this.slotBytes = slotBytes;
    this.index = axes.map(() => code.local("i32"));
    this.inner = axes[axes.length - 1] as Axis;
    this.rowAxis = axes.length - 2;
    this.runAt = [code.local("i32"), code.local("i32"), code.local("i32")];
    this.length = code.local("i32");
  }

  /** Finds the indices of the first element; `base` becomes the start of its row. */
  locate(): void {
    const { code, axes, at, index } = this;
    const sizes = axes.map(({ size }) => size);
    splitIndex(code, at.start, sizes, index);
    code.get(at.base);
    for (let a = 0; a <= this.rowAxis; a++) {
      code.get(index[a] as number);
      scale(code, (axes[a] as Axis).stride).op("i32.add");
    }
    code.set(at.base);
  }

  /** Each row, or what there is of it, is a run. */
  longRows(): void {
    const { code, at } = this;
    whileLoop(
      code,
      () => code.get(at.count),
      () => {
        this.partialRow(() => this.mover.run(...this.runAt));
        this.nextRow();
      },
    );
  }

  /** What there is of the first and the last row goes element by element; between them whole rows, as many as one axis has at a time. */
  shortRows(): void {
    const { code, at, inner } = this;
    const i = this.index[this.rowAxis + 1] as number;
    code.get(i).if(() => {
      this.partialRow(() => this.mover.ones(...this.runAt));
      this.nextRow();
    });
    whileLoop(
      code,
      () => code.get(at.count).i32(inner.size).op("i32.ge_s"),
      () => this.wholeRows(),
    );
    code.get(at.count).if(() => this.partialRow(() => this.mover.ones(...this.runAt)));
  }

  private wholeRows(): void {
    const { code, at, inner, length } = this;
    const row = this.axes[this.rowAxis] as Axis;
    const j = this.index[this.rowAxis] as number;
    const available = this.runAt[2];
    code.get(at.count).i32(inner.size).op("i32.div_u").set(length);
    if (this.rowAxis > 0) {
      code.i32(row.size).get(j).op("i32.sub").set(available);
      lesser(code, length, available).set(length);
      code.get(j).get(length).op("i32.add").set(j);
    }
    code.get(at.count).get(length).i32(inner.size).op("i32.mul").op("i32.sub").set(at.count);
    code.loop(() => {
      this.mover.row(at.base, at.slot, inner.size);
      bump(code, at.base, row.stride);
      bump(code, at.slot, inner.size * this.slotBytes);
      code.get(length).i32(1).op("i32.sub").tee(length).brIf(0);
    });
    this.carry(this.rowAxis);
  }

  /** The run from the current index to the end of its row or of what is asked for; moves slot and count on. */
  private partialRow(move: () => void): void {
    const { code, at, inner, length } = this;
    const i = this.index[this.rowAxis + 1] as number;
    const [p, slot, left] = this.runAt;
    code.i32(inner.size).get(i).op("i32.sub").set(length);
    lesser(code, length, at.count).tee(length).set(left);
    code.get(at.base).get(i);
    scale(code, inner.stride).op("i32.add").set(p);
    code.get(at.slot).set(slot);
    move();
    code.get(at.slot).get(length);
    scale(code, this.slotBytes).op("i32.add").set(at.slot);
    code.get(at.count).get(length).op("i32.sub").set(at.count);
  }

  private nextRow(): void {
    const { code } = this;
    code.i32(0).set(this.index[this.rowAxis + 1] as number);
    bump(code, this.at.base, (this.axes[this.rowAxis] as Axis).stride);
    if (this.rowAxis === 0) return;
    bump(code, this.index[this.rowAxis] as number, 1);
    this.carry(this.rowAxis);
  }

  /** Where an index reached its end: back to 0, and the next axis one on. The outermost never does before the walk ends. */
  private carry(a: number): void {
    if (a === 0) return;
    const { code, at } = this;
    const axis = this.axes[a] as Axis;
    const index = this.index[a] as number;
    code
      .get(index)
      .i32(axis.size)
      .op("i32.eq")
      .if(() => {
        code.i32(0).set(index);
        bump(code, at.base, (this.axes[a - 1] as Axis).stride - axis.size * axis.stride);
        bump(code, this.index[a - 1] as number, 1);
        this.carry(a - 1);
      });
  }
}
