import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import {
  compile,
  cos,
  exp,
  grad,
  hessian,
  jvp,
  mul,
  sin,
  square,
  sum,
  type Tensor,
  tensor,
  vmap,
} from "../../src/index.js";
import { numbers } from "./programs.js";

const f64 = { dtype: "float64" } as const;
const at = (x: number): Tensor => tensor(x, f64);
type Scalar = (x: Tensor) => Tensor;
const slope = (f: Scalar): Scalar => grad(f) as Scalar;

describe("any order, any composition", () => {
  test("derivatives of sin to order 5", () => {
    let f: Scalar = (x) => sin(x);
    for (const expected of [
      Math.sin,
      Math.cos,
      (x: number) => -Math.sin(x),
      (x: number) => -Math.cos(x),
      Math.sin,
      Math.cos,
    ]) {
      expect(f(at(0.7)).item()).toBeCloseTo(expected(0.7), 13);
      f = slope(f);
    }
  });

  test("third derivatives: forward over reverse over reverse, and the other ways round", () => {
    const f: Scalar = (x) => exp(x.mul(2)).mul(sin(x));
    // d³/dx³ e^{2x} sin x = e^{2x} (2 sin x + 11 cos x)
    const expected = Math.exp(1) * (2 * Math.sin(0.5) + 11 * Math.cos(0.5));
    const forward =
      (g: Scalar): Scalar =>
      (x) =>
        jvp(g, x, 1).tangent as Tensor;
    for (const first of [slope, forward])
      for (const second of [slope, forward])
        for (const third of [slope, forward]) {
          expect(third(second(first(f)))(at(0.5)).item()).toBeCloseTo(expected, 11);
        }
  });

  test("no perturbation confusion: d/dx [x · d/dy (x + y)] = 1", () => {
    expect(slope((x) => x.mul(slope((y) => x.add(y))(at(1))))(at(3)).item()).toBe(1);
    expect(
      (
        jvp((x: Tensor) => x.mul(jvp((y: Tensor) => x.add(y), at(1), 1).tangent as Tensor), at(3), 1).tangent as Tensor
      ).item(),
    ).toBe(1);
    // The inner derivative depends on x: d/dx [x · d/dy (x y²)] at y = x is d/dx 2x³.
    expect(slope((x) => x.mul(slope((y) => x.mul(y).mul(y))(x)))(at(2)).item()).toBe(24);
  });

  test("hessian = jacobian of grad, and the gradient of its trace", () => {
    const f = (x: Tensor): Tensor => sum(mul(square(x), sin(x.flip(0))));
    const x = tensor([0.3, -1.1, 0.8], f64);
    const h = hessian(f)(x) as Tensor;
    const rows = vmap((v: Tensor) => jvp(grad(f) as Scalar, x, v).tangent as Tensor)(sg.eye(3, f64));
    numbers(h).forEach((value, i) => {
      expect(value).toBeCloseTo(numbers(rows)[i] as number, 13);
    });
    const trace = (p: Tensor): Tensor => sum(mul(hessian(f)(p) as Tensor, sg.eye(3, f64)));
    const [up, down] = [1e-5, -1e-5].map((by) => trace(tensor([0.3 + by, -1.1, 0.8], f64)).item()) as [number, number];
    expect(numbers(grad(trace)(x) as Tensor)[0]).toBeCloseTo((up - down) / 2e-5, 7);
  });

  test("hessian of a tree: blocks [...first, ...second]", () => {
    const f = ({ a, b }: { a: Tensor; b: Tensor }): Tensor => sum(a.mul(b.reshape([2, 1])));
    const h = hessian(f)({ a: sg.ones([2, 3], f64), b: sg.ones([2], f64) }) as unknown as Record<
      "a" | "b",
      Record<"a" | "b", Tensor>
    >;
    expect([h.a.a.shape, h.a.b.shape, h.b.a.shape, h.b.b.shape]).toEqual([
      [2, 3, 2, 3],
      [2, 3, 2],
      [2, 2, 3],
      [2, 2],
    ]);
    expect(h.b.a.toArray()).toEqual([
      [
        [1, 1, 1],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
    ]);
  });

  test("vmap of vmap, of hessian, of a vmapped gradient", () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      f64,
    );
    const y = tensor([10, 20], f64);
    const table = vmap((row: Tensor) => vmap((a: Tensor, b: Tensor) => a.mul(b).add(row.sum()))(row, y))(x);
    expect(table.toArray()).toEqual([
      [13, 43],
      [37, 87],
      [61, 131],
    ]);
    const cubes = vmap(hessian((p: Tensor) => sum(p.mul(p).mul(p))) as Scalar)(x);
    expect(cubes.toArray()).toEqual([
      [
        [6, 0],
        [0, 12],
      ],
      [
        [18, 0],
        [0, 24],
      ],
      [
        [30, 0],
        [0, 36],
      ],
    ]);
    const slopes = grad((w: Tensor) => sum(vmap(slope((a) => a.mul(a).mul(w.sum())) as Scalar)(y)))(
      tensor([1, 1], f64),
    ) as Tensor;
    expect(slopes.toArray()).toEqual([60, 60]);
  });

  test("vmap axes: in front, at the back, shared, moved out", () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(vmap((column: Tensor) => sum(column), { inAxes: [1] })(x).toArray()).toEqual([5, 7, 9]);
    expect(vmap((column: Tensor) => sum(column), { inAxes: [-1] })(x).toArray()).toEqual([5, 7, 9]);
    expect(vmap((row: Tensor) => row.mul(2), { outAxis: 1 })(x).toArray()).toEqual([
      [2, 8],
      [4, 10],
      [6, 12],
    ]);
    expect(vmap((row: Tensor, k: Tensor) => row.mul(k), { inAxes: [0, null], outAxis: -1 })(x, 10).shape).toEqual([
      3, 2,
    ]);
    expect(
      vmap(({ a }: { a: Tensor }) => ({ twice: a.mul(2), same: tensor(7) }))({ a: [1, 2] }).same.toArray(),
    ).toEqual([7, 7]);
  });

  test("an empty axis maps to an empty result", () => {
    expect(vmap((row: Tensor) => row.sum())(sg.zeros([0, 3])).shape).toEqual([0]);
    expect(grad((x: Tensor) => x.sum())(sg.zeros([0, 3])).shape).toEqual([0, 3]);
  });

  test("a value that is read inside grad keeps its inputs, and TypeScript branches work", () => {
    const f: Scalar = (x) => {
      const y = x.mul(x);
      return y.item() > 1 ? y.mul(3) : y;
    };
    expect([slope(f)(at(2)).item(), slope(f)(at(0.5)).item(), slope(slope(f))(at(2)).item()]).toEqual([12, 1, 6]);
  });

  test("stopGradient", () => {
    expect(slope((x) => x.mul(sg.stopGradient(x)))(at(3)).item()).toBe(3);
  });

  test("a gradient through 20,000 steps", () => {
    const f: Scalar = (x) => {
      let y = x;
      for (let i = 0; i < 20_000; i++) y = y.add(x);
      return y;
    };
    expect(slope(f)(at(1)).item()).toBe(20_001);
  });

  test("compile inside grad inside vmap inside compile", () => {
    const inner = compile((x: Tensor) => cos(x).mul(x));
    const f = compile((xs: Tensor) => vmap(slope((x) => inner(x)) as Scalar)(xs));
    const expected = [0.1, 0.2].map((x) => Math.cos(x) - x * Math.sin(x));
    for (let call = 0; call < 4; call++) {
      numbers(f(tensor([0.1, 0.2], f64))).forEach((got, i) => {
        expect(got).toBeCloseTo(expected[i] as number, 14);
      });
    }
  });
});
