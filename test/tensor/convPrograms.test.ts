import { describe, expect, test } from "vitest";
import {
  avgPool1d,
  Bernoulli,
  compile,
  conv1d,
  conv2d,
  convTranspose1d,
  enumerate,
  expectation,
  grad,
  hessian,
  maxPool1d,
  maxPool2d,
  ones,
  resize,
  sample,
  type Tensor,
  tensor,
  vmap,
} from "../../src/index.js";
import { flat, streamTensor, worst } from "./convOracle.js";

/** Convolutions and pooling inside programs: derivatives of every order, vmap, compile, other dtypes, edges. */

const f64 = { dtype: "float64" } as const;

/** Central differences of f: the slope by every element of x, for as many outputs as f has. */
function differences(f: (x: Tensor) => Tensor, x: Tensor, step = 1e-5): number[] {
  const at = flat(x);
  const moved = (i: number, by: number): number[] =>
    flat(
      f(
        tensor(
          Float64Array.from(at, (v, k) => (k === i ? v + by : v)),
          { shape: x.shape },
        ),
      ),
    );
  return at.flatMap((_, i) => {
    const [above, below] = [moved(i, step), moved(i, -step)];
    return above.map((v, k) => (v - (below[k] as number)) / (2 * step));
  });
}

interface Net {
  first: Tensor;
  second: Tensor;
  out: Tensor;
}

/** [c, 8, 8] -> one number: strided and grouped convolutions, both poolings, upsampling. */
function net({ first, second, out }: Net, image: Tensor): Tensor {
  const hidden = conv2d(image, first, { padding: "same" }).tanh();
  const pooled = maxPool2d(hidden, 3, { stride: 2, padding: 1 });
  const deep = conv2d(pooled, second, { stride: [1, 2], dilation: [2, 1], padding: [[1, 2], 1], groups: 2 }).tanh();
  const wide = deep.avgPool2d(2, { stride: 1 }).upsample([2, 2], { mode: "bilinear" });
  return wide.mean([-2, -1]).mul(out).sum().square();
}

const params: Net = {
  first: streamTensor([4, 1, 3, 3], 1),
  second: streamTensor([2, 2, 2, 3], 2),
  out: streamTensor([2], 3),
};
const image = streamTensor([1, 8, 8], 4);

describe("a small network", () => {
  const with2 = (second: Tensor): Tensor => net({ ...params, second }, image);

  test.each(["first", "second", "out"] as const)("gradient by %s", (name) => {
    const f = (x: Tensor): Tensor => net({ ...params, [name]: x }, image);
    const g = grad((p: Net) => net(p, image))(params);
    expect(worst(flat(g[name]), differences(f, params[name]))).toBeLessThan(1e-8);
  });

  test("gradient by the image", () => {
    const f = (x: Tensor): Tensor => net(params, x);
    expect(worst(flat(grad(f)(image)), differences(f, image))).toBeLessThan(1e-8);
  });

  test("hessian", () => {
    const rows = differences(grad(with2) as (x: Tensor) => Tensor, params.second);
    expect(worst(flat(hessian(with2)(params.second) as Tensor), rows)).toBeLessThan(1e-8);
  });

  test("mixed second derivatives of image and kernel", () => {
    const slope = (x: Tensor): Tensor => grad((k: Tensor) => net({ ...params, first: k }, x))(params.first) as Tensor;
    const w = streamTensor(params.first.shape, 5);
    const f = (x: Tensor): Tensor => slope(x).mul(w).sum();
    expect(worst(flat(grad(f)(image)), differences(f, image))).toBeLessThan(1e-7);
  });

  test("vmap over images, over kernels and over both is the loop", () => {
    const images = streamTensor([3, 1, 8, 8], 6);
    const kernels = streamTensor([3, 4, 1, 3, 3], 7);
    const f = (k: Tensor, x: Tensor): Tensor => net({ ...params, first: k }, x);
    const loop = (shareKernel: boolean, shareImage: boolean): number[] =>
      [0, 1, 2].flatMap((i) => flat(f(shareKernel ? params.first : kernels.at(i), shareImage ? image : images.at(i))));
    const mapped = (axes: (number | null)[]): number[] =>
      flat(vmap(f, { inAxes: axes })(axes[0] === null ? params.first : kernels, axes[1] === null ? image : images));
    expect(worst(mapped([null, 0]), loop(true, false))).toBeLessThan(1e-15);
    expect(worst(mapped([0, null]), loop(false, true))).toBeLessThan(1e-15);
    expect(worst(mapped([0, 0]), loop(false, false))).toBeLessThan(1e-15);
  });

  test("gradients per example, and compiled", () => {
    const images = streamTensor([3, 1, 8, 8], 6);
    const one = (x: Tensor): Tensor => grad((k: Tensor) => net({ ...params, first: k }, x))(params.first) as Tensor;
    const loop = [0, 1, 2].flatMap((i) => flat(one(images.at(i))));
    expect(worst(flat(vmap(one)(images)), loop)).toBeLessThan(1e-14);
    const fast = compile((x: Tensor) => vmap(one)(x));
    expect(worst(flat(fast(images)), loop)).toBeLessThan(1e-14);
    expect(
      worst(
        flat(fast(images.neg())),
        [0, 1, 2].flatMap((i) => flat(one(images.at(i).neg()))),
      ),
    ).toBeLessThan(1e-14);
  });
});

