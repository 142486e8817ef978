import { describe, expect, test } from "vitest";
import { apply, placeholder, smoothness, type Tensor } from "../../src/graph/tensor.js";
import { grad, stack, sum, type Tensor as T, tensor, vmap } from "../../src/index.js";
import { attach, box, detach, limit, once, others, shadow, stopGradient } from "../../src/primitives/control.js";
import { external } from "../../src/primitives/external.js";
import { batchAll } from "../../src/transforms/vmap.js";
import { message } from "../runtime/message.js";

/** What steers derivatives instead of numbers: each behaves as its entry states, at every order. */

const f64 = { dtype: "float64" } as const;
const at = (x: number): T => tensor(x, f64);
type Scalar = (x: T) => T;
const slope = (f: Scalar): Scalar => grad(f) as Scalar;
const why = { where: "site", what: "no second derivative of an estimate", write: "order: 1" };

describe("box", () => {
  test("value 1 and every derivative as of exp at 0: C·box(log p) differentiates like C·p/p₀", () => {
    // τ = log x: box(τ) has the derivatives of x / x₀ at x₀, that is 1/x₀, 0, 0.
    const f: Scalar = (x) => apply(box, [x.log()], null);
    expect([f(at(2)).item(), slope(f)(at(2)).item()]).toEqual([1, 0.5]);
    expect(slope(slope(f))(at(2)).item()).toBeCloseTo(0, 15);
    expect(slope(slope(slope(f)))(at(2)).item()).toBeCloseTo(0, 15);
  });

  test("value 1 where τ is −∞ or no number, which is never computed", () => {
    expect(apply(box, [tensor([-Infinity, NaN])], null).toArray()).toEqual([1, 1]);
    expect(apply(box, [placeholder({ shape: [], dtype: "float32" }, "τ")], null).item()).toBe(1);
  });
});

describe("stopGradient, detach, shadow", () => {
  test("stopGradient and detach keep the value and cut the derivative; only the first is an obstacle", () => {
    for (const cut of [stopGradient, detach]) {
      const f: Scalar = (x) => x.mul(apply(cut, [x.mul(x)], null));
      expect([f(at(3)).item(), slope(f)(at(3)).item(), slope(slope(f))(at(3)).item()]).toEqual([27, 9, 0]);
    }
    expect([smoothness(stopGradient, 0), smoothness(detach, 0)]).toEqual(["jump", "smooth"]);
  });

  test("shadow has value 0 and the derivatives of its input", () => {
    const f: Scalar = (x) => apply(shadow, [x.mul(x).mul(x)], null);
    expect([f(at(2)).item(), slope(f)(at(2)).item(), slope(slope(f))(at(2)).item()]).toEqual([0, 12, 12]);
  });
});

describe("attach and limit", () => {
  test("attach adds an estimated derivative and no value; its own derivative throws", () => {
    const f: Scalar = (x) => x.mul(2).add(apply(attach, [x, at(10)], why));
    expect([f(at(3)).item(), slope(f)(at(3)).item()]).toEqual([6, 12]);
    expect(message(() => slope(slope(f))(at(3)))).toBe("site: no second derivative of an estimate; order: 1.");
  });

  test("once throws at the next derivative, also where the estimate no longer depends on anything", () => {
    const f: Scalar = (x) => once(at(5), x, why);
    expect(f(at(1)).item()).toBe(5);
    expect(message(() => slope(f)(at(1)))).toBe("site: no second derivative of an estimate; order: 1.");
  });

  test("limit counts: as many derivatives as it says, and no more", () => {
    const f: Scalar = (x) => apply(limit, [x.exp(), x], { ...why, orders: 2 });
    expect([f, slope(f), slope(slope(f))].map((g) => g(at(0)).item())).toEqual([1, 1, 1]);
    expect(message(() => slope(slope(slope(f)))(at(0)))).toBe("site: no second derivative of an estimate; order: 1.");
  });
});

describe("others", () => {
  const runs = { label: "runs" };
  const meanOfOthers = (x: Tensor, axes: number[] = []): Tensor => apply(others, [x], { axes, name: runs });

  test("the mean over all other elements; its own transpose", () => {
    expect(meanOfOthers(tensor([1, 2, 6]), [0]).toArray()).toEqual([4, 3.5, 1.5]);
    const pulled = grad((x: T) =>
      meanOfOthers(x, [0])
        .mul(tensor([1, 0, 0]))
        .sum(),
    )([1, 2, 6]);
    expect(pulled.toArray()).toEqual([0, 0.5, 0.5]);
  });

  test("a batch over its own axis joins the population, another axis with the same label does not", () => {
    const hole = placeholder({ shape: [], dtype: "float32" }, "cost");
    const node = meanOfOthers(hole);
    const values = tensor([1, 2, 6]);
    expect((batchAll([node], [hole], [values], 3, runs)[0] as Tensor).toArray()).toEqual([4, 3.5, 1.5]);
    expect(message(() => (batchAll([node], [hole], [values], 3, { label: "runs" })[0] as Tensor).toArray())).toBe(
      'others: got 1 element over the axis "runs", expected at least two.',
    );
    const rows = vmap((row: T) => meanOfOthers(row, [0]))(
      tensor([
        [1, 3],
        [5, 7],
      ]),
    );
    expect(rows.toArray()).toEqual([
      [3, 1],
      [7, 5],
    ]);
  });
});

describe("external", () => {
  const calls: number[][] = [];
  const total = (x: T): T =>
    apply(external, [x], {
      fn: ({ data }) => {
        calls.push([...data]);
        return calls.at(-1)?.reduce((a, b) => a + b, 0) ?? 0;
      },
      name: "world",
      shape: [],
      dtype: "float32",
      maps: 0,
      outer: [],
      chained: false,
    });

  test("is called once per element of the axes that vmap puts in front", () => {
    calls.length = 0;
    const pairs = tensor([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
      [
        [9, 10],
        [11, 12],
      ],
    ]);
    expect(vmap((rows: T) => vmap(total)(rows))(pairs).toArray()).toEqual([
      [3, 7],
      [11, 15],
      [19, 23],
    ]);
    expect(calls.length).toBe(6);
  });

  test("has no derivative, and says so; without a path there is nothing to say", () => {
    expect(message(() => grad((x: T) => total(stack([x, x])))(1))).toBe(
      'external "world": a black box has no derivative, and a parameter reaches it without a sample in between; sample between the parameters and the black box (the score function sees through it), or stopGradient what goes in.',
    );
    expect(grad((x: T) => x.mul(sum(total(tensor([1, 2])))))(1).item()).toBe(3);
  });

  test("a result that does not fill its shape", () => {
    const bad = apply(external, [tensor(1)], {
      fn: () => [1, 2],
      name: "bad",
      shape: [3],
      dtype: "float32",
      maps: 0,
      outer: [],
      chained: false,
    });
    expect(message(() => bad.toArray())).toBe('external "bad": got 2 numbers, expected 3, for shape [3].');
  });
});
