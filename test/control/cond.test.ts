import { describe, expect, test } from "vitest";
import {
  compile,
  cond,
  external,
  grad,
  hessian,
  jvp,
  matmul,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
} from "../../src/index.js";
import { near, numbers, type Params, wave } from "./support.js";

/** One of two branches: the oracle is a JavaScript `if` on numbers. */

const f64 = { dtype: "float64" } as const;
type Branch = (x: Tensor, w: Tensor) => Tensor;

interface Case {
  readonly name: string;
  readonly yes: Branch;
  readonly no: Branch;
}

const cases: readonly Case[] = [
  { name: "elementwise", yes: (x, w) => x.mul(w).sin(), no: (x, w) => x.add(w).exp() },
  { name: "one branch constant", yes: (x) => x.square(), no: (x) => x.mul(0).stopGradient().add(3) },
  { name: "the argument itself", yes: (x) => x, no: (_x, w) => w },
  {
    name: "products of matrices",
    yes: (x, w) => matmul(x.reshape([2, 1]), w.reshape([1, 2])).sum(0),
    no: (x, w) =>
      matmul(w.reshape([1, 2]), x.reshape([2, 1]))
        .reshape([1])
        .mul(x),
  },
  { name: "costly", yes: (x, w) => x.square().add(1).lgamma().mul(w), no: (x, w) => x.square().add(1).pow(w) },
];

const points = [-0.8, 0.7].map((at): Params => ({ x: tensor([at, 0.3], f64), w: wave([2], 2) }));
const [below] = points as [Params];

/** By cond, and by an `if` that looks at the number. The weights are captured by one, passed by the other. */
const pairOf = ({ yes, no }: Case): [(p: Params) => Tensor, (p: Params) => Tensor] => [
  ({ x, w }) =>
    (
      cond(
        (x as Tensor).at(0).greater(0),
        (a: Tensor) => yes(a, w as Tensor),
        no as never,
        x as Tensor,
        w as Tensor,
      ) as Tensor
    )
      .square()
      .sum(),
  ({ x, w }) =>
    ((numbers(x)[0] as number) > 0 ? yes : no)(x as Tensor, w as Tensor)
      .square()
      .sum(),
];

describe.each(cases)("$name", (each) => {
  const [f, g] = pairOf(each);

  test("one condition: value, gradient, jvp, vjp, hessian, third derivative, compile", () => {
    for (const p of points) {
      near(numbers(f(p)), numbers(g(p)));
      near(numbers(grad(f)(p)), numbers(grad(g)(p)));
      near(numbers(jvp(f, p, below).tangent), numbers(jvp(g, p, below).tangent));
      near(numbers(vjp(f, p).pullback(2)), numbers(vjp(g, p).pullback(2)));
      near(numbers(hessian(f)(p)), numbers(hessian(g)(p)), 1e-11);
      const third = (h: (q: Params) => Tensor): number[] =>
        numbers(grad((q: Params) => (hessian(h)(q) as unknown as { x: Params }).x["x"]?.sum() as Tensor)(p));
      near(third(f), third(g), 1e-10);
    }
    const compiled = compile(grad(f) as (p: Params) => Params);
    for (const p of [...points, ...points]) near(numbers(compiled(p)), numbers(grad(g)(p)));
  });

  test("a condition per lane, shared weights and weights per lane", () => {
    const xs = tensor(
      [
        [-0.8, 0.3],
        [0.7, 0.3],
        [0.2, -1],
        [-0.1, 2],
      ],
      f64,
    );
    const w = below["w"] as Tensor;
    const lanes = [0, 1, 2, 3].map((i): Params => ({ x: xs.at(i), w }));
    const over =
      (h: (p: Params) => Tensor) =>
      (x: Tensor): Tensor =>
        h({ x, w });
    near(
      numbers(vmap(over(f))(xs)),
      lanes.flatMap((p) => numbers(g(p))),
    );
    near(
      numbers(vmap(grad(over(f)) as (x: Tensor) => Tensor)(xs)),
      lanes.flatMap(({ x }) => numbers(grad(over(g))(x as Tensor))),
    );
    near(
      numbers(vmap(hessian(over(f)) as (x: Tensor) => Tensor)(xs)),
      lanes.flatMap(({ x }) => numbers(hessian(over(g))(x as Tensor))),
      1e-11,
    );
    const all = grad((p: Params) => vmap((x: Tensor) => f({ x, w: p["w"] as Tensor }))(p["x"] as Tensor).sum())({
      x: xs,
      w,
    });
    const slopes = lanes.map((p) => grad(g)(p) as Params);
    near(
      numbers(all["x"]),
      slopes.flatMap(({ x }) => numbers(x)),
    );
    near(
      numbers(all["w"]),
      [0, 1].map((k) => slopes.reduce((sum, s) => sum + (numbers(s["w"])[k] as number), 0)),
    );
    const ws = wave([4, 2], 9);
    near(
      numbers(vmap(grad(f) as (p: Params) => Params)({ x: xs, w: ws })["w"]),
      [0, 1, 2, 3].flatMap((i) => numbers((grad(g)({ x: xs.at(i), w: ws.at(i) }) as Params)["w"])),
    );
  });
});

