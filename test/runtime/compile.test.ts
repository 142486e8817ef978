import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { compile, grad, type Tensor, tensor, vmap } from "../../src/index.js";
import { message } from "./message.js";

/** A compiled program that counts how often it is traced. */
function counted<A extends unknown[], T>(
  f: (...args: A) => T,
): { run: ReturnType<typeof compile<A, T>>; traces: () => number } {
  let traces = 0;
  const run = compile((...args: A) => {
    traces++;
    return f(...args);
  });
  return { run, traces: () => traces };
}

describe("the cache", () => {
  test("one trace per structure, shapes and dtypes; traced again on the second call and every power of two", () => {
    const { run, traces } = counted((p: { x: Tensor }) => p.x.mul(2));
    const seen: number[] = [];
    for (let call = 1; call <= 9; call++) {
      expect(run({ x: [call, 1] }).toArray()).toEqual([2 * call, 2]);
      seen.push(traces());
    }
    // Calls 2, 3, 5 and 9 follow 1, 2, 4 and 8 calls.
    expect(seen).toEqual([1, 2, 3, 3, 4, 4, 4, 4, 5]);
    run({ x: [1, 2, 3] });
    run({ x: tensor([1, 2], { dtype: "float64" }) });
    expect(traces()).toBe(7);
  });

  test("shapes, dtypes and trees are told apart", () => {
    const f = compile((t: unknown) => (Array.isArray(t) ? sg.stack(t as Tensor[]) : (t as Tensor).add(1)));
    expect(f(1).toArray()).toBe(2);
    expect(f([1, 2]).toArray()).toEqual([2, 3]);
    expect(f([tensor(1), tensor(2)]).toArray()).toEqual([1, 2]);
    expect(f(tensor([1], { dtype: "float64" })).dtype).toBe("float64");
  });

  test("results are trees of numbers; several arguments", () => {
    const f = compile((a: Tensor, b: { c: Tensor }) => ({ sum: a.add(b.c), pair: [a, b.c.neg()] as const }));
    const { sum, pair } = f(1, { c: 2 });
    expect([sum.item(), pair[0].item(), pair[1].item(), sum.primitive]).toEqual([3, 1, -2, null]);
  });

  test("arguments may be lazy, and are computed once", () => {
    const x = tensor([1, 2]).mul(3);
    const f = compile((a: Tensor) => a.sum());
    expect([f(x).item(), f(x).item(), f(x).item()]).toEqual([9, 9, 9]);
  });
});

describe("frozen constants", () => {
  const remedy = "pass what changes in data (an argument), where it is a leaf and not a constant.";

  test("a captured number that changed is named with both values", () => {
    let rate = 0.5;
    const f = compile((x: Tensor) => x.mul(rate));
    f(1);
    rate = 0.25;
    expect(message(() => f(1))).toBe(`compile: the captured constant of mul was 0.5 and is now 0.25; ${remedy}`);
  });

  test("an element of a captured array, its shape, and its dtype", () => {
    let table = tensor([1, 2, 3]);
    const f = compile((x: Tensor) => x.add(table));
    f([0, 0, 0]);
    table = tensor([1, 5, 3]);
    expect(message(() => f([0, 0, 0]))).toBe(
      `compile: the captured constant of add was 2 at [1] and is now 5; ${remedy}`,
    );
    table = tensor([[1, 2, 3]]);
    expect(message(() => f([0, 0, 0]))).toContain("compile: the program took another path: ");
    table = tensor([1, 2, 3], { dtype: "float64" });
    expect(message(() => f([0, 0, 0]))).toContain("compile: the program took another path: ");
  });

  test("checked on calls 2, 3, 5, 9: a change in between is found at the next", () => {
    let k = 1;
    const f = compile((x: Tensor) => x.add(k));
    for (let call = 1; call <= 3; call++) expect(f(1).item()).toBe(2);
    k = 2;
    expect(f(1).item()).toBe(2);
    expect(message(() => f(1))).toBe(`compile: the captured constant of add was 1 and is now 2; ${remedy}`);
  });

  test("a program that takes another path", () => {
    let twice = false;
    const f = compile((x: Tensor) => (twice ? x.mul(x) : x.exp()));
    f(1);
    twice = true;
    expect(message(() => f(1))).toBe(
      `compile: the program took another path: exp float32[] stood where mul float32[] stands now; ${remedy}`,
    );
  });

  test("another parameter, another number of results, arguments that change places", () => {
    let mode = 0;
    const f = compile(
      (x: Tensor, y: Tensor): Tensor[] => [[x.sum(0), y], [x.sum(1), y], [x.sum(0)], [y.sum(0), y]][mode] as Tensor[],
    );
    const square = tensor([
      [1, 2],
      [3, 4],
    ]);
    f(square, square);
    mode = 1;
    expect(message(() => f(square, square))).toBe(
      `compile: the program took another path: sum float32[2] stood where sum float32[2] stands now; ${remedy}`,
    );
    mode = 2;
    expect(message(() => f(square, square))).toBe(`compile: the program returned 2 results, then 1; ${remedy}`);
    mode = 3;
    expect(message(() => f(square, square))).toBe(
      `compile: "argument 0" float32[2, 2] stood where "argument 1" float32[2, 2] stands now; ${remedy}`,
    );
  });

  test("equal constants made anew are no change; NaN is NaN", () => {
    const f = compile((x: Tensor) => sg.where(sg.greater(x, 0), tensor([NaN, 1]), x.add(tensor([1, 2]))));
    for (let call = 0; call < 4; call++) expect(f([-1, 1]).toArray()).toEqual([0, 1]);
  });

  test("an unknown of an outer transform that was captured is not silently the one of the first call", () => {
    let outer = tensor(0);
    const g = compile((y: Tensor) => y.mul(outer));
    const slope = (x: number): number =>
      grad((p: Tensor) => {
        outer = p;
        return g(3);
      })(x).item();
    expect(slope(2)).toBe(3);
    expect(message(() => slope(2))).toBe(
      `compile: the program captured alias float32[] of an outer transform, and now captures another one; ${remedy}`,
    );
  });
});

