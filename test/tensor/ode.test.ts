import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { compile, grad, hessian, jvp, type OdeOptions, odeint, type Tensor, tensor, vmap } from "../../src/index.js";
import { expectClose, flat, t64 } from "./support.js";

const { mul, sub, neg, stack, square, sin, cos } = sg;

const tight: OdeOptions = { rtol: 1e-11, atol: 1e-12 };
const decay = (y: Tensor, _t: Tensor, rate: Tensor): Tensor => mul(y, rate);
/** y' = r y (1 − y/k) */
const logistic = (y: Tensor, _t: Tensor, { r, k }: { r: Tensor; k: Tensor }): Tensor =>
  mul(mul(r, y), sub(1, y.div(k)));
const oscillator = (y: { x: Tensor; v: Tensor }): { x: Tensor; v: Tensor } => ({ x: y.v, v: neg(y.x) });

/** exp(A t) y by its series, in small steps. */
function flow(a: readonly (readonly number[])[], t: number, y: readonly number[]): number[] {
  let state = [...y];
  for (let step = 0; step < 16; step++) {
    let term = [...state];
    for (let n = 1; n < 30; n++) {
      term = a.map((row) => (row.reduce((s, x, j) => s + x * (term[j] as number), 0) * t) / 16 / n);
      state = state.map((x, i) => x + (term[i] as number));
    }
  }
  return state;
}

describe("solutions", () => {
  const a = [
    [-0.5, 2, 0, 0.3],
    [-2, -0.5, 0.1, 0],
    [0, 0.4, -1, 0],
    [0.2, 0, 0.7, 0.1],
  ];
  const y0 = [1, -1, 0.5, 2];
  const times = [0, 0.3, 1, 2.5];

  test.each<[string, OdeOptions, number]>([
    ["dopri5", tight, 1e-9],
    ["rk4", { method: "rk4", steps: 100 }, 1e-7],
  ])("%s: a linear system, forwards and backwards, is the matrix exponential", (_name, options, tolerance) => {
    const solve = (sign: number): Tensor =>
      odeint(
        (y: Tensor) => sg.matmul(t64(a), y),
        y0,
        times.map((t) => sign * t),
        undefined,
        options,
      );
    for (const sign of [1, -1])
      expectClose(
        solve(sign),
        times.map((t) => flow(a, sign * t, y0)),
        tolerance,
      );
  });

  test("the harmonic oscillator, as a tree: cos, −sin, and its energy over three periods", () => {
    const times = Array.from({ length: 4 }, (_, i) => 2 * Math.PI * i + 0.1 * i);
    const { x, v } = odeint(oscillator, { x: 1, v: 0 }, times, undefined, { rtol: 1e-10, atol: 1e-10 });
    expect([x.shape, v.shape]).toEqual([[4], [4]]);
    expectClose(x, times.map(Math.cos), 1e-7);
    expectClose(v, neg(sin(t64(times))), 1e-7);
    expectClose(square(x).add(square(v)), Array(4).fill(1), 1e-8);
  });

  test("time enters: y' = cos t gives sin t; equal times give equal rows", () => {
    const times = [0.5, 1, 1, 3];
    const y = odeint((_y: Tensor, t: Tensor) => cos(t), 0, times, undefined, tight);
    expectClose(
      y,
      times.map((t) => Math.sin(t) - Math.sin(0.5)),
      1e-10,
    );
  });

  test("one time, no times, no elements", () => {
    for (const method of ["dopri5", "rk4"] as const) {
      const run = (y: sg.TensorLike, times: sg.TensorLike): Tensor =>
        odeint((x: Tensor) => neg(x), y as Tensor, times, undefined, { method });
      expectClose(run([1, 2], [3]), [[1, 2]], 0);
      expect(run([1, 2], t64([])).shape).toEqual([0, 2]);
      expect(run(tensor([], { shape: [0, 3] }), [0, 1, 2]).shape).toEqual([3, 0, 3]);
    }
  });

  test("numbers are float64 beside numbers, and take the dtype of tensors", () => {
    const run = (y: sg.TensorLike, times: sg.TensorLike, p: sg.TensorLike): Tensor =>
      odeint(decay, y as Tensor, times, p as Tensor);
    expect(run(1, [0, 1], -1).dtype).toBe("float64");
    const single = run(tensor(1), [0, 1, 2], -1);
    expect(single.dtype).toBe("float32");
    expectClose(single, [1, Math.exp(-1), Math.exp(-2)], 2e-5);
    expect(run(tensor(1), t64([0, 1]), -1).dtype).toBe("float64");
  });
});

