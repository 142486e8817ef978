import type { DType } from "../base/dtype.js";
import { range } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import { arange } from "../graph/leaves.js";
import { asIs } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { type AxisName, apply, type Primitive, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";
import { gather } from "../primitives/indexing.js";
import { allBatched, broadcastTo, reshapeTo, zerosLike } from "../primitives/linear.js";
import { convert, not, where } from "../primitives/pointwise.js";
import { argmax, max } from "../primitives/reduce.js";
import { part, tuple } from "../primitives/tuple.js";
import { batchAll, batchGraph } from "../transforms/vmap.js";
import { type CondParams, condOf, type MakeCond, type Piece } from "./branch.js";

export function batchedCond(make: MakeCond): Primitive<CondParams>["batch"] {
  return (inputs, batched, params, size, axisName) =>
    batched[0]
      ? byLane(make, inputs, batched, params, size, axisName)
      : together(make, inputs, batched, params, size, axisName);
}

/** One condition for all lanes: the branches are batched. */
function together(
  make: MakeCond,
  [condition, ...operands]: readonly Tensor[],
  [, ...batched]: readonly boolean[],
  { branches, parts }: CondParams,
  size: number,
  axisName: AxisName | null,
): Tensor {
  const sides = branches.map(({ inputs, outputs }) => {
    const holes = inputs.map((x, k) =>
      batched[k] ? placeholder({ shape: [size, ...x.shape], dtype: x.dtype }, "operand") : x,
    );
    const own = (list: readonly Tensor[]): Tensor[] => list.filter((_, k) => batched[k]);
    return { holes, ...batchGraph(outputs, own(inputs), own(holes), size, axisName) };
  });
  const wide = parts.map((_, k) => sides.some((side) => side.batched[k]));
  const pieces = sides.map(({ holes, outputs, batched: has }): Piece => {
    const operandsOf = new Map(holes.map((hole, k) => [hole, operands[k] as Tensor]));
    const done = outputs.map((node, k) => (wide[k] && !has[k] ? broadcastTo(node, [size, ...node.shape]) : node));
    return { operands: operandsOf, outputs: done };
  });
  const made = condOf(make, condition as Tensor, pieces as [Piece, Piece]);
  return tuple(
    parts.map(({ shape }, k) => (wide[k] ? part(made, k) : broadcastTo(part(made, k), [size, ...shape]))),
    parts.map(({ shape, dtype }) => ({ shape: [size, ...shape], dtype })),
  );
}

/**
 * A cond whose condition differs between lanes: each branch runs once for all lanes if any lane takes it, and lanes choose. A lane that
 * does not take a branch lends it the operands of one that does, so that the branch never sees what the condition guards it from: a
 * number it could not bear would make the derivative NaN, though its result is not chosen.
 */
function byLane(
  make: MakeCond,
  inputs: readonly Tensor[],
  batched: readonly boolean[],
  params: CondParams,
  size: number,
  axisName: AxisName | null,
): Tensor {
  const [condition, ...operands] = allBatched(inputs, batched, size) as [Tensor, ...Tensor[]];
  const takes = [condition, apply(not, [condition], null)] as const;
  const sides = takes.map((mask, b) => {
    const lent = operands.map((x) => apply(lanewise, [lend(x, mask, size), x, condition], { axis: 0 }));
    const any = apply(lanewise, [anyOf(mask)], { axis: 0 });
    return branchOf(make, params, b as 0 | 1, any, lent, size, axisName);
  });
  const types = params.parts.map(({ shape, dtype }): Type => ({ shape: [size, ...shape], dtype }));
  return tuple(
    types.map((type, k) => {
      const mask = broadcastTo(reshapeTo(condition, [size, ...type.shape.slice(1).map(() => 1)]), type.shape);
      return apply(where, [mask, part(sides[0] as Tensor, k), part(sides[1] as Tensor, k)], null);
    }),
    types,
  );
}

/**
 * The identity on its first input, with the promise that in what is shown of it row i of `axis` depends on row i of the other inputs alone:
 * what lanes lend each other, and whether any lane takes a branch, does not show in a lane that takes it, nor in one that does not. An
 * access declaration of the operations in between cannot say so. It stands before the branch, so that the choices in the branch are seen.
 */
export const lanewise: Primitive<{ readonly axis: number }> = {
  name: "lanewise",
  type: ([a]) => ({ shape: (a as Type).shape, dtype: (a as Type).dtype }),
  run: ([a]) => a as NDArray,
  needs: [0],
  jvp: ([t]) => t as Tensor | null,
  transpose: (ct, linear) => linear.map((_, k) => (k === 0 ? ct : null)),
  linear: [0],
  batch: (inputs, batched, { axis }, size) => apply(lanewise, allBatched(inputs, batched, size), { axis: axis + 1 }),
  reads: ({ axis }, inputs) => [null, ...inputs.slice(1).map(({ shape }) => leading(shape, axis + 1))],
  smooth: "smooth",
  range: ([a]) => a as Interval,
  lower: asIs,
  laws: [{ inputs: [{ shape: [2, 3] }, { shape: [2] }], params: { axis: 0 } }],
};

/** The rows of x, but for lanes that are not in `mask` the row of the first that is. */
function lend(x: Tensor, mask: Tensor, size: number): Tensor {
  if (size === 0) return x;
  const first = broadcastTo(reshapeTo(apply(argmax, [toDType(mask, "int32")], { axis: 0 }), [1]), [size]);
  const own = arange(size, { dtype: "int32" });
  return apply(gather, [x, apply(where, [mask, own, first], null)], { batch: 0 });
}

function toDType(x: Tensor, dtype: DType): Tensor {
  return apply(convert, [x], { dtype });
}

function anyOf(mask: Tensor): Tensor {
  if (mask.size === 0) return reshapeTo(zerosLike({ shape: [1], dtype: "bool" }), []);
  const most = apply(max, [toDType(mask, "int32")], { axes: range(mask.rank) });
  return toDType(most, "bool");
}

/** One branch over all lanes, run only if some lane takes it; zeros otherwise. */
function branchOf(
  make: MakeCond,
  { branches, parts }: CondParams,
  which: 0 | 1,
  taken: Tensor,
  operands: readonly Tensor[],
  size: number,
  axisName: AxisName | null,
): Tensor {
  const { inputs, outputs } = branches[which];
  const holes = operands.map((x) => placeholder(x, "operand"));
  const run: Piece = {
    operands: new Map(holes.map((hole, k) => [hole, operands[k] as Tensor])),
    outputs: batchAll(outputs, inputs, holes, size, axisName),
  };
  const skip: Piece = {
    operands: new Map(),
    outputs: parts.map(({ shape, dtype }) => zerosLike({ shape: [size, ...shape], dtype })),
  };
  return condOf(make, taken, [run, skip]);
}
