import { describe, expect, test } from "vitest";
import {
  diag,
  diagonal,
  grad,
  hessian,
  kron,
  outer,
  sin,
  sum,
  type Tensor,
  tensor,
  trace,
  tril,
  triu,
  vmap,
  zeros,
} from "../../src/index.js";
import { f64, flat, near, random } from "./linalgSupport.js";

/** Diagonals, triangles and products, against loops. */

/** Builds [n, m] from a function of row and column. */
function build(n: number, m: number, f: (i: number, j: number) => number): Tensor {
  return tensor(
    Float64Array.from({ length: n * m }, (_, p) => f(Math.floor(p / m), p % m)),
    { shape: [n, m] },
  );
}

describe.each([
  [3, 3],
  [2, 4],
  [4, 2],
  [1, 1],
  [0, 3],
  [3, 0],
])("[%i, %i]", (n, m) => {
  // biome-ignore format: sizes
  const a = random(1, n, m);
  const at = (i: number, j: number): number => flat(a)[i * m + j] as number;

  test.each([-4, -2, -1, 0, 1, 3])("offset %i", (offset) => {
    const places = Array.from({ length: n }, (_, i) => i).filter((i) => i + offset >= 0 && i + offset < m);
    const expected = places.map((i) => at(i, i + offset));
    expect(diagonal(a, offset).toArray()).toEqual(expected);
    near(
      "trace",
      trace(a, offset),
      tensor(
        expected.reduce((x, y) => x + y, 0),
        f64,
      ),
      1e-15,
    );
    near(
      "tril",
      tril(a, offset),
      build(n, m, (i, j) => (j <= i + offset ? at(i, j) : 0)),
      0,
    );
    near(
      "triu",
      triu(a, offset),
      build(n, m, (i, j) => (j >= i + offset ? at(i, j) : 0)),
      0,
    );
  });
});

test.each([-2, 0, 1])("diag with offset %i is undone by diagonal", (offset) => {
  for (const shape of [[3], [1], [0], [2, 4]]) {
    const x = random(2, ...shape);
    const size = (shape.at(-1) as number) + Math.abs(offset);
    const m = diag(x, offset);
    expect(m.shape).toEqual([...shape.slice(0, -1), size, size]);
    near("diagonal", diagonal(m, offset), x, 0);
    near("nothing else", sum(m), sum(x), 1e-15);
  }
});

test("a triangle of whatever stands outside of it", () => {
  expect(tril(tensor([[1, NaN], [2, Infinity]])).toArray()).toEqual([[1, 0], [2, Infinity]]); // biome-ignore format: matrices
  expect(triu(tensor([[1, 2], [3, 4]], { dtype: "int32" })).dtype).toBe("int32"); // biome-ignore format: a matrix
});

test("outer and Kronecker products, with leading axes that broadcast", () => {
  const [x, y] = [random(1, 2, 1, 3), random(2, 4, 2)];
  const all = outer(x, y);
  expect(all.shape).toEqual([2, 4, 3, 2]);
  expect(all.at(1).at(3).at(2).at(0).item()).toBe((flat(x)[5] as number) * (flat(y)[6] as number));
  const [a, b] = [random(3, 2, 3), random(4, 3, 2)];
  const p = (m: Tensor, i: number, j: number): number => flat(m)[i * (m.shape[1] as number) + j] as number;
  near(
    "kron",
    kron(a, b),
    build(6, 6, (i, j) => p(a, Math.floor(i / 3), Math.floor(j / 2)) * p(b, i % 3, j % 2)),
    0,
  );
  expect(kron(zeros([5, 1, 2, 2], f64), zeros([4, 3, 1], f64)).shape).toEqual([5, 4, 6, 2]);
  expect(kron(zeros([0, 2]), zeros([2, 2])).shape).toEqual([0, 4]);
});

test("derivatives: first, second, under vmap", () => {
  const a = random(5, 3, 3);
  const f = (m: Tensor): Tensor =>
    sum(sin(diagonal(m, 1)))
      .add(sum(sin(tril(m))))
      .add(sin(trace(m)));
  const t = flat(trace(a))[0] as number;
  const cos = (i: number, j: number): number => {
    const x = Math.cos(flat(a)[3 * i + j] as number);
    return (j === i + 1 ? x : 0) + (j <= i ? x : 0) + (i === j ? Math.cos(t) : 0);
  };
  near("gradient", grad(f)(a), build(3, 3, cos), 1e-15);
  const second = (hessian(f)(a) as Tensor).reshape([9, 9]);
  const bend = (p: number, q: number): number => {
    const [i, j] = [Math.floor(p / 3), p % 3];
    const own = p === q && (j <= i || j === i + 1) ? -Math.sin(flat(a)[p] as number) : 0;
    return own - (p % 4 === 0 && q % 4 === 0 ? Math.sin(t) : 0);
  };
  near("Hessian", second, build(9, 9, bend), 1e-15);
  const batch = random(6, 4, 3, 3);
  near("vmap", vmap((m: Tensor) => diag(diagonal(m)))(batch) as Tensor, diag(diagonal(batch)), 0);
  near("methods", batch.diagonal().diag().trace(), batch.trace(), 1e-15);
});
