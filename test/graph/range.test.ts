import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { siteNode } from "../../src/expectation/program.js";
import * as on from "../../src/graph/interval.js";
import { rangeOf } from "../../src/graph/range.js";
import { smoothnessAt } from "../../src/graph/smooth.js";
import { type AnyPrimitive, placeholder, type Smoothness, type Tensor } from "../../src/graph/tensor.js";
import * as S from "../../src/index.js";
import { primitives } from "../../src/primitives/index.js";
import { applied, type Case, dice, drawAll, numbersOf } from "../primitives/draw.js";

/** Intervals: arithmetic against members, the rules of the primitives against their kernels, and what is concluded from them. */

function holds({ lo, hi, open }: on.Interval, x: number, slack = 0): boolean {
  const room = slack * Math.max(1, Math.abs(x));
  const [over, under] = [
    open[0] && slack === 0 ? x > lo : x >= lo - room,
    open[1] && slack === 0 ? x < hi : x <= hi + room,
  ];
  return over && under;
}

const ends = [-Infinity, -2, -1, -0.5, 0, 0.5, 1, 3, Infinity];
const intervals = fc
  .tuple(fc.nat(ends.length - 1), fc.nat(ends.length - 1), fc.boolean(), fc.boolean())
  .map(([i, j, a, b]) => on.interval(ends[Math.min(i, j)]!, ends[Math.max(i, j)]!, [a, b]));

/** Members, the ends among them where they belong to it, and points near the ends. */
function members(r: on.Interval): number[] {
  const points = ends.flatMap((x) => [x, x - 1e-3, x + 1e-3, x + 0.2]);
  return [...points, -1e6, 1e6].filter((x) => Number.isFinite(x) && holds(r, x));
}

describe("interval arithmetic holds every result", () => {
  const operations: [string, (a: on.Interval, b: on.Interval) => on.Interval, (x: number, y: number) => number][] = [
    ["plus", on.plus, (x, y) => x + y],
    ["times", on.times, (x, y) => x * y],
    ["over", on.over, (x, y) => x / y],
    ["larger", on.larger, Math.max],
    ["smaller", on.smaller, Math.min],
    ["isLess", on.isLess, (x, y) => (x < y ? 1 : 0)],
    ["isEqual", on.isEqual, (x, y) => (x === y ? 1 : 0)],
    ["hull", on.hull, (x) => x],
    ["hull, second", on.hull, (_x, y) => y],
    ["magnitude", on.magnitude, (x) => Math.abs(x)],
    ["squared", on.squared, (x) => x * x],
    ["opposite", on.opposite, (x) => -x],
    ["summed", (a) => on.summed(a, 3), (x) => 3 * x],
    ["rising", (a) => on.rising(Math.atan)([a]), (x) => Math.atan(x)],
    ["falling", (a) => on.falling((x) => -Math.atan(x))([a]), (x) => -Math.atan(x)],
  ];
  it.each(operations)("%s", (_name, rule, f) => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const r = rule(a, b);
        for (const x of members(a)) {
          for (const y of members(b)) {
            const z = f(x, y);
            if (!Number.isFinite(z)) continue;
            expect(holds(r, z), `${x}, ${y} → ${z} in ${JSON.stringify(r)}`).toBe(true);
            if (z === 0) expect(r.zero).toBe(true);
          }
        }
      }),
      { seed: 0, numRuns: 300 },
    );
  });

  it("meets: what both have in common", () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const r = on.meet(a, b);
        for (const x of members(a)) if (holds(b, x)) expect(holds(r, x)).toBe(true);
      }),
      { seed: 0 },
    );
  });
});

