import { describe, expect, test } from "vitest";
import { compile, grad, hessian, jvp, scan, type Tensor, tensor, vmap, where, whileLoop } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { near, numbers } from "./support.js";

/** Loops that end when they are done, against JavaScript's `while` and closed forms. */

const f64 = { dtype: "float64" } as const;
const int = (list: readonly number[]): Tensor => tensor(Int32Array.from(list));

/** √a by Newton's iteration. */
const root = (a: Tensor): Tensor =>
  whileLoop(
    (x: Tensor) => x.square().sub(a).abs().greater(a.mul(1e-14)),
    (x: Tensor) => x.add(a.div(x)).mul(0.5),
    a.mul(0).add(1),
    { limit: 60 },
  ) as Tensor;

describe("Newton's iteration for √a", () => {
  const values = [2, 9, 0.25, 1, 1e4];

  test("value, alone and per lane with different numbers of steps", () => {
    for (const a of values) near([root(tensor(a, f64)).item()], [Math.sqrt(a)], 1e-13);
    near(numbers(vmap(root)(tensor(values, f64))), values.map(Math.sqrt), 1e-13);
  });

  // Newton's last step contracts the error of the derivative, so the iteration's derivative is that of its limit.
  test("first and second derivative, alone, per lane, and under compile", () => {
    const again = (a: Tensor): Tensor =>
      whileLoop(
        (x: Tensor) => x.square().sub(a).abs().greater(1e-7),
        (x: Tensor) => x.add(a.div(x)).mul(0.5),
        a,
        { limit: 60 },
      ) as Tensor;
    // Three steps more than the value needs, for the derivatives to settle too.
    const f = (a: Tensor): Tensor => [0, 1, 2].reduce((x) => x.add(a.div(x)).mul(0.5), again(a));
    const slope = grad(f) as (a: Tensor) => Tensor;
    const slopes = values.map((a) => 0.5 / Math.sqrt(a));
    const curves = values.map((a) => -0.25 * a ** -1.5);
    near(numbers(vmap(slope)(tensor(values, f64))), slopes, 1e-10);
    near(numbers(vmap(hessian(f) as (a: Tensor) => Tensor)(tensor(values, f64))), curves, 1e-10);
    const compiled = compile(slope);
    values.forEach((a, i) => {
      near([compiled(tensor(a, f64)).item()], [slopes[i] as number], 1e-10);
      near([(hessian(f)(tensor(a, f64)) as Tensor).item()], [curves[i] as number], 1e-10);
      near([jvp(f, tensor(a, f64), tensor(2, f64)).tangent.item()], [2 * (slopes[i] as number)], 1e-10);
    });
    near(numbers(grad((a: Tensor) => vmap(f)(a).sum())(tensor(values, f64))), slopes, 1e-10);
  });
});

/** Steps of Collatz's rule to 1. */
const collatz = (n: Tensor): Tensor =>
  (
    whileLoop(
      ({ n }: { n: Tensor; steps: Tensor }) => n.notEqual(1),
      ({ n, steps }: { n: Tensor; steps: Tensor }) => ({
        n: where(n.remainder(2).equal(0), n.floorDivide(2), n.mul(3).add(1)),
        steps: steps.add(1),
      }),
      { n, steps: n.mul(0) },
      { limit: 200 },
    ) as { steps: Tensor }
  ).steps;

test("Collatz counts in int32, alone and per lane", () => {
  const count = (n: number): number => (n === 1 ? 0 : 1 + count(n % 2 === 0 ? n / 2 : 3 * n + 1));
  const starts = [1, 2, 3, 7, 27, 97];
  for (const n of starts) expect(collatz(tensor(Int32Array.of(n)).at(0)).item()).toBe(count(n));
  const all = vmap(collatz)(int(starts));
  expect([all.dtype, all.toArray()]).toEqual(["int32", starts.map(count)]);
});

test("Euclid's algorithm per lane", () => {
  const gcd = (a: Tensor, b: Tensor): Tensor =>
    (
      whileLoop(
        ([, b]: [Tensor, Tensor]) => b.notEqual(0),
        ([a, b]: [Tensor, Tensor]) => [b, a.remainder(b)] as [Tensor, Tensor],
        [a, b] as [Tensor, Tensor],
        { limit: 40 },
      ) as [Tensor, Tensor]
    )[0];
  expect(vmap(gcd)(int([12, 17, 0, 832040, 5]), int([18, 5, 4, 514229, 0])).toArray()).toEqual([6, 1, 4, 1, 5]);
});

/** x·kⁿ, as many times as it takes to come above 1. */
const grown =
  (limit: number, onLimit?: "stop") =>
  (x: Tensor, k: Tensor): Tensor =>
    whileLoop(
      (y: Tensor) => y.lessEqual(1),
      (y: Tensor) => y.mul(k),
      x,
      { limit, ...(onLimit ? { onLimit } : {}) },
    ) as Tensor;

