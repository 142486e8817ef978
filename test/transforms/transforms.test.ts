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
  valueAndGrad,
  vjp,
  vmap,
} from "../../src/index.js";
import { numbers } from "./programs.js";

const f64 = { dtype: "float64" } as const;
const at = (x: number): Tensor => tensor(x, f64);
type Scalar = (x: Tensor) => Tensor;
const slope = (f: Scalar): Scalar => grad(f) as Scalar;

describe("parameter trees", () => {
  type Params = { W: Tensor; layers: [Tensor, { b: Tensor }] };
  const f = ({ W, layers: [s, { b }] }: Params): Tensor => sum(sg.matmul(W, b).mul(s));
  const params: Params = {
    W: tensor([
      [1, 2],
      [3, 4],
    ]),
    layers: [tensor(2), { b: tensor([5, 6]) }],
  };

  test("the gradient has the tree of the parameters", () => {
    const { value, grad: g } = valueAndGrad(f)(params);
    expect(value.item()).toBe(2 * (17 + 39));
    expect(Object.keys(g)).toEqual(["W", "layers"]);
    expect(g.W.toArray()).toEqual([
      [10, 12],
      [10, 12],
    ]);
    expect(g.layers[0].item()).toBe(56);
    expect(g.layers[1].b.toArray()).toEqual([8, 12]);
  });

  test("leaves may be numbers, arrays of numbers and typed arrays; later arguments are data", () => {
    const loss = (p: { a: Tensor; v: Tensor; t: Tensor }, data: { x: Tensor }): Tensor =>
      sum(p.v.mul(p.a).mul(data.x)).add(sum(p.t));
    const g = grad(loss)({ a: 2, v: [1, 2], t: new Float64Array([1, 2, 3]) }, { x: [10, 20] });
    expect([g.a.item(), g.v.toArray(), g.t.toArray(), g.t.dtype]).toEqual([50, [20, 40], [1, 1, 1], "float64"]);
  });

  test("zeros where the loss does not depend on a parameter", () => {
    const g = grad(({ a }: { a: Tensor; b: Tensor }) => a.square())({ a: 3, b: [1, 2] });
    expect([g.a.item(), g.b.toArray()]).toEqual([6, [0, 0]]);
    const h = hessian(({ a }: { a: Tensor; b: Tensor }) => a.square())({
      a: tensor(3),
      b: tensor([1, 2]),
    }) as unknown as Record<"a" | "b", Record<"a" | "b", Tensor>>;
    expect([h.a.a.item(), h.a.b.shape, h.b.a.toArray(), h.b.b.toArray()]).toEqual([
      2,
      [2],
      [0, 0],
      [
        [0, 0],
        [0, 0],
      ],
    ]);
  });

  test("jvp and vjp take and give trees; plain numbers take the dtype they meet", () => {
    const g = (p: { x: Tensor; y: Tensor }): { product: Tensor; pair: [Tensor, Tensor] } => ({
      product: p.x.mul(p.y),
      pair: [p.x.sin(), p.y],
    });
    const { value, tangent } = jvp(g, { x: at(2), y: at(3) }, { x: 1, y: 10 });
    expect([value.product.item(), tangent.product.item(), tangent.pair[1].item()]).toEqual([6, 23, 10]);
    expect(tangent.pair[0].item()).toBeCloseTo(Math.cos(2), 15);
    const back = vjp(g, { x: at(2), y: at(3) }).pullback({ product: 1, pair: [at(0), at(5)] });
    expect([back.x.item(), back.x.dtype, back.y.item()]).toEqual([3, "float64", 7]);
  });

  test("the pullback still works after the value has been read", () => {
    const { value, pullback } = vjp((x: Tensor) => exp(x.mul(x)), at(1.5));
    value.item();
    expect((pullback(1) as Tensor).item()).toBeCloseTo(3 * Math.exp(2.25), 12);
    expect((pullback(2) as Tensor).item()).toBeCloseTo(6 * Math.exp(2.25), 12);
  });
});

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

