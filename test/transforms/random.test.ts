import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { compile, grad, hessian, jvp, type Tensor, tensor, valueAndGrad, vjp, vmap } from "../../src/index.js";
import { lossOf, numbers, program, type Step, steps } from "./programs.js";

/** Random programs: every transform against finite differences and loops. */

const f64 = { dtype: "float64" } as const;
const full = process.env["CHECK_FULL"] === "1";

type Point = { x: Tensor; y: Tensor };
const point = fc
  .array(fc.integer({ min: -1500, max: 1500 }), { minLength: 9, maxLength: 9 })
  .map((list) => list.map((n, i) => n / 1000 + i / 7919));

function at(p: readonly number[]): Point {
  return { x: tensor([p.slice(0, 3), p.slice(3, 6)], f64), y: tensor(p.slice(6, 9), f64) };
}

const direction = [0.3, -0.7, 0.2, 0.9, -0.4, 0.6, -0.1, 0.8, 0.5];
const shift = (p: readonly number[], by: number): number[] => p.map((x, i) => x + by * (direction[i] as number));
const flat = ({ x, y }: Point): number[] => [...numbers(x), ...numbers(y)];
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, x, i) => total + x * (b[i] as number), 0);

function near(got: number, expected: number, tolerance: number): void {
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected)));
}

function allNear(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got.length).toBe(expected.length);
  got.forEach((x, i) => {
    near(x, expected[i] as number, tolerance);
  });
}

function forAll(runs: number, check: (list: Step[], p: number[]) => void): void {
  fc.assert(fc.property(steps, point, check), { numRuns: full ? 1000 : runs, seed: 7 });
}

describe("random programs", () => {
  test("jvp = finite difference, vjp = its transpose, grad = vjp of 1", () => {
    forAll(200, (list, p) => {
      const f = ({ x, y }: Point): Tensor => program(list, x, y);
      const { value, tangent } = jvp(f, at(p), at(direction));
      const [above, below] = [numbers(f(at(shift(p, 1e-5)))), numbers(f(at(shift(p, -1e-5))))];
      const slopes = numbers(tangent as Tensor);
      allNear(
        slopes,
        above.map((up, i) => (up - (below[i] as number)) / 2e-5),
        1e-6,
      );
      const w = numbers(value).map((_, i) => Math.cos(i + 1));
      const back = vjp(f, at(p)).pullback(tensor(Float64Array.from(w), { shape: value.shape }));
      near(dot(flat(back as Point), direction), dot(w, slopes), 1e-10);
    });
  });

  test("hessian · v = difference of gradients; symmetric; reverse over reverse agrees", () => {
    forAll(80, (list, p) => {
      const f = ({ x, y }: Point): Tensor => lossOf(list, x, y);
      const h = hessian(f)(at(p)) as unknown as { x: Point; y: Point };
      const rows = hessianRows(h);
      const slope = (by: number): number[] => flat(grad(f)(at(shift(p, by))) as Point);
      const [above, below] = [slope(1e-5), slope(-1e-5)];
      allNear(
        rows.map((row) => dot(row, direction)),
        above.map((up, i) => (up - (below[i] as number)) / 2e-5),
        1e-5,
      );
      rows.forEach((row, i) => {
        row.forEach((value, j) => {
          near(value, rows[j]?.[i] as number, 1e-9);
        });
      });
      const along = (q: Point): Tensor => {
        const g = grad(f)(q) as Point;
        const v = at(direction);
        return g.x.mul(v.x).sum().add(g.y.mul(v.y).sum());
      };
      allNear(
        flat(grad(along)(at(p)) as Point),
        rows.map((row) => dot(row, direction)),
        1e-9,
      );
    });
  });

  test("vmap = loop, for any of the arguments; vmap of grad = loop of grads; grad of vmap", () => {
    forAll(120, (list, p) => {
      const points = [p, shift(p, 0.4), shift(p, -0.3)].map(at);
      const [first] = points as [Point];
      const [xs, ys] = [sg.stack(points.map(({ x }) => x)), sg.stack(points.map(({ y }) => y))];
      const f = (x: Tensor, y: Tensor): Tensor => program(list, x, y);
      const loss = ({ x, y }: Point): Tensor => lossOf(list, x, y);
      allNear(
        numbers(vmap(f)(xs, ys)),
        points.flatMap(({ x, y }) => numbers(f(x, y))),
        1e-12,
      );
      allNear(
        numbers(vmap(f, { inAxes: [0, null] })(xs, first.y)),
        points.flatMap(({ x }) => numbers(f(x, first.y))),
        1e-12,
      );
      allNear(
        numbers(vmap(f, { inAxes: [null, 0] })(first.x, ys)),
        points.flatMap(({ y }) => numbers(f(first.x, y))),
        1e-12,
      );
      const loops = points.map((q) => grad(loss)(q) as Point);
      const mapped = vmap(grad(loss) as (q: Point) => Point)({ x: xs, y: ys }) as Point;
      allNear(flat(mapped), [...loops.flatMap(({ x }) => numbers(x)), ...loops.flatMap(({ y }) => numbers(y))], 1e-11);
      const total = (q: Point): Tensor => vmap(loss)(q).sum();
      allNear(flat(grad(total)({ x: xs, y: ys }) as Point), flat(mapped), 1e-11);
    });
  });

  test("compile changes nothing, alone and inside grad and vmap; float32 agrees with float64", () => {
    forAll(120, (list, p) => {
      const f = ({ x, y }: Point): Tensor => lossOf(list, x, y);
      const compiled = compile(f);
      expect(compiled(at(p)).item()).toBe(f(at(p)).item());
      const { value, grad: g } = valueAndGrad((q: Point) => compiled(q))(at(p));
      expect(value.item()).toBe(f(at(p)).item());
      allNear(flat(g as Point), flat(grad(f)(at(p)) as Point), 1e-13);
      const single = { x: at(p).x.toDType("float32"), y: at(p).y.toDType("float32") };
      const rough = grad(f)(single) as Point;
      expect([rough.x.dtype, rough.y.dtype]).toEqual(["float32", "float32"]);
      // The mask of `where` may fall on the other side after rounding; then the two are different programs.
      if (Math.abs(f(single).item() - value.item()) < 1e-4) allNear(flat(rough), flat(g as Point), 2e-2);
    });
  });
});

/** The Hessian as 9 rows of 9, in the order x, y. */
function hessianRows(h: { x: Point; y: Point }): number[][] {
  const block = (t: Tensor, n: number): number[][] => {
    const list = numbers(t);
    const width = list.length / n;
    return Array.from({ length: n }, (_, i) => list.slice(i * width, (i + 1) * width));
  };
  const join = (p: Point, n: number): number[][] => {
    const right = block(p.y, n);
    return block(p.x, n).map((row, i) => [...row, ...(right[i] as number[])]);
  };
  return [...join(h.x, 6), ...join(h.y, 3)];
}
