import { describe, expect, test } from "vitest";
import { range } from "../../src/base/shape.js";
import { kept, letters, moved, pointwise, whole } from "../../src/graph/reads.js";
import { type AnyPrimitive, apply, type Tensor } from "../../src/graph/tensor.js";
import * as contract from "../../src/primitives/contract.js";
import * as control from "../../src/primitives/control.js";
import * as indexing from "../../src/primitives/indexing.js";
import * as linear from "../../src/primitives/linear.js";
import * as point from "../../src/primitives/pointwise.js";
import * as reduce from "../../src/primitives/reduce.js";
import type { Case } from "./draw.js";
import { derivativeLaw, type Law, pullbackLaw, secondLaw, transposeLaw } from "./lawbook.js";
import { batchLaw, nestedBatchLaw, readsLaw, typeLaw } from "./structure.js";

/** The laws themselves: a primitive with one wrong rule must not pass. */

type Wrong = readonly [what: string, law: Law, primitive: AnyPrimitive];

const [times, negate] = [contract.times, linear.negate];
const first = (tensors: readonly (Tensor | null)[]): Tensor => tensors[0] as Tensor;

function otherFloat(t: Tensor): Tensor {
  return apply(point.cast, [t], { dtype: t.dtype === "float32" ? "float64" : "float32" } as const);
}

const derivatives: Wrong[] = [
  [
    "sin with derivative −cos",
    derivativeLaw,
    { ...point.sin, jvp: ([t], [x]) => (t ? negate(times(t, apply(point.cos, [x as Tensor], null))) : null) },
  ],
  [
    "mul that forgets its second tangent",
    derivativeLaw,
    { ...contract.mul, jvp: ([s], [, b]) => (s ? times(s, b as Tensor) : null) },
  ],
  [
    "div with the wrong sign in the denominator",
    derivativeLaw,
    {
      ...contract.divide,
      jvp: ([s, t], [, b], _p, out) => s ?? (t ? times(out, apply(contract.divide, [t, b as Tensor], null)) : null),
    },
  ],
  ["exp with derivative zero", derivativeLaw, { ...point.exp, jvp: () => null }],
  ["floor with derivative one", derivativeLaw, { ...point.floor, jvp: ([t]) => t as Tensor }],
  [
    "max whose tangent goes to all elements",
    derivativeLaw,
    { ...reduce.max, jvp: ([t], _x, { axes }) => (t ? linear.sumOver(t, axes) : null) },
  ],
  ["a tangent of another dtype", derivativeLaw, { ...point.tanh, jvp: ([t]) => (t ? otherFloat(t) : null) }],
  ["stopGradient with a derivative", derivativeLaw, { ...control.stopGradient, jvp: ([t]) => t as Tensor }],
  ["a box without derivative", derivativeLaw, { ...control.box, jvp: () => null }],
  // Right at first order, where the laws evaluate; its own tangent treats the output as constant.
  [
    "exp with a stopped output",
    secondLaw,
    { ...point.exp, jvp: ([t], _x, _p, out) => (t ? times(t, apply(control.stopGradient, [out], null)) : null) },
  ],
];

const transposes: Wrong[] = [
  [
    "sub that forgets a sign",
    transposeLaw,
    { ...linear.sub, transpose: (ct, which) => which.map((is) => (is ? ct : null)) },
  ],
  ["matmul without swapping", pullbackLaw, { ...contract.matmul, jvp: ([s, t]) => s ?? t ?? null }],
  [
    "cumsum that is its own transpose",
    transposeLaw,
    { ...linear.cumsum, transpose: (ct, _l, _x, params) => [apply(linear.cumsum, [ct], params)] },
  ],
  ["flip that forgets to flip back", transposeLaw, { ...linear.flip, transpose: (ct) => [ct] }],
  [
    "sum that forgets to repeat",
    transposeLaw,
    { ...linear.sum, transpose: (ct, _l, [a]) => [linear.zerosLike(a as Tensor)] },
  ],
  ["slice whose cotangent keeps the small shape", transposeLaw, { ...linear.slice, transpose: (ct) => [ct] }],
  ["exp as linear", transposeLaw, { ...point.exp, linear: "any", transpose: (ct) => [ct] }],
  ["mul linear in both at once", transposeLaw, { ...contract.mul, linear: "any" }],
  ["linear without a rule", transposeLaw, { ...point.exp, linear: "any" }],
];

const batches: Wrong[] = [
  [
    "sum over the axis before",
    batchLaw,
    { ...linear.sum, batch: ([a], _b, params) => apply(linear.sum, [a as Tensor], params) },
  ],
  [
    "cumsum over the batch",
    batchLaw,
    { ...linear.cumsum, batch: ([a], _b, { reverse }) => apply(linear.cumsum, [a as Tensor], { axis: 0, reverse }) },
  ],
  [
    "flip of the batch",
    batchLaw,
    {
      ...linear.flip,
      batch: ([a], _b, { axes }) => apply(linear.flip, [a as Tensor], { axes: [0, ...axes.map((n: number) => n + 1)] }),
    },
  ],
  [
    "argmax off by one axis",
    batchLaw,
    { ...reduce.argmax, batch: ([a], _b, params) => apply(reduce.argmax, [a as Tensor], params) },
  ],
  [
    "add that repeats the first row",
    batchLaw,
    {
      ...linear.add,
      batch: ([a, b], flags, _p, size) =>
        apply(
          linear.add,
          linear.allBatched(
            [flags[0] ? firstRow(a as Tensor) : (a as Tensor), b as Tensor],
            [false, flags[1] as boolean],
            size,
          ),
          null,
        ),
    },
  ],
  [
    "gather that never repeats its table",
    nestedBatchLaw,
    { ...indexing.gather, batch: (inputs, _b, { batch }) => apply(indexing.gather, inputs, { batch }) },
  ],
  // The numbers are right, but the rows go through one reshape that links nothing.
  ["neg through a mixing reshape", batchLaw, { ...linear.neg, batch: ([a]) => detour(a as Tensor) }],
];

