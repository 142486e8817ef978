import type { TreeShape } from "../base/tree.js";
import { asTensor, isTensorLike } from "../graph/leaves.js";
import { isTensor, type Type } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";
import type { tensorsOf } from "./trees.js";

/** The structures of the arguments of a call, and the types of all their leaves. */
export interface CallType {
  readonly trees: readonly TreeShape[];
  readonly leaves: readonly Type[];
  /** Of each argument its first leaf and the one after its last. */
  readonly ranges: readonly (readonly [number, number])[];
}

export function callType(trees: readonly ReturnType<typeof tensorsOf>[]): CallType {
  // Not the leaves themselves: their numbers would live as long as the cache.
  const leaves = trees.flatMap((tree) => tree.leaves.map(({ shape, dtype }) => ({ shape, dtype })));
  let at = 0;
  const ranges = trees.map(({ leaves: own }): readonly [number, number] => {
    at += own.length;
    return [at - own.length, at];
  });
  return { trees: trees.map((tree) => tree.shape), leaves, ranges };
}

/**
 * The numbers of the leaves of `args`, if they are of this type and known; null sends the caller the long way, which finds out what is
 * otherwise and says so. Most calls of a program are like the one before: this recognises them without a signature in words.
 */
export function numbersLike({ trees, leaves }: CallType, args: readonly unknown[]): NDArray[] | null {
  const out: NDArray[] = [];
  for (let i = 0; i < trees.length; i++) if (!take(trees[i] as TreeShape, args[i], leaves, out)) return null;
  return out;
}

function take(shape: TreeShape, tree: unknown, types: readonly Type[], out: NDArray[]): boolean {
  if (shape.kind === "leaf") {
    const found = numbersOf(tree, types[out.length] as Type);
    if (found !== null) out.push(found);
    return found !== null;
  }
  if (typeof tree !== "object" || tree === null) return false;
  const { children } = shape;
  if (shape.kind === "array") {
    // An array of numbers alone is one leaf.
    if (!Array.isArray(tree) || tree.length !== children.length || isTensorLike(tree)) return false;
    for (let i = 0; i < children.length; i++) if (!take(children[i] as TreeShape, tree[i], types, out)) return false;
    return true;
  }
  const prototype = Object.getPrototypeOf(tree);
  if (prototype !== Object.prototype && prototype !== null) return false;
  let i = 0;
  // In the order of insertion, as `flatten` goes.
  for (const key in tree) {
    if (key !== shape.keys[i]) return false;
    if (!take(children[i++] as TreeShape, (tree as Record<string, unknown>)[key], types, out)) return false;
  }
  return i === children.length;
}

const scalar: readonly number[] = [];

function numbersOf(x: unknown, { shape, dtype }: Type): NDArray | null {
  if (typeof x === "number") {
    if (dtype !== "float32" || shape.length > 0) return null;
    // A new array at each call: results may be views of it, and error bars are computed later.
    const data = new Float32Array(1);
    data[0] = x;
    return { data, dtype, shape: scalar, strides: scalar, offset: 0 };
  }
  if (!isTensor(x) && !isTensorLike(x)) return null;
  const t = asTensor(x);
  return t.dtype === dtype && alike(t.shape, shape) ? t.value : null;
}

function alike(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
