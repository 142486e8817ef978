import { expect, test } from "vitest";
import {
  expectation,
  findRoot,
  interp,
  mul,
  Normal,
  norm,
  pathwise,
  sample,
  sub,
  type Tensor,
} from "../../src/index.js";
import { message } from "../runtime/message.js";
import { t64 } from "./support.js";

interface P {
  readonly s: Tensor;
}

/** Value and gradient by the pathwise estimator alone. */
function both(f: (x: Tensor) => Tensor): { value: number; slope: number } {
  const program = (p: P): Tensor => f(sample(Normal({ loc: t64([0, 0]), scale: p.s }), { name: "x" }));
  const { value, grad } = expectation(program, { samples: 64, estimators: { x: pathwise() } }).valueAndGrad(
    { s: t64(1.5) },
    { key: 0 },
  );
  return { value: value.mean.item(), slope: grad.mean.s.item() };
}

test("a pathwise sample passes through norm, a kink: ‖s ε‖ has derivative ‖ε‖", () => {
  for (const p of [1, 2, 3, Infinity]) {
    const { value, slope } = both((x) => norm(x, undefined, p));
    expect(slope * 1.5).toBeCloseTo(value, 12);
  }
});

test("... and through interp, but not where values jump beyond an end", () => {
  const line = (x: Tensor, left: "extrapolate" | number): Tensor =>
    interp(x, t64([-1, 0, 2]), t64([-2, 0, 4]), { left, right: "extrapolate" })
      .square()
      .sum();
  const { value, slope } = both((x) => line(x, "extrapolate"));
  expect(slope * 1.5).toBeCloseTo(2 * value, 11);
  expect(message(() => both((x) => line(x, -7)))).toContain("the sample reaches the cost through less");
});

test("... and through the solution of an equation, here of x = y/2", () => {
  const solve = (y: Tensor): Tensor => findRoot((x) => sub(x, mul(y, 0.5)), { bracket: [-100, 100] });
  const { value, slope } = both((y) => solve(y).square().sum());
  expect(slope * 1.5).toBeCloseTo(2 * value, 11);
});