describe("accuracy", () => {
  const at = (options: OdeOptions): number => odeint(logistic, 0.1, [0, 4], { r: 1.3, k: 2 }, options).at(-1).item();
  const exact = 2 / (1 + 19 * Math.exp(-5.2));

  test("rk4 is of order 4", () => {
    const errors = [8, 16, 32, 64].map((steps) => Math.abs(at({ method: "rk4", steps }) - exact));
    errors.slice(1).forEach((error, i) => {
      const order = Math.log2((errors[i] as number) / error);
      expect(order).toBeGreaterThan(3.8);
      expect(order).toBeLessThan(4.3);
    });
  });

  test("the error of dopri5 is like the tolerance, and so is that of its derivative", () => {
    // y = k/(1 + c e^−rt), dy/dr = t y (1 − y/k)
    const slope = 4 * exact * (1 - exact / 2);
    for (const rtol of [1e-3, 1e-5, 1e-7, 1e-9, 1e-11]) {
      const f = (r: Tensor): Tensor =>
        odeint(logistic, 0.1, [0, 4], { r, k: t64(2) }, { rtol, atol: rtol }).at(-1) as Tensor;
      expect(Math.abs(f(t64(1.3)).item() - exact)).toBeLessThan(10 * rtol);
      expect(Math.abs(f(t64(1.3)).item() - exact)).toBeGreaterThan(1e-4 * rtol);
      expect(Math.abs(grad(f)(t64(1.3)).item() - slope)).toBeLessThan(50 * rtol);
    }
  });

  test("one step of dopri5 is R(z) = 1 + z + z²/2 + z³/6 + z⁴/24 + z⁵/120 + z⁶/600, with derivatives of three orders", () => {
    const factorials = [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 600];
    const r = (z: number, order: number): number =>
      factorials.reduce((s, c, n) => {
        let falling = 1;
        for (let i = 0; i < order; i++) falling *= n - i;
        return n < order ? s : s + c * falling * z ** (n - order);
      }, 0);
    const f = (z: Tensor): Tensor => odeint(decay, 1, [0, 2], z, { rtol: 10, atol: 10, firstStep: 5 }).at(-1) as Tensor;
    const by = [f, grad(f), grad(grad(f) as typeof f), grad(grad(grad(f) as typeof f) as typeof f)] as (typeof f)[];
    for (const z of [-0.8, 0.3])
      by.forEach((g, order) => {
        expectClose(g(t64(z)), r(2 * z, order) * 2 ** order, 1e-13);
      });
  });

  test("steps of rk4 are R(z) = 1 + z + z²/2 + z³/6 + z⁴/24, and so are their derivatives, whatever is kept", () => {
    const f =
      (residuals: OdeOptions["residuals"]) =>
      (z: Tensor): Tensor =>
        odeint(decay, 1, [0, 1, 2, 3, 4], z, { method: "rk4", steps: 2, residuals }).at(-1) as Tensor;
    const z = -0.7;
    const [r, slope] = [
      1 + z / 2 + z ** 2 / 8 + z ** 3 / 48 + z ** 4 / 384,
      (1 + z / 2 + z ** 2 / 8 + z ** 3 / 48) / 2,
    ];
    const bend = (1 + z / 2 + z ** 2 / 8) / 4;
    for (const residuals of ["auto", "save", "recompute"] as const) {
      expectClose(f(residuals)(t64(z)), r ** 8, 1e-14);
      expectClose(grad(f(residuals))(t64(z)), 8 * r ** 7 * slope, 1e-14);
      expectClose(hessian(f(residuals))(t64(z)), 56 * r ** 6 * slope ** 2 + 8 * r ** 7 * bend, 1e-13);
    }
  });
});

