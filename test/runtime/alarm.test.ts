import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import {
  Bernoulli,
  Categorical,
  compile,
  cond,
  type Distribution,
  Exponential,
  expectation,
  grad,
  Laplace,
  LogNormal,
  Normal,
  Poisson,
  sample,
  scan,
  type Tensor,
  tensor,
  Uniform,
  vmap,
} from "../../src/index.js";
import { message } from "./message.js";

/** Checks in compiled programs say what they say in programs that are interpreted, in the same order, and do no harm. */

interface Case {
  readonly name: string;
  readonly make: (x: Tensor) => Distribution;
  readonly good: number | readonly number[];
  readonly bad: readonly (number | readonly number[])[];
}

const cases: readonly Case[] = [
  { name: "Bernoulli probs", make: (p) => Bernoulli({ probs: p }), good: 0.3, bad: [1.5, -0.1, Number.NaN] },
  { name: "Bernoulli logits", make: (p) => Bernoulli({ logits: p }), good: 0.3, bad: [Number.NaN] },
  {
    name: "Categorical probs",
    make: (p) => Categorical({ probs: p }),
    good: [0.5, 1],
    bad: [
      [0.5, -1],
      [0, 0],
      [1, Infinity],
    ],
  },
  {
    name: "Categorical logits",
    make: (p) => Categorical({ logits: p }),
    good: [0.5, 1],
    bad: [
      [0, Infinity],
      [-Infinity, -Infinity],
      [0, Number.NaN],
    ],
  },
  { name: "Exponential rate", make: (p) => Exponential({ rate: p }), good: 2, bad: [0, -1, Infinity, Number.NaN] },
  { name: "Poisson rate", make: (p) => Poisson({ rate: p }), good: 2, bad: [-2, Infinity, Number.NaN] },
  { name: "Laplace scale", make: (p) => Laplace({ loc: 0, scale: p }), good: 2, bad: [0, -1, Infinity, Number.NaN] },
  {
    name: "LogNormal scale",
    make: (p) => LogNormal({ loc: 0, scale: p }),
    good: 2,
    bad: [0, -3, Infinity, Number.NaN],
  },
  { name: "Normal loc", make: (p) => Normal({ loc: p, scale: 1 }), good: 2, bad: [Infinity, Number.NaN] },
  { name: "Normal scale", make: (p) => Normal({ loc: 0, scale: p }), good: 2, bad: [0, -1, -0, Number.NaN, Infinity] },
  { name: "Uniform high", make: (p) => Uniform({ low: 0, high: p }), good: 2, bad: [0, -1, Number.NaN, Infinity] },
];

type Floats = "float32" | "float64";
const of = (x: Case["good"], dtype: Floats): Tensor => tensor(typeof x === "number" ? x : [...x], { dtype });
const drawn = (c: Case, x: Tensor): Tensor => c.make(x).sample(sg.key(3)).toDType("float64");

/** What the interpreter says of the same graph; the engine is asked nothing. */
function sentence(build: () => Tensor): string {
  const text = message(() => build().toArray());
  expect(text).toMatch(/^\w+: got .*, expected .*\.$/);
  return text;
}

describe.each(cases)("$name", (c) => {
  const kinds = (["float32", "float64"] as const).flatMap((dtype) => c.bad.map((bad) => [dtype, bad] as const));

  test.each(kinds)("%s %j", (dtype, bad) => {
    const [right, wrong] = [of(c.good, dtype), of(bad, dtype)];
    const expected = sentence(() => drawn(c, wrong));

    const plain = compile((x: Tensor) => drawn(c, x));
    const inLoop = compile(
      (x: Tensor) =>
        scan(
          (s: Tensor) => [s.add(drawn(c, x.add(s.mul(0).toDType(dtype)))), null],
          tensor(0, { dtype: "float64" }),
          null,
          { length: 3 },
        )[0] as Tensor,
    );
    const program = expectation(
      (p: { x: Tensor }) => sample(c.make(p.x) as never, { name: "a", estimator: undefined }).toDType("float64"),
      { samples: 4 },
    );
    const mean = (x: Tensor): Tensor => program.value({ x }, { key: 1 }).mean;
    const branch = compile(
      (x: Tensor, take: Tensor) =>
        cond(
          take.greater(0),
          (y: Tensor) => drawn(c, y),
          (y: Tensor) => y.sum().mul(0).toDType("float64").add(7),
          x,
        ) as Tensor,
    );
    for (const f of [plain, inLoop, mean]) {
      const before = f(right).toArray();
      expect(message(() => f(wrong))).toBe(expected);
      expect(f(right).toArray()).toEqual(before);
      expect(message(() => f(wrong))).toBe(expected);
      expect(f(right).toArray()).toEqual(before);
    }
    const [yes, no] = [tensor(1), tensor(-1)];
    const before = branch(right, yes).toArray();
    expect(message(() => branch(wrong, yes))).toBe(expected);
    // What the condition guards is not looked at. (What is not a number stays one, times 0.)
    const beside = branch(wrong, no).item();
    expect(Number.isNaN(beside) || beside === 7).toBe(true);
    expect(branch(right, yes).toArray()).toEqual(before);
  });
});