test("a shared condition over lanes stays one branch", () => {
  const calls: string[] = [];
  const told = (name: string, x: Tensor): Tensor =>
    x.add(external(() => [calls.push(name) * 0], [x], { shape: [], dtype: "float64", pure: true }));
  const f = (c: boolean) => (x: Tensor) =>
    cond(
      tensor(c),
      (a: Tensor) => told("yes", a.mul(2)),
      (a: Tensor) => told("no", a.mul(3)),
      x,
    ) as Tensor;
  expect(numbers(vmap(f(false))(tensor([1, 2], f64)))).toEqual([3, 6]);
  expect(calls).toEqual(["no", "no"]);
});

describe("the branch that is not taken never runs", () => {
  const calls: string[] = [];
  const told = (name: string, x: Tensor): Tensor =>
    external(() => [calls.push(name) * 0], [x.stopGradient()], {
      shape: [],
      dtype: "float64",
      pure: true,
      name,
    }).add(x);
  const f = (x: Tensor): Tensor =>
    cond(
      x.greater(0),
      (a: Tensor) => told("yes", a).mul(a),
      (a: Tensor) => told("no", a).sin(),
      x,
    ) as Tensor;

  test("in the value and in derivatives", () => {
    for (const [at, name] of [
      [1, "yes"],
      [-1, "no"],
    ] as const) {
      calls.length = 0;
      const { value, grad: slope } = valueAndGrad(f)(tensor(at, f64));
      numbers([value, slope]);
      numbers(hessian(f)(tensor(at, f64)));
      expect(new Set(calls)).toEqual(new Set([name]));
    }
  });

  test("in a branch of a branch", () => {
    calls.length = 0;
    const nested = (x: Tensor): Tensor =>
      cond(
        x.less(5),
        (a: Tensor) => f(a),
        (a: Tensor) => told("large", a),
        x,
      ) as Tensor;
    numbers(grad(nested)(tensor(-2, f64)));
    expect(new Set(calls)).toEqual(new Set(["no"]));
  });

  test("for any lane, where all lanes agree", () => {
    calls.length = 0;
    numbers(vmap(f)(tensor([1, 2, 3], f64)));
    numbers(vmap(grad(f) as (x: Tensor) => Tensor)(tensor([1, 2, 3], f64)));
    expect(new Set(calls)).toEqual(new Set(["yes"]));
  });
});

interface Guarded {
  readonly name: string;
  readonly inside: (x: Tensor) => Tensor;
  /** Value, first and second derivative. */
  readonly exact: readonly ((x: number) => number)[];
}

const guarded: readonly Guarded[] = [
  { name: "log", inside: (x) => x.log(), exact: [Math.log, (x) => 1 / x, (x) => -1 / (x * x)] },
  { name: "sqrt", inside: (x) => x.sqrt(), exact: [Math.sqrt, (x) => 0.5 / Math.sqrt(x), (x) => -0.25 * x ** -1.5] },
  { name: "1/x", inside: (x) => x.reciprocal(), exact: [(x) => 1 / x, (x) => -1 / (x * x), (x) => 2 / x ** 3] },
  {
    name: "x^x",
    inside: (x) => x.pow(x),
    exact: [(x) => x ** x, (x) => x ** x * (1 + Math.log(x)), (x) => x ** x * ((1 + Math.log(x)) ** 2 + 1 / x)],
  },
];

