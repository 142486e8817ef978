import { isFloat } from "../../src/base/dtype.js";
import { SamplegradError } from "../../src/base/errors.js";
import { type AnyPrimitive, leaf, smoothness, type Tensor } from "../../src/graph/tensor.js";
import type { NDArray } from "../../src/kernel/ndarray.js";
import { pushTangents } from "../../src/transforms/jvp.js";
import { pullCotangents } from "../../src/transforms/transpose.js";
import * as draws from "./draw.js";
import { applied, type Case, dice, direction, dot, drawAll, type Float, numbersOf, outputOf, shifted } from "./draw.js";

/**
 * The laws of derivatives that every primitive obeys. A law takes one primitive, one of its cases, a precision and a seed, and
 * answers with what is wrong, or null.
 */
export type Law = (primitive: AnyPrimitive, lawCase: Case, float: Float, seed: number) => string | null;

export function firstOf<T>(items: Iterable<T>, law: (item: T) => string | null): string | null {
  for (const item of items) {
    const complaint = law(item);
    if (complaint !== null) return complaint;
  }
  return null;
}

/**
 * Primitives whose derivative is, on purpose, not that of their numbers. For the tangent t of input k alone: the tangent of the
 * output, null for exactly zero, "throws"; undefined where the ordinary law holds.
 */
type Stated = (
  k: number,
  t: readonly number[],
  inputs: readonly NDArray[],
) => readonly number[] | null | "throws" | undefined;
export const stated: Readonly<Record<string, Stated>> = {
  stopGradient: () => null,
  detach: () => null,
  box: (_k, t) => t,
  shadow: (_k, t) => t,
  attach: (k, t, inputs) => (k === 0 ? t.map((x, i) => x * ((inputs[1] as NDArray).data[i] as number)) : null),
  limit: (k, t) => (k === 0 ? t : t.map(() => 0)),
  external: () => "throws",
  igammac: (k) => (k === 0 ? "throws" : undefined),
};

/** Steps and tolerances of finite differences. In float32 a difference can only see gross errors. */
const precision = { float64: { step: 1e-5, tolerance: 1e-6 }, float32: { step: 3e-3, tolerance: 5e-3 } } as const;

function precisionOf(arrays: readonly { dtype: string }[]): Float {
  return arrays.some(({ dtype }) => dtype === "float32") ? "float32" : "float64";
}

export function floatInputs(inputs: readonly { dtype: Tensor["dtype"] }[]): number[] {
  return inputs.flatMap(({ dtype }, k) => (isFloat(dtype) ? [k] : []));
}

function moved(inputs: readonly NDArray[], k: number, v: NDArray, factor: number): NDArray[] {
  return inputs.map((x, i) => (i === k ? shifted(x, v, factor) : x));
}

/** Central differences of `f` along v, compared with what was derived. */
function compare(
  what: string,
  derived: readonly number[],
  f: (factor: number) => readonly number[],
  size: number,
  float: Float,
): string | null {
  const { step, tolerance } = precision[float];
  const [above, here, below] = [f(step), f(0), f(-step)];
  return firstOf(derived.keys(), (i) => {
    const slope = ((above[i] as number) - (below[i] as number)) / (2 * step);
    const got = derived[i] as number;
    const bound = tolerance * Math.max(Math.abs(slope), Math.abs(here[i] as number) / size, 1);
    if (Math.abs(got - slope) <= bound) return null;
    return `${what}[${i}] is ${got}, a finite difference says ${slope}`;
  });
}

/** The tangent of the output when input k alone moves along v. */
function tangentOf(
  primitive: AnyPrimitive,
  inputs: readonly NDArray[],
  params: unknown,
  k: number,
  v: NDArray,
): { out: Tensor; tangent: Tensor | null } {
  const out = applied(primitive, inputs, params);
  const [tangent] = pushTangents([out], [out.inputs[k] as Tensor], [leaf(v)]) as [Tensor | null];
  return { out, tangent };
}

