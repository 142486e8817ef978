import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cos, grad, hessian, mul, odeint, sin, stack, sub, type Tensor } from "../../src/index.js";
import { expectClose, flat, t64 } from "./support.js";

interface Case {
  readonly name: string;
  readonly y0: number[];
  readonly params: number[];
  readonly times: number[];
  readonly y: number[][];
  /** [times, n, n] */
  readonly byY0: number[][][];
  /** [times, n, params] */
  readonly byParams: number[][][];
  /** Of the sum of the last y, by y0 and params together. */
  readonly hessian?: number[][];
}

const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("../reference/ode.json", import.meta.url), "utf8"),
);

type Field = (y: Tensor, t: Tensor, p: Tensor) => Tensor;

const pendulum: Field = (y, t, p) =>
  stack([
    y.at(1),
    sin(y.at(0))
      .neg()
      .sub(mul(p.at(0), y.at(1)))
      .add(mul(p.at(1), cos(mul(p.at(2), t)))),
  ]);

const fields: Record<string, Field> = {
  lorenz: (y, _t, p) => {
    const [a, b, c] = [y.at(0), y.at(1), y.at(2)];
    return stack([mul(p.at(0), sub(b, a)), mul(a, sub(p.at(1), c)).sub(b), mul(a, b).sub(mul(p.at(2), c))]);
  },
  lotka: (y, _t, p) => {
    const [prey, hunters] = [y.at(0), y.at(1)];
    const met = mul(prey, hunters);
    return stack([mul(p.at(0), prey).sub(mul(p.at(1), met)), mul(p.at(2), met).sub(mul(p.at(3), hunters))]);
  },
  pendulum,
  backwards: pendulum,
};

/** Largest difference, as a part of the largest number. */
function off(got: Tensor | number[], want: readonly number[]): number {
  const numbers = Array.isArray(got) ? got : flat(got);
  expect(numbers).toHaveLength(want.length);
  return (
    Math.max(...numbers.map((x, i) => Math.abs(x - (want[i] as number)))) / Math.max(...want.map((x) => Math.abs(x)))
  );
}

describe.each(cases)("$name", ({ name, y0, params, times, y, byY0, byParams, hessian: bends }) => {
  const field = fields[name] as Field;
  const options = { rtol: 1e-10, atol: 1e-11, maxSteps: 4096 };
  const solve = (start: Tensor, p: Tensor, how = options): Tensor => odeint(field, start, times, p, how);

  test("values and sensitivities against DOP853 and the variational equations", () => {
    expect(off(solve(t64(y0), t64(params)), y.flat())).toBeLessThan(1e-8);
    // Σ w y with weights that tell all numbers apart; its gradient sums the sensitivities with the same weights.
    const w = times.map((_, i) => y0.map((_, j) => Math.cos(1 + i * y0.length + j)));
    const g = grad((p: { y0: Tensor; params: Tensor }) => mul(solve(p.y0, p.params), t64(w)).sum())({
      y0: t64(y0),
      params: t64(params),
    });
    const weighed = (s: number[][][]): number[] =>
      ((s[0] as number[][])[0] as number[]).map((_, k) =>
        s.reduce((a, at, i) => a + at.reduce((b, row, j) => b + (w[i]?.[j] as number) * (row[k] as number), 0), 0),
      );
    expect(off(g.y0, weighed(byY0))).toBeLessThan(1e-7);
    expect(off(g.params, weighed(byParams))).toBeLessThan(1e-7);
  });

  test("at the default tolerance", () => {
    const got = odeint(field, t64(y0), times, t64(params));
    expect(off(got, y.flat())).toBeLessThan(name === "lorenz" ? 2e-5 : 1e-6);
  });

  if (bends)
    test("second derivatives against differences of the variational equations", () => {
      const n = y0.length;
      const f = (x: Tensor): Tensor =>
        solve(x.slice(0, n), x.slice(n), { ...options, rtol: 1e-9, atol: 1e-10 })
          .at(-1)
          .sum();
      const got = hessian(f)(t64([...y0, ...params])) as Tensor;
      const want = (bends as number[][]).flat();
      expectClose(
        got.div(Math.max(...want.map(Math.abs))),
        want.map((x) => x / Math.max(...want.map(Math.abs))),
        1e-6,
      );
    });
});
