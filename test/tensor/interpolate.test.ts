import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { grad, type Tensor, tensor, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { expectClose, golden, t64 } from "./support.js";

const { x, xp, fp, numpy, cases } = golden.interp;
const options: Record<string, sg.InterpOptions> = {
  clamp: {},
  extrapolate: { left: "extrapolate", right: "extrapolate" },
  numbers: { left: -7, right: 9 },
};

describe("interp", () => {
  test("agrees with NumPy", () => {
    expectClose(sg.interp(t64(x), t64(xp), t64(fp)), numpy, 2e-15);
  });

  test.each(cases)("$name: values and gradients of x, xp and fp agree with JAX", ({ name, value, grad: slopes }) => {
    const f = (p: { x: Tensor; xp: Tensor; fp: Tensor }): Tensor => sg.interp(p.x, p.xp, p.fp, options[name]);
    const at = { x: t64(x), xp: t64(xp), fp: t64(fp) };
    expectClose(f(at), value, 2e-15);
    const weights = t64(x.map((_, i) => i + 1));
    const g = grad((p: typeof at) => f(p).mul(weights).sum())(at);
    expectClose(g.x, slopes[0], 1e-13);
    expectClose(g.xp, slopes[1], 1e-13);
    expectClose(g.fp, slopes[2], 1e-13);
  });

  test("is exact at knots, at every number of them", () => {
    for (let n = 2; n <= 19; n++) {
      const knots = Array.from({ length: n }, (_, i) => i ** 2 / 7 - 3);
      const values = knots.map((k) => Math.sin(9 * k));
      expectClose(sg.interp(t64(knots), t64(knots), t64(values)), values, 0);
      const middles = knots.slice(1).map((k, i) => (k + (knots[i] as number)) / 2);
      const want = values.slice(1).map((v, i) => (v + (values[i] as number)) / 2);
      expectClose(sg.interp(t64(middles), t64(knots), t64(values)), want, 1e-14);
    }
  });

  test("the derivative at a knot is that to the right, and half at a clamped end", () => {
    const slope = (at: number, o: sg.InterpOptions = {}): number =>
      grad((y: Tensor) => sg.interp(y, t64([0, 1, 3]), t64([1, 3, 9]), o))(t64(at)).item();
    expect([slope(1), slope(0), slope(3)]).toEqual([3, 1, 1.5]);
    const out = options["extrapolate"] as sg.InterpOptions;
    expect([slope(0, out), slope(3, out), slope(-5, out), slope(9, out)]).toEqual([2, 3, 2, 3]);
  });

  test("batches: of points, of knots, of values, and vmap", () => {
    const [a, b] = [
      [0, 1, 4],
      [0, 2, 3],
    ];
    const [f, g] = [
      [1, 2, 0],
      [5, 5, 7],
    ];
    const points = [
      [0.5, 2.5, 9],
      [-1, 1, 2.75],
    ];
    const one = (p: number[], k: number[], v: number[]): Tensor => sg.interp(t64(p), t64(k), t64(v));
    const rows = sg.stack([one(points[0]!, a, f), one(points[1]!, b, g)]);
    expectClose(sg.interp(t64(points), t64([a, b]), t64([f, g])), rows, 0);
    expectClose(
      vmap((p: Tensor, k: Tensor, v: Tensor) => sg.interp(p, k, v))(t64(points), t64([a, b]), t64([f, g])),
      rows,
      0,
    );
    expectClose(
      sg.interp(t64(points), t64(a), t64([f, g])),
      sg.stack([one(points[0]!, a, f), one(points[1]!, a, g)]),
      0,
    );
    expectClose(sg.interp(t64([0.5, 3]), t64([a, b]), t64(f)), sg.stack([one([0.5, 3], a, f), one([0.5, 3], b, f)]), 0);
    expectClose(sg.interp(t64(0.5), t64([a, b]), t64([f, g])), [1.5, 5], 0);
    expect(sg.interp(t64([[0.5], [3]]), t64(a), t64(f)).shape).toEqual([2, 1]);
    expect(sg.interp(sg.zeros([0]), a, f).shape).toEqual([0]);
  });

  test("float32, and NaN stays NaN", () => {
    expect(sg.interp(tensor([0.5]), [0, 1], [1, 2]).dtype).toBe("float32");
    expectClose(tensor([0.5, NaN]).interp([0, 1], [1, 2]), [1.5, "nan"], 1e-7);
  });

  test("errors", () => {
    expect(message(() => sg.interp(0, [1], [1]))).toBe(
      "interp: got xp [1] and fp [1], expected the same number of knots and values along the last axis, at least 2.",
    );
    expect(message(() => sg.interp(0, [0, 1, 2], [1, 2]))).toBe(
      "interp: got xp [3] and fp [2], expected the same number of knots and values along the last axis, at least 2.",
    );
    expect(message(() => sg.interp(0.5, [0, 2, 2], [1, 2, 3]).item())).toBe(
      "interp: got diff(xp)[1] = 0, expected xp to increase strictly; sort the points first, and drop repeated ones.",
    );
    expect(message(() => sg.interp(0, [0, 1], [1, 2], { left: "nearest" as "clamp" }))).toBe(
      'interp: got "nearest" beyond an end, expected "clamp", "extrapolate" or a number.',
    );
  });
});

describe("polyval", () => {
  const { c, x: at, value, grad: slopes } = golden.polyval;

  test("agrees with NumPy, and its gradients with JAX", () => {
    expectClose(sg.polyval(t64(c), t64(at)), value, 1e-15);
    const f = (p: { c: Tensor; x: Tensor }): Tensor =>
      sg
        .polyval(p.c, p.x)
        .mul(t64([1, 2, 3, 4]))
        .sum();
    const g = grad(f)({ c: t64(c), x: t64(at) });
    expectClose(g.c, slopes[0], 1e-14);
    expectClose(g.x, slopes[1], 1e-14);
  });

  test("batches of polynomials, constants, none, vmap, dtypes", () => {
    const both = t64([
      [1, 2],
      [0, -1],
      [3, 5],
    ]);
    expectClose(sg.polyval(both, t64(2)), [7, 11], 0);
    expectClose(vmap((p: Tensor) => sg.polyval(p, t64([2, 3])), { inAxes: [1] })(both), [7, 12, 11, 20], 0);
    expectClose(sg.polyval(t64([4]), t64([1, 2])), [4, 4], 0);
    expectClose(sg.polyval(sg.zeros([0]), t64([1, 2])), [0, 0], 0);
    expect(sg.polyval([1, 2], 3).dtype).toBe("float32");
    expect(sg.polyval(tensor([1, 2], { dtype: "int32" }), 0.5).item()).toBe(2.5);
    expect(sg.polyval(t64([1, 0]), Infinity).item()).toBe(Infinity);
    expect(message(() => sg.polyval(3, 2))).toBe("polyval: got a scalar, expected coefficients along axis 0.");
  });
});