describe("inside other transforms", () => {
  const f = compile((w: Tensor, x: Tensor) => sg.sigmoid(w.mul(x)).sum());

  test("grad, vmap and both orders", () => {
    const [w, x] = [tensor([0.5, -1], { dtype: "float64" }), tensor([1, 2], { dtype: "float64" })];
    const plain = (a: Tensor, b: Tensor): Tensor => sg.sigmoid(a.mul(b)).sum();
    expect(grad(f as (a: Tensor, b: Tensor) => Tensor)(w, x).toArray()).toEqual(grad(plain)(w, x).toArray());
    expect(vmap((a: Tensor) => f(a, x))(sg.stack([w, x])).toArray()).toEqual([plain(w, x).item(), plain(x, x).item()]);
    expect(compile(grad(f as (a: Tensor, b: Tensor) => Tensor))(w, x).toArray()).toEqual(grad(plain)(w, x).toArray());
    expect(compile((a: Tensor) => f(a, x).add(f(a, w)))(w).item()).toBe(plain(w, x).item() + plain(w, w).item());
  });
});

describe("errors", () => {
  test("reading an argument while tracing", () => {
    expect(message(() => compile((x: { a: Tensor }) => (x.a.item() > 0 ? x.a : x.a.neg()))({ a: 1 }))).toBe(
      'read: "argument 0.a" is a placeholder: inside compile, vmap, scan, cond and expectation there are no numbers yet; where(mask, a, b) instead of an if, expectation(f, { dynamic: true }) for a program that branches on its samples, or read the result after the call.',
    );
    expect(message(() => vmap((x: Tensor) => (x.item() > 0 ? x : x))(tensor([1, 2])))).toContain(
      'read: "argument 0" is a placeholder',
    );
  });

  test("an async program", async () => {
    const text =
      "got a Promise from the program, expected a value: a program is traced once and must be synchronous; gather what is awaited first and pass it in data, or record draws outside and pass them as given.";
    const slow = async (x: Tensor): Promise<Tensor> => x;
    expect(message(() => compile(slow)(1))).toBe(`compile: ${text}`);
    expect(message(() => grad(slow as unknown as (x: Tensor) => Tensor)(1))).toBe(`grad: ${text}`);
    expect(message(() => vmap(slow)(tensor([1])))).toBe(`vmap: ${text}`);
  });

  test("after an error in a program the next read drops inputs again", () => {
    expect(
      message(() =>
        grad((_x: Tensor): Tensor => {
          throw new Error("mine");
        })(1),
      ),
    ).toBe("mine");
    const y = tensor(1).add(1);
    y.item();
    expect(y.inputs).toEqual([]);
  });

  test("results that are no tensors", () => {
    expect(message(() => compile(() => ({ a: "text" }))())).toBe(
      'compile: got a = "text", expected a tensor, number, typed array, (nested) array of numbers, or an object or array of those.',
    );
  });
});