function magnitude(x: NDArray): number {
  return Math.max(1e-3, ...[...x.data].map(Math.abs));
}

/** (a) The jvp is the derivative; where the primitive is piecewise constant it is exactly zero; or what `stated` says. */
export const derivativeLaw: Law = (primitive, { params, ...rest }, float, seed) => {
  const roll = dice(seed);
  const inputs = drawAll({ params, ...rest }, float, roll);
  return firstOf(floatInputs(inputs), (k) => {
    const v = direction(inputs[k] as NDArray, roll);
    const said = stated[primitive.name]?.(k, [...v.data], inputs);
    if (said === "throws") return throwsOn(() => tangentOf(primitive, inputs, params, k, v));
    const { out, tangent } = tangentOf(primitive, inputs, params, k, v);
    if (tangent && (tangent.dtype !== out.dtype || String(tangent.shape) !== String(out.shape))) {
      return `the tangent is ${tangent.dtype}[${tangent.shape}], the output ${out.dtype}[${out.shape}]`;
    }
    if (said !== undefined) return compareExactly(said, tangent);
    const f = (factor: number): number[] => outputOf(primitive, moved(inputs, k, v, factor), params);
    if (smoothness(primitive, k) === "jump" && tangent !== null) return `input ${k} is a jump, and has a tangent`;
    if (tangent === null)
      return String(f(1e-5)) === String(f(-1e-5)) ? null : "the tangent is zero but the numbers move";
    return compare(
      `tangent of input ${k}`,
      numbersOf(tangent),
      f,
      magnitude(inputs[k] as NDArray),
      precisionOf([...inputs, out]),
    );
  });
};

function throwsOn(body: () => unknown): string | null {
  try {
    body();
  } catch (error) {
    return error instanceof SamplegradError ? null : `threw ${error}`;
  }
  return "did not throw";
}

function compareExactly(said: readonly number[] | null, tangent: Tensor | null): string | null {
  if (said === null) return tangent === null ? null : "a derivative where there should be none";
  return firstOf(numbersOf(tangent, said.length).entries(), ([i, t]) =>
    close(`tangent[${i}] against what is stated`, t, said[i] as number, precisionOf(tangent ? [tangent] : [])),
  );
}

/** (e) The derivative of the tangent is the difference of tangents. */
export const secondLaw: Law = (primitive, { params, ...rest }, float, seed) => {
  if (primitive.name in stated) return null;
  const roll = dice(seed);
  const inputs = drawAll({ params, ...rest }, float, roll);
  const floats = floatInputs(inputs);
  return firstOf(
    floats.flatMap((k) => floats.map((j) => [k, j] as const)),
    ([k, j]) => {
      const [v, u] = [direction(inputs[k] as NDArray, roll), direction(inputs[j] as NDArray, roll)];
      const { out, tangent } = tangentOf(primitive, inputs, params, k, v);
      if (tangent === null) return null;
      const [second] = pushTangents([tangent], [out.inputs[j] as Tensor], [leaf(u)]) as [Tensor | null];
      const f = (factor: number): number[] =>
        numbersOf(tangentOf(primitive, moved(inputs, j, u, factor), params, k, v).tangent, out.size);
      return compare(
        `second tangent of inputs ${k}, ${j}`,
        numbersOf(second, out.size),
        f,
        magnitude(inputs[j] as NDArray),
        precisionOf([...inputs, out]),
      );
    },
  );
};

function close(what: string, a: number, b: number, float: Float): string | null {
  const tolerance = float === "float64" ? 1e-11 : 1e-4;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b)) ? null : `${what}: ${a} against ${b}`;
}

