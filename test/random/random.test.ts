import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { constant } from "../../src/graph/leaves.js";
import { expectation, foldIn, jaxBits, key, Normal, sample, split, type Tensor } from "../../src/index.js";
import { threefry2x32 } from "../../src/kernel/threefry.js";
import { uniform } from "../../src/random/uniform.js";

const jax = JSON.parse(readFileSync(new URL("../reference/jax-bits.json", import.meta.url), "utf8")) as {
  jaxVersion: string;
  cases: { seed: number; shape: number[]; bits: number[] }[];
};
const words = (t: Tensor): number[] => (t.toArray() as number[]).flat(9) as number[];

describe(`jaxBits against jax.random.bits of JAX ${jax.jaxVersion}`, () => {
  it.each(jax.cases.map((one) => [one.seed, one.shape, one] as const))("seed %d, shape %j", (seed, shape, { bits }) => {
    expect(words(jaxBits(key(seed), shape))).toEqual(bits.flat(9));
  });
});

describe("the stream layout", () => {
  const block = (k: Tensor, counter: number): Uint32Array => {
    const [a, b] = words(k) as [number, number];
    const out = new Uint32Array(2);
    threefry2x32(a, b, counter, 0, out);
    return out;
  };
  const at = (run: number) => ({ key: key(7), run: constant(run, "uint32") });

  it("element e of run s reads half (w & 1) of block w >> 1, with w = s · size + e", () => {
    const size = 5;
    for (const run of [0, 1, 6]) {
      words(uniform(at(run), [size])).forEach((u, e) => {
        const w = run * size + e;
        const bits = block(key(7), w >> 1)[w & 1] as number;
        expect(u).toBe(((bits >>> 9) + 0.5) * 2 ** -23);
      });
    }
  });

  it("a float64 draw takes a block", () => {
    words(uniform(at(2), [3], "float64")).forEach((u, e) => {
      const [high, low] = block(key(7), 6 + e) as unknown as [number, number];
      expect(u).toBe(((high >>> 6) * 2 ** 26 + (low >>> 6) + 0.5) * 2 ** -52);
    });
  });

  it("the runs of an expectation are those runs, whatever the chunk", () => {
    const f = () => sample(Normal({}), { name: "x" });
    const whole = expectation(f, { samples: 10 }).value({}, { key: 3 }).mean.item();
    const site = foldIn(key(3), "x");
    const alone = Array.from({ length: 10 }, (_, run) =>
      uniform({ key: site, run: constant(run, "uint32") }, []).item(),
    );
    const normals = alone.map((u) => Normal({}).icdf(u).item());
    expect(whole).toBeCloseTo(normals.reduce((a, b) => a + b) / 10, 6);
    expect(expectation(f, { samples: 10, chunk: 3 }).value({}, { key: 3 }).mean.item()).toBeCloseTo(whole, 6);
  });
});

describe("keys", () => {
  it("are the low and high halves of a seed", () => {
    expect(words(key(5))).toEqual([0, 5]);
    expect(words(key(2 ** 40 + 3))).toEqual([256, 3]);
    expect(words(key(-1n))).toEqual([0xffffffff, 0xffffffff]);
    expect(() => key(0.5)).toThrow("key: got seed 0.5, expected a whole number below 2^53; a bigint for larger seeds.");
  });

  it("never meet: split, foldIn and draws have domains of their own", () => {
    const all = [
      ...(split(key(0), 50).toArray() as number[][]),
      ...Array.from({ length: 50 }, (_, i) => words(foldIn(key(0), i))),
      ...Array.from({ length: 50 }, (_, i) => [...block0(i)]),
      words(foldIn(key(0), "a")),
      words(foldIn(key(0), "b")),
    ].map(String);
    expect(new Set(all).size).toBe(all.length);
  });

  it("give the same numbers whenever they are used: there is no global state", () => {
    const draw = (): number[] => words(Normal({}).sample(4, { sampleShape: [6] }));
    const first = draw();
    Normal({})
      .sample(9, { sampleShape: [3] })
      .toArray();
    expect(draw()).toEqual(first);
    expect(draw()).not.toEqual(words(Normal({}).sample(5, { sampleShape: [6] })));
  });
});

function block0(counter: number): Uint32Array {
  const out = new Uint32Array(2);
  threefry2x32(0, 0, counter, 0, out);
  return out;
}
