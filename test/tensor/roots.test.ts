import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { compile, findRoot, fixedPoint, grad, hessian, newton, type Tensor, tensor, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { expectClose, t64 } from "./support.js";

const { mul, sub, add, exp, cos, sin, square, log, pow, stack } = sg;

/** x³ = c */
const cube = (c: Tensor): Tensor => findRoot((x) => sub(mul(x, square(x)), c), { bracket: [0, 10] });

describe("findRoot", () => {
  test("roots, to the last place, of functions steep, flat and multiple", () => {
    expectClose(cube(t64([1, 2, 8, 27, 999])), [1, Math.cbrt(2), 2, 3, Math.cbrt(999)], 4e-16);
    const at = (f: (x: Tensor) => Tensor, a: number, b: number): number => findRoot(f, { bracket: [a, b] }).item();
    expect(at((x) => sub(exp(x), 1e-8), -100, 100)).toBeCloseTo(Math.log(1e-8), 13);
    expect(at((x) => log(x), 1e-300, 1e300)).toBeCloseTo(1, 14);
    expect(Math.abs(at((x) => pow(x, 9), -1, 2))).toBeLessThan(1e-30);
    expect(at((x) => sub(cos(x), x), 0, 1)).toBeCloseTo(0.7390851332151607, 15);
    expect(at((x) => sub(x, 1), 1, 5)).toBe(1);
    expect(at((x) => sub(1, x), 5, -5)).toBe(1);
    expect(at((x) => sg.sign(sub(x, 0.3)), 0, 1)).toBeCloseTo(0.3, 15);
  });

  test("derivatives of three orders: c^(1/3)", () => {
    const first = grad(cube) as (c: Tensor) => Tensor;
    const second = grad(first) as (c: Tensor) => Tensor;
    const third = grad(second) as (c: Tensor) => Tensor;
    expect(first(t64(2)).item()).toBeCloseTo(2 ** (-2 / 3) / 3, 14);
    expect(second(t64(2)).item()).toBeCloseTo((-2 / 9) * 2 ** (-5 / 3), 14);
    expect(third(t64(2)).item()).toBeCloseTo((10 / 27) * 2 ** (-8 / 3), 13);
    expect(message(() => (grad(third) as (c: Tensor) => Tensor)(t64(2)).item())).toBe(
      "findRoot: a fourth derivative of a solution, which is known to three orders; fewer derivatives.",
    );
  });

  test("Kepler's equation, element by element: dE/dM = 1/(1 − e cos E), dE/de = sin E/(1 − e cos E)", () => {
    const m = t64([0.1, 1, 3]);
    const solve = (p: { m: Tensor; e: Tensor }): Tensor =>
      findRoot((x) => sub(sub(x, mul(p.e, sin(x))), p.m), { bracket: [-1, 5] });
    const e = t64(0.8);
    const found = solve({ m, e });
    expectClose(sub(found, mul(e, sin(found))), m, 4e-16);
    const slope = sub(1, mul(e, cos(found)));
    const g = grad((p: { m: Tensor; e: Tensor }) => sg.sum(solve(p)))({ m, e });
    expectClose(g.m, sg.div(1, slope), 1e-13);
    expectClose(g.e, sg.sum(sg.div(sin(found), slope)), 1e-13);
  });

  test("a double root keeps its value, and its derivative is not finite", () => {
    const f = (c: Tensor): Tensor => findRoot((x) => mul(sub(x, c), mul(sub(x, c), sub(x, c))), { bracket: [0, 3] });
    expect(f(t64(1)).item()).toBeCloseTo(1, 5);
    const exact = (c: Tensor): Tensor => findRoot((x) => pow(sub(x, c), 3), { bracket: [0, 2] });
    expect(exact(t64(1)).item()).toBe(1);
    expect(grad(exact)(t64(1)).item()).toBeNaN();
  });

  test("vmap, compile and float32", () => {
    expectClose(vmap(cube)(t64([1, 8, 2])), [1, 2, Math.cbrt(2)], 4e-16);
    expectClose(vmap(grad(cube))(t64([1, 8])), [1 / 3, 1 / 12], 1e-14);
    expectClose(compile(grad(cube))(t64(8)), [1 / 12], 1e-14);
    const single = findRoot((x) => sub(square(x), 2), { bracket: [tensor(0), 2] });
    expect(single.dtype).toBe("float32");
    expect(Math.abs(single.item() - Math.SQRT2)).toBeLessThan(3e-7);
    expect(findRoot((x) => x, { bracket: [sg.zeros([0]), 1] }).shape).toEqual([0]);
  });

  test("errors", () => {
    expect(message(() => findRoot((x) => add(square(x), t64([1, -1])), { bracket: [2, 3] }).toArray())).toBe(
      "findRoot: got f(a)[0] = 5, f(b)[0] = 10, expected opposite signs.",
    );
    expect(message(() => findRoot((x) => sub(exp(x), 3), { bracket: [0, 9], maxIterations: 3 }).item())).toBe(
      "findRoot: got an interval wider than the tolerance after 3 steps, expected a narrower one; a larger maxIterations, or an f that is not NaN between the places.",
    );
    expect(message(() => findRoot((x) => x, { bracket: [-1, 1], tolerance: 0 }))).toBe(
      "findRoot: got tolerance 0, expected a positive number.",
    );
    expect(message(() => findRoot((x) => x, { bracket: [-1, 1], maxIterations: 0 }))).toBe(
      "findRoot: got maxIterations 0, expected a whole number of at least 1.",
    );
  });
});

describe("newton", () => {
  // On the circle of radius √c at slope s: x = √(c/(1 + s²)) (1, s).
  const meet = (p: { c: Tensor; s: Tensor }): Tensor =>
    newton((x) => stack([sub(add(square(x.at(0)), square(x.at(1))), p.c), sub(mul(p.s, x.at(0)), x.at(1))]), [1, 1]);
  const closed = (p: { c: Tensor; s: Tensor }): Tensor => {
    const x = sg.sqrt(sg.div(p.c, add(1, square(p.s))));
    return stack([x, mul(p.s, x)]);
  };
  const at = { c: t64(5), s: t64(2) };

  test("a system, its gradients and Hessians, against the closed form", () => {
    expectClose(meet(at), [1, 2], 1e-15);
    for (const i of [0, 1]) {
      const [f, g] = [meet, closed].map((h) => (p: typeof at) => h(p).at(i)) as [typeof meet, typeof meet];
      const [a, b] = [grad(f)(at), grad(g)(at)];
      expectClose(a.c, b.c, 1e-14);
      expectClose(a.s, b.s, 1e-14);
      const [h, k] = [hessian(f)(at), hessian(g)(at)] as unknown as Record<string, Record<string, Tensor>>[];
      for (const row of ["c", "s"])
        for (const column of ["c", "s"]) expectClose(h?.[row]?.[column] as Tensor, k?.[row]?.[column] as Tensor, 1e-13);
    }
  });

  test("vmap and errors", () => {
    const root = (c: Tensor): Tensor => newton((x) => sub(square(x), c), 1);
    expectClose(vmap(root)(t64([4, 9, 2])), [2, 3, Math.SQRT2], 1e-15);
    expect(message(() => newton((x) => add(square(x), 1), 0.7).item())).toMatch(
      /^newton: got steps above the tolerance of 1e-12 after 100 iterations, expected convergence; /,
    );
    expect(message(() => newton(() => t64([1, 2, 3]), [1, 2]))).toBe(
      "newton: got values [3] at x [2], expected the shape of x.",
    );
  });
});

describe("fixedPoint", () => {
  test("of a vector map, with the derivative of the implicit function", () => {
    // x = A x + c  =>  x = (I − A)⁻¹ c
    const a = t64([
      [0.2, 0.3],
      [-0.1, 0.5],
    ]);
    const f = (p: { a: Tensor; c: Tensor }): Tensor => fixedPoint((x) => add(sg.matmul(p.a, x), p.c), [0, 0]);
    const closed = (p: { a: Tensor; c: Tensor }): Tensor => sg.solve(sub(sg.eye(2, { dtype: "float64" }), p.a), p.c);
    const p = { a, c: t64([1, -2]) };
    expectClose(f(p), closed(p), 1e-11);
    const weigh = (h: typeof f) => (q: typeof p) => mul(h(q), t64([1, 3])).sum();
    const [g, k] = [grad(weigh(f))(p), grad(weigh(closed))(p)];
    expectClose(g.a, k.a, 1e-10);
    expectClose(g.c, k.c, 1e-12);
  });

  test("scalars, vmap, float32, and what does not settle", () => {
    const dottie = (c: Tensor): Tensor => fixedPoint((x) => cos(mul(c, x)), 0.5);
    const x = 0.7390851332151607;
    expectClose(dottie(t64(1)), [x], 1e-12);
    // x = cos(cx): dx/dc = −x sin x/(1 + sin x) at c = 1.
    expectClose(grad(dottie)(t64(1)), [(-x * Math.sin(x)) / (1 + Math.sin(x))], 1e-11);
    expectClose(vmap(dottie)(t64([1, 0])), [x, 1], 1e-12);
    expect(fixedPoint((y) => cos(y), tensor(0.5)).dtype).toBe("float32");
    expect(message(() => fixedPoint((y) => mul(2, y), 1, { maxIterations: 20 }).item())).toBe(
      "fixedPoint: got steps above the tolerance of 1e-12 after 20 iterations, expected convergence; a start nearer to the solution, or a larger maxIterations.",
    );
  });
});
