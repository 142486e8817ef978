import { afterAll, describe, expect, test } from "vitest";
import {
  exp,
  expectation,
  grad,
  log,
  matmul,
  Normal,
  pathwise,
  sample,
  scan,
  square,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { numbersOf } from "./exact.js";
import { Comparisons } from "./statistics.js";

/**
 * A linear-Gaussian state-space model, z ← A z + e^q ξ, y = c·z + e^r η, simulated with pathwise sites inside a scan, and the Kalman
 * filter that runs beside it with parameters of its own. Prediction errors are linear in the noise, so the expected log-likelihood is a
 * recursion of second moments; that is done here in plain arithmetic.
 */
interface Model<M, S> {
  readonly a: M;
  /** Logarithms of the scales of both noises. */
  readonly q: S;
  readonly r: S;
}
type Tensors = Model<Tensor, Tensor>;
type Numbers = Model<Matrix, number>;
type Matrix = readonly (readonly number[])[];

const f64 = { dtype: "float64" } as const;
const t64 = (x: number | number[] | number[][]): Tensor => tensor(x, f64);
const c = [1, 0.5] as const;
const identity = [
  [1, 0],
  [0, 1],
];

/** The next mean and covariance, and −log p(y | past). */
function filter(model: Tensors, { m, s }: { m: Tensor; s: Tensor }, y: Tensor) {
  const row = t64([...c]);
  const m1 = matmul(model.a, m);
  const s1 = matmul(matmul(model.a, s), model.a.transpose()).add(t64(identity).mul(exp(model.q.mul(2))));
  const gain = matmul(s1, row);
  const v = matmul(row, gain).add(exp(model.r.mul(2)));
  const error = y.sub(matmul(row, m1));
  const nll = log(v.mul(2 * Math.PI))
    .add(square(error).div(v))
    .mul(0.5);
  const next = { m: m1.add(gain.mul(error).div(v)), s: s1.sub(gain.expandDims(1).mul(gain).div(v)) };
  return { next, nll, error };
}

const times = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) =>
    (b[0] as number[]).map((_, j) => row.reduce((s, x, k) => s + x * ((b[k] as number[])[j] as number), 0)),
  );
const turned = (a: Matrix): number[][] => (a[0] as number[]).map((_, j) => a.map((row) => row[j] as number));
const plus = (a: Matrix, b: Matrix): number[][] =>
  a.map((row, i) => row.map((x, j) => x + ((b[i] as number[])[j] as number)));
const scaled = (a: Matrix, by: number): number[][] => a.map((row) => row.map((x) => x * by));

/** Gains and variances of the prediction errors, which do not depend on the data. */
function gains({ a, q, r }: Numbers, steps: number): { gain: number[]; v: number }[] {
  let s: Matrix = identity;
  return Array.from({ length: steps }, () => {
    const s1 = plus(times(times(a, s), turned(a)), scaled(identity, Math.exp(2 * q)));
    const gain = times(s1, turned([c])).flat();
    const v = c[0] * (gain[0] as number) + c[1] * (gain[1] as number) + Math.exp(2 * r);
    s = plus(s1, scaled(times(turned([gain]), [gain]), -1 / v));
    return { gain: gain.map((x) => x / v), v };
  });
}

/** In plain numbers: a row-major, then q and r; of the simulation and of the filter. */
const unpack = (x: readonly number[]): Numbers => ({
  a: [x.slice(0, 2), x.slice(2, 4)],
  q: x[4] as number,
  r: x[5] as number,
});
const treeOf = (x: readonly number[]): Tensors => ({
  a: t64([x.slice(0, 2), x.slice(2, 4)]),
  q: t64(x[4] as number),
  r: t64(x[5] as number),
});

type Cost = "likelihood" | "squares";

/** E of the cost, by the second moments of (z, m): both follow (z, m) ← F (z, m) + noise, from z = m = 0. */
function exactCost(x: readonly number[], steps: number, cost: Cost): number {
  const [sim, own] = [unpack(x.slice(0, 6)), unpack(x.slice(6))];
  const [q2, r2] = [sim.q, sim.r].map((l) => Math.exp(2 * l)) as [number, number];
  let moments: Matrix = scaled(
    [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ],
    0,
  );
  let total = 0;
  for (const { gain, v } of gains(own, steps)) {
    // e = c (A z + ξ) + η − c Â m, so e = (cA, −cÂ)(z, m) + cξ + η.
    const read = [...(times([c], sim.a)[0] as number[]), ...(times([c], scaled(own.a, -1))[0] as number[])];
    const own2 = (times(times([read], moments), turned([read]))[0] as number[])[0] as number;
    const square = own2 + (c[0] ** 2 + c[1] ** 2) * q2 + r2;
    total += cost === "squares" ? square : 0.5 * (Math.log(2 * Math.PI * v) + square / v);
    const move = [0, 1, 2, 3].map((i) =>
      i < 2
        ? [...(sim.a[i] as number[]), 0, 0]
        : read.map((w, j) => (gain[i - 2] as number) * w + (j < 2 ? 0 : ((own.a[i - 2] as number[])[j - 2] as number))),
    );
    const noise = [0, 1, 2, 3].map((i) =>
      i < 2
        ? [i === 0 ? Math.sqrt(q2) : 0, i === 1 ? Math.sqrt(q2) : 0, 0]
        : [...c.map((w) => (gain[i - 2] as number) * w * Math.sqrt(q2)), (gain[i - 2] as number) * Math.sqrt(r2)],
    );
    moments = plus(times(times(move, moments), turned(move)), times(noise, turned(noise)));
  }
  return total;
}

