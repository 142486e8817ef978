import { afterEach, describe, expect, it } from "vitest";
import { currentRuntime, installRuntime } from "../../src/graph/trace.js";
import {
  compile,
  expectation,
  key,
  Normal,
  sample,
  square,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
} from "../../src/index.js";
import { message } from "../runtime/message.js";
import { t64 } from "./exact.js";

/**
 * Calls that are like the one before take a short way. Oracles: the same call of a fresh expectation, which takes the long one; and
 * loops over recorded costs.
 */

interface Params {
  mu: Tensor;
  rest: { scale: Tensor; weights: Tensor };
}
const f = ({ mu, rest: { scale, weights } }: Params, shift: Tensor): Tensor =>
  sum(
    square(
      sample(Normal({ loc: mu, scale }), { name: "x" })
        .mul(weights)
        .sub(shift),
    ),
  );

type Args = [
  { mu: TensorLike; rest: { scale: TensorLike; weights: TensorLike } },
  TensorLike,
  { key: number | bigint | Tensor },
];

/** The expectation after four calls with `args`, the last of which took the short way. */
function used(args: Args): ReturnType<typeof expectation<Params, [Tensor]>> {
  const E = expectation(f, { samples: 8 });
  for (let call = 0; call < 4; call++) E.valueAndGrad(...args);
  return E;
}

const flat = (t: Tensor): number[] => [t.toArray()].flat(9) as number[];

function all(E: ReturnType<typeof expectation<Params, [Tensor]>>, args: Args): number[] {
  const { value, grad } = E.valueAndGrad(...args);
  const trees = [grad.mean, grad.stderr].flatMap(({ mu, rest }) => [mu, rest.scale, rest.weights]);
  return [value.mean, value.stderr, ...trees].flatMap(flat).concat(value.dof, grad.dof);
}

const plain: Args = [{ mu: 0.5, rest: { scale: 1.25, weights: [1, -2] } }, 0.25, { key: 3 }];