describe.each(guarded)("$name behind a condition, per lane", ({ inside, exact }) => {
  const f = (x: Tensor): Tensor => cond(x.greater(0), inside, (a: Tensor) => a.mul(0), x) as Tensor;
  const safe = (order: number, x: number): number => (x > 0 ? (exact[order] as (x: number) => number)(x) : 0);
  const lanes = [[-1, 0, 2, 0.5, -3], [0, 0, 0], [1, 2, 3], [-1], []];

  test.each(lanes.map((list) => [list]))("%j", (list) => {
    const xs = tensor(Float64Array.from(list));
    const slope = grad(f) as (x: Tensor) => Tensor;
    near(
      numbers(vmap(f)(xs)),
      list.map((x) => safe(0, x)),
    );
    near(
      numbers(vmap(slope)(xs)),
      list.map((x) => safe(1, x)),
    );
    near(
      numbers(vmap(grad(slope) as (x: Tensor) => Tensor)(xs)),
      list.map((x) => safe(2, x)),
      1e-11,
    );
    near(
      numbers(vmap(hessian(f) as (x: Tensor) => Tensor)(xs)),
      list.map((x) => safe(2, x)),
      1e-11,
    );
    // The derivative of the whole batch, and its second derivative.
    const total = (ys: Tensor): Tensor => vmap(f)(ys).sum();
    near(
      numbers(grad(total)(xs)),
      list.map((x) => safe(1, x)),
    );
    near(
      numbers(grad((ys: Tensor) => (grad(total)(ys) as Tensor).sum())(xs)),
      list.map((x) => safe(2, x)),
      1e-11,
    );
  });

  test("nested conditions under two vmaps", () => {
    const g = (x: Tensor, k: Tensor): Tensor =>
      cond(
        k.greater(0),
        (a: Tensor) => f(a).mul(k),
        (a: Tensor) =>
          (
            cond(
              a.less(0),
              (b: Tensor) => inside(b.neg()),
              (b: Tensor) => b.mul(0),
              a,
            ) as Tensor
          ).mul(k),
        x,
      ) as Tensor;
    const [xs, ks] = [
      [-1, 0, 2],
      [0.5, -2],
    ];
    const exactly = (order: number, x: number, k: number): number =>
      k * (k > 0 ? safe(order, x) : (order === 1 ? -1 : 1) * safe(order, -x) + 0);
    const both = (h: (x: Tensor, k: Tensor) => Tensor): number[] =>
      numbers(vmap((x: Tensor) => vmap((k: Tensor) => h(x, k))(tensor(ks, f64)))(tensor(xs, f64)));
    const expected = (order: number): number[] => xs.flatMap((x) => ks.map((k) => exactly(order, x, k)));
    near(both(g), expected(0));
    near(
      both((x, k) => grad((y: Tensor) => g(y, k))(x) as Tensor),
      expected(1),
      1e-11,
    );
    near(
      both((x, k) => hessian((y: Tensor) => g(y, k))(x) as Tensor),
      expected(2),
      1e-11,
    );
  });
});

test("results are trees, operands are trees, whole numbers pass through", () => {
  const f = (c: boolean) =>
    cond(
      tensor(c),
      ({ a, n }: { a: Tensor; n: Tensor }) => ({ out: [a.mul(2), n.add(1)], flag: a.greater(0) }),
      ({ a, n }: { a: Tensor; n: Tensor }) => ({ out: [a, n], flag: a.less(0) }),
      { a: tensor(1.5), n: tensor(new Int32Array([3])) },
    ) as unknown as { out: [Tensor, Tensor]; flag: Tensor };
  const read = ({ out, flag }: ReturnType<typeof f>): unknown[] => [
    out[0].item(),
    out[1].toArray(),
    out[1].dtype,
    flag.item(),
  ];
  expect(read(f(true))).toEqual([3, [4], "int32", 1]);
  expect(read(f(false))).toEqual([1.5, [3], "int32", 0]);
});

test("a JavaScript condition, a condition of shape [1], no operands, one operand twice", () => {
  const x = tensor(2, f64);
  const pick = (c: Tensor | boolean): number =>
    (
      cond(
        c,
        () => x,
        () => x.neg(),
      ) as Tensor
    ).item();
  expect([pick(true), pick(false), pick(x.reshape([1]).greater(5))]).toEqual([2, -2, -2]);
  const f = (y: Tensor): Tensor =>
    cond(
      true,
      (a: Tensor, b: Tensor) => a.mul(b).mul(y),
      (a: Tensor, b: Tensor) => a.sub(b),
      y,
      y,
    ) as Tensor;
  near(numbers(hessian(f)(x)), [12]);
});

test("float32 keeps its type through derivatives", () => {
  const f = (x: Tensor): Tensor =>
    cond(
      x.greater(0),
      (a: Tensor) => a.square(),
      (a: Tensor) => a.neg(),
      x,
    ) as Tensor;
  const slope = vmap(grad(f) as (x: Tensor) => Tensor)(tensor([3, -3]));
  expect([slope.dtype, slope.toArray()]).toEqual(["float32", [6, -1]]);
  expect((grad(f)(tensor(2)) as Tensor).dtype).toBe("float32");
});
