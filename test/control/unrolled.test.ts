import { describe, expect, test } from "vitest";
import { compile, grad, hessian, jvp, scan, stack, type Tensor, valueAndGrad, vjp, vmap } from "../../src/index.js";
import { type LoopProgram, loopPrograms } from "./loopPrograms.js";
import { near, numbers, type Params, unrolled, wave } from "./support.js";

/** A scan is the JavaScript loop: its value, its derivatives of every kind, its batches. The loop without scan is the oracle. */

const keysOf = (p: Params): string[] => Object.keys(p);
const direction = (p: Params): Params =>
  Object.fromEntries(
    keysOf(p).map((k, i) => [k, wave((p[k] as Tensor).shape, 7 + i, (p[k] as Tensor).dtype as "float64")]),
  );
const mapParams = (p: Params, f: (x: Tensor, i: number) => Tensor): Params =>
  Object.fromEntries(keysOf(p).map((k, i) => [k, f(p[k] as Tensor, i)]));
const dot = (a: Params, b: Params): Tensor =>
  keysOf(a)
    .map((k) => (a[k] as Tensor).mul(b[k] as Tensor).sum())
    .reduce((x, y) => x.add(y));

/** f by scan and by the loop. */
const pairOf = ({ f }: LoopProgram): [(p: Params) => Tensor, (p: Params) => Tensor] => [
  (p) => f(scan, p),
  (p) => f(unrolled, p),
];

