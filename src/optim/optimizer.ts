import { fail } from "../base/errors.js";
import { flatten } from "../base/tree.js";
import { asTensor, constant, isTensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import { external } from "../primitives/external.js";
import { zerosLike } from "../primitives/linear.js";
import { compiled } from "../runtime/compile.js";
import { add, toDType } from "../tensor/elementwise.js";
import type { Like, TensorTree } from "../transforms/trees.js";

/** A number, or a number for each step; steps count from 1. */
export type LearningRate = number | ((step: number) => number);

/** What an optimizer remembers, a tree of tensors: it can be an argument and a result of `compile`, or be written to a file. */
export interface OptimizerState<P> {
  /** int32 scalar: updates made so far. */
  readonly step: Tensor;
  /** Running averages, each a tree like the parameters: none, [velocity], or [mean, square]. */
  readonly averages: readonly TensorTree<P>[];
}

/**
 * A pair of pure functions over trees of parameters. Called with numbers they return numbers, by a step compiled at the first
 * call, so a training loop does not grow a graph; inside a transform they are part of its graph.
 */
export interface Optimizer {
  readonly name: string;
  init<P>(params: Like<P>): OptimizerState<P>;
  /** One step against `grads`, a tree like `params`. @throws where the trees differ */
  update<P>(
    grads: Like<P>,
    state: OptimizerState<P>,
    params: Like<P>,
  ): { params: TensorTree<P>; state: OptimizerState<P> };
}

/** One leaf at one step; `rate` and `step` are scalars of the leaf's dtype. */
export interface Leaf {
  readonly param: Tensor;
  readonly grad: Tensor;
  readonly averages: readonly Tensor[];
  readonly rate: Tensor;
  readonly step: Tensor;
}

export interface Moved {
  readonly param: Tensor;
  readonly averages: readonly Tensor[];
}

export interface Rule {
  readonly name: string;
  readonly learningRate: LearningRate;
  /** How many averages the rule keeps of each leaf; they start at 0. */
  readonly averages: number;
  readonly move: (leaf: Leaf) => Moved;
}

/** An optimizer from what it does to one leaf. */
export function optimizer(rule: Rule): Optimizer {
  const { name, averages } = rule;
  const graph = (grads: unknown, state: OptimizerState<unknown>, params: unknown): Updated =>
    updated(rule, grads, state, params);
  const compute = compiled(name, graph) as typeof graph;
  return {
    name,
    init: <P>(params: Like<P>): OptimizerState<P> => {
      const { leaves, rebuild } = treeOf(name, params);
      const zeros = (): TensorTree<P> => rebuild(leaves.map(zerosLike)) as TensorTree<P>;
      return { step: constant(0, "int32"), averages: Array.from({ length: averages }, zeros) };
    },
    update: <P>(grads: Like<P>, state: OptimizerState<P>, params: Like<P>) =>
      (insideTransform() ? graph : compute)(grads, state, params) as {
        params: TensorTree<P>;
        state: OptimizerState<P>;
      },
  };
}

interface Updated {
  readonly params: unknown;
  readonly state: { readonly step: Tensor; readonly averages: readonly unknown[] };
}

/** The graph of one step. */
function updated(
  { name, learningRate, move }: Rule,
  grads: unknown,
  state: OptimizerState<unknown>,
  params: unknown,
): Updated {
  const { leaves, rebuild } = matched(name, params, "params", params);
  const slopes = matched(name, grads, "grads", params).leaves;
  const kept = state.averages.map((tree) => matched(name, tree, "state", params).leaves);
  const step = add(state.step, 1);
  const rate = rateAt(learningRate, step);
  const moved = leaves.map((param, i) => {
    const { dtype } = param;
    return move({
      param,
      grad: toDType(slopes[i] as Tensor, dtype),
      averages: kept.map((list) => list[i] as Tensor),
      rate: toDType(rate, dtype),
      step: toDType(step, dtype),
    });
  });
  return {
    params: rebuild(moved.map((m) => m.param)),
    state: { step, averages: kept.map((_, k) => rebuild(moved.map((m) => m.averages[k]))) },
  };
}

/** The rate of a step [] float64. A schedule is a black box, so that it sees a number inside `compile` too. */
function rateAt(learningRate: LearningRate, step: Tensor): Tensor {
  if (typeof learningRate === "number") return constant(learningRate, "float64");
  const fn = (at: { readonly data: ArrayLike<number> }): number => learningRate(at.data[0] as number);
  const params = { fn, name: "learningRate", shape: [], dtype: "float64" as const, maps: 0, outer: [], chained: false };
  return apply(external, [step], params);
}

function treeOf(
  where: string,
  tree: unknown,
): { leaves: Tensor[]; rebuild: (leaves: readonly unknown[]) => unknown; structure: string } {
  const flat = flatten(where, tree, isTensorLike);
  return { leaves: flat.leaves.map((x) => asTensor(x)), rebuild: flat.rebuild, structure: flat.structure };
}

function matched(where: string, tree: unknown, what: string, params: unknown): ReturnType<typeof treeOf> {
  const [found, wanted] = [treeOf(where, tree), treeOf(where, params)];
  if (found.structure !== wanted.structure)
    fail({ where, got: `${what} of another structure`, expected: "the tree of params" });
  found.leaves.forEach(({ shape }, i) => {
    const expected = (wanted.leaves[i] as Tensor).shape;
    if (String(shape) !== String(expected))
      fail({
        where,
        got: `${what} with a leaf [${shape.join(", ")}]`,
        expected: `[${expected.join(", ")}], as in params`,
      });
  });
  return found;
}
