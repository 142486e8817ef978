import { expect } from "vitest";
import { type Estimate, isTensor, type Tensor, tensor } from "../../src/index.js";

/** The z limit of a file with up to m comparisons: together they raise a false alarm once in a million. */
export function zLimit(m: number): number {
  return m <= 1 ? 4.9 : m <= 10 ? 5.4 : m <= 100 ? 5.8 : 6.1;
}

/** Numbers of a tree in the order of its keys. */
export function flat(tree: unknown): number[] {
  if (typeof tree === "number") return [tree];
  if (isTensor(tree)) return [tree.reshape([tree.size]).toArray()].flat() as number[];
  return Object.values(tree as object).flatMap(flat);
}

export type Judge = (estimate: Estimate<unknown>, truth: unknown, relative?: number) => void;

/**
 * The one comparison of estimates with truths in a file of at most m scalar comparisons: the standard error must be
 * small (at most `relative` of the norm of the truth), known from many replicates (so that z is normal), and each
 * number within z of its own.
 */
export function judge(m: number): Judge {
  const limit = zLimit(m);
  let used = 0;
  return (estimate, truth, relative = 0.01) => {
    const [got, error, wanted] = [flat(estimate.mean), flat(estimate.stderr), flat(truth)];
    used += wanted.length;
    expect(used, "more comparisons than the file states").toBeLessThanOrEqual(m);
    expect(estimate.dof).toBeGreaterThan(1000);
    expect(got).toHaveLength(wanted.length);
    expect(Math.hypot(...error), "standard error").toBeLessThanOrEqual(relative * Math.hypot(...wanted));
    wanted.forEach((value, i) => {
      const z = Math.abs((got[i] as number) - value) / (error[i] as number);
      expect(z, `[${i}] ${got[i]} ± ${error[i]}, truth ${value}`).toBeLessThanOrEqual(limit);
    });
  };
}

/** Numbers that are equal but for rounding. */
export function expectEqual(got: unknown, wanted: unknown, tolerance = 1e-12): void {
  const [a, b] = [flat(got), flat(wanted)];
  expect(a).toHaveLength(b.length);
  const excess = a.map((v, i) => Math.abs(v - (b[i] as number)) / Math.max(1, Math.abs(b[i] as number)));
  // The worst first: NaN is worse than any number.
  const worst = excess.reduce((w, e, i) => (e <= (excess[w] as number) ? w : i), 0);
  expect(excess[worst], `[${worst}] ${a[worst]}, wanted ${b[worst]}`).toBeLessThanOrEqual(tolerance);
}

/** What a call complains about. */
export function complaint(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "no complaint";
}

/** A float64 tensor. */
export function f64(data: number | readonly number[] | readonly (readonly number[])[]): Tensor {
  return tensor(data as number[][], { dtype: "float64" });
}
