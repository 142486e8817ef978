import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  avgPool1d,
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  maxPool1d,
  maxPool2d,
  resize,
  type Tensor,
} from "../../src/index.js";
import { dice } from "../primitives/draw.js";
import { eachProduct, flat, type Geometry, placesOf, stream, streamTensor, withGrads, worst } from "./convOracle.js";

/** Convolutions, pooling and resampling against JAX and PyTorch (test/reference/make-conv.py), and against nested loops. */

interface Golden {
  readonly kind: string;
  readonly shapes: readonly (readonly number[])[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly shape: readonly number[];
  readonly value: number;
  readonly grads: readonly number[];
  readonly values?: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL("../reference/conv.json", import.meta.url), "utf8")) as {
  cases: readonly Golden[];
};

type Call = (x: Tensor, second: never, options: object) => Tensor;

const calls: Readonly<Record<string, Call>> = {
  avgPool1d,
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  maxPool1d,
  maxPool2d,
  resize,
};

/** The call of a case on tensors; what comes after x is a tensor, or an option of the reference. */
function called({ kind, options }: Golden): (...args: Tensor[]) => Tensor {
  const f = calls[kind] as Call;
  const { window, size, ...rest } = options;
  return (x, kernel) => f(x, (kernel ?? window ?? size) as never, rest);
}

const dot = (x: Tensor, s: number): number => {
  const weights = stream(x.size, s);
  return flat(x).reduce((total, value, i) => total + value * (weights[i] as number), 0);
};

describe.each([...new Set(cases.map(({ kind }) => kind))])("%s", (kind) => {
  const own = cases.filter((golden) => golden.kind === kind);

  test(`is that of JAX and PyTorch, with its gradients, in ${own.length} cases`, () => {
    for (const golden of own) {
      const { out, grads } = withGrads(
        called(golden),
        golden.shapes.map((shape, k) => streamTensor(shape, k + 1)),
      );
      const sums = [dot(out, 10), ...grads.map((g, k) => dot(g, 11 + k))];
      const what = JSON.stringify([golden.shapes, golden.options]);
      expect(out.shape, what).toEqual(golden.shape);
      expect(worst(sums, [golden.value, ...golden.grads]), what).toBeLessThan(1e-12);
      if (golden.values) expect(worst(flat(out), golden.values), what).toBeLessThan(1e-13);
    }
  });
});

test("the reference has every operation", () => {
  expect([...new Set(cases.map(({ kind }) => kind))].sort()).toEqual(Object.keys(calls).sort());
});

const geometries: Geometry[] = Array.from({ length: 60 }, (_, seed) => {
  const roll = dice(seed);
  const upTo = (n: number): number => 1 + Math.floor(n * roll());
  const groups = upTo(3);
  return {
    n: upTo(2),
    groups,
    channels: groups * upTo(2),
    outputs: groups * upTo(2),
    window: [upTo(3), upTo(4)],
    stride: [upTo(3), upTo(3)],
    dilation: [upTo(2), upTo(3)],
    input: [6 + upTo(3), 9 + upTo(3)],
    padding: [
      [upTo(4) - 1, upTo(4) - 1],
      [upTo(4) - 1, upTo(4) - 1],
    ],
  };
});

/** Shapes of a geometry's operands. */
const shapesOf = (g: Geometry): [number[], number[]] => [
  [g.n, g.channels, ...g.input],
  [g.outputs, g.channels / g.groups, ...g.window],
];

describe("against nested loops, element by element", () => {
  test.each(geometries.map((g) => [JSON.stringify(g), g] as const))("conv2d and its gradients %s", (_name, g) => {
    const [x, k] = shapesOf(g).map((shape, i) => streamTensor(shape, i + 1)) as [Tensor, Tensor];
    const { stride, dilation, groups, padding } = g;
    const { out, grads } = withGrads((a, b) => a.conv2d(b as Tensor, { stride, dilation, groups, padding }), [x, k]);
    const shape = [g.n, g.outputs, ...placesOf(g)];
    const [values, dx, dk] = [out.size, x.size, k.size].map((n) => new Float64Array(n)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [xs, ks, ct] = [stream(x.size, 1), stream(k.size, 2), stream(out.size, 10)];
    eachProduct(g, (o, i, w) => {
      values[o]! += xs[i]! * ks[w]!;
      dx[i]! += ct[o]! * ks[w]!;
      dk[w]! += ct[o]! * xs[i]!;
    });
    expect(out.shape).toEqual(shape);
    expect(worst(flat(out), values)).toBeLessThan(1e-13);
    expect(worst(flat(grads[0] as Tensor), dx)).toBeLessThan(1e-13);
    expect(worst(flat(grads[1] as Tensor), dk)).toBeLessThan(1e-13);
  });

  test("convTranspose2d is the adjoint of conv2d, for every outputPadding that gives the size", () => {
    for (const g of geometries) {
      const [y, k] = [streamTensor([g.n, g.outputs, ...placesOf(g)], 3), streamTensor(shapesOf(g)[1], 2)];
      const left = g.input.map((n, axis) => {
        const [low, high] = g.padding[axis] as readonly [number, number];
        const places = y.shape[axis + 2] as number;
        return n - ((places - 1) * g.stride[axis]! - low - high + g.dilation[axis]! * (g.window[axis]! - 1) + 1);
      });
      if (left.some((n, axis) => n >= Math.max(g.stride[axis]!, g.dilation[axis]!)))
        throw new Error("not a size of it");
      const { stride, dilation, groups, padding } = g;
      const out = y.convTranspose2d(k, { stride, dilation, groups, padding, outputPadding: left });
      const expected = new Float64Array(out.size);
      const [ys, ks] = [stream(y.size, 3), stream(k.size, 2)];
      eachProduct(g, (o, i, w) => {
        expected[i]! += ys[o]! * ks[w]!;
      });
      expect(out.shape).toEqual(shapesOf(g)[0]);
      expect(worst(flat(out), expected)).toBeLessThan(1e-13);
    }
  });
});
