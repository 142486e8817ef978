import { describe, expect, test } from "vitest";
import type { AnyPrimitive, Type } from "../../src/graph/tensor.js";
import { apply, placeholder } from "../../src/graph/tensor.js";
import * as sg from "../../src/index.js";
import { type Complex, fft, ifft, irfft, rfft, type Tensor, tensor } from "../../src/index.js";
import { cumprod, recurrence } from "../../src/primitives/cumulative.js";
import { fft as primitive } from "../../src/primitives/fourier.js";
import { argsort, searchsorted, sort } from "../../src/primitives/order.js";
import { dynamicUpdateSlice, lastWriter } from "../../src/primitives/place.js";
import { dice } from "../primitives/draw.js";
import { message } from "../runtime/message.js";
import { flat } from "./arrays.js";

function drawn(seed: number, shape: number[]): Tensor {
  const roll = dice(seed);
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * roll() - 1);
  return tensor(data, { shape });
}

function near(a: Tensor, b: Tensor, bound = 1e-14): void {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [flat(a), flat(b)];
  expect(Math.max(0, ...x.map((v, i) => Math.abs(v - (y[i] as number))))).toBeLessThanOrEqual(bound);
}

describe("there and back", () => {
  test.each([1, 2, 3, 8, 9, 37, 60])("real numbers, %i of them", (n) => {
    const x = drawn(n, [2, n]);
    near(irfft(rfft(x), n), x);
    const whole = fft({ re: x });
    const half = rfft(x);
    near(half.re, whole.re.slice(0, Math.floor(n / 2) + 1, { axis: 1 }));
    near(half.im, whole.im.slice(0, Math.floor(n / 2) + 1, { axis: 1 }));
  });

  test("several axes, in float32 too", () => {
    const x = drawn(3, [4, 3, 5]);
    near(irfft(rfft(x, [1, 0, 2]), 5, [1, 0, 2]), x);
    const back = ifft(fft({ re: x.toDType("float32") }, [0, -1]), [0, -1]);
    expect([back.re.dtype, back.im.dtype]).toEqual(["float32", "float32"]);
    near(back.re.toDType("float64"), x, 3e-7);
  });

  test("empty axes beside the transformed one, whole numbers, mixed dtypes", () => {
    expect(fft({ re: sg.zeros([0, 4]) }).im.shape).toEqual([0, 4]);
    expect(flat(fft({ re: tensor([1, 2], { dtype: "int32" }) }).re)).toEqual([3, -1]);
    expect(fft({ re: sg.ones([2]), im: sg.ones([2], { dtype: "float64" }) }).re.dtype).toBe("float64");
  });
});

test("the convolution theorem, circular, by a loop", () => {
  const [a, b] = [drawn(1, [12]), drawn(2, [12])];
  const [p, q] = [rfft(a), rfft(b)];
  const product: Complex = { re: p.re.mul(q.re).sub(p.im.mul(q.im)), im: p.re.mul(q.im).add(p.im.mul(q.re)) };
  const [x, y] = [flat(a), flat(b)];
  const loop = x.map((_, k) => x.reduce((total, v, j) => total + v * (y[(k - j + 12) % 12] as number), 0));
  near(irfft(product), tensor(Float64Array.from(loop)));
});

test("the imaginary parts that a real signal does not have are not read", () => {
  const re = drawn(5, [4]);
  const slope = sg.grad((im: Tensor) => sg.sum(irfft({ re, im }).mul(drawn(6, [6]))))(drawn(7, [4]));
  const [first, , , last] = flat(slope as Tensor);
  expect([first, last].map((v) => Math.abs(v as number))).toEqual([0, 0]);
});

test("under vmap and compile", () => {
  const power = (x: Tensor): Tensor => {
    const { re, im } = rfft(x);
    return sg.add(sg.square(re), sg.square(im));
  };
  const x = drawn(9, [3, 7]);
  near(sg.vmap(power)(x), power(x), 0);
  near(sg.compile(sg.vmap(power))(x), power(x), 0);
});

describe("errors", () => {
  const m = sg.ones([2, 3]);
  test.each([
    ["empty", () => fft({ re: sg.zeros([2, 0]) }), "fft: got [2, 0], empty on axis 1, expected at least one element."],
    ["parts", () => fft({ re: m, im: sg.ones([3]) }), "fft: got re [2, 3] and im [3], expected parts of one shape."],
    ["axis", () => rfft(m, 2), "rfft: got axis 2 of a tensor of rank 2, expected an axis in [-2, 1]."],
    [
      "an axis twice",
      () => ifft({ re: m }, [0, -2]),
      "ifft: got axes [0, 0], expected at least one axis, and each once.",
    ],
    ["no axes", () => fft({ re: m }, []), "fft: got axes [], expected at least one axis, and each once."],
    [
      "a length that does not fit",
      () => irfft({ re: m }, 6),
      "irfft: got n = 6 of 3 frequencies, expected n = 4 or 5; slice or pad the frequencies to ⌊n/2⌋ + 1.",
    ],
    [
      "no default length",
      () => irfft({ re: sg.ones([1]) }),
      "irfft: got n = 0 of 1 frequencies, expected n = 1; slice or pad the frequencies to ⌊n/2⌋ + 1.",
    ],
  ])("%s", (_what, body, text) => {
    expect(message(body)).toBe(text);
  });

  const f32 = (...shape: number[]): Type => ({ shape, dtype: "float32" });
  const i32 = (...shape: number[]): Type => ({ shape, dtype: "int32" });
  const misfits: readonly (readonly [AnyPrimitive, readonly Type[], unknown, string])[] = [
    [primitive, [f32(2), f32(3)], { axis: 0 }, "fft: got float32[2] and float32[3], expected equal types."],
    [primitive, [i32(2), i32(2)], { axis: 0 }, "fft: got int32[2], expected float32 or float64."],
    [sort, [f32(2)], { axis: 1 }, "sort: got axis 1 of a tensor of rank 1, expected an axis in [-1, 0]."],
    [argsort, [f32()], { axis: 0 }, "argsort: got axis 0 of a tensor of rank 0, expected no axis."],
    [
      searchsorted,
      [f32(2), i32(2)],
      { right: true },
      "searchsorted: got float32[2] and int32[2], expected [..., n] and [..., m] of one dtype.",
    ],
    [cumprod, [f32(2)], { axis: 1 }, "cumprod: got axis 1 of a tensor of rank 1, expected an axis in [-1, 0]."],
    [recurrence, [f32(2), f32(3)], { axis: 0 }, "recurrence: got float32[2] and float32[3], expected equal types."],
    [lastWriter, [f32(2)], { size: 3 }, "scatter: got an index float32[2], expected int32 or uint32."],
    [lastWriter, [i32()], { size: 3 }, "scatter: got an index [], expected [..., m]."],
    [
      dynamicUpdateSlice,
      [f32(4), i32(2), i32(1)],
      null,
      "dynamicUpdateSlice: got float32[4] and an update int32[2], expected one dtype, and equal leading axes.",
    ],
  ];
  test.each(misfits)("of the primitive $name", (entry, types, params, text) => {
    const inputs = types.map((type) => placeholder(type, "x"));
    expect(message(() => apply(entry, inputs, params))).toBe(text);
  });
});
