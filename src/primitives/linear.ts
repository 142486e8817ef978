import { fail } from "../base/errors.js";
import { normalAxes, normalAxis, range, type Shape, sameShape, show, sizeOf } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import * as interval from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { asIs } from "../graph/lowering.js";
import { affine, kept, moved, padded, pointwise, refine, spread } from "../graph/reads.js";
import { apply, type LawCase, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import type { AxisRead } from "../kernel/affine.js";
import type { Value } from "../kernel/expr/block.js";
import { addLoop, map1, reduce, subLoop, sumRun } from "../kernel/loops.js";
import * as move from "../kernel/move.js";
import type { NDArray } from "../kernel/ndarray.js";
import { dropAxes, pair, perAxis } from "./fit.js";
import { structural } from "./structural.js";

/** Linear maps of numbers and of shapes. They are closed under transposition, which is why they live in one file. */

const pairLaws: LawCase<null>[] = [
  { inputs: [{ shape: [2, 3] }, { shape: [2, 3] }], params: null },
  { inputs: [{ shape: [] }, { shape: [] }], params: null },
  { inputs: [{ shape: [0, 3] }, { shape: [0, 3] }], params: null },
];

export const add: Primitive<null> = {
  name: "add",
  type: ([a, b]) => pair("add", a as Type, b as Type),
  run: ([a, b], _params, out) => addLoop(a as NDArray, b as NDArray, out.dtype),
  needs: "all",
  jvp: ([s, t]) => (s && t ? plus(s, t) : (s ?? t ?? null)),
  transpose: (ct, linear) => linear.map((is) => (is ? ct : null)),
  linear: "any",
  batch: (inputs, batched, _params, size) => apply(add, allBatched(inputs, batched, size), null),
  reads: (_params, inputs, out) => inputs.map(() => pointwise(out.shape)),
  smooth: "smooth",
  range: (inputs) => inputs.reduce(interval.plus),
  lower: { kind: "map", build: (b, [x, y]) => b.add(x as Value, y as Value) },
  laws: pairLaws,
};

export const sub: Primitive<null> = {
  ...add,
  name: "sub",
  lower: { kind: "map", build: (b, [x, y]) => b.sub(x as Value, y as Value) },
  type: ([a, b]) => pair("sub", a as Type, b as Type),
  run: ([a, b], _params, out) => subLoop(a as NDArray, b as NDArray, out.dtype),
  jvp: ([s, t]) => (s && t ? minus(s, t) : s ? s : t ? negate(t) : null),
  transpose: (ct, [first, second]) => [first ? ct : null, second ? negate(ct) : null],
  range: ([a, b]) => interval.plus(a as Interval, interval.opposite(b as Interval)),
  batch: (inputs, batched, _params, size) => apply(sub, allBatched(inputs, batched, size), null),
};

export const neg: Primitive<null> = structural<null>({
  name: "neg",
  shape: (shape) => shape,
  run: (a, _params, out) => map1((x) => -x, a, out.dtype),
  transpose: (ct) => negate(ct),
  batch: (a) => apply(neg, [a], null),
  range: interval.opposite,
  reads: (_params, shape) => pointwise(shape),
  lower: { kind: "map", build: (b, [a]) => b.unary("neg", a as Value) },
  laws: [{ inputs: [{ shape: [2, 3] }], params: null }],
});

/** A fresh node for the same numbers: what a transform differentiates with respect to. */
export const alias: Primitive<null> = structural<null>({
  name: "alias",
  shape: (shape) => shape,
  run: (a) => a,
  transpose: (ct) => ct,
  batch: (a) => apply(alias, [a], null),
  reads: (_params, shape) => pointwise(shape),
  lower: asIs,
  laws: [{ inputs: [{ shape: [2, 3] }], params: null }],
});

/** The identity with a name, for `explain`, printing and adjoints of inner nodes. */
export const named: Primitive<{ readonly name: string }> = structural<{ readonly name: string }>({
  name: "named",
  shape: (shape) => shape,
  run: (a) => a,
  transpose: (ct) => ct,
  batch: (a, params) => apply(named, [a], params),
  reads: (_params, shape) => pointwise(shape),
  lower: asIs,
  laws: [{ inputs: [{ shape: [2, 3] }], params: { name: "x" } }],
});

/** NumPy broadcasting: new axes in front, axes of size 1 repeated. */
export const broadcast: Primitive<{ readonly shape: Shape }> = structural<{ readonly shape: Shape }>({
  name: "broadcast",
  shape: (from, { shape }) => {
    const extra = shape.length - from.length;
    const fits = extra >= 0 && from.every((n, axis) => n === 1 || n === shape[axis + extra]);
    return fits
      ? shape
      : fail({ where: "broadcast", got: `${show(from)} to ${show(shape)}`, expected: "a shape it repeats into" });
  },
  run: (a, { shape }) => move.broadcast(a, shape),
  transpose: (ct, a) => sumTo(ct, a.shape),
  batch: (a, { shape }, size) => {
    const lifted = [size, ...new Array<number>(shape.length - (a.rank - 1)).fill(1), ...a.shape.slice(1)];
    return apply(broadcast, [reshapeTo(a, lifted)], { shape: [size, ...shape] });
  },
  reads: (_params, input, out) => spread(input, out),
  lower: { kind: "view", axes: (_params, input, out) => repeatedAxes(input, out) },
  laws: [
    { inputs: [{ shape: [3] }], params: { shape: [2, 3] } },
    { inputs: [{ shape: [2, 1] }], params: { shape: [4, 2, 3] } },
    { inputs: [{ shape: [] }], params: { shape: [0, 2] } },
  ],
});

/** Sum over `axes`, which disappear. */
export const sum: Primitive<{ readonly axes: readonly number[] }> = structural<{ readonly axes: readonly number[] }>({
  name: "sum",
  shape: (shape, { axes }) => dropAxes("sum", shape, axes),
  run: (a, { axes }, out) => reduce(a, axes, out.dtype, sumRun),
  transpose: (ct, a, { axes }) => {
    const kept = a.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
    return broadcastTo(reshapeTo(ct, kept), a.shape);
  },
  batch: (a, { axes }) => apply(sum, [a], { axes: axes.map((axis) => axis + 1) }),
  range: (a, { axes }, node) => interval.summed(a, sizeOf(axes.map((axis) => node.inputs[0]?.shape[axis] as number))),
  reads: ({ axes }, input) => kept(input, axes),
  lower: { kind: "reduce", op: "sum", axes: ({ axes }) => axes },
  laws: [
    { inputs: [{ shape: [2, 3] }], params: { axes: [1] } },
    { inputs: [{ shape: [2, 3, 2] }], params: { axes: [0, 2] } },
    { inputs: [{ shape: [2, 0] }], params: { axes: [1] } },
  ],
});

export const reshape: Primitive<{ readonly shape: Shape }> = structural<{ readonly shape: Shape }>({
  name: "reshape",
  shape: (shape, params) => {
    if (sizeOf(shape) !== sizeOf(params.shape) || !params.shape.every((n) => Number.isInteger(n) && n >= 0)) {
      fail({
        where: "reshape",
        got: `${show(shape)} to ${show(params.shape)}`,
        expected: `a shape of ${sizeOf(shape)} elements`,
      });
    }
    return params.shape;
  },
  run: (a, { shape }) => move.reshape(a, shape),
  transpose: (ct, a) => reshapeTo(ct, a.shape),
  batch: (a, { shape }, size) => apply(reshape, [a], { shape: [size, ...shape] }),
  reads: (_params, input, out) => refine(input, out),
  lower: { kind: "reshape" },
  laws: [
    { inputs: [{ shape: [2, 6] }], params: { shape: [3, 4] } },
    { inputs: [{ shape: [6] }], params: { shape: [2, 1, 3] } },
  ],
});

/** Axis i of the output is axis `order[i]` of the input. */
export const transpose: Primitive<{ readonly order: readonly number[] }> = structural<{
  readonly order: readonly number[];
}>({
  name: "transpose",
  shape: (shape, { order }) => {
    perAxis("transpose", shape, normalAxes("transpose", order, shape.length));
    return order.map((axis) => shape[axis] as number);
  },
  run: (a, { order }) => move.transpose(a, order),
  transpose: (ct, _a, { order }) =>
    permute(
      ct,
      range(order.length).map((axis) => order.indexOf(axis)),
    ),
  batch: (a, { order }) => apply(transpose, [a], { order: [0, ...order.map((axis) => axis + 1)] }),
  reads: ({ order }, input) => moved(input, order),
  lower: {
    kind: "view",
    axes: ({ order }) => order.map((_, axis) => ({ axis: order.indexOf(axis), scale: 1, shift: 0 })),
  },
  laws: [{ inputs: [{ shape: [2, 3, 4] }], params: { order: [2, 0, 1] } }],
});

export interface SliceParams {
  readonly start: readonly number[];
  readonly stop: readonly number[];
  readonly step: readonly number[];
}

export const slice: Primitive<SliceParams> = structural<SliceParams>({
  name: "slice",
  shape: (shape, { start, stop, step }) => {
    perAxis("slice", shape, start, stop, step);
    const outside = start.findIndex((from, i) => from < 0 || (stop[i] as number) > (shape[i] as number));
    if (outside >= 0)
      fail({
        where: "slice",
        got: `${start[outside]} to ${stop[outside]} on axis ${outside} of ${show(shape)}`,
        expected: "places of the axis",
      });
    return start.map((from, i) => Math.max(0, Math.ceil(((stop[i] as number) - from) / (step[i] as number))));
  },
  run: (a, params, out) => move.slice(a, params.start, params.step, out.shape),
  transpose: (ct, a, { start, step }) => {
    const interior = step.map((n) => n - 1);
    const high = a.shape.map((n, i) => {
      const length = ct.shape[i] as number;
      const covered = length === 0 ? 0 : (length - 1) * (step[i] as number) + 1;
      return n - (start[i] as number) - covered;
    });
    return padWith(ct, { low: start, high, interior });
  },
  batch: (a, { start, stop, step }, size) =>
    apply(slice, [a], { start: [0, ...start], stop: [size, ...stop], step: [1, ...step] }),
  reads: ({ start, step }, input, out) => affine(input, out, step, start),
  lower: {
    kind: "view",
    axes: ({ start, step }) => start.map((shift, axis) => ({ axis, scale: step[axis] as number, shift })),
  },
  laws: [
    { inputs: [{ shape: [4, 5] }], params: { start: [1, 0], stop: [3, 5], step: [1, 2] } },
    { inputs: [{ shape: [4] }], params: { start: [2], stop: [2], step: [1] } },
  ],
});

export interface PadParams {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly interior: readonly number[];
}

/** Zeros before, after and between the elements of each axis. */
export const pad: Primitive<PadParams> = structural<PadParams>({
  name: "pad",
  shape: (shape, { low, high, interior }) => {
    perAxis("pad", shape, low, high, interior);
    return shape.map(
      (n, i) => (low[i] as number) + (high[i] as number) + n + Math.max(0, n - 1) * (interior[i] as number),
    );
  },
  run: (a, { low, interior }, out) => move.pad(a, low, interior, out.shape),
  transpose: (ct, a, { low, interior }) => {
    const step = interior.map((n) => n + 1);
    const stop = a.shape.map((n, i) => (low[i] as number) + (n === 0 ? 0 : (n - 1) * (step[i] as number) + 1));
    return apply(slice, [ct], { start: low, stop, step });
  },
  batch: (a, { low, high, interior }) =>
    apply(pad, [a], { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] }),
  range: (a) => interval.hull(a, interval.exactly(0)),
  reads: ({ low, interior }, input, out) => padded(input, out, low, interior),
  lower: { kind: "pad", low: ({ low }) => low, interior: ({ interior }) => interior },
  laws: [
    { inputs: [{ shape: [2, 3] }], params: { low: [1, 0], high: [0, 2], interior: [0, 1] } },
    { inputs: [{ shape: [3] }], params: { low: [0], high: [1], interior: [0] } },
  ],
});

