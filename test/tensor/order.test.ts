import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { argsort, median, quantile, searchsorted, sort, type Tensor, tensor, topK } from "../../src/index.js";
import { dice } from "../primitives/draw.js";
import { message } from "../runtime/message.js";
import { flat } from "./arrays.js";

const f64 = { dtype: "float64" } as const;

/** Many ties, both zeros, infinities and NaN. */
function odd(size: number, seed: number): number[] {
  const roll = dice(seed);
  const pool = [0, -0, 1, 1.5, -2, Infinity, -Infinity, NaN, 3];
  return Array.from({ length: size }, () => pool[Math.floor(roll() * pool.length)] as number);
}

/** By insertion: every element goes behind those that are not larger (falling: not smaller). */
function inserted(x: readonly number[], descending: boolean): number[] {
  const before = (a: number, b: number): boolean => a < b || (Number.isNaN(b) && !Number.isNaN(a));
  const places: number[] = [];
  x.forEach((v, i) => {
    const at = places.findIndex((p) => (descending ? before(x[p] as number, v) : before(v, x[p] as number)));
    places.splice(at < 0 ? places.length : at, 0, i);
  });
  return places;
}

describe("the order", () => {
  test.each([false, true])("is stable, −0 equal to 0, NaN the largest; falling: %s", (descending) => {
    for (let seed = 0; seed < 40; seed++) {
      const x = odd(seed % 13, seed);
      const places = inserted(x, descending);
      expect(flat(argsort(tensor(x, f64), 0, { descending }))).toEqual(places);
      // toEqual tells −0 from 0.
      expect(flat(sort(tensor(x, f64), 0, { descending }))).toEqual(places.map((i) => x[i]));
      const [values, indices] = topK(tensor(x, f64), Math.min(3, x.length));
      const best = inserted(x, true).slice(0, 3);
      expect([flat(values), flat(indices)]).toEqual([best.map((i) => x[i]), best]);
    }
  });

  test.each(["float32", "int32", "uint32", "bool"] as const)("keeps %s, on any axis, of any size", (dtype) => {
    const x = tensor(
      [
        [3, 1, 2],
        [0, 1, 5],
      ],
      { dtype },
    );
    expect([sort(x, 0).dtype, argsort(x).dtype]).toEqual([dtype, "int32"]);
    const rows =
      dtype === "bool"
        ? [
            [0, 1, 1],
            [1, 1, 1],
          ]
        : [
            [0, 1, 2],
            [3, 1, 5],
          ];
    expect(sort(x, -2).toArray()).toEqual(rows);
    expect([sort(sg.zeros([0, 3]), 0).shape, argsort(sg.zeros([2, 0])).shape]).toEqual([
      [0, 3],
      [2, 0],
    ]);
    expect(topK(x, 0)[0].shape).toEqual([2, 0]);
  });
});

describe("searchsorted", () => {
  test("is the count of smaller elements, of not larger ones on the right", () => {
    for (let seed = 0; seed < 20; seed++) {
      const x = flat(sort(tensor(odd(seed % 7, seed), f64)));
      const v = odd(11, 1000 + seed);
      const less = (a: number, b: number): boolean => a < b || (Number.isNaN(b) && !Number.isNaN(a));
      const [xs, vs] = [tensor(x, f64), tensor(v, f64)];
      expect(flat(searchsorted(xs, vs))).toEqual(v.map((b) => x.filter((a) => less(a, b)).length));
      expect(flat(searchsorted(xs, vs, { side: "right" }))).toEqual(v.map((b) => x.filter((a) => !less(b, a)).length));
    }
  });

  test("row by row, and under vmap with one shared table", () => {
    const rows = tensor([
      [1, 2, 3],
      [10, 20, 30],
    ]);
    const values = tensor([
      [2, 0],
      [25, 40],
    ]);
    expect(searchsorted(rows, values).toArray()).toEqual([
      [1, 0],
      [2, 3],
    ]);
    const one = sg.vmap((v: Tensor) => searchsorted([1, 2, 3], v));
    expect(one(values).toArray()).toEqual([
      [1, 0],
      [3, 3],
    ]);
    expect(searchsorted(tensor([1, 2], { dtype: "int32" }), 1.5).item()).toBe(1);
    expect(searchsorted([1, 2], sg.zeros([0, 2])).shape).toEqual([0, 2]);
  });
});

