import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { normalAxes, type Shape, sameShape, show } from "../base/shape.js";
import type { Type } from "../graph/tensor.js";

/** What the type rules of several entries ask of their inputs. Each throws a sentence or answers with the type. */

function shown({ dtype, shape }: Type): string {
  return `${dtype}${show(shape)}`;
}

/** Two inputs of one type. */
export function pair(where: string, a: Type, b: Type): Type {
  if (!sameShape(a.shape, b.shape) || a.dtype !== b.dtype) {
    fail({ where, got: `${shown(a)} and ${shown(b)}`, expected: "equal types" });
  }
  return { shape: a.shape, dtype: a.dtype };
}

export function floats(where: string, a: Type): Type {
  if (!isFloat(a.dtype)) fail({ where, got: shown(a), expected: "float32 or float64" });
  return { shape: a.shape, dtype: a.dtype };
}

export function truths(where: string, a: Type): Type {
  if (a.dtype !== "bool") fail({ where, got: shown(a), expected: "bool" });
  return { shape: a.shape, dtype: a.dtype };
}

/** An index into an axis. */
export function places(where: string, index: Type): Type {
  if (index.dtype === "int32" || index.dtype === "uint32") return index;
  return fail({ where, got: `an index ${shown(index)}`, expected: "int32 or uint32" });
}

/** One whole number of at least 0 for every axis. */
export function perAxis(where: string, shape: Shape, ...lists: readonly (readonly number[])[]): void {
  for (const list of lists) {
    if (list.length === shape.length && list.every((n) => Number.isInteger(n) && n >= 0)) continue;
    fail({ where, got: `${show(list)} for ${show(shape)}`, expected: "one whole number of at least 0 per axis" });
  }
}

/** The shape without `axes`. @throws on an axis that is not there, or twice */
export function dropAxes(where: string, shape: Shape, axes: readonly number[]): number[] {
  const gone = normalAxes(where, axes, shape.length);
  return shape.filter((_, axis) => !gone.includes(axis));
}
