import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { stack, type Tensor } from "../../src/index.js";
import { checkDerivatives, checkValue, type Inputs, reference } from "./arrays.js";

/** The array functions against numpy and JAX: values, gradients, Hessians. Each entry of the file has one here. */

type Table = { readonly [name: string]: (inputs: Inputs) => Tensor };

const x = (inputs: Inputs): Tensor => inputs["x"] as Tensor;
const two =
  (f: (a: Tensor, b: Tensor) => Tensor, a = "a", b = "b") =>
  (inputs: Inputs): Tensor =>
    f(inputs[a] as Tensor, inputs[b] as Tensor);
const starts = [
  [1, 0],
  [-2, 1],
  [9, -9],
];
const both = ({ re, im }: sg.Complex): Tensor => stack([re, im]);
const pair = (inputs: Inputs): sg.Complex => inputs as unknown as sg.Complex;

const derivatives: Table = {
  sort: (v) => sg.sort(x(v)),
  "sort falling on axis 0": (v) => x(v).sort(0, { descending: true }),
  "sort with ties": (v) => x(v).sort(),
  topK: (v) => x(v).topK(2)[0],
  "median of an odd number": (v) => sg.median(x(v), 0),
  "median of all": (v) => x(v).median(),
  quantile: (v) => sg.quantile(x(v), [0, 0.1, 0.75, 1], 1),
  "quantile of two axes": (v) => sg.quantile(x(v), 0.3, { axis: [0, -1], keepDims: true }),
  cumprod: (v) => sg.cumprod(x(v), 1),
  "cumprod with a zero": (v) => x(v).cumprod(),
  "cumprod with two zeros": (v) => x(v).cumprod(),
  "cumprod from the back": (v) => x(v).cumprod(0, { reverse: true }),
  cummax: (v) => sg.cummax(x(v)),
  "cummin from the back": (v) => x(v).cummin(0, { reverse: true }),
  cumlogsumexp: (v) => sg.cumlogsumexp(x(v)),
  "cumlogsumexp from the back": (v) => x(v).cumlogsumexp(-2, { reverse: true }),
  prod: (v) => sg.prod(x(v), 1),
  "prod with zeros": (v) => x(v).prod(-1),
  "prod of two axes": (v) => x(v).prod([0, 2]),
  "linearRecurrence from the back": two((a, b) => sg.linearRecurrence(a, b, 0, { reverse: true })),
  takeAlongAxis: two((a, i) => sg.takeAlongAxis(a, i, 1), "x", "I"),
  "takeAlongAxis broadcast": two((a, i) => a.takeAlongAxis(i, 0), "x", "I"),
  putAlongAxis: (v) => sg.putAlongAxis(x(v), v["I"] as Tensor, v["v"] as Tensor, 1),
  "putAlongAxis accumulating": (v) => x(v).putAlongAxis(v["I"] as Tensor, v["v"] as Tensor, -1, { accumulate: true }),
  scatterAdd: (v) => sg.scatterAdd(x(v), v["I"] as Tensor, v["u"] as Tensor, 1),
  scatterSet: (v) => x(v).scatterSet(v["I"] as Tensor, v["u"] as Tensor),
  ...Object.fromEntries(
    starts.flatMap((s) => [
      [`dynamicSlice at [${s.join(", ")}]`, (v: Inputs) => sg.dynamicSlice(x(v), v["S"] as Tensor, [2, 2])],
      [`dynamicUpdateSlice at [${s.join(", ")}]`, (v: Inputs) => x(v).dynamicUpdateSlice(v["u"] as Tensor, s)],
    ]),
  ),
  "pad with a number": (v) =>
    sg.pad(
      x(v),
      [
        [1, 0],
        [2, 1],
      ],
      { value: 0.5 },
    ),
  "pad with edges": (v) =>
    x(v).pad(
      [
        [1, 0],
        [2, 1],
      ],
      { mode: "edge" },
    ),
  "pad with images": (v) =>
    x(v).pad(
      [
        [1, 0],
        [2, 1],
      ],
      { mode: "reflect" },
    ),
  roll: (v) => sg.roll(x(v), [1, -2], [0, 1]),
  "roll of all": (v) => x(v).roll(4),
  linspace: two((a, b) => sg.linspace(a, b, 4)),
  "linspace without the end": two((a, b) => sg.linspace(a, b, 4, { endpoint: false })),
  "fft of two axes": (v) => both(sg.fft(pair(v), [0, 1])),
  "rfft of two axes": (v) => both(x(v).rfft([0, 1])),
  "irfft of two axes": (v) => sg.irfft(pair(v), 4, [0, 1]),
  ...Object.fromEntries(
    [6, 7].flatMap((n) => [
      [`fft of ${n}`, (v: Inputs) => both(sg.fft(pair(v)))],
      [`ifft of ${n} on axis 0`, (v: Inputs) => both(sg.ifft(pair(v), 0))],
      [`rfft of ${n}`, (v: Inputs) => both(sg.rfft(x(v)))],
      [`irfft to ${n}`, (v: Inputs) => sg.irfft(pair(v), n)],
    ]),
  ),
  remainder: two(sg.remainder),
};

