import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { onHost } from "../graph/lowering.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import { dense, type NDArray } from "../kernel/ndarray.js";
import { plus } from "./linear.js";

/**
 * Operations with several results. Such a primitive infers a type with `parts`; its node is a tuple, of which `part(node, k)` are the
 * ordinary tensors. Its rules speak of all parts at once: `jvp` and `batch` answer with `tuple([...])`, `transpose` takes the cotangents
 * of the parts apart with `entries`. A tuple of known parts is only notation: taking a part of it gives that part back, so `pack` never
 * runs.
 */

/** The type of a node with these parts. */
export function tupleType(parts: readonly Type[]): Type {
  return { shape: [], dtype: "bool", parts };
}

/** The value of a node with parts, as `run` returns it. */
export function tupleValue(parts: readonly NDArray[]): NDArray {
  return { ...dense(new Uint8Array(1), "bool", []), parts };
}

interface PackParams {
  readonly parts: readonly Type[];
  /** Which parts the inputs are, in order; the others are zero. */
  readonly places: readonly number[];
}

/** Known parts put together; a part left out is exactly zero (a tangent, a cotangent). */
export const pack: Primitive<PackParams> = {
  name: "pack",
  type: (_inputs, { parts }) => tupleType(parts),
  run: () => fail({ where: "pack", what: "a tuple was run instead of its parts" }),
  needs: "all",
  jvp: (tangents, _inputs, { parts, places }) => {
    const all = parts.map((_, k) => tangents[places.indexOf(k)] ?? null);
    return all.every((t) => t === null) ? null : tuple(all, parts);
  },
  transpose: (ct, linear, _inputs, { places }) => places.map((k, i) => (linear[i] ? (entries(ct)[k] ?? null) : null)),
  linear: "any",
  batch: () => fail({ where: "pack", what: "a tuple was batched instead of its parts" }),
  reads: (_params, inputs) => inputs.map(() => []),
  smooth: "smooth",
  lower: onHost,
  laws: [],
};

/** One part of a tuple. */
export const pick: Primitive<{ readonly index: number }> = {
  name: "part",
  type: ([a], { index }) =>
    (a as Type).parts?.[index] ?? fail({ where: "part", got: `part ${index}`, expected: "a part of the tuple" }),
  run: ([a], { index }) => (a as NDArray).parts?.[index] as NDArray,
  needs: "all",
  jvp: ([t], _inputs, { index }) => (t ? (entries(t)[index] ?? null) : null),
  transpose: (ct, _linear, [a], { index }) => {
    const parts = (a as Tensor).parts as readonly Type[];
    return [
      tuple(
        parts.map((_, k) => (k === index ? ct : null)),
        parts,
      ),
    ];
  },
  linear: "any",
  batch: ([a], _batched, { index }) => part(a as Tensor, index),
  reads: () => [[]],
  smooth: "smooth",
  lower: { kind: "part", index: ({ index }) => index },
  laws: [],
};

/** Part `index` of a tuple. */
export function part(a: Tensor, index: number): Tensor {
  if (a.primitive !== pack) return apply(pick, [a], { index });
  return entries(a)[index] ?? fail({ where: "part", what: `part ${index} of a tuple without it was asked for` });
}

/** All parts of a tuple, as tensors. */
export function partsOf(a: Tensor): Tensor[] {
  return (a.parts as readonly Type[]).map((_, k) => part(a, k));
}

/** Parts put together as one tuple; null: exactly zero. */
export function tuple(parts: readonly (Tensor | null)[], types: readonly Type[]): Tensor {
  const places = parts.flatMap((x, k) => (x === null ? [] : [k]));
  return apply(
    pack,
    parts.filter((x): x is Tensor => x !== null),
    { parts: types, places },
  );
}

/** What a tuple of tangents or cotangents holds, part by part; null: exactly zero. */
export function entries(a: Tensor): (Tensor | null)[] {
  const parts = a.parts as readonly Type[];
  if (a.primitive !== pack) return parts.map((type, k) => (isFloat(type.dtype) ? part(a, k) : null));
  const { places } = a.params as PackParams;
  return parts.map((_, k) => a.inputs[places.indexOf(k)] ?? null);
}

/** The sum of two tangents or cotangents, of tensors or of tuples. */
export function joined(a: Tensor, b: Tensor): Tensor {
  if (!a.parts || !b.parts) return plus(a, b);
  const [x, y] = [entries(a), entries(b)];
  return tuple(
    x.map((left, k) => {
      const right = y[k] ?? null;
      return left && right ? plus(left, right) : (left ?? right);
    }),
    a.parts,
  );
}