export const flip: Primitive<{ readonly axes: readonly number[] }> = structural<{ readonly axes: readonly number[] }>({
  name: "flip",
  shape: (shape, { axes }) => {
    normalAxes("flip", axes, shape.length);
    return shape;
  },
  run: (a, { axes }) => move.flip(a, axes),
  transpose: (ct, _a, { axes }) => apply(flip, [ct], { axes }),
  batch: (a, { axes }) => apply(flip, [a], { axes: axes.map((axis) => axis + 1) }),
  reads: ({ axes }, input, out) => {
    const from = input.map((n, i) => (axes.includes(i) ? n - 1 : 0));
    const step = input.map((_, i) => (axes.includes(i) ? -1 : 1));
    return affine(input, out, step, from);
  },
  lower: {
    kind: "view",
    axes: ({ axes }, input) =>
      input.map((n, axis) => (axes.includes(axis) ? { axis, scale: -1, shift: n - 1 } : { axis, scale: 1, shift: 0 })),
  },
  laws: [{ inputs: [{ shape: [2, 3] }], params: { axes: [1] } }],
});

function repeatedAxes(input: Shape, out: Shape): AxisRead[] {
  const extra = out.length - input.length;
  return input.map((n, axis) => ({ axis: n === 1 ? null : axis + extra, scale: 1, shift: 0 }));
}

