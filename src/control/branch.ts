import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import { Body, bodyInput } from "../graph/body.js";
import type { Tensor, Type } from "../graph/tensor.js";
import { currentRuntime, type Prepared, type Runtime } from "../graph/trace.js";
import { ancestors, substitute } from "../graph/walk.js";
import { elements, type NDArray } from "../kernel/ndarray.js";
import { zerosLike } from "../primitives/linear.js";
import { part, tupleType, tupleValue } from "../primitives/tuple.js";
import { fits } from "./loop.js";
import { sameIn } from "./same.js";

export interface CondParams {
  /** Taken when the condition is true, and when it is false; both have one placeholder per operand and outputs of the same types. */
  readonly branches: readonly [Body, Body];
  /** Grows with the outputs of the branches. */
  readonly parts: Type[];
}

/** Makes a cond; inputs: the condition, then the operands. */
export type MakeCond = (inputs: readonly Tensor[], branches: readonly [Body, Body]) => Tensor;

export function typeOfCond([condition, ...operands]: readonly Type[], { branches, parts }: CondParams): Type {
  const { dtype, shape } = condition as Type;
  if (dtype !== "bool" || shape.length > 0)
    fail({
      where: "cond",
      got: `a condition ${dtype}${show(shape)}`,
      expected: "bool[]",
      write: "where(mask, a, b) to choose element by element",
    });
  for (const { inputs, outputs } of branches) {
    if (inputs.length !== operands.length)
      fail({ where: "cond", got: `${operands.length} operands`, expected: `${inputs.length}` });
    inputs.forEach((inner, k) => {
      fits("cond", operands[k] as Type, inner, `operand ${k}`);
    });
    if (outputs.length !== parts.length)
      fail({ where: "cond", got: `${outputs.length} outputs of a branch`, expected: `${parts.length}` });
    outputs.forEach((output, k) => {
      fits("cond", output, parts[k] as Type, `output ${k} of a branch`);
    });
  }
  return tupleType(parts);
}

const plans = new WeakMap<Body, { runtime: Runtime; wanted: string; step: Prepared }>();

export function runCond(
  [condition, ...operands]: readonly NDArray[],
  params: CondParams,
  wanted: ReadonlySet<number>,
): NDArray {
  const { branches, parts } = params;
  const taken = branches[elements(condition as NDArray)[0] ? 0 : 1];
  const places = [...wanted].sort((a, b) => a - b);
  const results = planOf(taken, places)(operands);
  const found = new Map(places.map((k, i) => [k, results[i] as NDArray]));
  return tupleValue(parts.map((_, k) => found.get(k) as NDArray));
}

function planOf(branch: Body, wanted: readonly number[]): Prepared {
  const now = currentRuntime();
  const runtime = now.interpreter ?? now;
  const key = wanted.join();
  const known = plans.get(branch);
  if (known && known.wanted === key && known.runtime === runtime) return known.step;
  const step = runtime.prepare(
    wanted.map((k) => branch.outputs[k] as Tensor),
    branch.inputs,
  );
  plans.set(branch, { runtime, wanted: key, step });
  return step;
}

/** A node of one branch as one more output; where the other branch is taken it is 0. @returns its part */
export function emitBranch(node: Tensor, which: 0 | 1, inner: Tensor): Tensor {
  const { branches, parts } = node.params as CondParams;
  const [own, other] = [branches[which].outputs, branches[which === 0 ? 1 : 0].outputs];
  const same = sameIn(branches[which], inner);
  const found = own.findIndex((output, k) => output === same && isNothing.has(other[k] as Tensor));
  if (found >= 0) return part(node, found);
  const nothing = zerosLike(inner);
  isNothing.add(nothing);
  own.push(same);
  other.push(nothing);
  parts.push({ shape: inner.shape, dtype: inner.dtype });
  return part(node, parts.length - 1);
}

/** The zeros of the branch that is not taken. */
const isNothing = new WeakSet<Tensor>();

/** The pieces of a branch of a new cond: its nodes that are operands, what stands outside for each, and its outputs. */
export interface Piece {
  readonly operands: ReadonlyMap<Tensor, Tensor>;
  readonly outputs: readonly Tensor[];
}

/** A cond of two pieces; each gets placeholders for all operands of both. Operands that no output uses are left out. */
export function condOf(make: MakeCond, condition: Tensor, pieces: readonly [Piece, Piece]): Tensor {
  const values: Tensor[] = [];
  for (const { operands, outputs } of pieces) {
    const reached = new Set(ancestors(outputs));
    for (const [node, value] of operands) if (reached.has(node) && !values.includes(value)) values.push(value);
  }
  const branch = ({ operands, outputs }: Piece): Body => {
    const holes = values.map((value) => bodyInput(value, "operand"));
    const map = new Map<Tensor, Tensor>();
    for (const [node, value] of operands) {
      const at = values.indexOf(value);
      if (at >= 0) map.set(node, holes[at] as Tensor);
    }
    return new Body(holes, substitute(outputs, map).outputs);
  };
  return make([condition, ...values], [branch(pieces[0]), branch(pieces[1])]);
}
