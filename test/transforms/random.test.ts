import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { primitives } from "../../src/control/index.js";
import { everyNode } from "../../src/graph/body.js";
import * as sg from "../../src/index.js";
import { compile, grad, hessian, jvp, type Tensor, tensor, valueAndGrad, vjp, vmap } from "../../src/index.js";
import { setRuntime } from "../../src/runtime/choose.js";
import { decisions } from "./decisions.js";
import { at, lossOf, numbers, operations, type Point, type Program, places, programs, run } from "./programs.js";

/** Random programs of every operation there is: every transform against finite differences and loops. */

const full = process.env["CHECK_FULL"] === "1";
const patience = full ? 900_000 : 60_000;
/** A direction with no two entries equal. */
const direction = Array.from({ length: 16 }, (_, i) => Math.sin(2.3 * i + 1));
const shift = (p: readonly number[], by: number): number[] => p.map((x, i) => x + by * (direction[i] as number));
const flat = ({ x, y }: Point): number[] => [...numbers(x), ...numbers(y)];
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, x, i) => total + x * (b[i] as number), 0);

function allNear(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got.length).toBe(expected.length);
  got.forEach((x, i) => {
    const bound = tolerance * Math.max(1, Math.abs(expected[i] as number));
    // Written so that NaN fails.
    if (!(Math.abs(x - (expected[i] as number)) <= bound)) expect([i, x]).toEqual([i, expected[i]]);
  });
}

/** Primitives that are not met here: random bits, the tools of expectations, and code from outside. */
const elsewhere: ReadonlySet<string> = new Set(
  "deriveKey jaxBits randomBits unitUniform poissonInverse attach box others stopGradient external".split(" "),
);

const stacked = (points: readonly Point[]): Point => ({
  x: sg.stack(points.map(({ x }) => x)),
  y: sg.stack(points.map(({ y }) => y)),
});

/** How many programs were met, and how many of them lie too near a kink to be compared with differences. */
const met = { all: 0, skipped: 0 };

/** Whether nothing is decided differently at the points used by `slope`. */
function onOnePiece(f: (p: Point) => Tensor, program: Program): boolean {
  met.all++;
  const steps = [0, -2e-5, -1e-5, 1e-5, 2e-5].map((by) => decisions(f(at(program, shift(program.point, by)))));
  const same = steps.every((step) => step === steps[0]);
  if (!same) met.skipped++;
  return same;
}

/** Numbers differentiated along `direction` by Richardson's extrapolation of central differences, and the error it expects. */
function slope(f: (by: number) => readonly number[]): { slopes: number[]; errors: number[] } {
  const [far, near] = [2e-5, 1e-5].map((h) => {
    const [above, below] = [f(h), f(-h)];
    return above.map((up, i) => (up - (below[i] as number)) / (2 * h));
  }) as [number[], number[]];
  return {
    slopes: near.map((d, i) => (4 * d - (far[i] as number)) / 3),
    errors: near.map((d, i) => Math.abs(d - (far[i] as number))),
  };
}

function nearSlope(got: readonly number[], f: (by: number) => readonly number[], tolerance: number): void {
  const { slopes, errors } = slope(f);
  expect(got.length).toBe(slopes.length);
  got.forEach((x, i) => {
    const bound = tolerance * Math.max(1, Math.abs(slopes[i] as number)) + (errors[i] as number);
    if (!(Math.abs(x - (slopes[i] as number)) <= bound)) expect([i, x]).toEqual([i, slopes[i]]);
  });
}

function forAll(runs: { quick: number; full: number }, seed: number, check: (program: Program) => void): void {
  fc.assert(fc.property(programs, check), { numRuns: full ? runs.full : runs.quick, seed });
}

