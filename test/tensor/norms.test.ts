import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { grad, hessian, type Tensor, tensor, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { expectClose, flat, golden, parse, t64 } from "./support.js";

describe("softmax, logSoftmax, logsumexp", () => {
  test.each(golden.soft)("of $x agree with 40 digits", ({ x, logsumexp, logSoftmax, softmax }) => {
    expectClose(sg.logsumexp(t64(x)), [logsumexp], 4e-16);
    if (logSoftmax === undefined || softmax === undefined) return;
    expectClose(sg.logSoftmax(t64(x)), logSoftmax, 4e-16);
    expectClose(sg.softmax(t64(x)), softmax, 4e-16);
    expectClose(grad((y: Tensor) => sg.logsumexp(y))(t64(x)), softmax, 4e-16);
  });

  test("the Hessian of logsumexp is diag(p) − p pᵀ, at −∞ and ±1e4 too", () => {
    for (const row of [
      [0.3, -1, 2],
      [1e4, 1e4 - 1, -1e4],
      [-Infinity, 0.5, -0.5],
    ]) {
      const top = Math.max(...row);
      const e = row.map((x) => Math.exp(x - top));
      const p = e.map((x) => x / e.reduce((a, b) => a + b));
      const want = p.flatMap((a, i) => p.map((b, j) => (i === j ? a : 0) - a * b));
      expectClose(hessian((x: Tensor) => sg.logsumexp(x))(t64(row)) as Tensor, want, 1e-15);
    }
  });

  test("several axes, none, and no elements", () => {
    const x = t64([
      [
        [1, 2],
        [3, -4],
      ],
      [
        [0, 1],
        [2, 5],
      ],
    ]);
    const sums = parse([
      [
        [1, 2],
        [3, -4],
      ],
      [
        [0, 1],
        [2, 5],
      ],
    ]).map(Math.exp);
    const byHand = (indices: number[]): number => Math.log(indices.reduce((a, i) => a + (sums[i] as number), 0));
    expectClose(sg.logsumexp(x, [0, 2]), [byHand([0, 1, 4, 5]), byHand([2, 3, 6, 7])], 4e-16);
    expect(sg.logsumexp(x, { axis: [0, 2], keepDims: true }).shape).toEqual([1, 2, 1]);
    expectClose(sg.softmax(x, [0, -1]).sum([0, 2]), [1, 1], 4e-16);
    expectClose(sg.logsumexp(sg.zeros([2, 0], { dtype: "float64" }), 1), ["-inf", "-inf"], 0);
    expect(sg.softmax(sg.zeros([2, 0])).shape).toEqual([2, 0]);
    expectClose(sg.logsumexp(t64([Infinity, 0])), [Infinity], 0);
    expectClose(sg.softmax(t64([-Infinity, -Infinity])), ["nan", "nan"], 0);
  });

  test("float32 keeps its dtype and digits", () => {
    const x = tensor([1e4, 1e4 - 1, -1e4]);
    expect(sg.softmax(x).dtype).toBe("float32");
    expectClose(sg.softmax(x), golden.soft[1]?.softmax as number[], 2e-7);
  });
});

describe("norm", () => {
  test.each(golden.norm)("$p of $x: value and gradient", ({ x, p, value, grad: slope }) => {
    const [order] = parse(p) as [number];
    const f = (y: Tensor): Tensor => sg.norm(y, undefined, order);
    expect(Math.abs(f(t64(x)).item() / value - 1)).toBeLessThanOrEqual(1e-15);
    expectClose(grad(f)(t64(x)), slope, 2e-15);
  });

  test("of the smallest and largest numbers, in both precisions", () => {
    expect(sg.norm(t64([3 * 2 ** -1070, 4 * 2 ** -1070])).item()).toBe(5 * 2 ** -1070);
    expectClose(grad((x: Tensor) => sg.norm(x))(t64([3 * 2 ** -1070, 4 * 2 ** -1070])), [0.6, 0.8], 1e-15);
    expect(sg.norm(tensor([3 * 2 ** 120, 4 * 2 ** 120])).item()).toBe(5 * 2 ** 120);
    expect(sg.norm(tensor([3 * 2 ** -140, 4 * 2 ** -140])).item()).toBe(5 * 2 ** -140);
    expect(sg.norm(t64([Infinity, 1])).item()).toBe(Infinity);
    expect(sg.norm(t64([NaN, 1])).item()).toBeNaN();
  });

  test("at 0: the subgradient 0, and NaN for what does not exist", () => {
    for (const p of [1, 1.5, 2, 3, Infinity]) {
      const f = (y: Tensor): Tensor => sg.norm(y, undefined, p);
      expect(f(t64([0, 0])).item()).toBe(0);
      expect(flat(grad(f)(t64([0, 0]))).map((x) => x + 0)).toEqual([0, 0]);
    }
    expect(flat(hessian((x: Tensor) => sg.norm(x))(t64([0, 0])) as Tensor).every(Number.isNaN)).toBe(true);
  });

  test("the Hessian of the 2-norm is (I − u uᵀ)/‖x‖", () => {
    for (const scale of [1, 1e180]) {
      const u = [0.6, -0.8];
      const want = u.flatMap((a, i) => u.map((b, j) => ((i === j ? 1 : 0) - a * b) / 5));
      const got = flat(hessian((x: Tensor) => sg.norm(x))(t64([3 * scale, -4 * scale])) as Tensor);
      expectClose(
        got.map((h) => h * scale),
        want,
        1e-15,
      );
    }
  });

  test("along axes, of nothing, of whole numbers, under vmap", () => {
    const x = t64([
      [3, 4],
      [5, 12],
    ]);
    expectClose(sg.norm(x, -1), [5, 13], 1e-15);
    expectClose(x.norm({ axis: 0, keepDims: true }, 1), [8, 16], 0);
    expect(sg.norm(x, { axis: 1, keepDims: true }).shape).toEqual([2, 1]);
    for (const p of [1, 2, 3, Infinity]) expectClose(sg.norm(sg.zeros([2, 0]), 1, p), [0, 0], 0);
    expect(sg.norm(tensor([3, 4], { dtype: "int32" })).item()).toBe(5);
    expectClose(vmap((row: Tensor) => sg.norm(row))(x), [5, 13], 1e-15);
    expectClose(
      vmap(grad((row: Tensor) => sg.norm(row)))(
        t64([
          [3, 4],
          [0, 0],
        ]),
      ),
      [0.6, 0.8, 0, 0],
      1e-15,
    );
  });

  test("below 1 it is none", () => {
    expect(message(() => sg.norm([1], undefined, 0.5))).toBe(
      "norm: got p = 0.5, expected p of at least 1, or Infinity; x.abs().pow(p).sum() for a sum of powers.",
    );
  });
});

describe("normalise and cosineSimilarity", () => {
  test("unit vectors; 0 stays 0 with the derivative of x/eps", () => {
    expectClose(
      sg.normalise(
        t64([
          [3, 4],
          [0, 0],
        ]),
      ),
      [0.6, 0.8, 0, 0],
      1e-15,
    );
    expectClose(
      sg.normalise(
        t64([
          [3, 4],
          [0, 2],
        ]),
        { axis: 0, p: 1 },
      ),
      [1, 4 / 6, 0, 2 / 6],
      1e-15,
    );
    const f = (x: Tensor): Tensor => sg.normalise(x, { eps: 0.5 }).sum();
    expectClose(grad(f)(t64([0, 0])), [2, 2], 0);
    expectClose(hessian(f)(t64([0, 0])) as Tensor, [0, 0, 0, 0], 0);
    expect(message(() => sg.normalise([1], { eps: 0 }))).toBe("normalise: got eps = 0, expected a positive number.");
  });

  test("the gradient of a normalised vector is (w − u(u·w))/‖x‖", () => {
    const [x, w] = [
      [1, -2, 2],
      [0.5, 1, -3],
    ];
    const u = x.map((a) => a / 3);
    const along = u.reduce((s, a, i) => s + a * (w[i] as number), 0);
    const want = u.map((a, i) => ((w[i] as number) - a * along) / 3);
    expectClose(grad((y: Tensor) => sg.normalise(y).mul(t64(w)).sum())(t64(x)), want, 1e-15);
  });

  test("cosines of known angles, of huge and tiny vectors, broadcast and batched", () => {
    const a = t64([
      [1, 0],
      [1e200, 1e200],
      [0, 0],
    ]);
    const b = t64([1e-200, 0]);
    expectClose(sg.cosineSimilarity(a, t64([1, 0])), [1, Math.SQRT1_2, 0], 1e-15);
    expectClose(sg.cosineSimilarity(a, b, { eps: 1e-300 }), [1, Math.SQRT1_2, 0], 1e-15);
    expectClose(vmap((row: Tensor) => row.cosineSimilarity(t64([0, 1])))(a), [0, Math.SQRT1_2, 0], 1e-15);
    expect(sg.cosineSimilarity([1, 2], [2, 4]).dtype).toBe("float32");
  });
});