describe("the range of a primitive holds its numbers", () => {
  it.each(primitives.filter(({ range }) => range).map((p) => [p.name, p] as const))("%s", (_name, primitive) => {
    for (const [i, lawCase] of (primitive.laws as readonly Case[]).entries()) {
      for (let seed = 0; seed < 10; seed++) {
        const node = applied(primitive, drawAll(lawCase, "float64", dice(100 * i + seed)), lawCase.params);
        const r = rangeOf(node);
        const slack = node.dtype === "float32" ? 1e-6 : 1e-12;
        for (const x of numbersOf(node)) expect(holds(r, x, slack), `${x} in ${JSON.stringify(r)}`).toBe(true);
      }
    }
  });

  it("of a sample is the support of its law", () => {
    const range = (d: S.Distribution<never>): unknown[] => {
      const { lo, hi, open } = rangeOf(siteNode(d, {}, "x"));
      return [lo, hi, ...open];
    };
    expect(range(S.Normal({}))).toEqual([-Infinity, Infinity, true, true]);
    expect(range(S.Exponential({ rate: 2 }))).toEqual([0, Infinity, true, true]);
    expect(range(S.LogNormal({}))).toEqual([0, Infinity, true, true]);
    expect(range(S.Uniform({ low: -1, high: 3 }))).toEqual([-1, 3, true, true]);
    expect(range(S.Uniform({ low: 0, high: S.exp(hole()) }))).toEqual([0, Infinity, true, true]);
    expect(range(S.Bernoulli({ probs: 0.5 }))).toEqual([0, 1, false, false]);
    expect(range(S.Categorical({ probs: [1, 2, 1] }))).toEqual([0, 2, false, false]);
    expect(range(S.Poisson({ rate: 2 }))).toEqual([0, Infinity, false, true]);
  });

  it("knows parameters by their constraint", () => {
    const { scale } = S.Normal({ scale: hole() }).params;
    expect(rangeOf(scale!)).toMatchObject({ lo: 0, hi: Infinity, open: [true, true] });
    expect(rangeOf(S.Bernoulli({ probs: hole() }).params.probs!)).toMatchObject({ lo: 0, hi: 1, open: [false, false] });
  });

  it("of a deep graph needs no stack", () => {
    let x = hole();
    for (let i = 0; i < 20_000; i++) x = x.add(1);
    expect(rangeOf(x).lo).toBe(-Infinity);
  });
});

const hole = (shape: readonly number[] = []): Tensor => placeholder({ shape, dtype: "float32" }, "θ");
const x = siteNode(S.Normal({ loc: hole() }), {}, "x");
const vector = siteNode(S.Normal({ loc: hole([3]) }), {}, "v");
const positive = siteNode(S.LogNormal({ loc: hole() }), {}, "p");
const unit = siteNode(S.Uniform({}), {}, "u");
const {
  abs,
  add,
  div,
  exp,
  log,
  log1p,
  mul,
  norm,
  pow,
  relu,
  sigmoid,
  softmax,
  softplus,
  sqrt,
  square,
  sub,
  sum,
  tanh,
} = S;

/** The worst input of the last node. */
function worst(node: Tensor): Smoothness {
  const levels = node.inputs.map((_, k) => smoothnessAt(node, k));
  return levels.includes("jump") ? "jump" : levels.includes("kink") ? "kink" : "smooth";
}

