import { describe, expect, it } from "vitest";
import type { AuditRow } from "../../src/expectation/audit.js";
import { auditText } from "../../src/expectation/report/auditText.js";
import { biasOf, momentsOf, pooled } from "../../src/expectation/report/bias.js";
import {
  Bernoulli,
  type Estimator,
  expectation,
  matmul,
  Normal,
  sample,
  scoreFunction,
  sigmoid,
  square,
  type Tensor,
  tensor,
} from "../../src/index.js";

const f64 = (data: number[] | number[][]): Tensor => tensor(data, { dtype: "float64" });

type Params = { W0: Tensor; W1: Tensor; W2: Tensor };
const talk = ({ W0, W1, W2 }: Params, { x, y }: { x: Tensor; y: Tensor }): Tensor => {
  const theta = sigmoid(matmul(W1, sigmoid(matmul(W0, x))));
  const a = sample(Bernoulli({ probs: theta }), { name: "a" });
  return square(y.sub(matmul(W2, a)))
    .mul(0.5)
    .sum();
};
const params = {
  W0: f64([
    [-0.93, -0.213],
    [1.112, 0.424],
  ]),
  W1: f64([
    [1.037, 0.249],
    [0.395, 0.185],
  ]),
  W2: f64([
    [-1.666, 0.855],
    [0.506, 0.499],
  ]),
};
const data = { x: f64([-0.256, 0.511]), y: f64([-0.226, -0.315]) };

/** Not in the catalogue: the derivative of p in place of that of the draw. */
const straightThrough = (): Estimator<"enumerate"> => ({
  name: "straightThrough",
  needs: ["enumerate"],
  rest: "observe",
  bias: "gradient",
  orders: 1,
  baseline: "none",
  branches: false,
  estimate: ({ family, params, stream }) => {
    const p = params["probs"] as Tensor;
    return { value: family.sample(stream, params).stopGradient().add(p).sub(p.stopGradient()) };
  },
  cites: [],
});

// Statistical comparisons: key 0; z limit 4.9 per row, of which there are fewer than 20 in this file. Standard errors are the rows' own.
describe("audit of the talk's graph", () => {
  it("compares every admissible estimator with the exact gradient, in under 5 s", async () => {
    const start = performance.now();
    const { reference, rows, biased, inadmissible, skipped } = await expectation(talk, { samples: 1000 }).audit(
      params,
      data,
    );
    expect(performance.now() - start).toBeLessThan(5000);
    expect(reference).toEqual({ kind: "exact", outcomes: 4 });
    expect(rows.map((row) => [row.estimator, row.baseline, row.chosen, row.best, row.evaluations])).toEqual([
      ["scoreFunction", "none", false, false, 1],
      ["scoreFunction", "leaveOneOut", false, false, 1],
      ["enumerate", "none", true, true, 4],
    ]);
    for (const row of rows) expect(row.z).toBeLessThan(4.9);
    expect(rows[2]).toMatchObject({ variance: 0, varianceStderr: 0, product: 0, z: 0, runs: 1 });
    expect([biased, skipped]).toEqual([[], []]);
    expect(inadmissible).toEqual([
      {
        site: "a",
        estimator: "pathwise",
        why: 'sample "a": Bernoulli gives no reparam, which pathwise needs: ∂a/∂probs does not exist on the path probs → a → matmul → sub → mul → mul → sum → loss; use scoreFunction() or enumerate().',
      },
      {
        site: "a",
        estimator: "scoreFunction, aligned",
        why: 'sample "a": no axis of two or more elements is kept apart by every cost, so none can be another\'s baseline; scoreFunction({ baseline: "leaveOneOut" }) with samples ≥ 2.',
      },
    ]);
  });

  it("measures the variance that enumeration gives", async () => {
    const E = expectation(talk, { samples: 1, estimators: { a: scoreFunction({ baseline: "none" }) } });
    // By hand: Σ p |g|² − |Σ p g|² over the four outcomes of one run.
    const theta = flat(sigmoid(matmul(params.W1, sigmoid(matmul(params.W0, data.x)))));
    let [square, mean] = [0, new Array<number>(12).fill(0)];
    for (const a of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]) {
      const p = a.reduce((all, bit, i) => all * (bit === 1 ? (theta[i] as number) : 1 - (theta[i] as number)), 1);
      const { grad } = E.valueAndGrad(params, data, { key: 0, given: { a: f64(a) } });
      const g = [grad.mean.W0, grad.mean.W1, grad.mean.W2].flatMap(flat);
      square += p * g.reduce((sum, d) => sum + d * d, 0);
      mean = mean.map((m, i) => m + p * (g[i] as number));
    }
    const exact = square - mean.reduce((sum, m) => sum + m * m, 0);
    const { rows } = await E.audit(params, data, { key: 0, replicates: 4096 });
    const row = rows.find((r) => r.baseline === "none" && r.estimator === "scoreFunction") as AuditRow;
    expect(row.chosen).toBe(true);
    expect(row.runs).toBe(1);
    // About 2 % of the variance.
    expect(row.varianceStderr / exact).toBeLessThan(0.03);
    expect(Math.abs(row.variance - exact) / row.varianceStderr).toBeLessThan(4.9);
  });

  it("finds a biased estimator out, in a block of its own", async () => {
    const E = expectation(talk, { samples: 64, estimators: { a: straightThrough() }, allowBias: true });
    const result = await E.audit(params, data);
    expect(result.biased.map((row) => [row.estimator, row.bias, row.chosen, row.best])).toEqual([
      ["straightThrough", "gradient", true, false],
    ]);
    expect(result.biased[0]?.z).toBeGreaterThan(8);
    expect(result.rows.every((row) => row.z < 4.9)).toBe(true);
    expect(String(result)).toMatch(/\nBiased\n\nsite .*\n─.*\na {5}straightThrough {2}chosen, differs /);
  });
});

