import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { type GaussFamily, gaussRule } from "../../src/kernel/quadrature/gauss.js";
import { message } from "../runtime/message.js";
import { flat, golden, type Rule } from "./support.js";

const even: Record<GaussFamily, boolean> = { legendre: true, hermite: true, hermiteE: true, laguerre: false };
const families = Object.keys(even) as GaussFamily[];

/** The reference has the upper half of a symmetric rule. */
function upper(family: GaussFamily, n: number): { nodes: number[]; weights: number[] } {
  const from = even[family] ? Math.floor(n / 2) : 0;
  const { nodes, weights } = gaussRule(family, n);
  return { nodes: [...nodes.slice(from)], weights: [...weights.slice(from)] };
}

/** The largest error, in units of the last place of the reference. */
function worst(got: readonly number[], want: readonly number[]): number {
  return Math.max(
    ...got.map((x, i) => {
      const y = want[i] as number;
      return x === y ? 0 : Math.abs(x - y) / Math.max(2 ** (Math.floor(Math.log2(Math.abs(y))) - 52), Number.MIN_VALUE);
    }),
  );
}

describe.each(families)("rules of Gauss: %s", (family) => {
  test("agree with 60 digits to the last places, where weights do not underflow", () => {
    expect(golden.gauss[family].length).toBeGreaterThanOrEqual(4);
    for (const { n, nodes, weights } of golden.gauss[family] as Rule[]) {
      const got = upper(family, n);
      expect(got.nodes).toHaveLength(nodes.length);
      expect(worst(got.nodes, nodes), `nodes of ${n}`).toBeLessThanOrEqual(1);
      const normal = weights.map((w, i) => [got.weights[i] as number, w] as const).filter(([, w]) => w > 1e-300);
      expect(
        worst(
          normal.map((p) => p[0]),
          normal.map((p) => p[1]),
        ),
        `weights of ${n}`,
      ).toBeLessThanOrEqual(2);
      for (const [i, w] of got.weights.entries())
        expect(Math.abs(w - (weights[i] as number))).toBeLessThanOrEqual(1e-15);
    }
  });

  test.each([1, 2, 3, 37, 128, 255, 1000])("%i nodes ascend, and are symmetric where the weight is", (n) => {
    const { nodes, weights } = gaussRule(family, n);
    for (let i = 1; i < n; i++) expect(nodes[i]).toBeGreaterThan(nodes[i - 1] as number);
    expect(weights.every((w) => w >= 0)).toBe(true);
    if (!even[family]) return;
    expect([...nodes].reverse().map((x) => 0 - x)).toEqual([...nodes].map((x) => x + 0));
    expect([...weights].reverse()).toEqual([...weights]);
  });
});

describe("public rules", () => {
  test("integrate polynomials exactly up to degree 2n − 1, and not beyond", () => {
    const f64 = { dtype: "float64" } as const;
    const moment = ({ nodes, weights }: sg.QuadratureRule, k: number): number => weights.mul(nodes.pow(k)).sum().item();
    // ∫ x^k over [1, 4]; E[x^k] under the standard normal, times √(2π); ∫ x^k exp(−x²); k!
    const legendre = (k: number): number => (4 ** (k + 1) - 1) / (k + 1);
    const double = (k: number): number => (k <= 0 ? 1 : (k - 1) * double(k - 2));
    const normal = (k: number): number => (k % 2 ? 0 : double(k) * Math.sqrt(2 * Math.PI));
    const physicist = (k: number): number => (k % 2 ? 0 : (double(k) / 2 ** (k / 2)) * Math.sqrt(Math.PI));
    const factorial = (k: number): number => (k === 0 ? 1 : k * factorial(k - 1));
    const cases: [sg.QuadratureRule, (k: number) => number][] = [
      [sg.gaussLegendre(5, { interval: [1, 4], ...f64 }), legendre],
      [sg.gaussHermite(5, { weight: "probabilists", ...f64 }), normal],
      [sg.gaussHermite(5, f64), physicist],
      [sg.gaussLaguerre(5, f64), factorial],
    ];
    for (const [rule, want] of cases) {
      for (let k = 0; k < 10; k++)
        expect(Math.abs(moment(rule, k) - want(k)) / Math.max(1, want(k))).toBeLessThan(1e-14);
      expect(Math.abs(moment(rule, 10) / want(10) - 1)).toBeGreaterThan(1e-9);
    }
  });

  test("are float32 unless told, rounded once", () => {
    const { nodes, weights } = sg.gaussLegendre(3);
    expect([nodes.dtype, weights.dtype]).toEqual(["float32", "float32"]);
    expect(flat(nodes)).toEqual([-Math.sqrt(0.6), 0, Math.sqrt(0.6)].map(Math.fround));
  });

  test("are copies", () => {
    sg.gaussLaguerre(2, { dtype: "float64" }).nodes.value?.data.fill(7);
    expect(flat(sg.gaussLaguerre(2, { dtype: "float64" }).nodes)[0]).toBeCloseTo(2 - Math.SQRT2, 14);
  });

  test("errors", () => {
    expect(message(() => sg.gaussLegendre(0))).toBe(
      "gaussLegendre: got n = 0, expected a whole number from 1 to 1000.",
    );
    expect(message(() => sg.gaussHermite(2.5))).toBe(
      "gaussHermite: got n = 2.5, expected a whole number from 1 to 1000.",
    );
    expect(message(() => sg.gaussLaguerre(1001))).toBe(
      "gaussLaguerre: got n = 1001, expected a whole number from 1 to 1000.",
    );
    expect(message(() => sg.gaussLegendre(3, { interval: [0, Infinity] }))).toBe(
      "gaussLegendre: got the interval [0, Infinity], expected finite ends; gaussHermite, gaussLaguerre or integrate.",
    );
    expect(message(() => sg.gaussHermite(3, { weight: "normal" as "physicists" }))).toBe(
      'gaussHermite: got weight "normal", expected "physicists" or "probabilists".',
    );
  });
});
