import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { exp, grad, hessian, jvp, sum, type Tensor, tensor, valueAndGrad, vjp, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";

const at = (x: number): Tensor => tensor(x, { dtype: "float64" });

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

describe("errors", () => {
  test.each([
    [
      "a loss that is no scalar",
      () => grad((x: Tensor) => x.mul(2))(tensor([1, 2])),
      "grad: got a loss of shape [2] per run, expected a scalar; loss.mean() or loss.sum().",
    ],
    [
      "no loss",
      () => grad((() => undefined) as unknown as (x: Tensor) => Tensor)(1),
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
      'vjp: got cotangents float64[], expected float32[]; x.toDType("float32") there, or the result in float64.',
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
