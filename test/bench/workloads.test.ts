import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Running, Workload } from "../../bench/workload.js";
import { workloads } from "../../bench/workloads/index.js";
import { push } from "../../bench/workloads/w08.js";
import { tensor } from "../../src/index.js";

/** Exact gradients: enumeration of the 256 states (W1), closed forms (W2, W10), Gauss-Hermite quadrature (W3, W4). */
const exact = JSON.parse(readFileSync(new URL("../../bench/expected.json", import.meta.url), "utf8")) as Record<
  string,
  { value: number[] }
>;

/** First and second losses at the small sizes, over keys, by the programs of make-small.py. */
const small = JSON.parse(readFileSync(new URL("small.json", import.meta.url), "utf8")) as Record<
  string,
  { mean: [number, number]; sd: [number, number] }
>;

const all = workloads.flatMap((workload) =>
  workload.variants.map((variant) => [`${workload.name} ${variant.name}`, workload, variant] as const),
);
const of = (kind: string): typeof all => all.filter(([, { check }]) => check?.kind === kind);

function steps(running: Running, count: number): (readonly number[])[] {
  return Array.from({ length: count }, () => {
    running.step();
    return running.numbers();
  });
}

/** Family-wise false alarm 1e-6 over the 48 comparisons of this file. */
const Z = 5.7;

describe("a gradient", () => {
  // The small size of 10,000 samples is that of 100. Only gross mistakes show here: the bench itself checks at full size.
  test.each(of("mean").filter(([, { name }]) => !name.endsWith("-10000")))(
    "%s is right on average",
    (_, { name }, variant) => {
      const found = steps(variant.start("small"), 300);
      (exact[name] as { value: number[] }).value.forEach((truth, k) => {
        const values = found.map((numbers) => numbers[k] as number);
        const mean = values.reduce((a, b) => a + b) / values.length;
        const variance = values.reduce((a, x) => a + (x - mean) ** 2, 0) / (values.length - 1);
        expect(Math.abs(mean - truth)).toBeLessThan(Z * Math.sqrt(variance / values.length));
      });
    },
  );
});

describe("training", () => {
  test.each(of("last"))("%s has the losses of the same program in JAX", (_, { name }, variant) => {
    const { mean, sd } = small[name] as { mean: [number, number]; sd: [number, number] };
    const losses = steps(variant.start("small"), 2).map(([loss]) => loss as number);
    losses.forEach((loss, i) => {
      const tolerance = Z * (sd[i] as number) + 1e-6 * Math.abs(mean[i] as number);
      expect(Math.abs(loss - (mean[i] as number))).toBeLessThan(tolerance);
    });
  });

  test("starts from the same numbers each time", () => {
    const workload = workloads.find(({ name }) => name === "W12") as Workload;
    const [a, b] = [0, 1].map(() => steps((workload.variants[0] as Workload["variants"][0]).start("small"), 2));
    expect(a).toEqual(b);
  });
});

/** Gym's CartPole-v1, one pole, in plain numbers. */
function gym([x, speed, angle, turning]: readonly number[], action: number): { state: number[]; done: boolean } {
  const [gravity, cart, pole, half, dt] = [9.8, 1, 0.1, 0.5, 0.02];
  const force = action === 1 ? 10 : -10;
  const [c, s] = [Math.cos(angle as number), Math.sin(angle as number)];
  const temp = (force + pole * half * (turning as number) ** 2 * s) / (cart + pole);
  const swing = (gravity * s - c * temp) / (half * (4 / 3 - (pole * c * c) / (cart + pole)));
  const push = temp - (pole * half * swing * c) / (cart + pole);
  const rates = [speed, push, turning, swing] as number[];
  const state = [x, speed, angle, turning].map((q, i) => (q as number) + dt * (rates[i] as number));
  const done = Math.abs(state[0] as number) > 2.4 || Math.abs(state[2] as number) > (12 * Math.PI) / 180;
  return { state, done };
}

describe("W8", () => {
  const poles = [
    [0.01, -0.02, 0.03, 0.04],
    [-1.5, 2, -0.15, -1],
    [2.39, 1, 0, 0],
    [0, 0, 0.2, 1],
    [-2.3, -4, 0.1, 3],
  ];

  test.each([0, 1])("moves a pole as Gym does, action %i", (action) => {
    const { moved, done } = push(tensor(poles), tensor(Int32Array.from(poles, () => action)));
    const expected = poles.map((pole) => gym(pole, action));
    (moved.toArray() as number[][]).forEach((row, i) => {
      row.forEach((q, k) => {
        expect(q).toBeCloseTo(expected[i]?.state[k] as number, 5);
      });
    });
    expect(done.toArray()).toEqual(expected.map((e) => Number(e.done)));
  });

  test("trains, and says how often an episode ended", () => {
    const workload = workloads.find(({ name }) => name === "W8") as Workload;
    for (const [ended] of steps((workload.variants[0] as Workload["variants"][0]).start("small"), 2)) {
      expect(ended).toBeGreaterThanOrEqual(0);
      expect(ended).toBeLessThanOrEqual(1);
    }
  });
});
