import { expect } from "vitest";
import { flatten } from "../../src/base/tree.js";
import { isTensor, type scan, stack, type Tensor, tensor } from "../../src/index.js";

/** Named tensors, the argument of every program here. */
export type Params = { readonly [name: string]: Tensor };

/** A loop: `scan`, or the same in JavaScript. */
export type Loop = typeof scan;

const leavesOf = (tree: unknown): { leaves: readonly Tensor[]; rebuild: (leaves: readonly unknown[]) => unknown } =>
  flatten("test", tree, (x): x is Tensor => isTensor(x) || typeof x === "number") as never;

/** The definition: one step after another, at least one, in JavaScript. */
export const unrolled = ((
  step: (carry: unknown, x: unknown, t: Tensor) => readonly [unknown, unknown],
  init: unknown,
  xs: unknown,
  { length, reverse = false }: { length?: number; reverse?: boolean } = {},
) => {
  const rows = xs === null ? null : leavesOf(xs);
  const count = length ?? (rows?.leaves[0]?.shape[0] as number);
  const ys: unknown[] = new Array(count);
  let carry: unknown = init;
  for (let i = 0; i < count; i++) {
    const t = reverse ? count - 1 - i : i;
    const row = rows?.rebuild(rows.leaves.map((x) => x.at(t))) ?? null;
    [carry, ys[t]] = step(carry, row, tensor(t, { dtype: "uint32" }));
  }
  if (ys[0] === null) return [carry, null];
  const flat = ys.map(leavesOf);
  const columns = (flat[0] as (typeof flat)[number]).leaves.map((_, k) =>
    stack(flat.map((y) => y.leaves[k] as Tensor)),
  );
  return [carry, (flat[0] as (typeof flat)[number]).rebuild(columns)];
}) as unknown as Loop;

/** All numbers of a tree, in the order of its keys. */
export function numbers(tree: unknown): number[] {
  return leavesOf(tree).leaves.flatMap((x) => (isTensor(x) ? ([x.toArray()].flat(9) as number[]) : [x]));
}

/** |a − b| ≤ tolerance · max(1, |b|, largest |b|), element by element; NaN fails. */
export function near(got: readonly number[], expected: readonly number[], tolerance = 1e-12): void {
  expect(got.length).toBe(expected.length);
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  got.forEach((x, i) => {
    if (!(Math.abs(x - (expected[i] as number)) <= tolerance * scale)) expect([i, x]).toEqual([i, expected[i]]);
  });
}

/** Numbers in (−1, 1) without a pattern. */
export function wave(shape: readonly number[], phase = 0, dtype: "float32" | "float64" = "float64"): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const list = Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase + 0.3));
  return tensor(list, { shape, dtype });
}
