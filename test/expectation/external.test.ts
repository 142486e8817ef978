import { describe, expect, test } from "vitest";
import {
  Bernoulli,
  enumerate,
  expectation,
  external,
  grad,
  Normal,
  pathwise,
  sample,
  type Tensor,
  tensor,
  vmap,
} from "../../src/index.js";

const f64 = (x: number | number[]): Tensor => tensor(x, { dtype: "float64" });
const at = { logits: f64([0.3, -0.4, 1.1]) };
const slopes = [0.3, -0.4, 1.1].map((l) => Math.exp(-l) / (1 + Math.exp(-l)) ** 2);
const price = (x: { data: ArrayLike<number> }): number[] => Array.from(x.data, (b) => (b > 0.5 ? 7 : 2));

describe("credit sees through a black box along the axes it maps over", () => {
  const f =
    (maps: number) =>
    ({ logits }: { logits: Tensor }) =>
      external(price, [sample(Bernoulli({ logits }), { name: "a" })], {
        shape: [3],
        dtype: "float64",
        maps,
        pure: true,
      }).sum();

  test("mapped: two runs for three elements, and the exact gradient", () => {
    const E = expectation(f(1));
    expect(E.plan(at, { key: 0 }).plan.outcomes).toBe(2);
    const { grad: g } = E.valueAndGrad(at, { key: 0 });
    (g.mean.logits.toArray() as number[]).forEach((x, i) => {
      expect(x).toBeCloseTo(5 * (slopes[i] as number), 12);
    });
  });

  test("not mapped: all eight outcomes, and the same gradient", () => {
    const E = expectation(f(0));
    expect(E.plan(at, { key: 0 }).plan.outcomes).toBe(8);
    (E.valueAndGrad(at, { key: 0 }).grad.mean.logits.toArray() as number[]).forEach((x, i) => {
      expect(x).toBeCloseTo(5 * (slopes[i] as number), 12);
    });
  });
});

describe("a state", () => {
  /** A game that remembers: the second move scores by the first. */
  const game = () => {
    let first: number | null = null;
    let calls = 0;
    const move = (a: { data: ArrayLike<number> }): number => {
      calls++;
      const now = a.data[0] as number;
      if (first === null) {
        first = now;
        return 0;
      }
      const score = first * 3 + now;
      first = null;
      return score;
    };
    return { move, calls: () => calls };
  };
  const play =
    (move: ReturnType<typeof game>["move"]) =>
    ({ p }: { p: Tensor }) => {
      const step = (name: string): Tensor =>
        external(move, [sample(Bernoulli({ probs: p }), { name })], { shape: [], dtype: "float64" });
      step("first");
      return step("second");
    };

  test("in a dynamic program calls happen once each, in the order of events, and the first move is charged", () => {
    const { move, calls } = game();
    const E = expectation(play(move), { dynamic: true, estimators: { first: enumerate(), second: enumerate() } });
    const { value, grad: g } = E.valueAndGrad({ p: f64(0.25) }, { key: 0 });
    expect(calls()).toBe(8);
    expect(value.mean.item()).toBeCloseTo(1, 12);
    expect(g.mean.p.item()).toBeCloseTo(4, 12);
  });

  const twice = (name: string): string =>
    `external "${name}": a black box that is not pure is called after another in one run, and many runs are computed together, so ` +
    "their states would mix; expectation(f, { dynamic: true }), pure: true if equal inputs give equal outputs, or a state: of its own " +
    "if the calls do not influence each other.";

  test("in a traced program two calls are refused: runs would mix their states", () => {
    expect(() => expectation(play(game().move), { samples: 4 }).valueAndGrad({ p: 0.25 }, { key: 0 })).toThrow(
      twice("move"),
    );
  });

  /** An account: an action goes in, the balance comes out, of another function each time. */
  const account = (state: (step: number) => object | undefined) => {
    return ({ p }: { p: Tensor }) => {
      let balance = 0;
      let total = f64(0);
      for (let step = 0; step < 2; step++) {
        const a = sample(Bernoulli({ probs: p }), { name: `a${step}`, estimator: enumerate() });
        const pay = (x: { data: ArrayLike<number> }): number => {
          balance += x.data[0] as number;
          return balance;
        };
        total = total.add(external(pay, [a], { shape: [], dtype: "float64", state: state(step) }));
      }
      return total;
    };
  };
  const at = { p: f64(0.25) };
  // E = 2p + p

  test("there is one world: other functions are called after each other too", () => {
    const f = account(() => undefined);
    expect(expectation(f, { dynamic: true }).valueAndGrad(at, { key: 0 }).grad.mean.p.item()).toBeCloseTo(3, 12);
    expect(() => expectation(f).valueAndGrad(at, { key: 0 })).toThrow(twice("pay"));
  });

  test("a state names what is shared; with states of their own calls do not influence each other", () => {
    const shared = {};
    const one = account(() => shared);
    expect(expectation(one, { dynamic: true }).valueAndGrad(at, { key: 0 }).grad.mean.p.item()).toBeCloseTo(3, 12);
    expect(() => expectation(one).valueAndGrad(at, { key: 0 })).toThrow(twice("pay"));
    // Not so: the balance is shared. The first action is then not charged with the second balance: p + p.
    const apart = expectation(
      account((step) => ({ step })),
      { dynamic: true },
    );
    expect(apart.valueAndGrad(at, { key: 0 }).grad.mean.p.item()).toBeCloseTo(2, 12);
    expect(() => external((x) => x.data, [1], { shape: [], pure: true, state: shared, name: "box" })).toThrow(
      'external "box": got pure: true and a state, expected one of them.',
    );
  });

  test("inside another transform every run has calls of its own", () => {
    const E = expectation(
      account(() => undefined),
      { dynamic: true, samples: 2 },
    );
    const twiceOver = (p: Tensor): Tensor => E.value({ p }, { key: 0 }).mean.add(E.value({ p }, { key: 1 }).mean);
    expect(grad(twiceOver)(at.p).item()).toBeCloseTo(6, 12);
  });

  test("what is not pure may be random: one run is not exact", () => {
    const f =
      (pure: boolean) =>
      ({ p }: { p: Tensor }) =>
        external(price, [sample(Bernoulli({ probs: p }), { name: "a", estimator: enumerate() })], { shape: [], pure });
    const stderr = (pure: boolean): number =>
      expectation(
        (params: { p: Tensor }) => {
          const x = f(pure)(params);
          return x.item() > 3 ? x : 0;
        },
        { dynamic: true },
      )
        .value(at, { key: 0 })
        .stderr.item();
    expect([stderr(true), stderr(false)]).toEqual([0, Number.NaN]);
  });
});

