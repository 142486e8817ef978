import { describe, expect, test } from "vitest";
import { placeholder } from "../../src/graph/tensor.js";
import * as sg from "../../src/index.js";
import { arange, concat, full, grad, type Tensor, tensor } from "../../src/index.js";
import { plus } from "../../src/primitives/linear.js";
import { message } from "./message.js";

const f64 = { dtype: "float64" } as const;

describe("reading", () => {
  test("nothing is computed before somebody reads", () => {
    const y = tensor([1, 2]).add(1);
    expect(y.value).toBeNull();
    expect(y.toArray()).toEqual([2, 3]);
    expect(y.value).not.toBeNull();
  });

  // Three seconds of work, most of it memory; a machine that is busy otherwise may need much longer.
  test("a chain of 1,000,000 nodes reads", () => {
    const one = tensor(1, f64);
    let y = one;
    for (let i = 1; i < 1_000_000; i++) y = plus(y, one);
    expect(y.item()).toBe(1_000_000);
  }, 180_000);

  test("outside every transform reading drops the inputs, inside grad it keeps them", () => {
    const x = tensor(3);
    const y = x.mul(x);
    y.item();
    expect([y.primitive, y.inputs]).toEqual([null, []]);
    let inner: Tensor | null = null;
    const g = grad((p: Tensor) => {
      inner = p.mul(p);
      inner.item();
      return inner;
    })(3);
    expect((inner as unknown as Tensor).inputs.length).toBe(2);
    expect((inner as unknown as Tensor).value).not.toBeNull();
    expect(g.item()).toBe(6);
  });

  test("item, toArray and data", async () => {
    expect(tensor(2.5).item()).toBe(2.5);
    expect(tensor([[2.5]]).item()).toBe(2.5);
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).toArray(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([tensor(1).toArray(), sg.zeros([2, 0]).toArray(), sg.zeros([0, 2]).toArray()]).toEqual([1, [[], []], []]);
    expect(
      await tensor(
        [
          [1, 2],
          [3, 4],
        ],
        f64,
      )
        .transpose()
        .data(),
    ).toEqual(Float64Array.of(1, 3, 2, 4));
    expect(await sg.greater(tensor([1, -1]), 0).data()).toEqual(Uint8Array.of(1, 0));
    expect(await arange(3).data()).toEqual(Int32Array.of(0, 1, 2));
    expect(message(() => tensor([1, 2]).item())).toBe(
      "item: got a tensor [2], expected one element; toArray() or await data().",
    );
  });

  test("what is read is a copy, and so is what a tensor is made of", async () => {
    const source = Float32Array.of(1, 2, 3);
    const x = tensor(source);
    source[0] = 9;
    const read = (await x.data()) as Float32Array;
    read[1] = 9;
    expect(x.toArray()).toEqual([1, 2, 3]);
    expect(x.reshape([3, 1]).toArray()).toEqual([[1], [2], [3]]);
  });

  test("views of views read right: broadcast, transpose, slice, flip, in any order", () => {
    const x = arange(24).reshape([2, 3, 4]);
    expect(x.transpose([2, 0, 1]).slice(1, 3).flip(0).at(0, 1).toArray()).toEqual([
      [2, 6, 10],
      [1, 5, 9],
    ]);
    expect(x.slice(0, 4, { axis: 2, step: 2 }).at(1).toArray()).toEqual([
      [12, 14],
      [16, 18],
      [20, 22],
    ]);
    expect(x.at(1).at(2).broadcastTo([2, 4]).transpose().toArray()).toEqual([
      [20, 20],
      [21, 21],
      [22, 22],
      [23, 23],
    ]);
    expect(
      full([2, 2], 3)
        .add(full([2, 2], 4).slice(1, 2))
        .toArray(),
    ).toEqual([
      [7, 7],
      [7, 7],
    ]);
    expect(
      concat([x.flip([1, 2]), x], 0)
        .at(0)
        .at(0)
        .toArray(),
    ).toEqual([11, 10, 9, 8]);
  });

  test("what two results share is computed once", () => {
    let calls = 0;
    const counted = { ...(plus(tensor(1), tensor(1)).primitive as NonNullable<Tensor["primitive"]>) };
    const run = counted.run;
    const node = plus(tensor(1), tensor(2));
    node.primitive = {
      ...counted,
      run: (...args) => {
        calls++;
        return run(...args);
      },
    };
    expect(concat([node.add(1).reshape([1]), node.mul(2).reshape([1]), node.reshape([1])]).toArray()).toEqual([
      4, 6, 3,
    ]);
    expect(calls).toBe(1);
  });

  test("a placeholder has no numbers", () => {
    expect(message(() => placeholder({ shape: [], dtype: "float32" }, "x").add(1).item())).toBe(
      'read: "x" is a placeholder: inside compile, vmap, scan, cond and expectation there are no numbers yet; where(mask, a, b) instead of an if, expectation(f, { dynamic: true }) for a program that branches on its samples, or read the result after the call.',
    );
  });
});