describe("audit", () => {
  const mixed = ({ m }: { m: Tensor }): Tensor => {
    const z = sample(Normal({ loc: m, scale: 0.7 }), { name: "z" });
    const noise = sample(Normal({ loc: 0, scale: 1 }), { name: "noise" });
    const b = sample(Bernoulli({ logits: z }), { name: "b" });
    return square(b.sub(0.3)).add(z.square()).add(noise).sum();
  };

  it("pools a long run where nothing can be enumerated, and skips what has no choice", async () => {
    const result = await expectation(mixed, { samples: 16 }).audit({ m: f64([0.3, -0.2]) });
    expect(result.reference).toEqual({ kind: "pooled", runs: 16 * 1024 });
    expect(result.skipped).toEqual([{ site: "noise", why: "no derivative comes into its parameters" }]);
    expect(result.rows.map((row) => [row.site, row.estimator, row.baseline, row.evaluations, row.chosen])).toEqual([
      ["z", "pathwise", "none", 2, true],
      ["z", "scoreFunction", "none", 2, false],
      ["z", "scoreFunction", "leaveOneOut", 2, false],
      ["z", "scoreFunction", "aligned", 2, false],
      ["b", "scoreFunction", "none", 1, false],
      ["b", "scoreFunction", "leaveOneOut", 1, false],
      ["b", "scoreFunction", "aligned", 1, false],
      ["b", "enumerate", "none", 2, true],
    ]);
    for (const row of result.rows) expect(row.z).toBeLessThan(4.9);
    const of = (site: string): AuditRow[] => result.rows.filter((row) => row.site === site);
    for (const site of ["z", "b"]) {
      expect(
        of(site)
          .filter((row) => row.best)
          .map((row) => row.product),
      ).toEqual([Math.min(...of(site).map((row) => row.product))]);
    }
    expect(of("z").find((row) => row.best)?.estimator).toBe("pathwise");
  });

  it("gives the event loop back, tells how far it is, and stops when told", async () => {
    const E = expectation(mixed, { samples: 8 });
    const seen: [number, number, string][] = [];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await E.audit({ m: f64([0.3, -0.2]) }, { replicates: 32, onProgress: (...report) => seen.push(report) });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).sort((a, b) => a - b));
    expect(seen[0]).toEqual([0, 9, "a long run"]);
    expect(seen[seen.length - 1]).toEqual([9, 9, "done"]);
    expect(new Set(seen.map(([, , what]) => what))).toContain("z: scoreFunction, leaveOneOut");
    const stop = new AbortController();
    const stopped = E.audit(
      { m: f64([0.3, -0.2]) },
      { signal: stop.signal, onProgress: (done) => done > 1 && stop.abort() },
    );
    await expect(stopped).rejects.toThrow("This operation was aborted");
  });

  it("is the same for the same key", async () => {
    const E = expectation(mixed, { samples: 8 });
    const numbers = async (key: number): Promise<number[]> =>
      (await E.audit({ m: f64([0.3, -0.2]) }, { key, replicates: 32, budget: 256 })).rows.map((row) => row.variance);
    expect(await numbers(3)).toEqual(await numbers(3));
    expect(await numbers(3)).not.toEqual(await numbers(4));
  });

  it("says what it cannot do", async () => {
    const E = expectation(mixed, { samples: 8 });
    const m = f64([0.3, -0.2]);
    await expect(E.audit({ m }, { replicates: 5 })).rejects.toThrow(
      "audit: got replicates: 5, expected a whole number of at least 32.",
    );
    await expect(E.audit({ m }, { budget: 0.5 })).rejects.toThrow(
      "audit: got budget: 0.5, expected a whole number of runs.",
    );
    await expect(expectation(mixed, { dynamic: true }).audit({ m })).rejects.toThrow(
      "audit: a dynamic program has another graph in every run; expectation(f) without dynamic: true, with where and cond for its branches.",
    );
    expect(String(await expectation(({ a }: { a: Tensor }) => a.square()).audit({ a: 2 }))).toBe(
      "Gradient estimators against the exact gradient (1 joint outcome), other sites as chosen\n\nThe program samples nothing.",
    );
  });
});

