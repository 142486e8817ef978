import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Builder } from "../../../src/kernel/expr/block.js";
import { interpret } from "../../../src/kernel/expr/interpret.js";
import { type Expression, expressions } from "../../../src/kernel/expr/math/index.js";

type Bits = "32" | "64";
type Reference = Record<string, Record<Bits, number[][]>>;

const reference = JSON.parse(readFileSync(new URL("../../reference/expr.json", import.meta.url), "utf8")) as Reference;
const byName = new Map(expressions.map((entry) => [entry.name, entry]));

/** The function of an entry, interpreted. */
function run({ arity, build }: Expression, bits: Bits): (...args: number[]) => number {
  const b = new Builder();
  const inputs = Array.from({ length: arity }, () => b.input(bits === "32" ? "float32" : "float64"));
  const block = b.block([build(b, ...inputs)]);
  return (...args) => interpret(block, args)[0] as number;
}

function named(name: string, bits: Bits): (...args: number[]) => number {
  return run(byName.get(name)!, bits);
}

function ulp(x: number, bits: Bits): number {
  const [digits, least] = bits === "32" ? [23, -149] : [52, -1074];
  return 2 ** Math.max(Math.floor(Math.log2(Math.abs(x))) - digits, least);
}

/** In ulp of the exact result value + rest (in ulp of the double `value`). */
function errorOf(got: number, value: number, rest: number, bits: Bits): number {
  const rounded = bits === "32" ? Math.fround(value) : value;
  if (got === rounded && !Number.isFinite(rounded)) return 0;
  const error = bits === "32" ? (got - value) / ulp(value, bits) : (got - value) / ulp(value, bits) - rest;
  return Number.isNaN(error) ? Infinity : Math.abs(error);
}

describe.each(expressions)("$name", (entry) => {
  it.each<Bits>(["32", "64"])("keeps its stated error in float%s on the points of expr.json", (bits) => {
    const fn = run(entry, bits);
    const allowed = bits === "32" ? entry.maxUlp32 : entry.maxUlp64;
    const rows = reference[entry.name]![bits];
    expect(rows.length).toBeGreaterThanOrEqual(50);
    for (const row of rows) {
      const args = row.slice(0, -2);
      expect(errorOf(fn(...args), row.at(-2)!, row.at(-1)!, bits), `${entry.name}(${args})`).toBeLessThanOrEqual(
        allowed,
      );
    }
  });

  it.each<Bits>(["32", "64"])("is NaN in float%s at NaN and outside its domain", (bits) => {
    const fn = run(entry, bits);
    const inside = entry.domain.map(([low, high]) =>
      Number.isFinite(low + high) ? (low + high) / 2 : Math.max(low, 1.5),
    );
    entry.domain.forEach(([low, high], i) => {
      // Powers of negative numbers are a matter of their own: see below.
      const ends = entry.name === "pow" ? [] : [low - 0.5, low - 1e30, high + 0.5, high + 1e30].filter(Number.isFinite);
      for (const bad of [NaN, ...ends])
        expect(fn(...inside.map((x, j) => (j === i ? bad : x))), `argument ${i} = ${bad}`).toBeNaN();
    });
  });

  it("is a frozen entry that says what it is", () => {
    expect(Object.isFrozen(entry)).toBe(true);
    expect(entry.domain).toHaveLength(entry.arity);
    expect(entry.source).not.toBe("");
  });
});

