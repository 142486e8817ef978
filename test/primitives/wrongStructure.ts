import { range } from "../../src/base/shape.js";
import { letters, moved, pointwise, whole } from "../../src/graph/reads.js";
import { type AnyPrimitive, apply, type Tensor } from "../../src/graph/tensor.js";
import * as contract from "../../src/primitives/contract.js";
import * as control from "../../src/primitives/control.js";
import { cumsum } from "../../src/primitives/cumulative.js";
import * as indexing from "../../src/primitives/indexing.js";
import * as linear from "../../src/primitives/linear.js";
import * as point from "../../src/primitives/pointwise.js";
import * as reduce from "../../src/primitives/reduce.js";
import { batchLaw, nestedBatchLaw, readsLaw, typeLaw } from "./structure.js";
import type { Wrong } from "./wrongDerivatives.js";

/** Copies of primitives with one wrong batch, reads or type rule each. */

export const batches: Wrong[] = [
  [
    "sum over the axis before",
    batchLaw,
    { ...linear.sum, batch: ([a], _b, params) => apply(linear.sum, [a as Tensor], params) },
  ],
  [
    "cumsum over the batch",
    batchLaw,
    { ...cumsum, batch: ([a], _b, { reverse }) => apply(cumsum, [a as Tensor], { axis: 0, reverse }) },
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

export const reads: Wrong[] = [
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
  ["cumsum as elementwise", readsLaw, { ...cumsum, reads: (_p, [a]) => [pointwise((a as Tensor).shape)] }],
  [
    "reverse cumsum as causal",
    readsLaw,
    {
      ...cumsum,
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

export const types: Wrong[] = [
  [
    "a shape that is not what run gives",
    typeLaw,
    { ...linear.neg, type: ([a]) => ({ shape: [...(a as Tensor).shape, 1], dtype: (a as Tensor).dtype }) },
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