describe("a singular point counts where random choices can reach it", () => {
  it.each<[string, Tensor, Smoothness]>([
    ["1/x", div(1, x), "jump"],
    ["1/|x|", div(1, abs(x)), "jump"],
    ["1/(|x| + ε)", div(1, abs(x).add(1e-3)), "smooth"],
    ["1/e^x", div(1, exp(x)), "smooth"],
    ["1/softplus x", div(1, softplus(x)), "smooth"],
    ["1/p", div(1, positive), "smooth"],
    ["x/θ", div(x, hole()), "smooth"],
    ["1/(θ·p)", div(1, mul(hole(), positive)), "smooth"],
    ["1/(θ + p)", div(1, add(hole(), positive)), "jump"],
    ["1/√(x² + ε)", div(1, sqrt(square(x).add(1e-6))), "smooth"],
    ["1/‖v‖", div(1, norm(vector)), "jump"],
    ["1/(1 + x²)", div(1, square(x).add(1)), "smooth"],
    ["1/(1 − tanh² x)", div(1, sub(1, square(tanh(x)))), "smooth"],
    ["1/cosh x", div(2, add(exp(x), exp(x.neg()))), "smooth"],
    ["√x²", sqrt(square(x)), "kink"],
    ["√‖v‖²", sqrt(S.sum(square(vector))), "kink"],
    ["√p", sqrt(positive), "smooth"],
    ["log p", log(positive), "smooth"],
    ["log u", log(unit), "smooth"],
    ["log(1 − u)", log(sub(1, unit)), "smooth"],
    ["log(θ·p)", log(mul(hole(), positive)), "smooth"],
    ["log σ(x)", log(sigmoid(x)), "smooth"],
    ["log(1 − σ(x))", log(sub(1, sigmoid(x))), "smooth"],
    ["log softmax v", log(softmax(vector)), "smooth"],
    ["log Σ one-hot · softmax v", log(sum(mul(S.tensor([0, 1, 0]), softmax(vector)))), "smooth"],
    ["log |x|", log(abs(x)), "jump"],
    ["log relu x", log(relu(x)), "jump"],
    ["log of anything", log(x), "kink"],
    ["log1p(x²)", log1p(square(x)), "smooth"],
    ["log1p(−σ(x))", log1p(sigmoid(x).neg()), "smooth"],
    ["log1p(p − 1)", log1p(positive.sub(1)), "smooth"],
    ["log1p(|x| − 1)", log1p(abs(x).sub(1)), "jump"],
    ["x³", pow(x, 3), "smooth"],
    ["x⁻¹", pow(x, -1), "jump"],
    ["p^1.5", pow(positive, 1.5), "smooth"],
    ["|x|^0.5", pow(abs(x), 0.5), "kink"],
    ["|x|^θ", pow(abs(x), hole()), "jump"],
    ["|x|", abs(x), "kink"],
    ["|p|", abs(positive), "smooth"],
    ["sign p", S.sign(positive), "smooth"],
    ["max(p, 0)", relu(positive), "smooth"],
    ["max(x, 0)", relu(x), "kink"],
    ["max(σ(x), 2)", S.maximum(sigmoid(x), 2), "smooth"],
    ["p > 0", positive.greater(0), "smooth"],
    ["x > 0", x.greater(0), "jump"],
    ["σ(x) = 1", S.equal(sigmoid(x), 1), "smooth"],
    ["where p > 0", S.where(positive.greater(0), x, 0), "smooth"],
    ["lgamma p", S.lgamma(positive), "smooth"],
    ["lgamma x", S.lgamma(x), "jump"],
    ["erfinv(2u − 1)", S.erfinv(unit.mul(2).sub(1)), "smooth"],
    ["ndtri u", S.ndtri(unit), "smooth"],
    ["ndtri min(|x|, 1)", S.ndtri(S.minimum(abs(x), 1)), "jump"],
    ["Q(3, p)", S.igammac(3, positive), "jump"],
  ])("%s", (_name, node, level) => {
    expect(worst(node)).toBe(level);
  });

  it("igammac is smooth in a positive x", () => {
    expect(smoothnessAt(S.igammac(3, positive), 1)).toBe("smooth");
    expect(smoothnessAt(S.igammac(3, square(x)), 1)).toBe("kink");
    expect(smoothnessAt(S.igammac(0.5, square(x)), 1)).toBe("jump");
  });

  it("every rule answers for each input", () => {
    for (const primitive of primitives as readonly AnyPrimitive[]) {
      if (!primitive.smoothOn) continue;
      const [{ inputs, params }] = primitive.laws as readonly [Case];
      expect(
        primitive.smoothOn(
          inputs.map(() => on.everything),
          params,
        ),
      ).toHaveLength(inputs.length);
    }
  });
});
