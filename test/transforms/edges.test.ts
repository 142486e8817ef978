import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { grad, type Tensor, tensor } from "../../src/index.js";
import { numbers } from "./programs.js";

const f64 = { dtype: "float64" } as const;
const at = (x: number): Tensor => tensor(x, f64);
type Scalar = (x: Tensor) => Tensor;
const slope = (f: Scalar): Scalar => grad(f) as Scalar;

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
