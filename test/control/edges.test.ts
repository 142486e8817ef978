import { describe, expect, test } from "vitest";
import { grad, hessian, jvp, scan, type Tensor, tensor, valueAndGrad, vjp, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { near, numbers, wave } from "./support.js";

/** Loops at the edges of their meaning: no steps, no carry, no rows, numbers read at the wrong time. */

const f64 = { dtype: "float64" } as const;

describe("no step at all", () => {
  const f = (c: Tensor, xs: Tensor) =>
    scan((c: Tensor, x: Tensor) => [c.mul(x).sin(), c.sum()], c, xs) as unknown as [Tensor, Tensor];
  const [c, xs] = [wave([2], 1), tensor([], { shape: [0, 2], dtype: "float64" })];

  test("the carry is the first one, the outputs are empty", () => {
    for (const residuals of ["auto", "save", "recompute"] as const) {
      const [last, ys] = scan((c: Tensor, x: Tensor) => [c.mul(x), [c.sum(), x]], c, xs, { residuals }) as unknown as [
        Tensor,
        [Tensor, Tensor],
      ];
      expect(last.toArray()).toEqual(c.toArray());
      expect(ys.map((y) => [y.shape, y.dtype, y.toArray()])).toEqual([
        [[0], "float64", []],
        [[0, 2], "float64", []],
      ]);
    }
  });

  test("derivatives: the identity by the carry, empty by the rows", () => {
    const loss = (c: Tensor, xs: Tensor): Tensor => {
      const [last, ys] = f(c, xs);
      return last.square().sum().add(ys.sum());
    };
    near(numbers(grad((a: Tensor) => loss(a, xs))(c)), numbers(c.mul(2)));
    expect((grad((b: Tensor) => loss(c, b))(xs) as Tensor).shape).toEqual([0, 2]);
    near(numbers(hessian((a: Tensor) => loss(a, xs))(c)), [2, 0, 0, 2]);
    near(numbers(vmap((a: Tensor) => loss(a, xs))(wave([3, 2]))), numbers(wave([3, 2]).square().sum(1)));
    near(numbers(jvp((a: Tensor) => f(a, xs)[0], c, c).tangent), numbers(c));
  });

  test("length 0 without rows", () => {
    const [last, ys] = scan((c: Tensor, _x: null, t: Tensor) => [c.add(1), t], tensor(5), null, { length: 0 });
    expect([(last as Tensor).item(), (ys as Tensor).shape, (ys as Tensor).dtype]).toEqual([5, [0], "uint32"]);
  });

  test("rows of size 0, lanes of size 0", () => {
    const empty = tensor([], { shape: [3, 0], dtype: "float64" });
    const [last, ys] = f(tensor([], { shape: [0], dtype: "float64" }), empty);
    expect([last.shape, ys.toArray()]).toEqual([[0], [0, 0, 0]]);
    expect(vmap((a: Tensor) => f(a, wave([3, 2]))[0])(tensor([], { shape: [0, 2], dtype: "float64" })).shape).toEqual([
      0, 2,
    ]);
  });
});

describe("nothing to carry", () => {
  test.each([
    ["{}", {}],
    ["[]", []],
  ])("%s: the carry comes back as it is, the outputs are a map", (_, none) => {
    const [carry, ys] = scan((c: unknown, x: Tensor) => [c as never, x.mul(2)], none, tensor([1, 2, 3]));
    expect([carry, (ys as unknown as Tensor).toArray()]).toEqual([none, [2, 4, 6]]);
  });

  test("null is no tree", () => {
    expect(message(() => scan((c: unknown, x: Tensor) => [c as never, x], null, tensor([1])))).toBe(
      "scan: got a value null, expected a tensor, number, typed array, (nested) array of numbers, or an object or array of those.",
    );
  });
});

test("outputs that are constants, the carry, a row, nothing", () => {
  const [last, ys] = scan(
    (c: Tensor, x: Tensor) => [c.add(x), { one: 1, before: c, row: x, none: [] }],
    tensor(10),
    tensor([1, 2, 3]),
  ) as unknown as [Tensor, { one: Tensor; before: Tensor; row: Tensor; none: [] }];
  expect([last.item(), ys.one.toArray(), ys.before.toArray(), ys.row.toArray(), ys.none]).toEqual([
    16,
    [1, 1, 1],
    [10, 11, 13],
    [1, 2, 3],
    [],
  ]);
  for (const y of [null, undefined]) expect(scan((c: Tensor) => [c, y], tensor(1), tensor([1, 2]))[1]).toBe(null);
});

test("numbers as first carry and as next carry take their places", () => {
  const [last] = scan((c: Tensor, x: Tensor) => [c.add(x), null], 0, [1, 2, 3]);
  expect([last.item(), last.dtype]).toEqual([6, "float32"]);
  expect((scan(() => [3, null], tensor(0, f64), null, { length: 2 })[0] as Tensor).dtype).toBe("float64");
});

test("the step number: uint32, beside its row in both directions", () => {
  const steps = (reverse: boolean): unknown =>
    (
      scan((c: Tensor, _x: null, t: Tensor) => [c.mul(2).add(t.toDType("float32")), t], tensor(0), null, {
        length: 4,
        reverse,
      }) as unknown as [Tensor, Tensor]
    ).map((x) => x.toArray());
  expect(steps(false)).toEqual([0 * 8 + 1 * 4 + 2 * 2 + 3, [0, 1, 2, 3]]);
  expect(steps(true)).toEqual([3 * 8 + 2 * 4 + 1 * 2 + 0, [0, 1, 2, 3]]);
});

test("whole-number and bool carries stay what they are, exactly", () => {
  const [[n, even]] = scan(
    ([n, even]: [Tensor, Tensor]) => [[n.mul(2).add(1), even.notEqual(true)], null],
    [tensor(Int32Array.of(3)).at(0), tensor(true)] as [Tensor, Tensor],
    null,
    { length: 25 },
  ) as unknown as [[Tensor, Tensor]];
  expect([n.item(), n.dtype, even.item(), even.dtype]).toEqual([4 * 2 ** 25 - 1, "int32", 0, "bool"]);
});

describe("reading", () => {
  const xs = wave([3]);
  const sentence = (name: string): RegExp =>
    new RegExp(`^read: "${name}" is a placeholder: inside .* there are no numbers yet; `);
  const early = (w: Tensor): Tensor =>
    scan((c: Tensor, x: Tensor) => [c.mul(c.item() > 0 ? w : x), null], w, xs)[0] as Tensor;

  test("a carry inside the step throws, alone and inside a gradient", () => {
    expect(message(() => early(tensor(1, f64)))).toMatch(sentence("carry"));
    expect(message(() => valueAndGrad(early)(tensor(1, f64)))).toMatch(sentence("carry"));
  });

  test("a leaked placeholder throws outside, and in another loop", () => {
    let leaked = tensor(0);
    scan(
      (c: Tensor, x: Tensor) => {
        leaked = c.add(x);
        return [c, null];
      },
      0,
      tensor([1, 2]),
    );
    expect(message(() => leaked.item())).toMatch(sentence("x"));
    expect(
      message(() => (scan((c: Tensor) => [c.add(leaked), null], 0, null, { length: 2 })[0] as Tensor).item()),
    ).toMatch(sentence("x"));
  });

  test("a captured number may be read in the step, and its gradient stays", () => {
    const f = (w: Tensor): Tensor =>
      scan((c: Tensor) => [w.item() > 0 ? c.mul(w) : c, null], w, null, { length: 3 })[0] as Tensor;
    near([(grad(f)(tensor(2, f64)) as Tensor).item()], [4 * 8]);
  });

  test("the result inside a gradient, before the derivative is taken", () => {
    const f = (w: Tensor): Tensor => {
      const [c, ys] = scan((c: Tensor, x: Tensor) => [c.mul(w).add(x), c], w, xs) as unknown as [Tensor, Tensor];
      const big = c.item() > 1e9;
      const some = numbers(ys).length;
      return big ? c : c.mul(some).add(ys.sum());
    };
    const g = (w: Tensor): Tensor => {
      const [a, b, d] = [xs.at(0), xs.at(1), xs.at(2)];
      const c1 = w.square().add(a);
      const c2 = c1.mul(w).add(b);
      return c2.mul(w).add(d).mul(3).add(w).add(c1).add(c2);
    };
    const w = tensor(0.7, f64);
    near(numbers([f(w), grad(f)(w), hessian(f)(w)]), numbers([g(w), grad(g)(w), hessian(g)(w)]));
  });

  test("the value of a vjp before its pullback, and the pullback twice", () => {
    const f = (w: Tensor): Tensor => scan((c: Tensor, x: Tensor) => [c.mul(w).add(x), null], w, xs)[0] as Tensor;
    const w = tensor(0.7, f64);
    const { value, pullback } = vjp(f, w);
    const at = value.item();
    near([at], numbers(f(w)));
    near(numbers([pullback(1), pullback(2)]), numbers([grad(f)(w), (grad(f)(w) as Tensor).mul(2)]));
  });
});

test("a loop of a loop's outputs: the second goes along the first one's rows", () => {
  const f = (w: Tensor): Tensor => {
    const [, ys] = scan((c: Tensor) => [c.mul(w), c], tensor(1, f64), null, { length: 4 }) as unknown as [
      Tensor,
      Tensor,
    ];
    return scan((s: Tensor, y: Tensor) => [s.mul(2).add(y), null], tensor(0, f64), ys)[0] as Tensor;
  };
  // 8 + 4w + 2w² + w³
  near(numbers([f(tensor(3, f64)), grad(f)(tensor(3, f64)), hessian(f)(tensor(3, f64))]), [65, 43, 22]);
});
