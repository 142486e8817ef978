import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { type Tensor, tensor } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { flat } from "./arrays.js";

const f64 = { dtype: "float64" } as const;

describe("running operations", () => {
  test("whole numbers wrap at 32 bits, truth values count, sizes may be 0", () => {
    const x = tensor([65537, 65537, 2], { dtype: "int32" });
    expect(x.cumprod().toArray()).toEqual([65537, 131073, 262146]);
    expect([x.prod().item(), x.prod().dtype]).toEqual([262146, "int32"]);
    expect(tensor([4294967295, 2], { dtype: "uint32" }).prod().item()).toBe(4294967294);
    const mask = tensor([true, true, false, true]);
    expect([mask.cumprod().toArray(), mask.cumprod().dtype, mask.prod().item()]).toEqual([[1, 1, 0, 0], "int32", 0]);
    expect([sg.prod(sg.zeros([2, 0]), 1).toArray(), sg.prod(sg.zeros([0])).item()]).toEqual([[1, 1], 1]);
    expect(sg.zeros([3, 0]).cumprod().shape).toEqual([3, 0]);
    expect(sg.zeros([0, 3]).cummax(0, { reverse: true }).shape).toEqual([0, 3]);
    expect(sg.prod(5).item()).toBe(5);
  });

  test("float32 products are rounded once, after a partial product that float32 could not hold", () => {
    const x = tensor([1e-30, 1e-30, 1e30, 1e30]);
    const [a, b] = [Math.fround(1e-30), Math.fround(1e30)];
    expect(x.prod().item()).toBe(Math.fround(a * a * b * b));
    expect(x.cumprod().toArray()).toEqual([a, 0, Math.fround(a * a * b), Math.fround(a * a * b * b)]);
  });

  test("cummax and cummin: NaN stays, and of equal elements the first has the derivative", () => {
    const x = tensor([1, 3, NaN, 5], f64);
    expect(x.cummax().toArray()).toEqual([1, 3, NaN, NaN]);
    expect(x.cummin(0, { reverse: true }).toArray()).toEqual([NaN, NaN, NaN, 5]);
    const ties = tensor([2, 5, 5, 1, 5], f64);
    const slope = (reverse: boolean): number[] =>
      flat(sg.grad((v: Tensor) => sg.sum(v.cummax(-1, { reverse })))(ties) as Tensor);
    expect([slope(false), slope(true)]).toEqual([
      [1, 4, 0, 0, 0],
      [0, 0, 0, 0, 5],
    ]);
    expect(tensor([3, 1, 2], { dtype: "int32" }).cummin().toArray()).toEqual([3, 1, 1]);
  });
});

describe("cumlogsumexp", () => {
  const x = [-Infinity, -Infinity, 1.5, -Infinity, 700, -700, 710];

  /** Σ exp of all so far relative to the largest: no running correction. */
  function shares(n: number): { readonly value: number; readonly weights: number[] } {
    const top = Math.max(...x.slice(0, n + 1));
    const terms = x.map((v, j) => (j <= n && v !== -Infinity ? Math.exp(v - top) : 0));
    const total = terms.reduce((a, b) => a + b, 0);
    return {
      value: top === -Infinity ? top : top + Math.log(total),
      weights: terms.map((t) => (total === 0 ? 0 : t / total)),
    };
  }

  test("with −∞ among them, and its derivatives of two orders", () => {
    const v = tensor(x, f64);
    flat(v.cumlogsumexp()).forEach((y, i) => {
      const { value } = shares(i);
      expect(y === value || Math.abs(y - value) <= 1e-15 * Math.abs(value)).toBe(true);
    });
    for (let n = 0; n < x.length; n++) {
      const { weights } = shares(n);
      const f = (a: Tensor): Tensor => a.cumlogsumexp().at(n);
      const g = flat(sg.grad(f)(v) as Tensor);
      const h = flat(sg.hessian(f)(v) as Tensor);
      weights.forEach((p, j) => {
        expect(Math.abs((g[j] as number) - p)).toBeLessThanOrEqual(1e-13);
        weights.forEach((q, k) => {
          const truth = (j === k ? p : 0) - p * q;
          expect(Math.abs((h[j * x.length + k] as number) - truth)).toBeLessThanOrEqual(1e-13);
        });
      });
    }
  });

  test("is not rounded on the way in float32, and meets +∞ and NaN aloud", () => {
    const y = sg.full([2000], 3).cumlogsumexp().at(-1).item();
    expect(y).toBe(Math.fround(3 + Math.log(2000)));
    expect(tensor([0, Infinity, 1]).cumlogsumexp().toArray()).toEqual([0, Infinity, Infinity]);
    expect(tensor([0, NaN, 1]).cumlogsumexp().toArray()).toEqual([0, NaN, NaN]);
    expect(tensor([1, 2], { dtype: "int32" }).cumlogsumexp().dtype).toBe("float32");
  });
});