describe("the table", () => {
  it("marks the best, the chosen and what differs", () => {
    const row: AuditRow = {
      site: "a",
      estimator: "scoreFunction",
      baseline: "leaveOneOut",
      chosen: true,
      best: false,
      bias: "none",
      difference: 0.01,
      noise: 0.02,
      z: 0.613,
      variance: 1.3412,
      varianceStderr: 0.0684,
      ms: 0.53,
      runs: 64,
      evaluations: 1,
      product: 1.3412,
    };
    const text = auditText({
      reference: { kind: "exact", outcomes: 4 },
      rows: [
        row,
        {
          ...row,
          estimator: "enumerate",
          baseline: "none",
          chosen: false,
          best: true,
          z: 0,
          variance: 0,
          varianceStderr: 0,
          product: 0,
          evaluations: 4,
        },
      ],
      biased: [{ ...row, estimator: "straightThrough", baseline: "none", chosen: false, bias: "gradient", z: 31.2 }],
      inadmissible: [{ site: "a", estimator: "pathwise", why: "it does not fit." }],
      skipped: [{ site: "b", why: "no derivative comes into its parameters" }],
    });
    expect(text).toBe(`Gradient estimators against the exact gradient (4 joint outcomes), other sites as chosen

site  estimator                              z  variance      ±  runs/sample  product    ms
────  ──────────────────────────  ──────  ────  ────────  ─────  ───────────  ───────  ────
a     scoreFunction, leaveOneOut  chosen  0.61      1.34  0.068            1     1.34  0.53
a     enumerate                   best       0         0      0            4        0  0.53

Biased

site  estimator                  z  variance      ±  runs/sample  product    ms
────  ───────────────  ───────  ──  ────────  ─────  ───────────  ───────  ────
a     straightThrough  differs  31      1.34  0.068            1     1.34  0.53

z: the mean gradient's difference from the truth as a normal deviate, the larger of its projection on the truth
   and its length; above 4.9 it differs.
variance: of the gradient of one run, summed over parameters; S runs have 1/S of it.
product: variance × runs of the program per sample.
ms: one gradient of 64 runs, median.

Not admissible

  a: pathwise
    it does not fit.

Not audited

  b: no derivative comes into its parameters`);
  });
});

describe("the bias statistic", () => {
  /** Standard normal numbers without a generator of our own: rows of a Normal sample. */
  const normals = (rows: number, size: number, key: number): Float64Array[] => {
    const x = Normal({ loc: f64([0]).reshape([]), scale: 1 }).sample(key, { sampleShape: [rows, size] });
    return (x.toArray() as number[][]).map((row) => Float64Array.from(row));
  };
  const shifted = (rows: Float64Array[], by: (i: number) => number): Float64Array[] =>
    rows.map((row) => row.map((v, i) => v + by(i)));

  it("is small without bias, and grows with a shift along the gradient or across it", () => {
    // 256 rows of 20 coordinates, key 0; truth (3, 0, 0, …). A shift by k/16 is k standard errors of one coordinate.
    const truth = Float64Array.from({ length: 20 }, (_, i) => (i === 0 ? 3 : 0));
    const reference = { mean: truth, direction: truth, rows: [] };
    const z = (shift: (i: number) => number): number => {
      const rows = shifted(normals(256, 20, 0), (i) => (truth[i] as number) + shift(i));
      return biasOf(rows, momentsOf(rows), reference, 1e-9).z;
    };
    expect(z(() => 0)).toBeLessThan(4.9);
    expect(z((i) => (i === 0 ? 8 / 16 : 0))).toBeGreaterThan(4.9);
    expect(z((i) => (i === 1 ? 10 / 16 : 0))).toBeGreaterThan(4.9);
  });

  it("of exact rows is equality up to rounding", () => {
    const truth = Float64Array.of(1, 2);
    const reference = { mean: truth, direction: truth, rows: [] };
    const of = (row: Float64Array): number => biasOf([row], momentsOf([row]), reference, 1e-9).z;
    expect(of(Float64Array.of(1, 2 + 1e-12))).toBe(0);
    expect(of(Float64Array.of(1, 2.001))).toBe(Number.POSITIVE_INFINITY);
  });

  it("knows the noise of a pooled reference where the gradient is zero", () => {
    const reference = pooled(normals(1024, 8, 1));
    const rows = normals(256, 8, 0);
    expect(biasOf(rows, momentsOf(rows), reference, 1e-9).z).toBeLessThan(4.9);
  });

  it("has the trace of Σ² without its noise", () => {
    // Σ = 1 in 20 dimensions: tr Σ = 20, tr Σ² = 20; the plain tr Σ̂² would be 20 + 400/256 = 21.6.
    const { variance, stderr, squared } = momentsOf(normals(256, 20, 2));
    expect(Math.abs(variance - 20) / stderr).toBeLessThan(4.9);
    expect(Math.abs(squared - 20)).toBeLessThan(1);
  });
});

function flat(t: Tensor): number[] {
  return [t.toArray()].flat(2) as number[];
}