test("third derivatives of a cubed transposed convolution", () => {
  const k = streamTensor([1, 1, 3], 1);
  const f = (x: Tensor): Tensor => convTranspose1d(x, k, { stride: 2, padding: 1 }).pow(3).sum();
  const x = streamTensor([1, 1, 3], 2);
  const second = (y: Tensor): Tensor => hessian(f)(y) as Tensor;
  const third = grad((y: Tensor) =>
    second(y)
      .mul(streamTensor([1, 1, 3, 1, 1, 3], 3))
      .sum(),
  )(x);
  const numbers = differences(
    (y) =>
      second(y)
        .mul(streamTensor([1, 1, 3, 1, 1, 3], 3))
        .sum(),
    x,
  );
  expect(worst(flat(third), numbers)).toBeLessThan(1e-8);
});

describe("maxPool", () => {
  const by = (f: (x: Tensor) => Tensor, x: number[], weights: number[]): number[] =>
    flat(grad((y: Tensor) => f(y).mul(tensor(weights, f64)).sum())(tensor(x, f64)));

  test("ties share the derivative equally, window by window, as in max", () => {
    // Windows [2, 2], [2, 1], [1, 1]: halves, then all of it to the 2, then halves.
    expect(by((x) => maxPool1d(x, 2, { stride: 1 }), [2, 2, 1, 1], [1, 10, 100])).toEqual([0.5, 10.5, 50, 50]);
    expect(by((x) => maxPool1d(x, 3), [5, 5, 5], [3])).toEqual([1, 1, 1]);
  });

  test("padding is never chosen, nor a tie with a zero", () => {
    expect(maxPool1d([-3, -2, -5], 3, { stride: 1, padding: 1 }).toArray()).toEqual([-2, -2, -2]);
    expect(by((x) => maxPool1d(x, 3, { stride: 1, padding: 1 }), [0, -1], [1, 10])).toEqual([11, 0]);
  });

  test("second derivatives go through to what is pooled", () => {
    const f = (x: Tensor): Tensor => maxPool1d(x.pow(3), 2, { stride: 1 }).square().sum();
    const x = tensor([0.5, 1.2, -0.7, 0.9], f64);
    expect(worst(flat(hessian(f)(x) as Tensor), differences(grad(f) as (y: Tensor) => Tensor, x))).toBeLessThan(1e-8);
    expect(flat(hessian((y: Tensor) => maxPool1d(y, 2).sum())(x) as Tensor)).toEqual(new Array(16).fill(0));
  });

  test("NaN, infinities, whole numbers, truth values", () => {
    expect(maxPool1d([1, NaN, 2, 3, -Infinity, Infinity], 2).toArray()).toEqual([NaN, 3, Infinity]);
    expect(maxPool1d([-Infinity, -Infinity], 2).toArray()).toEqual([-Infinity]);
    const whole = maxPool1d(tensor([-3, -4, 7, 5], { dtype: "int32" }), 2);
    expect([whole.dtype, whole.toArray()]).toEqual(["int32", [-3, 7]]);
    expect(maxPool1d([true, false, false, false], 2).toArray()).toEqual([1, 0]);
  });
});