describe("quantiles", () => {
  test("of infinities where no difference of them is needed, and NaN where one is", () => {
    const x = tensor([Infinity, 1, -Infinity, 2, Infinity], f64);
    expect(flat(quantile(x, [0, 0.25, 0.5, 0.75, 1]))).toEqual([-Infinity, 1, 2, Infinity, Infinity]);
    expect(quantile(x, 0.9).item()).toBe(Infinity);
    expect(median(tensor([1, NaN, 0])).item()).toBeNaN();
    expect(
      flat(
        median(
          tensor([
            [1, NaN, 0],
            [1, 2, 4],
          ]),
          -1,
        ),
      ),
    ).toEqual([NaN, 2]);
  });

  test("of one element, of whole numbers, with kept axes", () => {
    expect([median(7).item(), median(tensor([1, 2], { dtype: "int32" })).item()]).toEqual([7, 1.5]);
    expect(quantile(sg.ones([2, 3]), [0.2, 0.3], { axis: 1, keepDims: true }).shape).toEqual([2, 2, 1]);
  });
});

describe("a sample", () => {
  type Params = { readonly loc: Tensor };
  const through = (f: (x: Tensor) => Tensor) =>
    sg.expectation((p: Params) => sg.sum(f(sg.sample(sg.Normal({ loc: p.loc, scale: [1, 1] }), { name: "x" }))), {
      samples: 10000,
      estimators: { x: sg.pathwise() },
    });

  test("passes through sorted values: E max of two normals has derivative Φ(±d/√2)", () => {
    const loc = tensor([0.4, 0.1]);
    const { grad } = through((x) => topK(x, 1)[0]).valueAndGrad({ loc }, { key: 0 });
    const p = 0.5 * sg.erfc(-0.15).item();
    // Standard error √(p(1 − p)/10000) = 0.005, 0.9 % of the truth; 4.9 of them.
    for (const [i, truth] of [p, 1 - p].entries()) {
      const got = flat((grad.mean as unknown as Params).loc)[i] as number;
      expect(Math.abs(got - truth)).toBeLessThanOrEqual(4.9 * 0.005);
    }
  });

  test.each([
    ["sort", (x: Tensor) => sort(x)],
    ["median", (x: Tensor) => median(x)],
    ["quantile", (x: Tensor) => quantile(x, 0.3)],
    ["cummax", (x: Tensor) => x.cummax()],
  ])("meets a kink in %s: one derivative, no second", (_name, f) => {
    const loc = [0.4, 0.1];
    expect(message(() => through(f).valueAndGrad({ loc }, { key: 0 }))).toBe("no error");
    expect(message(() => through(f).hessian({ loc }, { key: 0 }))).toMatch(/^sample "x": /);
  });

  test.each([
    ["argsort", (x: Tensor) => argsort(x)],
    ["its own places", (x: Tensor) => x.takeAlongAxis(argsort(x))],
    ["searchsorted", (x: Tensor) => searchsorted([0, 1], x)],
    ["remainder", (x: Tensor) => x.remainder(1)],
  ])("meets a jump in %s", (_name, f) => {
    const E = through((x) => f(x).toDType("float32"));
    expect(message(() => E.valueAndGrad({ loc: [0.4, 0.1] }, { key: 0 }))).toMatch(
      /^sample "x": pathwise would be biased: .* whose derivative is zero or undefined; use scoreFunction\(\)\.$/,
    );
  });
});

test("errors", () => {
  const m = sg.ones([2, 3]);
  expect(message(() => sort(m, 2))).toBe("sort: got axis 2 of a tensor of rank 2, expected an axis in [-2, 1].");
  expect(message(() => sort(1))).toBe("sort: got axis -1 of a tensor of rank 0, expected no axis.");
  expect(message(() => argsort(m, -3))).toBe(
    "argsort: got axis -3 of a tensor of rank 2, expected an axis in [-2, 1].",
  );
  expect(message(() => topK(m, 4))).toBe("topK: got k = 4 on axis -1 of [2, 3], expected a whole number in [0, 3].");
  expect(message(() => topK(m, 0.5))).toBe(
    "topK: got k = 0.5 on axis -1 of [2, 3], expected a whole number in [0, 3].",
  );
  expect(message(() => quantile(m, 1.5))).toBe("quantile: got q = 1.5, expected a number in [0, 1].");
  expect(message(() => quantile(m, NaN))).toBe("quantile: got q = NaN, expected a number in [0, 1].");
  expect(message(() => quantile(m, []))).toBe("quantile: got no q, expected a number, or some.");
  expect(message(() => median(sg.ones([2, 0]), 1))).toBe(
    "median: got [2, 0], empty on the axes [1], expected at least one element.",
  );
  expect(message(() => searchsorted(m, [1, 2]))).toBe(
    "searchsorted: got sorted [2, 3] and values [2], expected sorted [n] and any values, or [..., n] and [..., m].",
  );
});
