import { expect, test } from "vitest";
import {
  add,
  eye,
  fixedPoint,
  grad,
  hessian,
  matmul,
  mul,
  sin,
  solve,
  sub,
  type Tensor,
  vmap,
} from "../../src/index.js";
import { expectClose, t64 } from "./support.js";

/** Derivatives of higher order of fixed points: what a construction that is right at first order only would miss. */

type Scalar = (x: Tensor) => Tensor;

// Kepler: x = m + e sin x. With s = sin x, c = cos x, d = 1 − e c: x′ = 1/d, x″ = −e s/d³, x‴ = −e c/d⁴ + 3 e² s²/d⁵ by m.
const e = 0.4;
const kepler = (m: Tensor): Tensor => fixedPoint((x) => add(m, mul(e, sin(x))), 0);

test("Kepler's equation, three derivatives by the mean anomaly, alone and in lanes", () => {
  const at = [0.3, 1.2, 2.5];
  const xs = at.map((m) => {
    let x = m;
    for (let i = 0; i < 200; i++) x = m + e * Math.sin(x);
    return x;
  });
  const d = (x: number): number => 1 - e * Math.cos(x);
  const want = [
    xs,
    xs.map((x) => 1 / d(x)),
    xs.map((x) => (-e * Math.sin(x)) / d(x) ** 3),
    xs.map((x) => (-e * Math.cos(x)) / d(x) ** 4 + (3 * (e * Math.sin(x)) ** 2) / d(x) ** 5),
  ];
  let f: Scalar = kepler;
  want.forEach((numbers) => {
    expectClose(vmap(f)(t64(at)), numbers, 1e-10);
    expectClose(f(t64(at[1] as number)), numbers[1] as number, 1e-10);
    f = grad(f) as Scalar;
  });
});

test("a linear map: the Hessian by matrix and offset together is that of (I − A)⁻¹ c", () => {
  const p = {
    a: t64([
      [0.2, 0.3],
      [-0.1, 0.5],
    ]),
    c: t64([1, -2]),
  };
  const weigh = (h: (q: typeof p) => Tensor) => (q: typeof p) => mul(h(q), t64([1, 3])).sum();
  const got = hessian(weigh((q) => fixedPoint((x) => add(matmul(q.a, x), q.c), [0, 0])))(p);
  const want = hessian(weigh((q) => solve(sub(eye(2, { dtype: "float64" }), q.a), q.c)))(p);
  const rows = [got, want] as unknown as Record<string, Record<string, Tensor>>[];
  for (const row of ["a", "c"])
    for (const column of ["a", "c"]) {
      const [x, y] = rows.map((h) => h[row]?.[column] as Tensor) as [Tensor, Tensor];
      expect(x.shape).toEqual(y.shape);
      expectClose(x, y, 1e-9);
    }
});
