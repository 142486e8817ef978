import type { TypedArray } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import { type Flat, flatten } from "../base/tree.js";
import { asTensor, isTensorLike, type NestedNumbers, type TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";

/** The tree of P with a tensor at every leaf. */
export type TensorTree<P> = P extends Tensor | number | boolean | TypedArray | NestedNumbers
  ? Tensor
  : P extends readonly unknown[]
    ? { [K in keyof P]: TensorTree<P[K]> }
    : P extends object
      ? { [K in keyof P]: TensorTree<P[K]> }
      : Tensor;

/** The gradient has the tree of the parameters. */
export type GradOf<P> = TensorTree<P>;

/** What may be passed where the program says P: at every leaf anything that stands for a tensor. */
export type Like<P> = P extends TensorLike ? TensorLike : { [K in keyof P]: Like<P[K]> };
export type LikeAll<R extends readonly unknown[]> = { [K in keyof R]: Like<R[K]> };

/** The leaves of a tree as tensors, with their paths. */
export function tensorsOf(where: string, tree: unknown): Flat<Tensor> {
  const flat = flatten(where, tree, isTensorLike);
  return { ...flat, leaves: flat.leaves.map((x) => asTensor(x)) };
}

/**
 * The leaves of a tree that goes beside another one, leaf by leaf: tangents of parameters, cotangents of results. Plain numbers take
 * the dtype they meet.
 * @throws where structures differ, naming the tree; or types, naming the leaf
 */
export function beside(where: string, what: string, tree: unknown, of: string, like: Flat<Tensor>): Tensor[] {
  const flat = flatten(where, tree, isTensorLike);
  if (flat.structure !== like.structure)
    fail({ where, got: `${what} of another structure`, expected: `the tree of ${of}` });
  return flat.leaves.map((x, i) => {
    const { dtype, shape } = like.leaves[i] as Tensor;
    const t = asTensor(x, dtype);
    if (t.dtype === dtype && sameShape(t.shape, shape)) return t;
    return fail({
      where,
      got: `${pathName(what, flat.paths[i] as string)} ${t.dtype}${show(t.shape)}`,
      expected: `${dtype}${show(shape)}`,
      write: sameShape(t.shape, shape) ? `x.toDType("${dtype}") there, or ${of} in ${t.dtype}` : undefined,
    });
  });
}

/** A leaf's path behind the name of its argument: `params.W0`. */
export function pathName(argument: string, path: string): string {
  return path === "" ? argument : path.startsWith("[") ? `${argument}${path}` : `${argument}.${path}`;
}

/** The one number a loss must be. @throws with its shape */
export function scalarLoss(where: string, loss: unknown): Tensor {
  if (!isTensorLike(loss))
    fail({ where, got: `${loss === null ? "null" : typeof loss} from the program`, expected: "a scalar loss" });
  const t = asTensor(loss);
  if (t.size !== 1) {
    fail({
      where,
      got: `a loss of shape ${show(t.shape)} per run`,
      expected: "a scalar",
      write: "loss.mean() or loss.sum()",
    });
  }
  return t;
}