describe.each(loopPrograms)("$name", (program) => {
  const [f, g] = pairOf(program);
  const p = program.params("float64");
  const v = direction(p);

  test("value, gradient, jvp, vjp", () => {
    near(numbers(f(p)), numbers(g(p)));
    near(numbers(grad(f)(p)), numbers(grad(g)(p)));
    near(numbers(jvp(f, p, v).tangent), numbers(jvp(g, p, v).tangent));
    near(numbers(vjp(f, p).pullback(1.5)), numbers(vjp(g, p).pullback(1.5)));
  });

  test("hessian, gradient of a gradient, forward over reverse and back", () => {
    near(numbers(hessian(f)(p)), numbers(hessian(g)(p)), 1e-11);
    const product = (h: (q: Params) => Tensor) => numbers(grad((q: Params) => dot(grad(h)(q) as Params, v))(p));
    near(product(f), product(g), 1e-11);
    const slope = (h: (q: Params) => Tensor) => numbers(grad((q: Params) => jvp(h, q, v).tangent as Tensor)(p));
    near(slope(f), product(g), 1e-11);
    near(numbers(jvp(grad(f) as (q: Params) => Params, p, v).tangent), product(g), 1e-11);
  });

  test("third derivative along a direction", () => {
    const third = (h: (q: Params) => Tensor): number[] => {
      const second = (q: Params): Tensor => dot(grad((r: Params) => dot(grad(h)(r) as Params, v))(q) as Params, v);
      return numbers(grad(second)(p));
    };
    near(third(f), third(g), 1e-10);
  });

  test("vmap over every argument alone and over all; of the gradient; the gradient of vmap", () => {
    const points = [0, 0.4, -0.7].map((by) => mapParams(p, (x) => x.add(wave(x.shape, 11).mul(by))));
    const mapped = mapParams(p, (_, i) => stack(points.map((q) => q[keysOf(p)[i] as string] as Tensor)));
    near(
      numbers(vmap(f)(mapped)),
      points.flatMap((q) => numbers(g(q))),
    );
    for (const name of keysOf(p)) {
      const one = (x: Tensor): Tensor => f({ ...p, [name]: x });
      const expected = points.map((q) => ({ ...p, [name]: q[name] as Tensor }));
      near(
        numbers(vmap(one)(mapped[name] as Tensor)),
        expected.flatMap((q) => numbers(g(q))),
      );
      near(
        numbers(vmap(grad(one) as (x: Tensor) => Tensor)(mapped[name] as Tensor)),
        expected.flatMap((q) => numbers((grad(g)(q) as Params)[name])),
        1e-11,
      );
    }
    const slopes = points.map((q) => grad(g)(q) as Params);
    const expected = numbers(mapParams(p, (_, i) => stack(slopes.map((s) => s[keysOf(p)[i] as string] as Tensor))));
    near(numbers(vmap(grad(f) as (q: Params) => Params)(mapped)), expected, 1e-11);
    near(numbers(grad((q: Params) => vmap(f)(q).sum())(mapped)), expected, 1e-11);
  });

  test("vmap of vmap; vmap of the hessian", () => {
    const grid = mapParams(p, (x) => wave([2, 2, ...x.shape], 3));
    const cell = (i: number, j: number): Params => mapParams(grid, (x) => x.at(i).at(j));
    const cells = [cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1)];
    near(
      numbers(vmap(vmap(f))(grid)),
      cells.flatMap((q) => numbers(g(q))),
    );
    const [name] = keysOf(p) as [string];
    const curve = (h: (q: Params) => Tensor) => hessian((x: Tensor) => h({ ...p, [name]: x })) as (x: Tensor) => Tensor;
    const rows = (grid[name] as Tensor).at(0);
    near(
      numbers(vmap(curve(f))(rows)),
      [0, 1].flatMap((i) => numbers(curve(g)(rows.at(i)))),
      1e-11,
    );
  });

  test("compile: alone, of the gradient, inside the gradient, called again", () => {
    const compiled = compile(f);
    const slopes = compile(grad(f) as (q: Params) => Params);
    for (const by of [0, 0.1, 0.2]) {
      const q = mapParams(p, (x) => x.add(by));
      near(numbers(compiled(q)), numbers(g(q)));
      near(numbers(slopes(q)), numbers(grad(g)(q)));
      near(numbers(grad((r: Params) => compiled(r))(q)), numbers(grad(g)(q)));
    }
  });

  test("float32 stays float32 and agrees", () => {
    const single = program.params("float32");
    const value = f(single);
    const slopes = grad(f)(single) as Params;
    expect(value.dtype).toBe("float32");
    expect(keysOf(slopes).map((k) => (slopes[k] as Tensor).dtype)).toEqual(keysOf(slopes).map(() => "float32"));
    near(numbers(value), numbers(g(p)), 2e-5);
    near(numbers(slopes), numbers(grad(g)(p)), 2e-4);
  });

  test("the value read first, then two derivatives of one traced node", () => {
    const both = valueAndGrad(f)(p);
    const expected = numbers(g(p));
    near(numbers(both.value), expected);
    near(numbers(both.grad), numbers(grad(g)(p)));
    // One traced loop, differentiated in different ways.
    const seen: Tensor[] = [];
    const slopes = grad((q: Params) => {
      const y = f(q);
      seen.push(y);
      const [a] = keysOf(q) as [string];
      const inner = grad((r: Tensor) => f({ ...q, [a]: r }))(q[a] as Tensor) as Tensor;
      return y.square().add(inner.square().sum());
    })(p);
    const same = grad((q: Params) => {
      const [a] = keysOf(q) as [string];
      const inner = grad((r: Tensor) => g({ ...q, [a]: r }))(q[a] as Tensor) as Tensor;
      return g(q).square().add(inner.square().sum());
    })(p);
    near(numbers(slopes), numbers(same), 1e-11);
    near(numbers(seen[0] as Tensor), expected);
  });
});

test("a network's derivatives with the weights batched and the start shared", () => {
  const [f, g] = pairOf(loopPrograms[0] as LoopProgram);
  const p = (loopPrograms[0] as LoopProgram).params("float64");
  const ws = wave([3, 2, 2], 9);
  const loss =
    (h: (q: Params) => Tensor) =>
    (w: Tensor, start: Tensor): Tensor =>
      h({ ...p, w, h: start });
  const mapped = vmap(loss(f), { inAxes: [0, null] })(ws, p["h"] as Tensor);
  near(
    numbers(mapped),
    [0, 1, 2].flatMap((i) => numbers(loss(g)(ws.at(i), p["h"] as Tensor))),
  );
});