/** (b) ⟨Jv, w⟩ = ⟨v, Jᵀw⟩ through linearise and transpose, for every subset of the inputs. */
export const pullbackLaw: Law = (primitive, { params, ...rest }, float, seed) => {
  const roll = dice(seed);
  const inputs = drawAll({ params, ...rest }, float, roll);
  const out = applied(primitive, inputs, params);
  const tried = floatInputs(inputs).filter((k) => stated[primitive.name]?.(k, [], inputs) !== "throws");
  if (!isFloat(out.dtype)) return null;
  return firstOf(draws.subsets(tried.length), (chosen) => {
    const nodes = tried.filter((_, i) => chosen[i]).map((k) => out.inputs[k] as Tensor);
    const along = nodes.map((node) => direction(node, roll));
    const w = direction(out, roll);
    const [tangent] = pushTangents([out], nodes, along.map(leaf)) as [Tensor | null];
    const pulled = pullCotangents([out], nodes, [leaf(w)]);
    const right = pulled.map((ct, i) => dot(numbersOf(ct, nodes[i]?.size), (along[i] as NDArray).data));
    return (
      shapesOf(pulled, nodes) ??
      close(
        "⟨Jv,w⟩ against ⟨v,Jᵀw⟩",
        dot(numbersOf(tangent, out.size), w.data),
        sum(right),
        precisionOf([...inputs, out]),
      )
    );
  });
};

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

function shapesOf(cotangents: readonly (Tensor | null | undefined)[], nodes: readonly Tensor[]): string | null {
  return firstOf(cotangents.entries(), ([i, ct]) => {
    const node = nodes[i] as Tensor;
    if (!ct || (ct.dtype === node.dtype && String(ct.shape) === String(node.shape))) return null;
    return `a cotangent ${ct.dtype}[${ct.shape}] of an input ${node.dtype}[${node.shape}]`;
  });
}

/** Which sets of inputs the primitive says it is linear in, jointly. */
function linearSets({ linear }: AnyPrimitive, inputs: readonly NDArray[]): boolean[][] {
  const floats = floatInputs(inputs);
  return draws.subsets(inputs.length).filter((set) => {
    const members = [...set.keys()].filter((k) => set[k]);
    if (!members.every((k) => floats.includes(k))) return false;
    return linear === "any" || (linear === "one" ? members.length === 1 : members.every((k) => linear.includes(k)));
  });
}

/** (b) The transpose rule itself, for every set of inputs that may carry the unknown; and that the primitive is linear in it. */
export const transposeLaw: Law = (primitive, { params, ...rest }, float, seed) => {
  // What a loop or a branch is linear in is up to its body: the law of pulling back asks it.
  if (/^(scan|cond)\b/.test(primitive.name)) return null;
  if ((primitive.transpose === null) !== (Array.isArray(primitive.linear) && primitive.linear.length === 0))
    return "linear and transpose disagree";
  const roll = dice(seed);
  const inputs = drawAll({ params, ...rest }, float, roll);
  const kind = precisionOf([...inputs, applied(primitive, inputs, params)]);
  return firstOf(primitive.transpose === null ? [] : linearSets(primitive, inputs), (set) => {
    const at = (v: readonly NDArray[]): number[] =>
      outputOf(
        primitive,
        inputs.map((x, k) => (set[k] ? (v[k] as NDArray) : x)),
        params,
      );
    const none = at(inputs.map(draws.zeros));
    const part = (v: readonly NDArray[]): number[] => at(v).map((y, i) => y - (none[i] as number));
    const [v, u] = [inputs.map((x) => direction(x, roll)), inputs.map((x) => direction(x, roll))];
    const out = applied(primitive, inputs, params);
    const w = direction(out, roll);
    const both = dot(part(v.map((x, k) => shifted(x, u[k] as NDArray, 1))), w.data);
    const shares = primitive.transpose?.(leaf(w), set, out.inputs, params) ?? [];
    const right = shares.map((ct, k) =>
      set[k] ? dot(numbersOf(ct, inputs[k]?.data.length), (v[k] as NDArray).data) : 0,
    );
    return (
      shapesOf(shares, out.inputs) ??
      close("f(u + v) against f(u) + f(v)", both, dot(part(v), w.data) + dot(part(u), w.data), kind) ??
      close(`transpose of inputs ${set}`, dot(part(v), w.data), sum(right), kind)
    );
  });
};
