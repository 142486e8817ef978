import { afterAll, describe, expect, test } from "vitest";
import {
  Bernoulli,
  Categorical,
  enumerate,
  expectation,
  grad,
  Normal,
  pathwise,
  randomKey,
  sample,
  scoreFunction,
  square,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { Comparisons } from "./statistics.js";

const f64 = (x: number | number[]): Tensor => tensor(x, { dtype: "float64" });
/** Runs of a dynamic program have graphs of their own, so a few thousand must do: standard errors of up to 10 % of the truth. */
const judge = new Comparisons(4, 0.1);
afterAll(() => judge.done());

describe("a read is an edge of the graph", () => {
  const coin = ({ probs }: { probs: Tensor }) => (sample(Bernoulli({ probs }), { name: "a" }).item() ? 1 : 0);

  test("item() ? 1 : 0 has gradient 1, exactly by enumeration", () => {
    const E = expectation(coin, { dynamic: true, estimators: { a: enumerate() } });
    const { value, grad: g } = E.valueAndGrad({ probs: f64(0.3) }, { key: 0 });
    expect(value.mean.item()).toBeCloseTo(0.3, 7);
    expect(g.mean.probs.item()).toBe(1);
    expect(g.stderr.probs.item()).toBe(0);
  });

  test("and by the score function, its default", () => {
    const { grad: g } = expectation(coin, { dynamic: true, samples: 800 }).valueAndGrad(
      { probs: f64(0.3) },
      { key: 0 },
    );
    judge.check("coin", { mean: [g.mean.probs.item()], stderr: [g.stderr.probs.item()], truth: [1], dof: g.dof });
  });

  /** Stops at the first failure; costs that were built before a read, after it, and a number of steps. */
  const walk = ({ p }: { p: Tensor }) => {
    let x = p.mul(0.5);
    let steps = 0;
    for (let t = 0; t < 3; t++) {
      steps++;
      if (!sample(Bernoulli({ probs: p }), { name: `b${t}` }).item()) break;
      x = x.add(p.mul(t + 1));
    }
    return square(x).add(0.1 * steps);
  };
  const walkExact = (p: number): number =>
    [0, 1, 2, 3].reduce((total, k) => {
      const steps = Math.min(k + 1, 3);
      const x = 0.5 * p + (p * k * (k + 1)) / 2;
      return total + (k < 3 ? p ** k * (1 - p) : p ** 3) * (x * x + 0.1 * steps);
    }, 0);
  const slope = (h: number): number => (walkExact(0.4 + h) - walkExact(0.4 - h)) / (2 * h);
  const all = { b0: enumerate(), b1: enumerate(), b2: enumerate() };

  test("a loop whose length depends on samples, enumerated over its paths", () => {
    const E = expectation(walk, { dynamic: true, estimators: all });
    const { value, grad: g } = E.valueAndGrad({ p: f64(0.4) }, { key: 0 });
    expect(value.mean.item()).toBeCloseTo(walkExact(0.4), 12);
    expect(g.mean.p.item()).toBeCloseTo((4 * slope(1e-4) - slope(2e-4)) / 3, 9);
    const second = (walkExact(0.4 + 1e-3) - 2 * walkExact(0.4) + walkExact(0.4 - 1e-3)) / 1e-6;
    expect(E.hessian({ p: f64(0.4) }, { key: 0 }).mean.p.p.item()).toBeCloseTo(second, 3);
  });

  test("the same by the score function", () => {
    const { grad: g } = expectation(walk, { dynamic: true, samples: 600 }).valueAndGrad({ p: f64(0.4) }, { key: 0 });
    judge.check("walk", { mean: [g.mean.p.item()], stderr: [g.stderr.p.item()], truth: [slope(1e-5)], dof: g.dof });
  });

  test("a cost chosen among costs that were built before the read", () => {
    const choose = ({ p }: { p: Tensor }) => {
      const a = sample(Bernoulli({ probs: p }), { name: "a" });
      const [low, high] = [p.mul(2), p.mul(0).add(5)];
      return a.item() ? high : low;
    };
    // E = 5p + 2p(1 − p), slope 5 + 2 − 4p
    const { grad: g } = expectation(choose, { dynamic: true, estimators: { a: enumerate() } }).valueAndGrad(
      { p: f64(0.25) },
      { key: 0 },
    );
    expect(g.mean.p.item()).toBeCloseTo(6, 12);
  });

  test("a term that was built before the read and is added only after it", () => {
    const maybe = ({ p, q }: { p: Tensor; q: Tensor }) => {
      const z = sample(Bernoulli({ probs: q }), { name: "z" });
      const bonus = z.mul(4);
      const a = sample(Bernoulli({ probs: p }), { name: "a" });
      const base = a.mul(0);
      return a.item() ? base.add(bonus) : base;
    };
    // E = 4pq
    const at = { p: f64(0.25), q: f64(0.5) };
    const exact = expectation(maybe, { dynamic: true, estimators: { a: enumerate(), z: enumerate() } }).valueAndGrad(
      at,
      { key: 0 },
    );
    expect([exact.grad.mean.p.item(), exact.grad.mean.q.item()]).toEqual([2, 1]);
    const { grad: g } = expectation(maybe, { dynamic: true, samples: 600 }).valueAndGrad(at, { key: 0 });
    const [mean, stderr] = [g.mean, g.stderr].map((side) => [side.p.item(), side.q.item()]) as [number[], number[]];
    judge.check("maybe", { mean, stderr, truth: [2, 1], dof: g.dof });
  });
});

describe("baselines of runs that have several paths", () => {
  /** How many paths a run has depends on its own draw of a: whether a has a baseline may not. */
  const tree = ({ p, q, r }: { p: Tensor; q: Tensor; r: Tensor }) => {
    if (!sample(Bernoulli({ probs: p }), { name: "a" }).item()) return f64(5);
    if (!sample(Bernoulli({ probs: q }), { name: "b", estimator: enumerate() }).item()) return f64(1);
    return sample(Bernoulli({ probs: r }), { name: "c" })
      .mul(3)
      .add(2);
  };
  const [p, q, r] = [0.3, 0.6, 0.2];
  const at = { p: f64(p), q: f64(q), r: f64(r) };
  const truth = [-5 + (1 - q) + q * (2 + 3 * r), p * (1 + 3 * r), 3 * p * q];
  // All sites are met in the first call, so that its names are known.
  const bits = [1, 0].flatMap((i) => [1, 0].map((j) => [i, j]));
  const chance = (x: readonly number[], prob: number): number => x.reduce((w, b) => w * (b ? prob : 1 - prob), 1);

  test("the mean over all draws of two runs is the exact gradient", () => {
    const E = expectation(tree, { dynamic: true, samples: 2 });
    const mean = [0, 0, 0];
    for (const a of bits)
      for (const c of bits) {
        const g = E.valueAndGrad(at, { key: 0, given: { a, c } }).grad.mean;
        [g.p, g.q, g.r].forEach((x, i) => {
          mean[i] = (mean[i] as number) + chance(a, p) * chance(c, r) * x.item();
        });
      }
    truth.forEach((x, i) => {
      expect(mean[i]).toBeCloseTo(x, 12);
    });
  });

  test("they help: where every run has two paths and costs alike, nothing is left of the noise", () => {
    const flat = ({ p, q }: { p: Tensor; q: Tensor }) => {
      const a = sample(Bernoulli({ probs: p }), { name: "a" });
      const b = sample(Bernoulli({ probs: q }), { name: "b", estimator: enumerate() });
      return f64(a.item() + b.item() > 5 ? 0 : 7);
    };
    const { grad: g } = expectation(flat, { dynamic: true, samples: 64 }).valueAndGrad(
      { p: at.p, q: at.q },
      { key: 0 },
    );
    expect(g.mean.p.item()).toBeCloseTo(0, 12);
    expect(g.stderr.p.item()).toBeCloseTo(0, 12);
  });
});

describe("a dynamic program inside a dynamic program", () => {
  const outer =
    (inner: (a: Tensor) => number | Tensor) =>
    ({ p }: { p: Tensor }) => {
      const a = sample(Bernoulli({ probs: p }), { name: "a" });
      return expectation((_: object) => inner(a), { dynamic: true }).value({}, { key: 1 }).mean;
    };
  const slope = (f: ReturnType<typeof outer>): number =>
    expectation(f, { dynamic: true, estimators: { a: enumerate() } })
      .valueAndGrad({ p: f64(0.3) }, { key: 0 })
      .grad.mean.p.item();

  test("what the inner one reads steers the outer one too", () => {
    expect(slope(outer((a) => (a.item() ? 1 : 0)))).toBe(1);
  });

  test("also through a sample of the inner one", () => {
    // E = P(b) = 0.2 + 0.5p
    const f = outer((a) =>
      sample(Bernoulli({ probs: a.mul(0.5).add(0.2) }), { estimator: enumerate() }).item() ? 1 : 0,
    );
    expect(slope(f)).toBeCloseTo(0.5, 6);
  });
});

describe("the same program, traced and dynamic", () => {
  const program = ({ mu, logits }: { mu: Tensor; logits: Tensor }) => {
    const k = sample(Categorical({ logits }), { name: "k", estimator: scoreFunction({ baseline: "none" }) });
    const x = sample(Normal({ loc: mu.mul(k.toDType("float64")) }), { name: "x" });
    return square(x.sub(1));
  };
  const at = { mu: f64(0.7), logits: f64([0.2, -0.3, 0.1]) };

  test("draws the same noise and gives the same estimate", () => {
    const runs = { samples: 50, estimators: { k: scoreFunction({ baseline: "none" }) } };
    const traced = expectation(program, runs).valueAndGrad(at, { key: 0 });
    const dynamic = expectation(program, { ...runs, dynamic: true }).valueAndGrad(at, { key: 0 });
    expect(dynamic.value.mean.item()).toBeCloseTo(traced.value.mean.item(), 12);
    expect(dynamic.value.stderr.item()).toBeCloseTo(traced.value.stderr.item(), 12);
    expect(dynamic.grad.mean.mu.item()).toBeCloseTo(traced.grad.mean.mu.item(), 12);
    expect(dynamic.grad.stderr.mu.item()).toBeCloseTo(traced.grad.stderr.mu.item(), 12);
  });

  test("leave-one-out agrees too, although its runs are graphs of their own", () => {
    const runs = { samples: 64, estimators: { k: scoreFunction({ baseline: "leaveOneOut" }) } };
    const traced = expectation(program, runs).valueAndGrad(at, { key: 0 }).grad.mean.logits.toArray() as number[];
    const dynamic = expectation(program, { ...runs, dynamic: true }).valueAndGrad(at, { key: 0 }).grad.mean.logits;
    (dynamic.toArray() as number[]).forEach((g, i) => {
      expect(g).toBeCloseTo(traced[i] as number, 10);
    });
  });

  test("recorded values are scored", () => {
    const given = { k: tensor([0, 1, 2, 1], { dtype: "int32" }), x: f64([0.1, 0.9, 1.4, 0.3]) };
    const traced = expectation(program, { samples: 4 }).valueAndGrad(at, { key: 0, given }).grad.mean.mu.item();
    const dynamic = expectation(program, { samples: 4, dynamic: true })
      .valueAndGrad(at, { key: 0, given })
      .grad.mean.mu.item();
    expect(dynamic).toBeCloseTo(traced, 10);
  });

  test("it can be differentiated from outside", () => {
    const E = expectation(program, { samples: 8, dynamic: true });
    const outer = grad((p: typeof at) => E.value(p, { key: 0 }).mean)(at);
    const inner = E.valueAndGrad(at, { key: 0 }).grad.mean;
    expect(outer.mu.item()).toBeCloseTo(inner.mu.item(), 12);
    (outer.logits.toArray() as number[]).forEach((g, i) => {
      expect(g).toBeCloseTo((inner.logits.toArray() as number[])[i] as number, 12);
    });
  });

  test("replicates are independent groups of runs, each with baselines of its own", () => {
    for (const baseline of ["none", "leaveOneOut"] as const) {
      const runs = { samples: 3, replicates: 32, estimators: { k: scoreFunction({ baseline }) } };
      const traced = expectation(program, runs).valueAndGrad(at, { key: 0 });
      const dynamic = expectation(program, { ...runs, dynamic: true }).valueAndGrad(at, { key: 0 });
      expect(dynamic.grad.dof).toBe(31);
      expect(dynamic.grad.reason).toBeNull();
      for (const of of ["value", "grad"] as const)
        for (const number of ["mean", "stderr"] as const) {
          const [x, y] = [dynamic[of][number], traced[of][number]].map((side) =>
            ("mu" in side ? side.mu : side).item(),
          );
          expect(x, `${baseline}: ${of}.${number}`).toBeCloseTo(y as number, 10);
        }
      const outer = grad((p: typeof at) => expectation(program, { ...runs, dynamic: true }).value(p, { key: 0 }).mean)(
        at,
      );
      expect(outer.mu.item()).toBeCloseTo(traced.grad.mean.mu.item(), 10);
    }
  });

  test("parameters are floats in both", () => {
    for (const dynamic of [false, true]) {
      expect(() =>
        expectation(({ n }: { n: Tensor }) => n, { dynamic }).valueAndGrad(
          { n: tensor(2, { dtype: "int32" }) },
          { key: 0 },
        ),
      ).toThrow(
        "expectation: got params.n of dtype int32, expected float32 or float64; pass what is not differentiated in data, " +
          "the second argument.",
      );
    }
  });

  test("keys for noise that is no site differ from call to call and from run to run", () => {
    const noisy = () => Normal({}).sample(randomKey()).sub(Normal({}).sample(randomKey())).mul(1);
    for (const dynamic of [false, true]) {
      const { value } = expectation(noisy, { samples: 20, dynamic }).valueAndGrad({}, { key: 0 });
      expect(value.mean.item()).not.toBe(0);
      expect(value.stderr.item()).toBeGreaterThan(0.1);
    }
  });
});

describe("what a dynamic program cannot do says so", () => {
  test("pathwise at a site that was read", () => {
    const f = ({ mu }: { mu: Tensor }) => {
      const x = sample(Normal({ loc: mu }), { name: "x", estimator: pathwise() });
      return x.item() > 0 ? x : x.mul(2);
    };
    expect(() => expectation(f, { dynamic: true }).valueAndGrad({ mu: 0.5 }, { key: 0 })).toThrow(
      'sample "x": pathwise needs a differentiable path, and the program read the number; use scoreFunction().',
    );
  });

  test("an async program", () => {
    const f = (async () => 1) as unknown as () => number;
    expect(() => expectation(f, { dynamic: true }).valueAndGrad({}, { key: 0 })).toThrow(
      "expectation: got a Promise from the program, expected a value: a program is traced once and must be synchronous; " +
        "gather what is awaited first and pass it in data, or record draws outside and pass them as given.",
    );
  });

  test("an estimator for a site that no run has", () => {
    const f = ({ p }: { p: Tensor }) => sample(Bernoulli({ probs: p }), { name: "a" }).item();
    expect(() =>
      expectation(f, { dynamic: true, estimators: { b: enumerate() } }).valueAndGrad({ p: 0.5 }, { key: 0 }),
    ).toThrow('estimators: got the site name "b", expected one of "a".');
  });

  test("reading in a traced program names the way out", () => {
    const f = ({ p }: { p: Tensor }) => (sample(Bernoulli({ probs: p }), { name: "a" }).item() ? 1 : 0);
    expect(() => expectation(f).valueAndGrad({ p: 0.5 }, { key: 0 })).toThrow(
      'sample "a": a Bernoulli sample has no number and no derivative while the program is traced; ' +
        "expectation(f, { dynamic: true }) if the program reads its samples, and E.valueAndGrad for the gradient of the expectation.",
    );
  });
});
