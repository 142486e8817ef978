import type { Shape } from "../../base/shape.js";
import type { Gather } from "../../compile/plan.js";
import type { Code } from "../encode.js";
import { bump, scale, whileLoop } from "./lanes.js";
import type { Mover } from "./move.js";
import { splitIndex, type WalkLocals } from "./walk.js";

/** An axis of which only the elements from low to high - 1 exist, `stride` bytes from one to the next. */
export interface SparseAxis {
  readonly size: number;
  readonly low: number;
  readonly high: number;
  readonly stride: number;
}

export interface SparseView {
  readonly axes: readonly SparseAxis[];
  /** Bytes from the view's place to the element where every axis stands at its low. */
  readonly shift: number;
}

type Inside = NonNullable<Gather["inside"]>;

/** What of a view exists. @throws where a step is not 1 */
export function sparseView(shape: Shape, strides: readonly number[], bytes: number, inside: Inside): SparseView {
  if (inside.some(({ step }) => step !== 1)) throw new Error("wasm: a gather with holes between elements");
  let shift = 0;
  const axes = shape.map((size, axis): SparseAxis => {
    const rules = inside.filter((rule) => rule.axis === axis);
    const low = Math.max(0, ...rules.map((rule) => rule.low));
    const high = Math.max(low, Math.min(size, ...rules.map((rule) => rule.high)));
    const stride = (strides[axis] as number) * bytes;
    shift += low * stride;
    return { size, low, high, stride };
  });
  return { axes: axes.length > 0 ? axes : [{ size: 1, low: 0, high: 1, stride: 0 }], shift };
}

/** Moves what exists of elements start..start+count-1; the slot is zero already. `base` is the address where every axis is low. */
export function emitSparseWalk(code: Code, view: SparseView, mover: Mover, at: WalkLocals, slotBytes: number): void {
  const { axes } = view;
  const index = axes.map(() => code.local("i32"));
  const inner = axes[axes.length - 1] as SparseAxis;
  const i = index[index.length - 1] as number;
  const sizes = axes.map(({ size }) => size);
  splitIndex(code, at.start, sizes, index);
  whileLoop(
    code,
    () => code.get(at.count).i32(0).op("i32.gt_s"),
    () => {
      emitRow(code, axes, index, mover, at, slotBytes);
      // What was left of this row is done.
      code.i32(inner.size).get(i).op("i32.sub").set(at.start);
      code.get(at.count).get(at.start).op("i32.sub").set(at.count);
      code.get(at.slot).get(at.start);
      scale(code, slotBytes).op("i32.add").set(at.slot);
      code.i32(0).set(i);
      step(code, sizes, index, axes.length - 2);
    },
  );
}

/** The next index along axis a and those outside it. */
function step(code: Code, sizes: readonly number[], index: readonly number[], a: number): void {
  if (a < 0) return;
  bump(code, index[a] as number, 1);
  if (a === 0) return;
  const ended = (): void => {
    code.i32(0).set(index[a] as number);
    step(code, sizes, index, a - 1);
  };
  code.get(index[a] as number).i32(sizes[a] as number);
  code.op("i32.eq").if(ended);
}

/** One row from index i of the innermost axis on: nothing, if an outer index does not exist. */
function emitRow(
  code: Code,
  axes: readonly SparseAxis[],
  index: readonly number[],
  mover: Mover,
  at: WalkLocals,
  slotBytes: number,
): void {
  const last = axes.length - 1;
  const inner = axes[last] as SparseAxis;
  const i = index[last] as number;
  const [first, end, p] = [code.local("i32"), code.local("i32"), code.local("i32")];
  code.block(() => {
    for (let a = 0; a < last; a++) leaveUnlessThere(code, axes[a] as SparseAxis, index[a] as number);
    // first = the first index that exists, from i on; end = the end of the row, of what exists, or of what is asked for.
    code.get(i).i32(inner.low).get(i).i32(inner.low).op("i32.gt_s").op("select").set(first);
    code.get(i).get(at.count).op("i32.add").tee(end).i32(inner.high);
    code.get(end).i32(inner.high).op("i32.lt_s").op("select").tee(end);
    code.get(first).op("i32.le_s").brIf(0);
    code.get(at.base);
    axes.forEach((axis, a) => {
      code
        .get(a === last ? first : (index[a] as number))
        .i32(axis.low)
        .op("i32.sub");
      scale(code, axis.stride).op("i32.add");
    });
    code.set(p);
    code.get(end).get(first).op("i32.sub").set(end);
    code.get(first).get(i).op("i32.sub");
    scale(code, slotBytes).get(at.slot).op("i32.add").set(first);
    mover.run(p, first, end);
  });
}

function leaveUnlessThere(code: Code, axis: SparseAxis, index: number): void {
  if (axis.low === 0 && axis.high === axis.size) return;
  code.get(index).i32(axis.low).op("i32.sub");
  code
    .i32(axis.high - axis.low)
    .op("i32.ge_u")
    .brIf(0);
}