/** Exact values at edges: the same in both precisions. */
const EDGES: readonly (readonly [string, readonly (readonly [number, number])[]])[] = [
  [
    "exp",
    [
      [0, 1],
      [-0, 1],
      [Infinity, Infinity],
      [-Infinity, 0],
      [1e4, Infinity],
      [-1e4, 0],
      [1e30, Infinity],
      [-1e30, 0],
    ],
  ],
  [
    "expm1",
    [
      [0, 0],
      [-0, -0],
      [Infinity, Infinity],
      [-Infinity, -1],
      [1e4, Infinity],
      [-1e30, -1],
    ],
  ],
  [
    "log",
    [
      [1, 0],
      [0, -Infinity],
      [-0, -Infinity],
      [Infinity, Infinity],
      [-1, NaN],
      [-Infinity, NaN],
    ],
  ],
  [
    "log1p",
    [
      [0, 0],
      [-0, -0],
      [-1, -Infinity],
      [Infinity, Infinity],
      [-2, NaN],
      [-Infinity, NaN],
    ],
  ],
  [
    "sin",
    [
      [0, 0],
      [-0, -0],
      [Infinity, NaN],
      [-Infinity, NaN],
    ],
  ],
  [
    "cos",
    [
      [0, 1],
      [-0, 1],
      [Infinity, NaN],
      [-Infinity, NaN],
    ],
  ],
  [
    "tan",
    [
      [0, 0],
      [-0, -0],
      [Infinity, NaN],
    ],
  ],
  [
    "tanh",
    [
      [0, 0],
      [-0, -0],
      [Infinity, 1],
      [-Infinity, -1],
      [50, 1],
      [-50, -1],
    ],
  ],
  [
    "sigmoid",
    [
      [0, 0.5],
      [-0, 0.5],
      [Infinity, 1],
      [-Infinity, 0],
      [1e4, 1],
      [-1e4, 0],
    ],
  ],
  [
    "softplus",
    [
      [Infinity, Infinity],
      [-Infinity, 0],
      [1e4, 1e4],
      [-1e4, 0],
    ],
  ],
  [
    "logSigmoid",
    [
      [Infinity, -0],
      [-Infinity, -Infinity],
      [-1e4, -1e4],
      [1e4, -0],
    ],
  ],
  [
    "erf",
    [
      [0, 0],
      [-0, -0],
      [Infinity, 1],
      [-Infinity, -1],
      [7, 1],
      [-7, -1],
    ],
  ],
  [
    "erfc",
    [
      [Infinity, 0],
      [-Infinity, 2],
      [30, 0],
      [-30, 2],
    ],
  ],
  [
    "ndtr",
    [
      [Infinity, 1],
      [-Infinity, 0],
      [40, 1],
      [-40, 0],
    ],
  ],
  [
    "ndtri",
    [
      [0.5, 0],
      [0, -Infinity],
      [1, Infinity],
      [-1, NaN],
      [2, NaN],
      [Infinity, NaN],
      [-Infinity, NaN],
    ],
  ],
  [
    "erfinv",
    [
      [0, 0],
      [-0, -0],
      [1, Infinity],
      [-1, -Infinity],
      [2, NaN],
      [-2, NaN],
    ],
  ],
  [
    "lgamma",
    [
      [0, Infinity],
      [-0, Infinity],
      [-3, Infinity],
      [Infinity, Infinity],
      [-Infinity, Infinity],
    ],
  ],
  [
    "digamma",
    [
      [0, NaN],
      [-3, NaN],
      [Infinity, Infinity],
    ],
  ],
  ["trigamma", [[Infinity, 0]]],
];

describe.each<Bits>(["32", "64"])("edges in float%s", (bits) => {
  it.each(EDGES)("%s", (name, cases) => {
    const fn = named(name, bits);
    for (const [x, value] of cases)
      expect(Object.is(fn(x), value), `${name}(${x}) = ${fn(x)}, not ${value}`).toBe(true);
  });

  it("meets the ends of the range one number apart", () => {
    const [most, least, tiny] =
      bits === "32" ? [88.72283, -103.97, 2 ** -149] : [709.782712893383, -745.13, 2 ** -1074];
    const exp = named("exp", bits);
    expect(Number.isFinite(exp(Math.fround(most) < most || bits === "64" ? most : 88.722831))).toBe(true);
    expect(exp(bits === "32" ? 88.72284 : 709.782712893385)).toBe(Infinity);
    expect(exp(least)).toBe(tiny);
    expect(exp(bits === "32" ? -103.98 : -745.14)).toBe(0);
    for (const name of ["expm1", "log1p", "sin", "tan", "tanh", "erf"])
      for (const x of [tiny, -tiny, 3 * tiny]) expect(named(name, bits)(x), name).toBe(x);
    expect(named("log", bits)(tiny)).toBeCloseTo(
      bits === "32" ? -149 * Math.LN2 : -1074 * Math.LN2,
      bits === "32" ? 4 : 11,
    );
  });

  it("rises where the function rises, from one grid point and from one number to the next", () => {
    const next = (x: number): number => x + ulp(x, bits);
    for (const [name, low, high] of [
      ["exp", -20, 20],
      ["log", 0.01, 20],
      ["tanh", -6, 6],
      ["sigmoid", -20, 10],
      ["ndtri", 0.001, 0.999],
    ] as const) {
      const fn = named(name, bits);
      const slack = name === "exp" || name === "log" ? 0 : 2;
      for (let i = 0; i < 1000; i++) {
        const at = low + ((high - low) * i) / 1000;
        const x = bits === "32" ? Math.fround(at) : at;
        expect(fn(x), `${name}(${x})`).toBeLessThan(fn(x + (high - low) / 1000));
        if (slack === 0) expect(fn(next(x)) - fn(x), `${name} after ${x}`).toBeGreaterThanOrEqual(0);
      }
    }
  });
});