describe("derivatives where lanes end at different times", () => {
  const starts = [0.9, 0.11, 2, 0.013];
  const count = (x: number): number => (x <= 1 ? 1 + count(1.5 * x) : 0);
  const k = tensor(1.5, f64);

  test.each([11, 12, 40])("limit %i", (limit) => {
    const f = grown(limit);
    const xs = tensor(starts, f64);
    near(
      numbers(vmap((x: Tensor) => f(x, k))(xs)),
      starts.map((x) => x * 1.5 ** count(x)),
    );
    near(
      numbers(vmap((x: Tensor) => grad((y: Tensor) => f(y, k))(x) as Tensor)(xs)),
      starts.map((x) => 1.5 ** count(x)),
    );
    const byRate = starts.map((x) => x * count(x) * (count(x) === 0 ? 0 : 1.5 ** (count(x) - 1)));
    near(numbers(vmap((x: Tensor) => grad((r: Tensor) => f(x, r))(k) as Tensor)(xs)), byRate, 1e-11);
    // The captured rate of all lanes together.
    near(
      numbers(grad((r: Tensor) => vmap((x: Tensor) => f(x, r))(xs).sum())(k)),
      [byRate.reduce((a, b) => a + b)],
      1e-11,
    );
    const curves = starts.map((x) => x * count(x) * (count(x) - 1) * 1.5 ** (count(x) - 2));
    near(numbers(vmap((x: Tensor) => hessian((r: Tensor) => f(x, r))(k) as Tensor)(xs)), curves, 1e-11);
  });
});

describe("the limit", () => {
  const text =
    'whileLoop: got the test still true after 2 steps, expected a test that becomes false; a larger limit, or onLimit: "stop" to take the last state.';
  const x = tensor(0.1, f64);
  const k = tensor(1.5, f64);

  test("is an error when the result is read, not before", () => {
    const y = grown(2)(x, k);
    expect(message(() => y.item())).toBe(text);
    expect(message(() => vmap((a: Tensor) => grown(2)(a, k))(tensor([5, 0.1], f64)).toArray())).toBe(text);
    expect(vmap((a: Tensor) => grown(2)(a, k))(tensor([5, 0.9], f64)).toArray()).toEqual([5, 0.9 * 1.5]);
  });

  test("is an error in a derivative too", () => {
    expect(message(() => numbers(grad((a: Tensor) => grown(2)(a, k).square())(x)))).toBe(text);
    expect(message(() => compile((a: Tensor) => grown(2)(a, k))(x).item())).toBe(text);
  });

  test("stops instead, with the derivative of the steps that were made", () => {
    const f = (a: Tensor): Tensor => grown(2, "stop")(a, k);
    near([f(x).item(), (grad(f)(x) as Tensor).item()], [0.1 * 1.5 ** 2, 1.5 ** 2]);
  });

  test("exactly reached is no error", () => {
    near([grown(1)(tensor(0.9, f64), k).item()], [0.9 * 1.5]);
  });

  test("0: the first state, or an error", () => {
    expect(grown(0)(tensor(2, f64), k).item()).toBe(2);
    expect(grown(0, "stop")(x, k).item()).toBe(0.1);
    expect((grad((a: Tensor) => grown(0, "stop")(a, k))(x) as Tensor).item()).toBe(1);
    expect(message(() => grown(0)(x, k).item())).toBe(text.replace("2 steps", "0 steps"));
  });
});

test("the test may depend on captured tensors and the step on its number; trees keep their structure", () => {
  type State = { sum: Tensor; deep: [Tensor] };
  const f = (bound: Tensor): Tensor => {
    const { sum } = whileLoop(
      ({ sum }: State) => sum.less(bound),
      ({ sum, deep: [p] }: State, t) => ({
        sum: sum.add(p.mul(t.toDType("float64"))),
        deep: [p.add(1)],
      }),
      { sum: tensor(0, f64), deep: [bound] } as State,
      { limit: 30 },
    ) as { sum: Tensor };
    return sum;
  };
  // sum = Σ_{t<n} t (b + t): n(n−1)/2·b + (n−1)n(2n−1)/6, up to the first n with sum ≥ b.
  const steps = (b: number): number => {
    let [sum, n] = [0, 0];
    for (; sum < b; n++) sum += n * (b + n);
    return n;
  };
  for (const b of [1, 3.5, -1]) {
    const n = steps(b);
    near([f(tensor(b, f64)).item()], [((n * (n - 1)) / 2) * b + ((n - 1) * n * (2 * n - 1)) / 6]);
    near([(grad(f)(tensor(b, f64)) as Tensor).item()], [(n * (n - 1)) / 2]);
  }
});

test("inside a scan: a while per row, with gradients through both", () => {
  // Halves until at most 1, adds the row.
  const f = (start: Tensor, xs: Tensor): Tensor =>
    scan(
      (c: Tensor, x: Tensor) => {
        const y = whileLoop(
          (a: Tensor) => a.greater(1),
          (a: Tensor) => a.mul(0.5),
          c.add(x),
          { limit: 20 },
        ) as Tensor;
        return [y, null];
      },
      start,
      xs,
    )[0] as Tensor;
  const rows = [3, 0.2, 10, 1.5];
  let [value, slope] = [0.7, 1];
  for (const x of rows) {
    value += x;
    while (value > 1) {
      value /= 2;
      slope /= 2;
    }
  }
  const xs = tensor(rows, f64);
  near([f(tensor(0.7, f64), xs).item()], [value]);
  near([(grad((c: Tensor) => f(c, xs))(tensor(0.7, f64)) as Tensor).item()], [slope]);
  near(numbers(vmap((c: Tensor) => f(c, xs))(tensor([0.7, 5], f64))), [value, f(tensor(5, f64), xs).item()]);
});

test("no step is made after the test is false", () => {
  // The step would divide by zero.
  const f = (x: Tensor): Tensor =>
    whileLoop(
      (y: Tensor) => y.greater(0),
      (y: Tensor) => y.sub(y.div(y)),
      x,
      { limit: 10 },
    ) as Tensor;
  expect(f(tensor(3, f64)).item()).toBe(0);
  expect((grad(f)(tensor(3, f64)) as Tensor).item()).toBe(1);
  expect(vmap(grad(f) as (x: Tensor) => Tensor)(tensor([3, 0, 1, 9], f64)).toArray()).toEqual([1, 1, 1, 1]);
});