describe("random programs", () => {
  test(
    "jvp = finite difference, vjp = its transpose, grad = vjp of 1",
    () => {
      forAll({ quick: 140, full: 4000 }, 7, (program) => {
        const f = (q: Point): Tensor => run(program, q);
        const here = at(program, program.point);
        const { value, tangent } = jvp(f, here, at(program, direction));
        const slopes = numbers(tangent as Tensor);
        if (onOnePiece(f, program)) nearSlope(slopes, (by) => numbers(f(at(program, shift(program.point, by)))), 1e-6);
        const w = numbers(value).map((_, i) => Math.cos(i + 1));
        const { pullback } = vjp(f, here);
        const back = flat(pullback(tensor(Float64Array.from(w), { shape: value.shape })) as Point);
        allNear([dot(back, direction)], [dot(w, slopes)], 1e-9);
      });
    },
    patience,
  );

  test(
    "hessian · v = difference of gradients; symmetric; reverse over reverse agrees",
    () => {
      forAll({ quick: 40, full: 2000 }, 8, (program) => {
        const f = (q: Point): Tensor => lossOf(program, q);
        const here = at(program, program.point);
        const rows = hessianRows(hessian(f)(here) as never, program);
        const product = rows.map((row) => dot(row, direction));
        const slopes = (by: number): number[] => flat(grad(f)(at(program, shift(program.point, by))) as Point);
        if (onOnePiece(f, program)) nearSlope(product, slopes, 1e-5);
        allNear(
          rows.flat(),
          rows.flatMap((_, j) => rows.map((row) => row[j] as number)),
          1e-8,
        );
        const along = (q: Point): Tensor => {
          const [g, v] = [grad(f)(q) as Point, at(program, direction)];
          return g.x.mul(v.x).sum().add(g.y.mul(v.y).sum());
        };
        allNear(flat(grad(along)(here) as Point), product, 1e-8);
      });
    },
    patience,
  );

  test(
    "vmap = loop, for any of the arguments; vmap of grad = loop of grads; grad of vmap",
    () => {
      forAll({ quick: 60, full: 2000 }, 9, (program) => {
        const points = [0, 0.4, -0.3].map((by) => at(program, shift(program.point, by)));
        const [first] = points as [Point];
        const { x: xs, y: ys } = stacked(points);
        const f = (x: Tensor, y: Tensor): Tensor => run(program, { x, y });
        const loop = (of: (point: Point) => Tensor): number[] => points.flatMap((point) => numbers(of(point)));
        const loss = (q: Point): Tensor => lossOf(program, q);
        allNear(
          numbers(vmap(f)(xs, ys)),
          loop(({ x, y }) => f(x, y)),
          1e-12,
        );
        allNear(
          numbers(vmap(f, { inAxes: [0, null] })(xs, first.y)),
          loop(({ x }) => f(x, first.y)),
          1e-12,
        );
        allNear(
          numbers(vmap(f, { inAxes: [null, 0] })(first.x, ys)),
          loop(({ y }) => f(first.x, y)),
          1e-12,
        );
        const loops = points.map((q) => grad(loss)(q) as Point);
        const mapped = vmap(grad(loss) as (q: Point) => Point)({ x: xs, y: ys }) as Point;
        allNear(
          flat(mapped),
          [...loops.flatMap(({ x }) => numbers(x)), ...loops.flatMap(({ y }) => numbers(y))],
          1e-10,
        );
        const total = (q: Point): Tensor => vmap(loss)(q).sum();
        allNear(flat(grad(total)({ x: xs, y: ys }) as Point), flat(mapped), 1e-10);
      });
    },
    patience,
  );

  test(
    "compile changes nothing, alone and inside grad; float32 agrees with float64",
    () => {
      forAll({ quick: 60, full: 2000 }, 10, (program) => {
        const f = (q: Point): Tensor => lossOf(program, q);
        const here = at(program, program.point);
        const compiled = compile(f);
        const plain = f(here).item();
        // Compiled code has functions of its own, which agree to rounding; interpreted, the graph computes the same.
        allNear([compiled(here).item()], [plain], 1e-12);
        setRuntime("reference");
        expect(compiled(here).item()).toBe(plain);
        setRuntime("wasm");
        const { value, grad: g } = valueAndGrad((q: Point) => compiled(q))(here);
        expect(value.item()).toBe(plain);
        allNear(flat(g as Point), flat(grad(f)(here) as Point), 1e-12);
        const single = { x: here.x.toDType("float32"), y: here.y.toDType("float32") };
        const rough = grad(f)(single) as Point;
        expect([rough.x.dtype, rough.y.dtype]).toEqual(["float32", "float32"]);
        // After rounding a number may fall on the other side of a kink; then the two are different programs.
        if (decisions(f(single)) === decisions(f(here))) allNear(flat(rough), flat(g as Point), 2e-2);
      });
    },
    patience,
  );

  test("they use every primitive, alone or in a derivative", () => {
    const seen = new Set<string>();
    const point = Array.from({ length: 16 }, (_, i) => Math.sin(i + 0.5));
    for (const [op] of operations.entries()) {
      for (const choices of [0, 1, 2, 3, 5, 8]) {
        const program: Program = { shapes: [[2, 3], [3]], point, steps: [{ op, a: 0, b: 0, choices }] };
        const f = (q: Point): Tensor => lossOf(program, q);
        const { x, y } = grad(f)(at(program, point)) as Point;
        const mapped = vmap((q: Point) => run(program, q))(stacked([at(program, point), at(program, direction)]));
        const single = f({ x: at(program, point).x.toDType("float32"), y: at(program, point).y.toDType("float32") });
        for (const node of everyNode([x, y, mapped, f(at(program, point)), single]))
          if (node.primitive) seen.add(node.primitive.name);
      }
    }
    expect(primitives.map(({ name }) => name).filter((name) => !seen.has(name) && !elsewhere.has(name))).toEqual([]);
    expect([...elsewhere].filter((name) => seen.has(name))).toEqual([]);
  });

  test("few programs lie too near a kink", () => {
    expect(met.all).toBeGreaterThan(150);
    expect(met.skipped / met.all).toBeLessThan(0.1);
  });
});

/** The Hessian as rows over all numbers of x, then y. */
function hessianRows(h: { x: Point; y: Point }, program: Program): number[][] {
  const total = places(program);
  const n = at(program, program.point).x.size;
  const rowsOf = (block: Tensor, rows: number): number[][] => {
    const list = numbers(block);
    const width = list.length / Math.max(1, rows);
    return Array.from({ length: rows }, (_, i) => list.slice(i * width, (i + 1) * width));
  };
  const join = ({ x, y }: Point, rows: number): number[][] => {
    const right = rowsOf(y, rows);
    return rowsOf(x, rows).map((row, i) => [...row, ...(right[i] as number[])]);
  };
  return [...join(h.x, n), ...join(h.y, total - n)];
}