describe("arguments of all sizes", () => {
  it.each([1e3, 123456, 1.5e6, 1.7e6, 1e9, 1e22, 3e38])("sin and cos of %d", (size) => {
    for (const bits of ["32", "64"] as const) {
      const x = bits === "32" ? Math.fround(size) : size;
      for (const [name, oracle] of [
        ["sin", Math.sin],
        ["cos", Math.cos],
      ] as const)
        expect(errorOf(named(name, bits)(x), oracle(x), 0, bits), `${name}(${x})`).toBeLessThan(
          bits === "32" ? 1 : 2.5,
        );
    }
  });
});

describe("pow", () => {
  const special = [0, -0, 1, -1, 0.5, 2, -2, 3, -3, 1.5, -1.5, 1e30, 1e-30, Infinity, -Infinity, NaN];

  it.each<Bits>(["32", "64"])("has the special cases of Math.pow in float%s", (bits) => {
    const fn = named("pow", bits);
    const round = bits === "32" ? Math.fround : (x: number): number => x;
    for (const x of special)
      for (const y of special) {
        const want = round(round(x) ** round(y));
        const error = errorOf(fn(round(x), round(y)), want, 0, bits);
        const same = Object.is(fn(round(x), round(y)), want) || (want !== 0 && error <= 1);
        expect(same, `${x} ** ${y} = ${fn(round(x), round(y))}, not ${want}`).toBe(true);
      }
  });

  it.each<Bits>(["32", "64"])("has them for constant exponents too in float%s", (bits) => {
    const round = bits === "32" ? Math.fround : (x: number): number => x;
    for (const y of [...special, 4, 5, -5, 7]) {
      const b = new Builder();
      const x = b.input(bits === "32" ? "float32" : "float64");
      const block = b.block([byName.get("pow")!.build(b, x, b.like(x, y))]);
      for (const at of [...special, 0.3, -0.3, 17]) {
        const want = round(round(at) ** round(y));
        const got = interpret(block, [round(at)])[0] as number;
        const same = Object.is(got, want) || (want !== 0 && errorOf(got, want, 0, bits) <= 2);
        expect(same, `${at} ** ${y} = ${got}, not ${want}`).toBe(true);
      }
    }
  });
});

describe("partners", () => {
  const count = (...names: string[]): number => {
    const b = new Builder();
    const x = b.input("float32");
    for (const name of names) byName.get(name)!.build(b, x);
    return b.ops.length;
  };

  it.each([
    ["exp", "expm1", 15],
    ["sin", "cos", 20],
    ["sigmoid", "softplus", 50],
    ["softplus", "logSigmoid", 5],
    ["lgamma", "digamma", 40],
  ])("%s and %s share their work", (a, other, extra) => {
    expect(count(a, other) - count(a)).toBeLessThanOrEqual(extra);
  });

  it("sigmoid of x and of −x share their exponential", () => {
    const b = new Builder();
    const x = b.input("float32");
    byName.get("sigmoid")!.build(b, x);
    const before = b.ops.length;
    byName.get("sigmoid")!.build(b, b.unary("neg", x));
    expect(b.ops.length - before).toBeLessThanOrEqual(4);
  });
});
