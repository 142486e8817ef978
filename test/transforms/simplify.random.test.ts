import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/base/dtype.js";
import { checkGraph } from "../../src/graph/check.js";
import { constant, tensor } from "../../src/graph/leaves.js";
import { type AnyPrimitive, apply, placeholder, type Tensor } from "../../src/graph/tensor.js";
import { concat } from "../../src/primitives/concat.js";
import { divide, mul } from "../../src/primitives/contract.js";
import { abs } from "../../src/primitives/elementary.js";
import { gather } from "../../src/primitives/indexing.js";
import { add, broadcastTo, flip, neg, reshape, slice, sub, transpose } from "../../src/primitives/linear.js";
import { cast, convert, equals, maximum, minimum, not, pow, where } from "../../src/primitives/pointwise.js";
import { gradients, hessianBlocks } from "../../src/transforms/grad.js";
import { simplify } from "../../src/transforms/simplify/index.js";
import { lossOf, type Point, type Program, programs, run as runProgram } from "./programs.js";
import { array, type Feeds, feedsOf, firstDifference, holesFor, operations, run, specials } from "./simplifying.js";

/** Random graphs before and after, bit for bit; also their gradients and Hessians. */

const full = process.env["CHECK_FULL"] === "1";
const patience = full ? 900_000 : 60_000;

interface Traced {
  readonly point: Point;
  readonly feeds: Feeds;
}

/** The arguments of a program as placeholders, with numbers. */
function traced({ shapes, point }: Program, dtype: DType): Traced {
  let next = 0;
  const arrays = shapes.map((shape) => array(dtype, shape, () => point[next++ % point.length] as number));
  const [x, y] = holesFor(arrays) as [Tensor, Tensor];
  return { point: { x, y }, feeds: feedsOf([x, y], arrays) };
}

/** The same numbers from no more kernels, a legal graph, and nothing left to do. */
function checked(outputs: readonly Tensor[], feeds: Feeds): Tensor[] {
  const before = run(outputs, feeds);
  const after = simplify(outputs);
  checkGraph(after);
  expect(after.map(({ shape, dtype }) => [dtype, shape])).toEqual(outputs.map(({ shape, dtype }) => [dtype, shape]));
  expect(firstDifference(before, run(after, feeds))).toBe(null);
  expect(operations(after)).toBeLessThanOrEqual(operations(outputs));
  const again = simplify(after);
  expect(again.every((node, i) => node === after[i])).toBe(true);
  return after;
}

function forAll(runs: number, check: (program: Program) => void): void {
  fc.assert(fc.property(programs, check), { numRuns: full ? 10 * runs : runs, seed: 11 });
}

function allNear(got: readonly number[][], expected: readonly number[][], tolerance: number): void {
  const [a, b] = [got.flat(), expected.flat()];
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    const bound = tolerance * Math.max(1, Math.abs(b[i] as number));
    if (!(Math.abs(x - (b[i] as number)) <= bound) && !Object.is(x, b[i])) expect([i, x]).toEqual([i, b[i]]);
  });
}

describe("random programs of every operation", () => {
  test.each(["float64", "float32"] as const)(
    "values, gradients and Hessians in %s",
    (dtype) => {
      let saved = 0;
      forAll(60, (program) => {
        const { point, feeds } = traced(program, dtype);
        checked([runProgram(program, point)], feeds);
        const loss = lossOf(program, point);
        const both = [loss, ...gradients(loss, [point.x, point.y])];
        saved += operations(both) - operations(checked(both, feeds));
      });
      forAll(25, (program) => {
        const { point, feeds } = traced(program, dtype);
        checked(hessianBlocks(lossOf(program, point), [point.x, point.y]).flat(), feeds);
      });
      expect(saved).toBeGreaterThan(100);
    },
    patience,
  );

  test(
    "the derivatives of a simplified graph are those of the graph",
    () => {
      forAll(60, (program) => {
        const { point, feeds } = traced(program, "float64");
        const loss = lossOf(program, point);
        const [simple] = simplify([loss]) as [Tensor];
        const inputs = [point.x, point.y];
        allNear(run(gradients(simple, inputs), feeds), run(gradients(loss, inputs), feeds), 1e-12);
      });
      forAll(20, (program) => {
        const { point, feeds } = traced(program, "float64");
        const loss = lossOf(program, point);
        const [simple] = simplify([loss]) as [Tensor];
        const blocks = (node: Tensor): number[][] => run(hessianBlocks(node, [point.x, point.y]).flat(), feeds);
        allNear(blocks(simple), blocks(loss), 1e-10);
      });
    },
    patience,
  );
});