describe("derivatives at the edges", () => {
  test("no NaN from a discarded branch", () => {
    const zero = at(0);
    expect(slope((x) => sg.pow(x, at(0)))(zero).item()).toBe(0);
    expect(slope(slope((x) => sg.pow(x, at(1))))(zero).item()).toBe(0);
    expect(slope((y) => sg.pow(at(0), y))(at(2)).item()).toBe(0);
    expect(slope((x) => sg.xlogy(at(0), x))(zero).item()).toBe(0);
    expect(numbers(grad((x: Tensor) => sg.logsumexp(x))(tensor([-Infinity, 0], f64)) as Tensor)).toEqual([0, 1]);
  });

  test("logaddexp is smooth where both are equal, and −∞ where both are", () => {
    const f: Scalar = (x) => sg.logaddexp(x, at(0));
    expect([f(at(0)).item(), slope(f)(at(0)).item(), slope(slope(f))(at(0)).item()]).toEqual([Math.LN2, 0.5, 0.25]);
    expect(sg.logaddexp(-Infinity, -Infinity).item()).toBe(-Infinity);
    expect(sg.logaddexp(-Infinity, 3).item()).toBe(3);
    expect(sg.logaddexp(Infinity, Infinity).item()).toBe(Infinity);
  });

  test("ties share: maximum, max, relu and abs at the kink", () => {
    expect(slope((x) => sg.maximum(x, at(1)))(at(1)).item()).toBe(0.5);
    expect(numbers(grad((x: Tensor) => sg.max(x))(tensor([2, 1, 2, 2], f64)) as Tensor)).toEqual([
      1 / 3,
      0,
      1 / 3,
      1 / 3,
    ]);
    expect(slope((x) => sg.relu(x))(at(0)).item()).toBe(0.5);
    expect(slope((x) => sg.abs(x))(at(0)).item()).toBe(0);
  });

  test("piecewise constants have derivative exactly zero", () => {
    for (const f of [sg.floor, sg.ceil, sg.round, sg.sign]) expect(slope((x) => f(x))(at(0.3)).item()).toBe(0);
    expect(slope((x) => sg.greater(x, 0).toDType("float64"))(at(0.3)).item()).toBe(0);
  });
});

describe("errors", () => {
  const message = (body: () => unknown): string => {
    try {
      body();
    } catch (error) {
      return (error as Error).message;
    }
    return "no error";
  };

  test.each([
    [
      "a loss that is no scalar",
      () => grad((x: Tensor) => x.mul(2))(tensor([1, 2])),
      "grad: got a loss of shape [2] per run, expected a scalar; loss.mean() or loss.sum().",
    ],
    [
      "no loss",
      () => grad((() => undefined) as unknown as Scalar)(1),
      "grad: got undefined from the program, expected a scalar loss.",
    ],
    [
      "an integer parameter",
      () => grad(({ n }: { n: Tensor }) => n.sum())({ n: sg.arange(3) }),
      "grad: got params.n of dtype int32, expected float32 or float64; pass what is not differentiated as a later argument.",
    ],
    [
      "a function among the parameters",
      () => grad((x: { f: Tensor }) => x.f)({ f: (() => 1) as unknown as Tensor }),
      "grad: got f = a function, expected a tensor, number, typed array, (nested) array of numbers, or an object or array of those.",
    ],
    [
      "tangents of another structure",
      () => jvp((p: { a: Tensor }) => p.a, { a: 1 }, { b: 1 } as unknown as { a: number }),
      "jvp: got tangents of another structure, expected the tree of the parameters.",
    ],
    [
      "tangents of another shape",
      () => jvp((p: { a: Tensor }) => p.a, { a: [1, 2] }, { a: 1 }),
      "jvp: got tangents.a float32[], expected float32[2].",
    ],
    [
      "cotangents of another structure",
      () => vjp((x: Tensor) => [x, x], 1).pullback(1 as never),
      "vjp: got cotangents of another structure, expected the tree of the result.",
    ],
    [
      "cotangents of another dtype",
      () => vjp((x: Tensor) => x, 1).pullback(at(1)),
      "vjp: got cotangents float64[], expected float32[].",
    ],
    [
      "mapped sizes that differ",
      () => vmap((a: Tensor, b: Tensor) => a.add(b))(tensor([1, 2]), tensor([1, 2, 3])),
      "vmap: got mapped axes of 2 and 3 elements ([2], [3]), expected one size.",
    ],
    [
      "nothing mapped",
      () => vmap((a: Tensor) => a, { inAxes: [null] })(1),
      "vmap: got no mapped argument, expected at least one axis to map over.",
    ],
    [
      "an axis that is not there",
      () => vmap((a: Tensor) => a)(1),
      "axis: got axis 0 of a tensor of rank 0, expected no axis.",
    ],
    [
      "an output axis that is not there",
      () => vmap((a: Tensor) => a, { outAxis: 1 })(tensor([1, 2])),
      "vmap: got axis 1 of a tensor of rank 1, expected an axis in [-1, 0].",
    ],
    [
      "a derivative that does not exist",
      () => grad((a: Tensor) => sg.igammac(a, 1))(2),
      "igammac: the derivative in a does not exist yet; stopGradient(a), or differentiate in x.",
    ],
  ])("%s", (_what, body, text) => {
    expect(message(body)).toBe(text);
  });
});