const { bitAnd, bitOr, bitXor, floorDivide, remainder } = sg;
const binary = { bitAnd, bitOr, bitXor, floorDivide, remainder };
const values: Table = {
  argsort: (v) => sg.argsort(x(v)),
  "argsort of whole numbers": (v) => x(v).argsort(0),
  "sort of odd numbers": (v) => sg.sort(x(v)),
  "searchsorted left": two((a, b) => sg.searchsorted(a, b), "x", "v"),
  "searchsorted right": two((a, b) => a.searchsorted(b, { side: "right" }), "x", "v"),
  "meshgrid xy": (v) => stack(sg.meshgrid(Object.values(v))),
  "meshgrid ij": (v) => stack(sg.meshgrid(Object.values(v), { indexing: "ij" })),
  select: (v) => sg.select([v["p"] as Tensor, v["q"] as Tensor], [v["a"] as Tensor, v["b"] as Tensor], 7),
  ...Object.fromEntries(
    ["int32", "uint32"].flatMap((dtype) => [
      ...Object.entries(binary).map(([name, f]) => [`${name} ${dtype}`, two(f)] as const),
      [`bitNot ${dtype}`, (v: Inputs) => sg.bitNot(v["a"] as Tensor)] as const,
      [`populationCount ${dtype}`, (v: Inputs) => sg.populationCount(v["a"] as Tensor)] as const,
      [`shiftLeft ${dtype}`, two(sg.shiftLeft, "a", "n")] as const,
      [`shiftRight ${dtype}`, two(sg.shiftRight, "a", "n")] as const,
    ]),
  ),
  "floorDivide floats": two(sg.floorDivide),
  "remainder floats": two(sg.remainder),
  tensordot: two((a, b) => sg.tensordot(a, b)),
  "tensordot of listed axes": two(
    (a, c) =>
      a.tensordot(c, [
        [0, -1],
        [1, 0],
      ]),
    "a",
    "c",
  ),
  "tensordot of none": two((a, b) => sg.tensordot(a, b, 0)),
  inner: two(sg.inner),
  vdot: two(sg.vdot),
};

describe("as JAX has it, with gradient and Hessian", () => {
  test.each(Object.keys(reference.derivatives))("%s", (name) => {
    checkDerivatives(name, derivatives[name] as (inputs: Inputs) => Tensor);
  });
});

describe("as numpy has it", () => {
  test.each(Object.keys(reference.values))("%s", (name) => {
    checkValue(name, values[name] as (inputs: Inputs) => Tensor, /dot|inner/.test(name) ? 1e-14 : 0);
  });
});

test("the file has an entry for each here, and no other", () => {
  expect(Object.keys(derivatives).sort()).toEqual(Object.keys(reference.derivatives).sort());
  expect(Object.keys(values).sort()).toEqual(Object.keys(reference.values).sort());
});