/** Steps in which every identity can be met, in any order and nesting, on arrays [2, 3] of special values. */
const on = (primitive: AnyPrimitive, ...inputs: Tensor[]): Tensor => apply(primitive, inputs, null);
const shape = [2, 3];
const like = (x: Tensor, c: number): Tensor =>
  broadcastTo(constant([0, -0, 1, -1, 2, Number.POSITIVE_INFINITY, Number.NaN][c % 7] as number, x.dtype), shape);
const mask = (x: Tensor, c: number): Tensor =>
  c % 3 === 0 ? broadcastTo(constant(c % 2, "bool"), shape) : on(equals, x, like(x, c));
const castTo = (x: Tensor, dtype: DType): Tensor => apply(cast, [x], { dtype });
const back = (x: Tensor): Tensor => apply(transpose, [x], { order: [1, 0] });

const indices = tensor(Int32Array.of(0, 1, 0));

type Make = (x: Tensor, y: Tensor, c: number) => Tensor;
const steps: readonly Make[] = [
  ...[add, sub, mul, divide, maximum, minimum].flatMap((op): Make[] => [
    (x, y) => on(op, x, y),
    (x, _y, c) => on(op, x, like(x, c)),
    (x, _y, c) => on(op, like(x, c), x),
  ]),
  ...[neg, neg, neg, abs].map(
    (op): Make =>
      (x) =>
        on(op, x),
  ),
  (x, _y, c) => on(pow, x, like(x, c)),
  (x, y, c) => on(where, mask(x, c), x, y),
  (x, y, c) => on(where, on(not, mask(y, c)), x, y),
  (x) => castTo(castTo(x, "float64"), x.dtype),
  (x, y) => apply(convert, [on(equals, x, y)], { dtype: x.dtype }),
  (x, _y, c) => back(c % 2 === 0 ? back(x) : apply(reshape, [x], { shape: [3, 2] })),
  (x, _y, c) => apply(flip, [apply(flip, [x], { axes: [c % 2] })], { axes: [1] }),
  (x, _y, c) =>
    apply(gather, [x, apply(slice, [indices], { start: [c % 2], stop: [(c % 2) + 2], step: [1] })], { batch: 0 }),
  (x, y) => apply(slice, [apply(concat, [x, y, x], { axis: 0 })], { start: [1, 0], stop: [5, 3], step: [2, 1] }),
  (x) =>
    apply(slice, [apply(slice, [apply(concat, [x, x], { axis: 1 })], { start: [0, 1], stop: [2, 6], step: [1, 1] })], {
      start: [0, 0],
      stop: [2, 5],
      step: [1, 2],
    }),
];

describe("random nests of identities at special values", () => {
  test.each(["float64", "float32"] as const)("%s", (dtype) => {
    const places = fc.array(fc.nat({ max: 999 }), { minLength: 12, maxLength: 12 });
    const list = fc.array(fc.tuple(fc.nat({ max: 999 }), fc.nat({ max: 999 }), fc.nat({ max: 999 })), {
      minLength: 2,
      maxLength: 12,
    });
    const all = specials(dtype);
    fc.assert(
      fc.property(list, places, (chosen, at) => {
        const arrays = [0, 6].map((from) =>
          array(dtype, shape, (i) => all[(at[from + i] as number) % all.length] as number),
        );
        const holes = [placeholder({ shape, dtype }, "x"), placeholder({ shape, dtype }, "y")];
        const pool = [...holes];
        for (const [op, b, c] of chosen) {
          const make = steps[op % steps.length] as Make;
          const first = pool[b % 3 === 0 ? c % pool.length : pool.length - 1] as Tensor;
          pool.push(make(first, pool[b % pool.length] as Tensor, c));
        }
        checked(pool.slice(-2), feedsOf(holes, arrays));
      }),
      { numRuns: full ? 20_000 : 2000, seed: 5 },
    );
  });
});