describe("linearRecurrence", () => {
  test("is discounted returns, with its derivative in the discount", () => {
    const rewards = [1, 0, -2, 4];
    const returns = (g: number, t: number): number => rewards.slice(t).reduce((total, r, k) => total + g ** k * r, 0);
    const got = sg.linearRecurrence(0.9, tensor(rewards, f64), -1, { reverse: true });
    for (const [t, y] of flat(got).entries()) expect(Math.abs(y - returns(0.9, t))).toBeLessThanOrEqual(8e-15);
    const first = (g: Tensor): Tensor => sg.linearRecurrence(g, tensor(rewards, f64), 0, { reverse: true }).at(0);
    const g = tensor(0.9, f64);
    // Σ k g^(k−1) r and Σ k(k−1) g^(k−2) r
    expect((sg.grad(first)(g) as Tensor).item()).toBeCloseTo(2 * 0.9 * -2 + 3 * 0.81 * 4, 13);
    expect((sg.hessian(first)(g) as Tensor).item()).toBeCloseTo(2 * -2 + 6 * 0.9 * 4, 13);
  });

  test("does not read the first factor, and broadcasts", () => {
    expect(sg.linearRecurrence([NaN, 2], [3, 4]).toArray()).toEqual([3, 10]);
    expect(sg.linearRecurrence(tensor([[2], [3]]), [1, 1, 1]).toArray()).toEqual([
      [1, 3, 7],
      [1, 4, 13],
    ]);
    expect(sg.linearRecurrence(1, sg.zeros([2, 0])).shape).toEqual([2, 0]);
  });
});

describe("counts and truths", () => {
  const x = tensor([
    [0, -0, 2],
    [NaN, 1, -1],
  ]);
  test("of numbers and truth values, over any axes and over nothing", () => {
    expect([sg.countNonzero(x).item(), sg.countNonzero(x, 0).toArray()]).toEqual([4, [1, 1, 2]]);
    expect([sg.any(x, 1).toArray(), sg.all(x, { axis: -1, keepDims: true }).toArray()]).toEqual([
      [1, 1],
      [[0], [1]],
    ]);
    expect([sg.any(tensor([false, false])).item(), sg.all(tensor([true, true])).item()]).toEqual([0, 1]);
    const none = sg.zeros([0, 2]);
    expect([none.any(0).toArray(), none.all(0).toArray(), none.countNonzero().item()]).toEqual([[0, 0], [1, 1], 0]);
    expect([sg.any(x).dtype, sg.all(x).dtype, sg.countNonzero(x).dtype]).toEqual(["bool", "bool", "int32"]);
  });
});

test("errors", () => {
  const m = sg.ones([2, 3]);
  expect(message(() => m.cumprod(2))).toBe("cumprod: got axis 2 of a tensor of rank 2, expected an axis in [-2, 1].");
  expect(message(() => sg.cumlogsumexp(1))).toBe("cumlogsumexp: got axis -1 of a tensor of rank 0, expected no axis.");
  expect(message(() => m.prod([0, 0]))).toBe("prod: got axes [0, 0], expected each axis once.");
  expect(message(() => sg.linearRecurrence(m, sg.ones([4])))).toBe(
    "linearRecurrence: got shapes [2, 3] and [4], which differ on axis -1 (3 and 4), expected equal sizes or 1 on every axis; reshape one of them, or insert an axis of size 1.",
  );
});
