import { type Shape, sameShape, stridesOf } from "../../base/shape.js";
import type { Gather, Scatter } from "../../compile/plan.js";
import { Code } from "../encode.js";
import { emitSparseWalk, type SparseView, sparseView } from "./inside.js";
import { bump, bytesOf, countDown, slotBytesOf } from "./lanes.js";
import { Mover } from "./move.js";
import { type Axis, collapse, emitWalk } from "./walk.js";

/** A stage function before it is built: equal keys, equal functions. */
export interface StageFunction {
  readonly key: string;
  readonly build: () => Code;
}

export interface GatherFunction extends StageFunction {
  /** Bytes to add to the address of the view's place. */
  readonly shift: number;
}

const locals = { base: 0, slot: 1, start: 2, count: 3 };

/** (base, slot, start, count): elements start..start+count-1 of the view into the slot. */
export function gatherFunction(shape: Shape, { from, inside }: Gather): GatherFunction {
  const bytes = bytesOf(from.dtype);
  const rules = (inside ?? []).filter(
    ({ axis, low, high, step }) => low > 0 || high < (shape[axis] as number) || step > 1,
  );
  if (rules.length > 0) {
    const view = sparseView(shape, from.strides, bytes, rules);
    const key = `gather ${from.dtype} ${JSON.stringify(view.axes)}`;
    return { key, shift: view.shift, build: () => sparseCode(from.dtype, view) };
  }
  const axes = collapse(shape, from.strides, bytes);
  return { key: keyOf("gather", from.dtype, axes), shift: 0, build: () => gatherCode(from.dtype, axes) };
}

function keyOf(name: string, dtype: string, axes: readonly Axis[]): string {
  // Of the outermost axis the size is never asked.
  return `${name} ${dtype} ${axes.map(({ size, stride }, a) => `${a === 0 ? "" : size}:${stride}`)}`;
}

function gatherCode(dtype: Gather["from"]["dtype"], axes: readonly Axis[]): Code {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const { stride } = axes[axes.length - 1] as Axis;
  const mover = new Mover(code, { dtype, toSlot: true, stride, overrun: true });
  emitWalk(code, axes, mover, locals, slotBytesOf(dtype));
  return code;
}

function sparseCode(dtype: Gather["from"]["dtype"], view: SparseView): Code {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const [p, left] = [code.local("i32"), code.local("i32")];
  const groupBytes = 4 * slotBytesOf(dtype);
  code.get(locals.slot).set(p).get(locals.count).i32(3).op("i32.add").set(left);
  countDown(code, left, 4, () => {
    for (let at = 0; at < groupBytes; at += 16) code.get(p).i32(0).op("i32x4.splat").memory("v128.store", at);
    bump(code, p, groupBytes);
  });
  const { stride } = view.axes[view.axes.length - 1] as { stride: number };
  const mover = new Mover(code, { dtype, toSlot: true, stride, overrun: false });
  emitSparseWalk(code, view, mover, locals, slotBytesOf(dtype));
  return code;
}

/** (base, slot, start, count): the slot to elements start..start+count-1 of the view, and nothing else written. */
export function scatterFunction(shape: Shape, { to }: Scatter): StageFunction {
  const contiguous = sameShape(to.strides, stridesOf(shape));
  const axes = contiguous ? [{ size: 2, stride: bytesOf(to.dtype) }] : collapse(shape, to.strides, bytesOf(to.dtype));
  return { key: keyOf("scatter", to.dtype, axes), build: () => scatterCode(to.dtype, axes) };
}

function scatterCode(dtype: Scatter["to"]["dtype"], axes: readonly Axis[]): Code {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const { stride } = axes[axes.length - 1] as Axis;
  const mover = new Mover(code, { dtype, toSlot: false, stride, overrun: false });
  emitWalk(code, axes, mover, locals, slotBytesOf(dtype));
  return code;
}
