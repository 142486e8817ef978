import { expect, test } from "vitest";
import { grad, hessian, jvp, ones, type Tensor, tensor, vmap, whileLoop } from "../../src/index.js";

/** A loop that ends before its limit: what derivatives read of the steps that never ran must be that of a step that changes nothing. */

const f64 = { dtype: "float64" } as const;
const starts = [0.1, 0.35, 0.9, 2];

/** x · 0.7 until it is at most 0.3, squared: d/dx = 2 · 0.49ⁿ x with n steps. */
const shrunk =
  (limit: number) =>
  (x: Tensor): Tensor =>
    (
      whileLoop(
        (a: Tensor) => a.greater(0.3),
        (a: Tensor) => a.mul(0.7),
        x,
        { limit },
      ) as Tensor
    ).square();
const steps = (x: number): number => (x > 0.3 ? 1 + steps(0.7 * x) : 0);
const close = (got: Tensor, expected: readonly number[]): void => {
  (got.toArray() as number[]).forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i] as number, 12);
  });
};

test.each([6, 7, 30])("derivatives of a batched loop of at most %i steps are those of a product", (limit) => {
  const f = shrunk(limit);
  const xs = tensor(starts, f64);
  const slopes = starts.map((x) => 2 * 0.49 ** steps(x) * x);
  const curvatures = starts.map((x) => 2 * 0.49 ** steps(x));
  close(vmap(grad(f) as (x: Tensor) => Tensor)(xs), slopes);
  close(grad((x: Tensor) => vmap(f)(x).sum())(xs) as Tensor, slopes);
  close(jvp((x: Tensor) => vmap(f)(x), xs, ones([4], f64)).tangent as Tensor, slopes);
  close(vmap(hessian(f) as (x: Tensor) => Tensor)(xs), curvatures);
  const whole = hessian((x: Tensor) => vmap(f)(x).sum())(xs) as Tensor;
  close(whole.sum(0), curvatures);
});