// The few constructors the rules above and below this floor are written with; they do nothing where nothing is to be done.

export function plus(a: Tensor, b: Tensor): Tensor {
  return apply(add, [a, b], null);
}

export function minus(a: Tensor, b: Tensor): Tensor {
  return apply(sub, [a, b], null);
}

export function negate(a: Tensor): Tensor {
  return apply(neg, [a], null);
}

export function reshapeTo(a: Tensor, shape: Shape): Tensor {
  return sameShape(a.shape, shape) ? a : apply(reshape, [a], { shape });
}

export function broadcastTo(a: Tensor, shape: Shape): Tensor {
  return sameShape(a.shape, shape) ? a : apply(broadcast, [a], { shape });
}

export function permute(a: Tensor, order: readonly number[]): Tensor {
  return order.every((axis, i) => axis === i) ? a : apply(transpose, [a], { order });
}

export function sumOver(a: Tensor, axes: readonly number[]): Tensor {
  return axes.length === 0 ? a : apply(sum, [a], { axes });
}

function padWith(a: Tensor, params: PadParams): Tensor {
  const nothing = [params.low, params.high, params.interior].every((list) => list.every((n) => n === 0));
  return nothing ? a : apply(pad, [a], params);
}

export function sliceAxis(a: Tensor, axis: number, start: number, stop: number): Tensor {
  const at = normalAxis("slice", axis, a.rank);
  return apply(slice, [a], {
    start: a.shape.map((_, i) => (i === at ? start : 0)),
    stop: a.shape.map((n, i) => (i === at ? stop : n)),
    step: a.shape.map(() => 1),
  });
}

/** The transpose of broadcasting: sums what was repeated. */
export function sumTo(a: Tensor, shape: Shape): Tensor {
  const extra = a.rank - shape.length;
  const axes = range(a.rank).filter((axis) => axis < extra || (shape[axis - extra] === 1 && a.shape[axis] !== 1));
  return reshapeTo(sumOver(a, axes), shape);
}

export function zerosLike(a: Type): Tensor {
  return broadcastTo(constant(0, a.dtype), a.shape);
}

export function onesLike(a: Type): Tensor {
  return broadcastTo(constant(1, a.dtype), a.shape);
}

/** Every input with the batch axis in front; those that lack it repeat. */
export function allBatched(inputs: readonly Tensor[], batched: readonly boolean[], size: number): Tensor[] {
  return inputs.map((input, i) => (batched[i] ? input : broadcastTo(input, [size, ...input.shape])));
}

/** Moves an axis to the front. */
export function axisToFront(a: Tensor, axis: number): Tensor {
  const at = normalAxis("axis", axis, a.rank);
  return permute(a, [at, ...range(a.rank).filter((i) => i !== at)]);
}