describe("dtypes and edges", () => {
  test("float32 rounds once, float64 beside float32 is float64, whole numbers stay whole", () => {
    const [x, k] = [streamTensor([1, 2, 6], 1), streamTensor([2, 2, 3], 2)];
    const exact = conv1d(x, k);
    const single = conv1d(x.toDType("float32"), k.toDType("float32"));
    expect([exact.dtype, single.dtype, conv1d(x.toDType("float32"), k).dtype]).toEqual([
      "float64",
      "float32",
      "float64",
    ]);
    expect(worst(flat(single), flat(exact))).toBeLessThan(3e-7);
    const whole = conv1d(tensor([[[1, 2, 3]]], { dtype: "int32" }), tensor([[[1, -1]]], { dtype: "int32" }));
    expect([whole.dtype, whole.toArray()]).toEqual(["int32", [[[-1, -1]]]]);
    expect(avgPool1d(tensor([1, 2], { dtype: "int32" }), 2).toArray()).toEqual([1.5]);
  });

  test("one example needs no axis for it", () => {
    const [x, k] = [streamTensor([2, 6], 1), streamTensor([4, 1, 3], 2)];
    expect(conv1d(x, k, { groups: 2 }).toArray()).toEqual(conv1d(x.expandDims(0), k, { groups: 2 }).at(0).toArray());
    expect(convTranspose1d(x, streamTensor([2, 3, 2], 3)).shape).toEqual([3, 7]);
  });

  test("no examples, no channels, and their gradients", () => {
    expect(conv1d(ones([0, 2, 5]), ones([3, 2, 2])).shape).toEqual([0, 3, 4]);
    expect(conv1d(ones([2, 0, 5]), ones([3, 0, 2])).toArray()).toEqual(
      new Array(2).fill(new Array(3).fill([0, 0, 0, 0])),
    );
    const g = grad((k: Tensor) => conv1d(ones([0, 2, 5]), k).sum())(ones([3, 2, 2]));
    expect(g.toArray()).toEqual(new Array(3).fill(new Array(2).fill([0, 0])));
    expect(maxPool1d(ones([0, 4]), 2).shape).toEqual([0, 2]);
    expect(resize(ones([0, 2, 3]), [6], { mode: "linear" }).shape).toEqual([0, 2, 6]);
  });

  test("an infinity stays where a window meets it", () => {
    expect(conv1d([[[1, 2, Infinity, 4, 5]]], [[[1, 1]]]).toArray()).toEqual([[[3, Infinity, Infinity, 9]]]);
  });
});

test("random pixels: each is charged with the windows that see it, and the gradient is that of all outcomes", () => {
  const theta = [0.1, -0.5, 0.3, 1, -1, 0.2, 0.4, -0.3];
  const taps = [1, -2, 0.5] as const;
  const f = (p: { theta: Tensor }): Tensor => {
    const x = sample(Bernoulli({ logits: p.theta }), { name: "x" });
    const y = x.reshape([1, 1, 8]).conv1d(tensor([[[...taps]]], f64), { padding: 1 });
    return y.square().maxPool1d(2, { stride: 1 }).sum();
  };
  const cost = (x: readonly number[]): number => {
    const y = x.map((v, i) => (taps[0] * (x[i - 1] ?? 0) + taps[1] * v + taps[2] * (x[i + 1] ?? 0)) ** 2);
    return y.slice(1).reduce((total, v, i) => total + Math.max(y[i] as number, v), 0);
  };
  const probs = theta.map((t) => 1 / (1 + Math.exp(-t)));
  const slopes = new Float64Array(8);
  for (let outcome = 0; outcome < 256; outcome++) {
    const x = probs.map((_, i) => (outcome >> i) & 1);
    const p = probs.reduce((total, q, i) => total * (x[i] ? q : 1 - q), 1);
    for (const i of x.keys()) slopes[i]! += p * cost(x) * ((x[i] as number) - (probs[i] as number));
  }
  const E = expectation(f, { estimators: { x: enumerate() } });
  const { grad: g } = E.valueAndGrad({ theta: tensor(theta, f64) }, {});
  expect(worst(flat(g.mean.theta), slopes)).toBeLessThan(1e-13);
});
