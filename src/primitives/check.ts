import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import { type Interval, interval, meet } from "../graph/interval.js";
import { constant } from "../graph/leaves.js";
import { pointwise } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { elements, type NDArray } from "../kernel/ndarray.js";
import { floor } from "./elementary.js";
import { allBatched, broadcastTo } from "./linear.js";
import { and, equals, less, lessEqual, not } from "./pointwise.js";

export interface Demand {
  /** "Bernoulli" */
  readonly where: string;
  /** The parameter: "probs" */
  readonly name: string;
  /** "a probability in [0, 1]" */
  readonly expected: string;
  readonly holds: (x: number) => boolean;
  /** Where all numbers that hold lie. */
  readonly interval?: readonly [number, number];
  /** Of the interval only the whole numbers hold; otherwise all that is in it does, and of its ends what `holds` says. */
  readonly discrete?: boolean;
  readonly write?: string;
}

/** The identity that looks at its numbers when they are computed. @throws naming the first element that does not fit */
export const validate: Primitive<Demand> = {
  name: "validate",
  type: ([a]) => ({ shape: (a as Type).shape, dtype: (a as Type).dtype }),
  run: ([a], { where, name, expected, holds, write }) => {
    const x = elements(a as NDArray);
    for (let i = 0; i < x.length; i++) {
      if (!holds(x[i] as number))
        fail({ where, got: `${name}${place(i, (a as NDArray).shape)} = ${x[i]}`, expected, write });
    }
    return a as NDArray;
  },
  needs: "all",
  jvp: ([t]) => t as Tensor | null,
  transpose: (ct) => [ct],
  linear: "any",
  batch: ([a], _batched, params) => apply(validate, [a as Tensor], params),
  reads: (_params, _inputs, out) => [pointwise(out.shape)],
  smooth: "smooth",
  range: ([a], { interval: ends, holds }) =>
    ends ? meet(a as Interval, interval(...ends, [!holds(ends[0]), !holds(ends[1])])) : (a as Interval),
  lower: { kind: "check", broken: outside },
  laws: [
    {
      inputs: [{ shape: [2, 3] }],
      params: { where: "law", name: "x", expected: "a number", holds: (x) => !Number.isNaN(x) },
    },
  ],
};

/** Where x is not in the interval; null where the interval does not say it all, or its ends are no numbers of the type. */
function outside({ inputs: [x], params, shape, dtype }: Tensor): Tensor | null {
  const { interval: ends, holds, discrete } = params as Demand;
  if (ends === undefined || (dtype === "float32" && ends.some((end) => Math.fround(end) !== end))) return null;
  const [low, high] = ends.map((end) => broadcastTo(constant(end, dtype), shape)) as [Tensor, Tensor];
  const above = apply(holds(ends[0]) ? lessEqual : less, [low, x as Tensor], null);
  const below = apply(holds(ends[1]) ? lessEqual : less, [x as Tensor, high], null);
  const inside = apply(and, [above, below], null);
  const whole = discrete ? apply(equals, [apply(floor, [x as Tensor], null), x as Tensor], null) : null;
  return apply(not, [whole ? apply(and, [inside, whole], null) : inside], null);
}

export interface Relation {
  readonly where: string;
  /** Of the two inputs: "low", "high" */
  readonly names: readonly [string, string];
  /** "low < high" */
  readonly expected: string;
  readonly holds: (a: number, b: number) => boolean;
  /** The same for tensors: true (bool) where it does not hold. */
  readonly broken?: (a: Tensor, b: Tensor) => Tensor;
}

/** The identity on its first input that compares it with its second. @throws naming the first pair that does not fit */
export const relate: Primitive<Relation> = {
  name: "relate",
  type: ([a, b]) => {
    const { shape, dtype } = a as Type;
    if (!sameShape(shape, (b as Type).shape)) {
      fail({ where: "relate", got: `shapes ${show(shape)} and ${show((b as Type).shape)}`, expected: "equal shapes" });
    }
    return { shape, dtype };
  },
  run: ([a, b], { where, names, expected, holds }) => {
    const [x, y] = [elements(a as NDArray), elements(b as NDArray)];
    for (let i = 0; i < x.length; i++) {
      if (holds(x[i] as number, y[i] as number)) continue;
      const at = place(i, (a as NDArray).shape);
      fail({ where, got: `${names[0]}${at} = ${x[i]}, ${names[1]}${at} = ${y[i]}`, expected });
    }
    return a as NDArray;
  },
  needs: "all",
  jvp: ([t]) => t as Tensor | null,
  transpose: (ct) => [ct, null],
  linear: [0],
  batch: (inputs, batched, params, size) => apply(relate, allBatched(inputs, batched, size), params),
  // The second input can only make it throw.
  reads: (_params, _inputs, out) => [pointwise(out.shape), null],
  smooth: "smooth",
  range: ([a]) => a as Interval,
  lower: {
    kind: "check",
    broken: ({ inputs: [a, b], params }) => (params as Relation).broken?.(a as Tensor, b as Tensor) ?? null,
  },
  laws: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
      params: { where: "law", names: ["x", "y"], expected: "numbers", holds: (x, y) => !Number.isNaN(x + y) },
    },
  ],
};

export interface Settled {
  readonly where: string;
  readonly got: string;
  readonly expected: string;
  readonly write: string;
}

/** The identity on its first input, once its second (bool) is false everywhere. @throws where it is not */
export const settled: Primitive<Settled> = {
  name: "settled",
  type: ([a, still]) => {
    const { shape, dtype } = still as Type;
    if (dtype !== "bool" || !sameShape(shape, (a as Type).shape.slice(0, shape.length)))
      fail({
        where: "settled",
        got: `${dtype}${show(shape)} for ${show((a as Type).shape)}`,
        expected: "bool, its first axes",
      });
    return { shape: (a as Type).shape, dtype: (a as Type).dtype };
  },
  run: ([a, still], message) => (elements(still as NDArray).some((x) => x !== 0) ? fail(message) : (a as NDArray)),
  needs: "all",
  // The derivative is checked too: it may be all that is read.
  jvp: ([t], [, still], message) => (t ? apply(settled, [t, still as Tensor], message) : null),
  transpose: (ct, _linear, [, still], message) => [apply(settled, [ct, still as Tensor], message), null],
  linear: [0],
  batch: (inputs, batched, params, size) => apply(settled, allBatched(inputs, batched, size), params),
  // The second input can only make it throw.
  reads: (_params, _inputs, out) => [pointwise(out.shape), null],
  smooth: "smooth",
  range: ([a]) => a as Interval,
  lower: { kind: "check", broken: ({ inputs }) => inputs[1] as Tensor },
  laws: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [2], dtype: "bool", from: [0, 0] }],
      params: { where: "law", got: "a law", expected: "an end", write: "less" },
    },
  ],
};

/** Row-major index of element i, as `[1, 2]`; nothing for a scalar. */
function place(i: number, shape: readonly number[]): string {
  const index: number[] = [];
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(rest % (shape[axis] as number));
    rest = Math.floor(rest / (shape[axis] as number));
  }
  return shape.length === 0 ? "" : `[${index.join(", ")}]`;
}