describe("derivatives", () => {
  const closed = (p: { r: Tensor; k: Tensor; y: Tensor }): Tensor =>
    p.k.div(sg.add(1, mul(p.k.div(p.y).sub(1), sg.exp(mul(p.r, -2)))));
  const solved =
    (options: OdeOptions) =>
    ({ y, ...p }: { r: Tensor; k: Tensor; y: Tensor }): Tensor =>
      odeint(logistic, y, [0, 1, 2], p, options).at(-1) as Tensor;
  const at = { r: t64(1.3), k: t64(2), y: t64(0.1) };

  test.each<[string, OdeOptions]>([
    ["dopri5", { rtol: 1e-9, atol: 1e-10 }],
    ["rk4", { method: "rk4", steps: 40 }],
  ])("%s: gradient and Hessian of the logistic curve by rate, capacity and start", (_name, options) => {
    const [g, want] = [grad(solved(options))(at), grad(closed)(at)];
    const [h, wanted] = [hessian(solved(options))(at), hessian(closed)(at)] as unknown as Record<
      string,
      Record<string, Tensor>
    >[];
    for (const row of ["r", "k", "y"] as const) {
      expectClose(g[row], want[row], 1e-7);
      for (const column of ["r", "k", "y"])
        expectClose(h?.[row]?.[column] as Tensor, wanted?.[row]?.[column] as Tensor, 1e-6);
    }
    const tangents = { r: 0.3, k: -1, y: 2 };
    const along = 0.3 * want.r.item() - want.k.item() + 2 * want.y.item();
    expectClose(jvp(solved(options), at, tangents).tangent as Tensor, along, 1e-7);
  });

  test("what f captures counts like params", () => {
    const f = (r: Tensor): Tensor => odeint((y: Tensor) => mul(y, r), 1, [0, 1, 2], undefined, tight).at(-1) as Tensor;
    expectClose(grad(f)(t64(-0.4)), 2 * Math.exp(-0.8), 1e-9);
  });

  test.each<[string, OdeOptions]>([
    ["dopri5", tight],
    ["rk4", { method: "rk4", steps: 40 }],
  ])("%s: by the times: y' at each, and − what the first y' becomes", (_name, options) => {
    // y' = y cos t, y = e^(sin t − sin t₀)
    const times = [0.2, 0.9, 2, 3.5];
    const [t0] = times as [number];
    const y = times.map((t) => Math.exp(Math.sin(t) - Math.sin(t0)));
    const f = (ts: Tensor): Tensor =>
      odeint((x: Tensor, t: Tensor) => mul(x, cos(t)), 1, ts, undefined, options)
        .mul(t64([5, 1, -2, 3]))
        .sum();
    const weigh = (g: (y: number, t: number) => number): number[] =>
      times.map((t, i) => ([5, 1, -2, 3][i] as number) * g(y[i] as number, t));
    const own = weigh((x, t) => x * Math.cos(t));
    const first = -Math.cos(t0) * weigh((x) => x).reduce((s, x, i) => (i === 0 ? s : s + x), 0);
    expectClose(grad(f)(t64(times)), [first, ...own.slice(1)], 1e-7);
    // ∂²y/∂t² = y (cos² t − sin t)
    const h = flat(hessian(f)(t64(times)) as Tensor);
    const bends = weigh((x, t) => x * (Math.cos(t) ** 2 - Math.sin(t)));
    for (const i of [1, 2, 3]) expectClose([h[5 * i] as number], [bends[i] as number], 1e-5);
  });

  test("a try that meets NaN is rejected and leaves no trace in the gradient", () => {
    // y' = −2√y: y = (√y₀ − t)². One step of 1.9 from 4 comes to √ of a negative number in its fourth stage.
    const k = [-4];
    const a = [[1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9]];
    for (const row of a) k.push(-2 * Math.sqrt(4 + 1.9 * row.reduce((s, w, i) => s + w * (k[i] as number), 0)));
    expect(k[3]).toBeNaN();
    const f = (y: Tensor): Tensor =>
      odeint((x: Tensor) => mul(-2, sg.sqrt(x)), y, [0, 1.9], undefined, { ...tight, firstStep: 1.9 }).at(-1) as Tensor;
    expectClose(f(t64(4)), 0.01, 1e-9);
    expectClose(grad(f)(t64(4)), 0.05, 1e-8);
    expectClose(vmap(grad(f) as typeof f)(t64([4, 9])), [0.05, 1.1 / 3], 1e-8);
  });
});

