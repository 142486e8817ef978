import { expect, test } from "vitest";
import { grad, log, mul, neg, odeint, sqrt, square, sub, type Tensor, tensor, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { t64 } from "./support.js";

const explosion = (y: Tensor): Tensor => square(y);
const dear = {
  used: "expected the last of the times to be reached; a larger maxSteps, rtol or atol, or times that end before a singular point; a stiff system needs an implicit method.",
  small:
    "expected an error within the tolerance; times that end before a singular point, a larger rtol or atol, or float64.",
  infinite: "expected finite derivatives; times that end before a singular point, or an f that is finite there.",
};

/** `text` with the number in it, which must be near. */
function expectNear(got: string, before: string, near: number, tolerance: number, after: string): void {
  expect(got.startsWith(before), got).toBe(true);
  expect(got.endsWith(`, ${after}`), got).toBe(true);
  const number = Number(got.slice(before.length, got.length - after.length - 2));
  expect(Math.abs(number - near), got).toBeLessThanOrEqual(tolerance);
}

test("a stiff system uses up its steps, also where only the gradient is read", () => {
  const stiff = (y: Tensor): Tensor =>
    odeint((x: Tensor) => mul(-1e5, x), y, [0, 3], undefined, { maxSteps: 400 }).at(-1) as Tensor;
  const before = "odeint: got 400 steps used up at t = ";
  // Stability allows steps of 3.3e-5.
  expectNear(
    message(() => stiff(t64(1)).item()),
    before,
    0.011,
    0.004,
    dear.used,
  );
  expectNear(
    message(() => grad(stiff)(t64(1)).item()),
    before,
    0.011,
    0.004,
    dear.used,
  );
  expectNear(
    message(() => (vmap(stiff)(t64([0, 1])) as Tensor).toArray()),
    "odeint: got 400 steps used up at t[1] = ",
    0.011,
    0.004,
    dear.used,
  );
});

test("singular points", () => {
  const single = message(() => odeint(explosion, tensor(1), [0, 2]).toArray());
  expectNear(single, "odeint: got steps too small for t to resolve, at t = ", 1, 1e-4, dear.small);
  const root = (y: Tensor): Tensor => neg(sqrt(y));
  // (1 − t/2)² reaches 0 at t = 2, and √ of a little less is NaN.
  const left = message(() => odeint(root, 1, [0, 3]).toArray());
  expectNear(left, "odeint: got dy/dt that is not finite near t = ", 2, 1e-3, dear.infinite);
  const inTime = message(() => odeint((_y: Tensor, t: Tensor) => sqrt(sub(1, t)), 1, [0, 3]).toArray());
  expectNear(inTime, "odeint: got dy/dt that is not finite near t = ", 1, 1e-9, dear.infinite);
  expect(message(() => odeint((y: { x: Tensor }) => ({ x: log(y.x) }), { x: [1, -1] }, [0, 1]).x.toArray())).toBe(
    "odeint: got dy/dt.x[1] = NaN, expected finite numbers at the first time.",
  );
  const fixed = message(() => odeint(explosion, [0.1, 1], [0, 2], undefined, { method: "rk4", steps: 20 }).toArray());
  expect(fixed).toMatch(/^odeint: got y\[1\] = Infinity, t\[1\] = 1\.\d+, expected a finite solution\.$/);
});

test("what does not fit", () => {
  const run = (times: unknown, options = {}, y: unknown = 1, f: unknown = explosion): string =>
    message(() => odeint(f as never, y as Tensor, times as number[], undefined, options).toArray());
  const start = "odeint: got";
  expect(run([0, 2, 1])).toBe(
    `${start} diff(times)[1] = -1, expected all times in one direction, from the first to the last.`,
  );
  expect(run([0, -1, -0.5, -2])).toBe(
    `${start} diff(times)[1] = 0.5, expected all times in one direction, from the first to the last.`,
  );
  expect(run([0, NaN, 1])).toBe(`${start} times[1] = NaN, expected finite numbers.`);
  expect(run([[0, 1]])).toBe(`${start} times of shape [1, 2], expected [times], the first that of y0.`);
  expect(run(1)).toBe(`${start} times of shape [], expected [times], the first that of y0.`);
  expect(run([0, 1], {}, [1, 2], () => t64([1, 2, 3]))).toBe(`${start} dy/dt float64[3], expected float64[2].`);
  expect(run([0, 1], {}, [1, 2], () => tensor([1, 2], { dtype: "int32" }))).toBe(
    `${start} dy/dt int32[2], expected float64[2].`,
  );
  expect(run([0, 1], {}, [1, 2], () => ({ a: 1 }))).toBe(
    `${start} dy/dt of another structure, expected the tree of y.`,
  );
  expect(run([0, 1], { rtol: 1e-16 })).toBe(
    `${start} rtol 1e-16, expected at least 2.220446049250313e-15, ten units of the last place of float64.`,
  );
  expect(run([0, 1], { atol: 0 })).toBe(`${start} atol 0, expected a positive number.`);
  expect(run([0, 1], { maxSteps: 0 })).toBe(`${start} maxSteps 0, expected a whole number of at least 1.`);
  expect(run([0, 1], { firstStep: -1 })).toBe(
    `${start} firstStep -1, expected a positive number, whatever the direction.`,
  );
  expect(run([0, 1], { method: "rk4", steps: 1.5 })).toBe(`${start} steps 1.5, expected a whole number of at least 1.`);
  expect(run([0, 1], { method: "euler" })).toBe(`${start} method "euler", expected "dopri5" or "rk4".`);
  expect(run([0, 1], { method: "rk4", rtol: 1e-3 })).toBe(
    `${start} rtol for "rk4", expected options out of method, steps or residuals.`,
  );
  expect(run([0, 1], { steps: 3 })).toBe(
    `${start} steps for "dopri5", expected options out of method, rtol, atol, maxSteps or firstStep.`,
  );
});
