import { describe, expect, test } from "vitest";
import type { ReadLink } from "../../src/graph/reads.js";
import { type AnyPrimitive, placeholder, type Type } from "../../src/graph/tensor.js";
import { conv2d, convTranspose1d, ones, resize, type Tensor, tile, upsample, vmap } from "../../src/index.js";
import { conv } from "../../src/primitives/conv.js";
import { windowMax, windowPeaks } from "../../src/primitives/pool.js";
import type { Case } from "../primitives/draw.js";
import { reach } from "../primitives/links.js";
import { readsLaw } from "../primitives/structure.js";
import { eachProduct, type Geometry, placesOf } from "./convOracle.js";

/** Which inputs an output may read: never too few (the law of reads), and here never too many. */

function typesOf({ inputs }: Case): Type[] {
  return inputs.map(({ shape }) => ({ shape, dtype: "float64" }));
}

/** The primitive with one end of one link of its first input moved inwards by one. */
function narrowed(primitive: AnyPrimitive, at: number, end: "lo" | "hi"): AnyPrimitive {
  const move = (link: ReadLink): ReadLink => ({ ...link, [end]: link[end] + (end === "lo" ? 1 : -1) });
  return {
    ...primitive,
    reads: (params, inputs, out, part) =>
      primitive
        .reads(params, inputs, out, part)
        .map((entry, k) => (k > 0 || entry === null ? entry : entry.map((link, i) => (i === at ? move(link) : link)))),
  };
}

describe.each([conv, windowMax, windowPeaks] as AnyPrimitive[])("$name", (primitive) => {
  const full = (primitive.laws as readonly Case[]).filter((lawCase) => {
    const inputs = typesOf(lawCase);
    return [...inputs, primitive.type(inputs, lawCase.params)].every(({ shape }) => !shape.includes(0));
  });

  test.each(full.map((lawCase, i) => [i, lawCase] as const))("no link of case %i could be narrower", (_i, lawCase) => {
    const inputs = typesOf(lawCase);
    const [links] = primitive.reads(lawCase.params, inputs, primitive.type(inputs, lawCase.params), 0);
    const tries = (links ?? []).flatMap((_, at) => (["lo", "hi"] as const).map((end) => narrowed(primitive, at, end)));
    expect(tries.length).toBeGreaterThan(0);
    for (const wrong of tries)
      expect([0, 1, 2, 3].some((seed) => readsLaw(wrong, lawCase, "float64", seed) !== null)).toBe(true);
  });
});

/** For every element of an input the outputs it may reach, sorted. */
function reached(shape: readonly number[], f: (x: Tensor) => Tensor): number[][] {
  const x = placeholder({ shape, dtype: "float32" }, "x");
  return reach(x, f(x)).map((set) => [...set].sort((a, b) => a - b));
}

describe("along whole calls", () => {
  const g: Geometry = {
    n: 2,
    channels: 4,
    outputs: 6,
    groups: 2,
    input: [5, 4],
    window: [3, 2],
    stride: [2, 1],
    dilation: [1, 1],
    padding: [
      [1, 2],
      [0, 1],
    ],
  };
  const { groups, stride, padding } = g;
  const kernel = ones([6, 2, 3, 2]);
  const covering = (): Set<number>[] => {
    const sets = Array.from({ length: 2 * 4 * 20 }, () => new Set<number>());
    eachProduct(g, (o, i) => sets[i]?.add(o));
    return sets;
  };
  const sorted = (sets: Set<number>[]): number[][] => sets.map((set) => [...set].sort((a, b) => a - b));

  test("conv2d: an element reaches the outputs of its example and group whose window covers it, and no other", () => {
    const out = reached([2, 4, 5, 4], (x) => conv2d(x, kernel, { groups, stride, padding }));
    expect(out).toEqual(sorted(covering()));
  });

  test("... under vmap too, of the input, and of input and kernel", () => {
    const one = (x: Tensor): Tensor => conv2d(x, kernel, { groups, stride, padding });
    expect(reached([2, 4, 5, 4], (x) => vmap(one)(x) as Tensor)).toEqual(sorted(covering()));
    const kernels = ones([2, 6, 2, 3, 2]);
    const both = (x: Tensor): Tensor =>
      vmap((a: Tensor, k: Tensor) => conv2d(a, k, { groups, stride, padding }))(x, kernels) as Tensor;
    expect(reached([2, 4, 5, 4], both)).toEqual(sorted(covering()));
  });

  test("conv2d: an element of the kernel reaches its output channel", () => {
    const [height, width] = placesOf(g);
    const per = height * width;
    const out = reached(kernel.shape, (k) => conv2d(ones([1, 4, 5, 4]), k, { groups, stride, padding }));
    const channel = (i: number): number[] => Array.from({ length: per }, (_, p) => Math.floor(i / 12) * per + p);
    expect(out).toEqual(out.map((_, i) => channel(i)));
  });

  test("convTranspose1d: 2 to the place, as far as the window goes", () => {
    const out = reached([1, 1, 3], (x) => convTranspose1d(x, ones([1, 1, 4]), { stride: 2, padding: 1 }));
    expect(out).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3, 4, 5],
      [2, 3, 4, 5],
    ]);
  });

  test("pooling, nearest, repetition: element by element", () => {
    const windows = [[0], [0, 1], [1], [1, 2], [2]];
    expect(reached([5], (x) => x.maxPool1d(3, { stride: 2, padding: 1 }))).toEqual(windows);
    expect(reached([5], (x) => x.avgPool1d(3, { stride: 2, padding: 1 }))).toEqual(windows);
    expect(reached([5], (x) => x.avgPool1d(3, { stride: 2, padding: 1, countIncludePad: false }))).toEqual(windows);
    expect(reached([1, 2, 2], (x) => upsample(x, [2]))).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect(reached([1, 1, 6], (x) => resize(x, [2]))).toEqual([[], [0], [], [], [1], []]);
    expect(reached([2], (x) => x.repeat(3))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(reached([2], (x) => tile(x, 3))).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
  });

  test("linear resampling mixes along its axis only", () => {
    const out = reached([2, 3], (x) => resize(x, [5], { mode: "linear" }));
    expect(out).toEqual([0, 0, 0, 5, 5, 5].map((first) => [0, 1, 2, 3, 4].map((p) => first + p)));
  });
});