describe("no derivative is pretended", () => {
  const square = (x: { data: ArrayLike<number> }): number => (x.data[0] as number) ** 2;

  test("a parameter that reaches it without a sample in between", () => {
    const f = ({ p }: { p: Tensor }) => external(square, [p], { shape: [], name: "game" });
    const sentence =
      'external "game": a black box has no derivative, and a parameter reaches it without a sample in between; sample between the ' +
      "parameters and the black box (the score function sees through it), or stopGradient what goes in.";
    expect(() => expectation(f).valueAndGrad({ p: 1 }, { key: 0 })).toThrow(sentence);
    expect(() => grad((p: Tensor) => f({ p }))(1)).toThrow(sentence);
  });

  test("a continuous sample: the score function by default, pathwise refused", () => {
    const f = ({ mu }: { mu: Tensor }) =>
      external(square, [sample(Normal({ loc: mu }), { name: "x" })], { shape: [], name: "sim", pure: true });
    const choice = [...expectation(f).plan({ mu: 0.5 }, { key: 0 }).plan.choices.values()][0];
    expect(choice?.estimator.name).toBe("scoreFunction");
    expect(() => expectation(f, { estimators: { x: pathwise() } }).valueAndGrad({ mu: 0.5 }, { key: 0 })).toThrow(
      'sample "x": pathwise would be biased: the sample reaches the cost through external (x → sim → loss), whose derivative is zero or ' +
        "undefined; use scoreFunction().",
    );
  });

  test("the wrong number of results", () => {
    expect(() => external(() => [1, 2], [1], { shape: [3], name: "short" }).toArray()).toThrow(
      'external "short": got 2 numbers, expected 3, for shape [3].',
    );
  });
});

test("vmap calls it once per element", () => {
  const sum = (x: { data: ArrayLike<number>; shape: readonly number[] }): number =>
    Array.from(x.data).reduce((a, b) => a + b) + 10 * x.shape.length;
  expect(
    vmap((x: Tensor) => external(sum, [x], { shape: [] }))([
      [1, 2],
      [3, 4],
    ]).toArray(),
  ).toEqual([13, 17]);
});