function firstRow(a: Tensor): Tensor {
  return linear.reshapeTo(linear.sliceAxis(a, 0, 0, Math.min(1, a.shape[0] as number)), a.shape.slice(1));
}

/** −a by way of sorting nothing: a transposed copy whose reads say "anything". */
function detour(a: Tensor): Tensor {
  const careless: AnyPrimitive = { ...linear.neg, reads: () => [[]] };
  return apply(careless, [a], null);
}

const reads: Wrong[] = [
  [
    "reshape keeps every axis it can name",
    readsLaw,
    {
      ...linear.reshape,
      reads: (_p, [a], out) => [
        letters(
          (a as Tensor).shape,
          range(Math.min((a as Tensor).shape.length, out.shape.length)).map((axis) => [axis, axis] as const),
        ),
      ],
    },
  ],
  [
    "transpose as elementwise",
    readsLaw,
    { ...linear.transpose, reads: (_p, [a]) => [moved((a as Tensor).shape, range((a as Tensor).shape.length))] },
  ],
  [
    "gather keeps the gathered axis",
    readsLaw,
    {
      ...indexing.gather,
      reads: ({ batch }, [a, index]) => [
        pointwise((a as Tensor).shape.slice(0, batch + 1)),
        pointwise((index as Tensor).shape),
      ],
    },
  ],
  ["a comparison reads nothing", readsLaw, { ...point.less, reads: () => [null, null] }],
  ["stopGradient reads nothing", readsLaw, { ...control.stopGradient, reads: () => [null] }],
  ["cumsum as elementwise", readsLaw, { ...linear.cumsum, reads: (_p, [a]) => [pointwise((a as Tensor).shape)] }],
  [
    "reverse cumsum as causal",
    readsLaw,
    {
      ...linear.cumsum,
      reads: (_p, [a]) => [
        [{ in: whole((a as Tensor).shape, 0), out: whole((a as Tensor).shape, 0), step: 1, lo: -Infinity, hi: 0 }],
      ],
    },
  ],
  ["flip as elementwise", readsLaw, { ...linear.flip, reads: (_p, [a]) => [pointwise((a as Tensor).shape)] }],
  [
    "slice without its offset",
    readsLaw,
    {
      ...linear.slice,
      reads: (_p, [a], out) => [
        out.shape.map((_, k) => ({
          in: whole((a as Tensor).shape, k),
          out: whole(out.shape, k),
          step: 1,
          lo: 0,
          hi: 0,
        })),
      ],
    },
  ],
  [
    "sum keeps the summed axis",
    readsLaw,
    {
      ...linear.sum,
      reads: (_p, [a], out) => [
        pointwise((a as Tensor).shape).filter(({ out: o }) => o !== null && o.axis < out.shape.length),
      ],
    },
  ],
  [
    "matmul elementwise in its left operand",
    readsLaw,
    {
      ...contract.matmul,
      reads: (_p, [a, b], out) => [
        pointwise((a as Tensor).shape).map((link) => ({
          ...link,
          out: link.out && { ...link.out, mod: out.shape[link.out.axis] as number },
        })),
        letters((b as Tensor).shape, []),
      ],
    },
  ],
  [
    "others reads its own element only",
    readsLaw,
    { ...control.others, reads: (_p, [a]) => [pointwise((a as Tensor).shape)] },
  ],
  ["one entry too few", readsLaw, { ...linear.add, reads: (_p, _x, out) => [pointwise(out.shape)] }],
];

const types: Wrong[] = [
  [
    "a shape that is not what run gives",
    typeLaw,
    { ...linear.neg, type: ([a]) => ({ shape: [...first([a as Tensor]).shape, 1], dtype: (a as Tensor).dtype }) },
  ],
  [
    "add that checks nothing",
    typeLaw,
    { ...linear.add, type: ([a]) => ({ shape: (a as Tensor).shape, dtype: (a as Tensor).dtype }) },
  ],
  [
    "an error that is no sentence",
    typeLaw,
    {
      ...linear.neg,
      type: () => {
        throw new Error("bad");
      },
    },
  ],
];

describe.each([
  ["jvp", derivatives],
  ["transpose", transposes],
  ["batch", batches],
  ["reads", reads],
  ["types", types],
] as const)("a wrong %s is caught", (_rule, list) => {
  test.each(list)("%s", (_what, law, primitive) => {
    const complaints = (primitive.laws as readonly Case[]).flatMap((lawCase, i) =>
      [0, 1, 2].map((seed) => attempt(() => law(primitive, lawCase, "float64", 10 * i + seed))),
    );
    expect(complaints.some((complaint) => complaint !== null)).toBe(true);
  });
});

/** A rule so wrong that the kernel refuses is caught as well. */
function attempt(body: () => string | null): string | null {
  try {
    return body();
  } catch (error) {
    return String(error);
  }
}