describe("together", () => {
  const normal = (loc: Tensor, scale: Tensor): Tensor => Normal({ loc, scale }).logProb(0.5);
  const good = tensor(1);

  test("several at once: the first of the program, as the interpreter finds it", () => {
    const f = (a: Tensor, b: Tensor, c: Tensor): Tensor =>
      normal(a, b)
        .add(Exponential({ rate: c }).logProb(1))
        .add(Bernoulli({ probs: a }).logProb(1));
    const g = compile(f);
    const values = [1, 0.5, -1, Infinity, Number.NaN, 2];
    for (const a of values)
      for (const b of values)
        for (const c of values) {
          const args = [tensor(a), tensor(b), tensor(c)] as const;
          expect(message(() => g(...args).item())).toBe(message(() => f(...args).item()));
        }
    expect(g(tensor(0.5), good, good).item()).toBeCloseTo(f(tensor(0.5), good, good).item(), 5);
  });

  test("the element that is wrong, in arrays of any size", () => {
    const f = compile((s: Tensor) => normal(tensor(0), s).sum());
    for (const [size, at] of [
      [3, 1],
      [1023, 1022],
      [20_000, 0],
      [20_000, 15_555],
      [100_000, 99_999],
    ] as const) {
      const scale = new Float32Array(size).fill(1);
      expect(f(tensor(scale)).item()).toBeLessThan(0);
      scale[at] = -2;
      expect(message(() => f(tensor(scale)))).toBe(`Normal: got scale[${at}] = -2, expected a positive finite number.`);
    }
  });

  test("under vmap: of any lane; of lanes that do not take the branch: none", () => {
    const f = compile(vmap((s: Tensor) => normal(tensor(0), s)));
    expect(f(tensor([1, 2])).shape).toEqual([2]);
    expect(message(() => f(tensor([1, -2])))).toBe("Normal: got scale[1] = -2, expected a positive finite number.");
    const guarded = compile(
      vmap(
        (s: Tensor) =>
          cond(
            s.greater(0),
            (t: Tensor) => normal(tensor(0), t),
            (t: Tensor) => t,
            s,
          ) as Tensor,
      ),
    );
    expect(
      guarded(tensor([1, -2, 3]))
        .at(1)
        .item(),
    ).toBe(-2);
    expect(guarded(tensor([-1, -2, -3])).toArray()).toEqual([-1, -2, -3]);
  });

  test("in a loop: at the step where it is wrong; in one that ended before: none", () => {
    const f = compile(
      (xs: Tensor) => scan((c: Tensor, x: Tensor) => [c.add(normal(tensor(0), x)), null], tensor(0), xs)[0] as Tensor,
    );
    expect(f(tensor([1, 2, 3])).item()).toBeLessThan(0);
    expect(message(() => f(tensor([1, 2, -3])))).toBe("Normal: got scale = -3, expected a positive finite number.");
    expect(f(tensor([1, 2, 3])).item()).toBeLessThan(0);
    const until = compile((s: Tensor) =>
      sg.whileLoop(
        (p: { s: Tensor; l: Tensor }) => p.s.greater(0.5),
        (p: { s: Tensor; l: Tensor }) => ({ s: p.s.sub(1), l: p.l.add(normal(tensor(0), p.s)) }),
        { s, l: tensor(0) },
        { limit: 10 },
      ),
    );
    const { s } = until(tensor(3)) as { s: Tensor };
    expect(s.item()).toBe(0);
    expect((until(tensor(-3)) as { s: Tensor }).s.item()).toBe(-3);
  });

  test("in gradients, and in what a gradient alone reads", () => {
    const slope = compile(grad((s: Tensor) => normal(tensor(0.2), s)) as (s: Tensor) => Tensor);
    const right = slope(good).item();
    expect(message(() => slope(tensor(-1)))).toBe("Normal: got scale = -1, expected a positive finite number.");
    expect(slope(good).item()).toBe(right);
  });

  test("nothing where nobody reads the checked numbers", () => {
    const f = compile((s: Tensor) => [normal(tensor(0), s), s.mul(2)][1] as Tensor);
    expect(f(tensor(-1)).item()).toBe(-2);
  });

  test("donated arguments survive an alarm", () => {
    const make = compile((x: Tensor) => x.add(1));
    const step = compile((s: Tensor) => normal(tensor(0), s).add(s), { donate: [0] });
    const bad = make(tensor(new Float32Array(5000).fill(-3)));
    expect(message(() => step(bad))).toBe("Normal: got scale[0] = -2, expected a positive finite number.");
    expect(bad.at(4999).item()).toBe(-2);
  });
});
