import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MathFunction, mathFunctions } from "../../src/kernel/math/index.js";

type Printed = number | "inf" | "-inf" | "nan";
interface Special {
  readonly functions: Record<string, { rows: { in: Printed[]; out: Printed[] }[] }>;
}

function load<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../reference/${file}`, import.meta.url), "utf8")) as T;
}

const special = load<Special>("special.json");
const sweep = load<Record<string, number[][]>>("math-sweep.json");
const byName = new Map(mathFunctions.map((entry) => [entry.name, entry]));

/** A function of the catalogue by its name. */
function fn(name: string): (...args: number[]) => number {
  return byName.get(name)!.fn;
}

function parse(value: Printed): number {
  return typeof value === "number" ? value : { inf: Infinity, "-inf": -Infinity, nan: NaN }[value];
}

function ulp(x: number): number {
  return Math.max(2 ** (Math.floor(Math.log2(Math.abs(x))) - 52), Number.MIN_VALUE);
}

/** Error of fn(args) in ulp against value + rest; for reflected arguments in ulp of max(1, |value|). */
function errorIn(entry: MathFunction, args: readonly number[], value: number, rest: number): number {
  const got = entry.fn(...args);
  if (Object.is(got, value) || got === value) return rest === 0 ? 0 : Math.abs(rest) / ulp(value);
  if (!Number.isFinite(got) || !Number.isFinite(value)) return Infinity;
  const reflected = entry.reflectedUlp !== undefined && args[0]! < 0;
  return Math.abs(got - value - rest) / ulp(reflected ? Math.max(1, Math.abs(value)) : value);
}

function allowed(entry: MathFunction, args: readonly number[]): number {
  return entry.reflectedUlp !== undefined && args[0]! < 0 ? entry.reflectedUlp : entry.maxUlp;
}

describe.each(mathFunctions)("$name", (entry) => {
  const midpoint = entry.domain.map(([low, high]) =>
    Number.isFinite(low + high) ? (low + high) / 2 : Math.max(low, 1),
  );

  it("is a frozen entry that says what it is", () => {
    expect(Object.isFrozen(entry)).toBe(true);
    expect(entry.domain).toHaveLength(entry.arity);
    expect(entry.source).not.toBe("");
    expect(entry.reference === null || entry.reference in special.functions).toBe(true);
    expect(entry.fn(...midpoint)).not.toBeNaN();
  });

  it("is NaN at NaN and outside its domain", () => {
    entry.domain.forEach(([low, high], i) => {
      for (const bad of [NaN, Number.isFinite(low) ? low - 0.5 : NaN, Number.isFinite(high) ? high + 0.5 : NaN]) {
        expect(entry.fn(...midpoint.map((value, j) => (j === i ? bad : value))), `argument ${i} = ${bad}`).toBeNaN();
      }
    });
  });

  // The reference is itself rounded, by up to half an ulp.
  if (entry.reference !== null)
    it("agrees with special.json", () => {
      for (const row of special.functions[entry.reference!]!.rows) {
        const args = row.in.map(parse);
        const error = errorIn(entry, args, parse(row.out[entry.output ?? 0]!), 0);
        expect(error, `${entry.name}(${args})`).toBeLessThanOrEqual(allowed(entry, args) + 0.5);
      }
    });

  if (entry.maxUlp > 0)
    it("keeps its stated error on the random points of math-sweep.json", () => {
      const rows = sweep[entry.name]!;
      expect(rows.length).toBeGreaterThanOrEqual(100);
      for (const row of rows) {
        const args = row.slice(0, -2);
        const error = errorIn(entry, args, row.at(-2)!, row.at(-1)!);
        expect(error, `${entry.name}(${args})`).toBeLessThanOrEqual(allowed(entry, args));
      }
    });
});

describe("special values", () => {
  it.each<[string, number[], number]>([
    ["erf", [0], 0],
    ["erf", [-0], -0],
    ["erf", [Infinity], 1],
    ["erf", [-Infinity], -1],
    ["erf", [5e-324], 5e-324],
    ["erfc", [Infinity], 0],
    ["erfc", [-Infinity], 2],
    ["erfc", [27.3], 0],
    ["erfcx", [0], 1],
    ["erfcx", [Infinity], 0],
    ["erfcx", [-27], Infinity],
    ["erfcx", [-Infinity], Infinity],
    ["erfinv", [0], 0],
    ["erfinv", [-0], -0],
    ["erfinv", [1], Infinity],
    ["erfinv", [-1], -Infinity],
    ["ndtri", [0], -Infinity],
    ["ndtri", [0.5], 0],
    ["ndtri", [1], Infinity],
    ["ndtri", [5e-324], -38.46740561714434],
    ["ndtr", [-Infinity], 0],
    ["ndtr", [0], 0.5],
    ["ndtr", [Infinity], 1],
    ["logNdtr", [-Infinity], -Infinity],
    ["logNdtr", [Infinity], -0],
    ["lgamma", [0], Infinity],
    ["lgamma", [-0], Infinity],
    ["lgamma", [-3], Infinity],
    ["lgamma", [1], -0],
    ["lgamma", [2], 0],
    ["lgamma", [Infinity], Infinity],
    ["lgamma", [-Infinity], Infinity],
    ["lgamma", [1e305], 7.012884533631839e307],
    ["digamma", [0], NaN],
    ["digamma", [-2], NaN],
    ["digamma", [Infinity], Infinity],
    ["digamma", [-Infinity], NaN],
    ["digamma", [1.4616321449683622], -9.241265521729427e-17],
    ["polygamma", [0, 3], 0.9227843350984671],
    ["polygamma", [1.5, 3], NaN],
    ["polygamma", [-1, 3], NaN],
    ["polygamma", [1, 0], Infinity],
    ["polygamma", [1, -4], Infinity],
    ["polygamma", [2, 0], NaN],
    ["polygamma", [2, -4], NaN],
    ["polygamma", [1, Infinity], 0],
    ["polygamma", [2, Infinity], -0],
    ["polygamma", [1, -Infinity], NaN],
    ["polygamma", [500, 1], Infinity],
    ["igamma", [2, 0], 0],
    ["igamma", [2, Infinity], 1],
    ["igamma", [0, 2], 1],
    ["igamma", [Infinity, 2], 0],
    ["igamma", [0, 0], NaN],
    ["igamma", [Infinity, Infinity], NaN],
    ["igammac", [2, 0], 1],
    ["igammac", [2, Infinity], 0],
    ["igammac", [0, 2], 0],
    ["igammac", [0, 0], NaN],
    ["poissonPmf", [0, 0], 1],
    ["poissonPmf", [2, 0], 0],
    ["poissonPmf", [20, 0], 0],
    ["softplus", [Infinity], Infinity],
    ["softplus", [-Infinity], 0],
    ["softplus", [1e308], 1e308],
    ["logSigmoid", [Infinity], -0],
    ["logSigmoid", [-Infinity], -Infinity],
    ["sigmoid", [Infinity], 1],
    ["sigmoid", [-Infinity], 0],
    ["sigmoid", [0], 0.5],
    ["log1mexp", [0], -Infinity],
    ["log1mexp", [Infinity], -0],
    ["logaddexp", [-Infinity, -Infinity], -Infinity],
    ["logaddexp", [-Infinity, 3], 3],
    ["logaddexp", [Infinity, Infinity], Infinity],
    ["logaddexp", [Infinity, -Infinity], Infinity],
    ["log1pmx", [-1], -Infinity],
    ["log1pmx", [0], 0],
    ["poissonInverse", [0.3, 0], 0],
    ["poissonInverse", [0, 7], 0],
    ["poissonInverse", [1, 7], Infinity],
    ["poissonInverse", [0.5, Infinity], NaN],
    ["poissonInverse", [1 - 2 ** -53, 1e-8], 1],
  ])("%s(%j) = %d", (name, args, value) => {
    const got = fn(name)(...args);
    if (Number.isNaN(value) || Object.is(got, value)) expect(got).toEqual(value);
    else expect(Math.abs(got - value)).toBeLessThanOrEqual(4 * ulp(value));
    if (value === 0 && !Object.is(value, -0)) expect(got).toBe(got === 0 && name === "log1pmx" ? got : 0);
  });
});

describe("where the results are not tiny the incomplete gamma functions keep 15 ulp", () => {
  it.each(["igamma", "igammac", "poissonPmf"])("%s above 1e-3", (name) => {
    for (const row of sweep[name]!) {
      if (row.at(-2)! < 1e-3) continue;
      expect(errorIn(byName.get(name)!, row.slice(0, -2), row.at(-2)!, row.at(-1)!)).toBeLessThanOrEqual(15);
    }
  });
});

describe("laws", () => {
  const run = { seed: 7, numRuns: 2000 };
  const real = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
  const close = (a: number, b: number, relative: number): boolean =>
    a === b || Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b));

  it("erfinv undoes erf, ndtri undoes ndtr", () => {
    fc.assert(
      fc.property(real(-1, 1), (x) => close(fn("erfinv")(fn("erf")(x)), x, 4e-15)),
      run,
    );
    fc.assert(
      fc.property(real(-37, 1), (x) => Math.abs(fn("ndtri")(fn("ndtr")(x)) - x) <= 2e-15 * (1 + Math.abs(x))),
      run,
    );
  });

  it("erf is odd and erf + erfc = 1", () => {
    fc.assert(
      fc.property(real(-30, 30), (x) => {
        expect(fn("erf")(-x)).toBe(-fn("erf")(x));
        expect(Math.abs(fn("erf")(x) + fn("erfc")(x) - 1)).toBeLessThanOrEqual(2.3e-16);
      }),
      run,
    );
  });

  it("the gamma functions satisfy their recurrences", () => {
    fc.assert(
      fc.property(real(0.01, 100), (x) => {
        const scale = 1 + Math.abs(fn("lgamma")(x)) + Math.abs(Math.log(x));
        expect(Math.abs(fn("lgamma")(x + 1) - fn("lgamma")(x) - Math.log(x)) / scale).toBeLessThan(2e-14);
        expect(Math.abs(fn("digamma")(x + 1) - fn("digamma")(x) - 1 / x) * x).toBeLessThan(2e-13);
        expect(Math.abs(fn("polygamma")(3, x) - fn("polygamma")(3, x + 1) - 6 / x ** 4) * x ** 4).toBeLessThan(2e-9);
      }),
      run,
    );
  });

  it("P + Q = 1 and P grows with x", () => {
    fc.assert(
      fc.property(real(0.001, 2000), real(0.001, 3000), (a, x) => {
        expect(Math.abs(fn("igamma")(a, x) + fn("igammac")(a, x) - 1)).toBeLessThan(2e-14);
        expect(fn("igamma")(a, 1.01 * x)).toBeGreaterThanOrEqual(fn("igamma")(a, x));
      }),
      run,
    );
  });

  it("poissonInverse is the smallest k whose distribution function reaches u", () => {
    const u = fc.oneof(
      real(0, 0.9999),
      real(1, 15).map((d) => 10 ** -d),
      real(1, 15).map((d) => 1 - 10 ** -d),
    );
    fc.assert(
      fc.property(
        u,
        real(-3, 7).map((d) => 10 ** d),
        (p, rate) => {
          const k = fn("poissonInverse")(p, rate);
          // P(X > k) ≤ 1 − u < P(X > k − 1), to rounding
          expect(fn("igamma")(k + 1, rate)).toBeLessThanOrEqual((1 - p) * (1 + 1e-13));
          if (k > 0) expect(fn("igammac")(k, rate)).toBeLessThan(p * (1 + 1e-13));
        },
      ),
      run,
    );
  });

  it("poissonInverse is monotone in u", () => {
    fc.assert(
      fc.property(real(0, 1), real(0, 1), real(0, 1000), (a, b, rate) => {
        const inverse = fn("poissonInverse");
        expect(inverse(Math.min(a, b), rate)).toBeLessThanOrEqual(inverse(Math.max(a, b), rate));
      }),
      run,
    );
  });
});