describe("transforms", () => {
  test("lanes have steps of their own: each is the solution alone", () => {
    const rates = [-0.3, -40, 0.5, -7];
    const f = (rate: Tensor): Tensor => odeint(decay, 1, [0, 1, 2], rate);
    const alone = (g: (x: Tensor) => Tensor): number[][] => rates.map((r) => flat(g(t64(r))));
    const last = grad((rate: Tensor) => f(rate).at(-1)) as (x: Tensor) => Tensor;
    expectClose(vmap(f)(t64(rates)), alone(f), 1e-14);
    expectClose(vmap(last)(t64(rates)), alone(last), 1e-14);
    const all = grad((r: Tensor) => vmap(f)(r).at(-1, 1).sum())(t64(rates));
    expectClose(all, alone(last), 1e-14);
    const curved = hessian((rate: Tensor) => f(rate).at(-1)) as (x: Tensor) => Tensor;
    expectClose(vmap(curved)(t64(rates)), alone(curved), 1e-13);
  });

  test("lanes of starts, of times and of both", () => {
    const by = (y: Tensor, t: Tensor): Tensor => odeint(oscillator, { x: y, v: 0 }, t, undefined, tight).x;
    const [ys, ts] = [
      t64([1, -2]),
      t64([
        [0, 1, 3],
        [2, 1, -1],
      ]),
    ];
    const want = (y: number, t: number[]): number[] => t.map((s) => y * Math.cos(s - (t[0] as number)));
    expectClose(vmap(by)(ys, ts), [want(1, [0, 1, 3]), want(-2, [2, 1, -1])], 1e-9);
    expectClose(vmap(by, { inAxes: [0, null] })(ys, t64([0, 1])), [want(1, [0, 1]), want(-2, [0, 1])], 1e-9);
    expectClose(vmap(by, { inAxes: [null, 0] })(t64(1), ts), [want(1, [0, 1, 3]), want(1, [2, 1, -1])], 1e-9);
  });

  test("compile", () => {
    const f = compile(grad((y: Tensor) => odeint(decay, y, [0, 1], -0.5).at(-1)));
    for (let i = 0; i < 3; i++) expectClose(f(t64(i + 1)), Math.exp(-0.5), 1e-6);
  });

  test("solutions inside a scan and a solution whose f solves another", () => {
    const [, rows] = sg.scan(
      (y: Tensor, t: Tensor): [Tensor, Tensor] => {
        const next = odeint(decay, y, stack([t64(0), t]), -1, tight).at(-1) as Tensor;
        return [next, next];
      },
      t64(1),
      t64([0.5, 1]),
    );
    expectClose(rows, [Math.exp(-0.5), Math.exp(-1.5)], 1e-9);
    // ∫₀ᵗ cos = sin inside y' = ∫: y = 1 − cos t.
    const inner = (t: Tensor): Tensor =>
      odeint((_y: Tensor, s: Tensor) => cos(s), 0, stack([t64(0), t]), undefined, { method: "rk4", steps: 8 }).at(
        -1,
      ) as Tensor;
    const outer = odeint((_y: Tensor, t: Tensor) => inner(t), 0, [0, 1], undefined, { rtol: 1e-6, atol: 1e-6 });
    expectClose(outer.at(-1), 1 - Math.cos(1), 1e-5);
  });

  test("a random start has a pathwise derivative: dE[y(2)]/dm = e^−1.4, without noise", () => {
    const loss = ({ m, s }: { m: Tensor; s: Tensor }): Tensor =>
      odeint(decay, sg.sample(sg.Normal({ loc: m, scale: s }), { name: "y0" }), [0, 2], -0.7, tight).at(-1) as Tensor;
    const E = sg.expectation(loss, { samples: 64 });
    const { grad: g } = E.valueAndGrad({ m: t64(1), s: t64(0.5) }, { key: 0 });
    expectClose(g.mean.m, Math.exp(-1.4), 1e-9);
    expect(E.explain({ m: t64(1), s: t64(0.5) }).toString()).toMatch(/pathwise/);
  });
});