/** Central differences, Richardson-extrapolated once. */
function slope(f: (x: readonly number[]) => number, x: readonly number[]): number[] {
  return x.map((_, i) => {
    const at = (h: number): number => f(x.map((v, j) => (i === j ? v + h : v)));
    const d = (h: number): number => (at(h) - at(-h)) / (2 * h);
    return (4 * d(1e-3) - d(2e-3)) / 3;
  });
}

const truth = [0.9, 0.3, -0.2, 0.7, Math.log(0.5), Math.log(0.4)];
const guess = [0.7, 0.1, 0, 0.8, Math.log(0.7), Math.log(0.6)];

describe("the gradient of a filter's expected cost, through pathwise sites in a scan", () => {
  // Value and 12 components of the gradient for either cost. 1 % of the gradient's norm.
  const comparisons = new Comparisons(26);
  afterAll(() => {
    comparisons.done();
  });

  test.each<[Cost]>([["likelihood"], ["squares"]])("%s equals the closed form", (cost) => {
    const steps = 6;
    const loss = ({ sim, own }: { sim: Tensors; own: Tensors }): Tensor => {
      const init = { z: t64([0, 0]), m: t64([0, 0]), s: t64(identity) };
      const [, costs] = scan(
        ({ z, m, s }: typeof init): [typeof init, Tensor] => {
          const state = sample(Normal({ loc: matmul(sim.a, z), scale: exp(sim.q) }), { name: "state" });
          const y = sample(Normal({ loc: matmul(t64([...c]), state), scale: exp(sim.r) }), { name: "observation" });
          const { next, nll, error } = filter(own, { m, s }, y);
          return [{ z: state, ...next }, cost === "squares" ? square(error) : nll];
        },
        init,
        null,
        { length: steps },
      );
      return costs.sum();
    };
    const estimators = { state: pathwise(), observation: pathwise() };
    const E = expectation(loss, { samples: 2 ** 15, estimators });
    const { value, grad: g } = E.valueAndGrad({ sim: treeOf(truth), own: treeOf(guess) }, { key: 0 });
    const flat = (tree: { sim: Tensors; own: Tensors }): number[] =>
      [tree.sim, tree.own].flatMap(({ a, q, r }) => [a, q, r].flatMap((x) => [...numbersOf(x)]));
    const x = [...truth, ...guess];
    comparisons.check(`${cost}, value`, {
      mean: [value.mean.item()],
      stderr: [value.stderr.item()],
      dof: value.dof,
      truth: [exactCost(x, steps, cost)],
    });
    comparisons.check(`${cost}, gradient`, {
      mean: flat(g.mean),
      stderr: flat(g.stderr),
      dof: g.dof,
      truth: slope((at) => exactCost(at, steps, cost), x),
    });
  });

  test("the true parameters are a stationary point of the likelihood (Gibbs), in the closed form itself", () => {
    const own = slope((at) => exactCost([...truth, ...at], 6, "likelihood"), truth);
    // The filter starts with covariance 1 where the state is known to be 0; over many steps it forgets.
    const late = slope(
      (at) => exactCost([...truth, ...at], 60, "likelihood") - exactCost([...truth, ...at], 40, "likelihood"),
      truth,
    );
    expect(Math.hypot(...late)).toBeLessThan(1e-4 * Math.hypot(...own));
  });
});

test("the log-likelihood of data: its gradient against differences of a filter in plain numbers", () => {
  const data = Array.from({ length: 25 }, (_, t) => Math.sin(0.7 * t) + 0.3 * Math.cos(2.1 * t));
  const plain = (x: readonly number[]): number => {
    const { a } = unpack(x);
    let m = [0, 0];
    return gains(unpack(x), data.length).reduce((total, { gain, v }, t) => {
      const m1 = a.map((row) => (row[0] as number) * (m[0] as number) + (row[1] as number) * (m[1] as number));
      const e = (data[t] as number) - c[0] * (m1[0] as number) - c[1] * (m1[1] as number);
      m = m1.map((z, i) => z + (gain[i] as number) * e);
      return total + 0.5 * (Math.log(2 * Math.PI * v) + e ** 2 / v);
    }, 0);
  };
  const loss = (model: Tensors): Tensor =>
    scan(
      (state: { m: Tensor; s: Tensor }, y: Tensor): [typeof state, Tensor] => {
        const { next, nll } = filter(model, state, y);
        return [next, nll];
      },
      { m: t64([0, 0]), s: t64(identity) },
      t64(data),
    )[1].sum();
  expect(loss(treeOf(guess)).item()).toBeCloseTo(plain(guess), 11);
  const { a, q, r } = grad(loss)(treeOf(guess));
  const got = [a, q, r].flatMap((x) => [...numbersOf(x)]);
  const want = slope(plain, guess);
  got.forEach((x, i) => {
    expect(Math.abs(x - (want[i] as number))).toBeLessThan(1e-7 * Math.hypot(...want));
  });
});