describe("a call like the one before", () => {
  it.each<[string, Args]>([
    ["the same", plain],
    ["other numbers", [{ mu: -1, rest: { scale: 0.5, weights: [3, 1] } }, 2, { key: 4 }]],
    ["tensors", [{ mu: tensor(-1), rest: { scale: tensor(2), weights: tensor([0, 1]) } }, tensor(1), { key: key(9) }]],
    [
      "tensors that are not computed yet",
      [{ mu: tensor(-1).mul(2), rest: { scale: 2, weights: tensor([0, 1]).add(1) } }, 1, { key: 9 }],
    ],
    ["a typed array", [{ mu: 0.5, rest: { scale: 1, weights: Float32Array.of(2, 3) } }, 0, { key: 1 }]],
    ["another dtype", [{ mu: 0.5, rest: { scale: 1, weights: Float64Array.of(2, 3) } }, 0, { key: 1 }]],
    ["another shape", [{ mu: 0.5, rest: { scale: 1, weights: [1, 2, 3] } }, 0, { key: 1 }]],
    ["a negative seed", [plain[0], plain[1], { key: -5 }]],
    ["a large seed", [plain[0], plain[1], { key: 2 ** 40 + 3 }]],
    ["a large negative seed", [plain[0], plain[1], { key: -(2 ** 40) - 3 }]],
    ["a bigint", [plain[0], plain[1], { key: (1n << 60n) + 1n }]],
    ["a key", [plain[0], plain[1], { key: key(77) }]],
  ])("%s gives what a fresh one gives", (_, args) => {
    expect(all(used(plain), args)).toEqual(all(expectation(f, { samples: 8 }), args));
  });

  it("seeds of a number and of a bigint are the same keys", () => {
    for (const seed of [0, 1, -1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1, 2 ** 53 - 1, 1 - 2 ** 53]) {
      const with_ = (k: number | bigint | Tensor): number[] => all(used(plain), [plain[0], plain[1], { key: k }]);
      expect(with_(seed)).toEqual(with_(key(BigInt(seed))));
    }
  });

  it("what is wrong is told as at the first call", () => {
    const wrong: [unknown[], string][] = [
      [[plain[0], plain[1], {}], "expectation: got no key, expected a key"],
      [[plain[0], plain[1], { key: 0.5 }], "key: got seed 0.5"],
      [[plain[0], plain[1], { key: tensor([0, 1]) }], "got a float32 tensor [2], expected a key"],
      [[plain[0], plain[1], { key: 0, seed: 1 }], "got no options behind the arguments"],
      [[plain[0], plain[1]], "got no options behind the arguments"],
      [[{ mu: 0.5, rest: { scale: 1, weights: "text" } }, 0, { key: 0 }], 'got rest.weights = "text"'],
      [
        [{ mu: tensor([1], { dtype: "int32" }), rest: { scale: 1, weights: [1, 2] } }, 0, { key: 0 }],
        "params.mu of dtype int32",
      ],
      [[new Map(), 0, { key: 0 }], "got a value a Map"],
    ];
    for (const [args, text] of wrong) {
      const call = (E: unknown): string => message(() => (E as { value: (...a: unknown[]) => unknown }).value(...args));
      expect(call(used(plain))).toBe(call(expectation(f, { samples: 8 })));
      expect(call(used(plain))).toContain(text);
    }
  });

  it("trees that look alike are told apart", () => {
    const g = compile((t: unknown) => (Array.isArray(t) ? "list" : Object.keys(t as object).join()) && t);
    const shapeOf = (t: unknown): unknown => {
      const out = g(t as TensorLike);
      return Array.isArray(out)
        ? out.length
        : (out as Tensor).shape
          ? (out as Tensor).shape
          : Object.keys(out as object);
    };
    const seen = [[tensor(1), tensor(2)], [1, 2], { a: 1, b: 2 }, { b: 1, a: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 }];
    const expected = [2, [2], ["a", "b"], ["b", "a"], ["a"], ["a", "b", "c"]];
    for (let i = 0; i < 4; i++)
      for (let k = 0; k < 3; k++) {
        expect(shapeOf(seen[i])).toEqual(expected[i]);
        expect(shapeOf(seen[i])).toEqual(expected[i]);
        expect(shapeOf(seen[(i + 1) % 6])).toEqual(expected[(i + 1) % 6]);
        expect(shapeOf(seen[(i + 3) % 6])).toEqual(expected[(i + 3) % 6]);
      }
  });

  it("results keep their numbers when the next call is made and when arrays of the caller change", () => {
    const E = used(plain);
    const weights = Float32Array.of(2, 3);
    const args: Args = [{ mu: 0.5, rest: { scale: 1, weights: weights } }, 0, { key: 1 }];
    const fresh = all(expectation(f, { samples: 8 }), args);
    const { value, grad } = E.valueAndGrad(...args);
    weights.fill(100);
    E.valueAndGrad(...plain);
    const trees = [grad.mean, grad.stderr].flatMap(({ mu, rest }) => [mu, rest.scale, rest.weights]);
    expect([value.mean, value.stderr, ...trees].flatMap(flat).concat(value.dof, grad.dof)).toEqual(fresh);
  });

  it("an argument that is returned as it is keeps its number", () => {
    const same = compile((x: Tensor) => ({ x, twice: x.mul(2) }));
    const results = [1, 2, 3, 4, 5, 6, 7].map((x) => same(x));
    expect(results.map(({ x }) => x.item())).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("and its estimate is put together once", () => {
    const { value, grad } = used(plain).valueAndGrad(...plain);
    expect(grad.mean).toBe(grad.mean);
    expect(grad.stderr).toBe(grad.stderr);
    expect([value.mean, value.stderr]).toEqual([value.mean, value.stderr]);
  });
});

describe("another runtime", () => {
  const before = currentRuntime();
  afterEach(() => installRuntime(before));

  it("is taken at the next call", () => {
    const E = used(plain);
    const g = compile((x: Tensor) => x.mul(3));
    for (let i = 0; i < 4; i++) g(1);
    let prepared = 0;
    installRuntime({
      ...before,
      prepare: (outputs, inputs) => {
        prepared++;
        return before.prepare(outputs, inputs);
      },
    });
    for (let i = 0; i < 3; i++) {
      E.valueAndGrad(...plain);
      g(2);
    }
    expect(prepared).toBe(2);
  });
});

describe("mean and spread of recorded costs", () => {
  const cost = ({ loc }: { loc: Tensor }): Tensor => sample(Normal({ loc, scale: 1 }), { name: "x" }).add(loc.mul(0));

  /** Two passes over the numbers. */
  function byHand(x: Float64Array): { mean: number; stderr: number } {
    const mean = x.reduce((a, b) => a + (b - (x[0] as number)), 0) / x.length + (x[0] as number);
    const squares = x.reduce((a, b) => a + (b - mean) ** 2, 0);
    return { mean, stderr: Math.sqrt(squares / (x.length - 1) / x.length) };
  }

  const near = (found: number, wanted: number, relative: number): void =>
    expect(Math.abs(found - wanted)).toBeLessThanOrEqual(relative * Math.abs(wanted));

  it.each([
    [10, 4096],
    [256, 4096],
    [257, 4096],
    [3000, 4096],
    [3000, 1000],
    [3000, 999],
    [3000, 300],
  ])("of %d runs in chunks of %d, where the mean is 10⁹ times the spread", (samples, chunk) => {
    const x = Float64Array.from({ length: samples }, (_, i) => 1e9 + Math.sin(i * i));
    const { mean, stderr } = expectation(cost, { samples, chunk }).value({ loc: t64(0) }, { given: { x }, key: 0 });
    const hand = byHand(x);
    near(mean.item(), hand.mean, 4e-16);
    // Means near 10⁹ are known to 10⁻⁷: a running mean takes such a step at each cost, merged chunks at each chunk, one chunk at none.
    near(stderr.item(), hand.stderr, samples <= 256 ? 1e-7 : samples > chunk ? 1e-8 : 1e-10);
  });

  it.each([10, 1000, 5000])("of %d equal costs: no spread at all", (samples) => {
    const x = new Float64Array(samples).fill(0.1);
    const { mean, stderr } = expectation(cost, { samples }).value({ loc: t64(0) }, { given: { x }, key: 0 });
    expect([mean.item(), stderr.item()]).toEqual([0.1, 0]);
  });
});
