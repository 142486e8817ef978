import { afterAll, afterEach, describe, expect, test } from "vitest";
import { workloads } from "../../bench/workloads/index.js";
import * as sg from "../../src/index.js";
import { compile, cond, external, grad, matmul, scan, setThreads, type Tensor, tensor } from "../../src/index.js";
import { stepsTogether } from "../../src/wasm/threads/index.js";
import { message } from "./message.js";

/** Results are the same bits for any number of threads, whatever a program is made of. */

const full = process.env["CHECK_FULL"] === "1";

/** Numbers of any size, so that every order of a sum gives other bits. */
function noise(shape: readonly number[], seed = 0, dtype: "float32" | "float64" = "float32"): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  let state = seed + 1;
  const roll = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const list = Float64Array.from({ length: size }, () => (roll() - 0.5) * 10 ** (4 * roll() - 2));
  return tensor(list, { shape, dtype });
}

type Results = readonly Tensor[];
type Call = () => Results;

async function bytes(results: Results): Promise<string[]> {
  return Promise.all(
    results.map(async (t) => {
      const { buffer, byteOffset, byteLength } = await t.data();
      return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    }),
  );
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
afterEach(() => setThreads("auto"));

/** Calls until the workers, who start meanwhile, have taken part. */
async function parallel(call: Call, n: number): Promise<Results> {
  setThreads(n);
  for (let i = 0; n > 1; i++) {
    const before = stepsTogether();
    const results = call();
    if (stepsTogether() > before) return results;
    if (i === 1000) throw new Error("the workers never took part");
    await later(2);
  }
  return call();
}

async function sameBits(call: Call): Promise<void> {
  const [one, ...others] = await inTurn([1, 2, 3, 1], async (n) => bytes(await parallel(call, n)));
  for (const other of others) expect(other.map((b, i) => b === one?.[i])).toEqual(other.map(() => true));
}

async function inTurn<T, U>(list: readonly T[], f: (x: T) => Promise<U>): Promise<U[]> {
  const out: U[] = [];
  for (const x of list) out.push(await f(x));
  return out;
}

const prepared = (f: (...args: Tensor[]) => Results, ...args: Tensor[]): Call => {
  const g = compile(f) as unknown as (...args: Tensor[]) => Results;
  return () => g(...args);
};

const wide = noise([500, 387]);
const programs: Readonly<Record<string, () => Call>> = {
  "maps, casts and several results": () =>
    prepared(
      (x) => [x.sin().mul(x), x.exp().tanh().toDType("float64"), x.greater(0), x.mul(100).toDType("int32")],
      wide,
    ),
  "sums of rows, columns, all, and of a long row": () =>
    prepared((x) => [x.sum(1), x.sum(0), x.sum(), x.reshape([193_500]).square().sum(), x.mean(0), x.sum([0, 1])], wide),
  "the same in float64": () =>
    prepared((x) => [x.sum(1), x.sum(0), x.sum(), x.variance(1), sg.logsumexp(x, 0)], noise([500, 387], 1, "float64")),
  "sums of long rows, of many short ones, of an axis in the middle": () =>
    prepared(
      (x) => [x.reshape([3, 64_500]).sum(1), x.reshape([21_500, 9]).sum(1), x.reshape([45, 43, 100]).sum(1)],
      wide,
    ),
  "maxima, minima, softmax and what follows them": () =>
    prepared((x) => [x.max(1), x.min(0), x.max(), sg.softmax(x, 1).mul(x), x.sub(x.mean(0))], wide),
  "views: transposed, flipped, sliced, padded, joined": () =>
    prepared(
      (x) => [
        x.transpose().mul(2),
        x.flip(1).add(x),
        x.slice(3, 450, { axis: 0, step: 3 }).exp(),
        sg.pad(x, [
          [1, 2],
          [0, 5],
        ]),
        sg.concat([x, x.square()], 1).sum(0),
      ],
      wide,
    ),
  "random bits": () =>
    prepared(() => {
      const sampleShape = [100_001];
      return [
        sg.Normal({}).sample(sg.key(1), { sampleShape }),
        sg.Uniform({ low: 0, high: 1 }).sample(sg.key(2), { sampleShape }).sum(),
        sg.Bernoulli({ probs: 0.3 }).sample(sg.key(3), { sampleShape }).sum(),
      ];
    }, wide),
  "products: NN, NT, TN, batched, by vectors, of odd sizes": () =>
    prepared(
      (a, b, v, s) => [
        matmul(a, b),
        matmul(a, a.transpose()),
        matmul(a.transpose(), a),
        matmul(s, s.transpose([0, 2, 1])),
        matmul(a, v),
        matmul(v, b),
        matmul(a, b).add(1).tanh(),
      ],
      noise([301, 257], 1),
      noise([257, 203], 2),
      noise([257], 3),
      noise([7, 65, 130], 4),
    ),
  "products in float64": () =>
    prepared((a) => [matmul(a, a.transpose()), matmul(a.transpose(), a)], noise([201, 157], 5, "float64")),
  "convolutions with their derivatives": () =>
    prepared(
      (x, k) => {
        const loss = (p: { x: Tensor; k: Tensor }): Tensor => sg.conv2d(p.x, p.k, { padding: 1 }).tanh().square().sum();
        const slope = grad(loss)({ x, k }) as { x: Tensor; k: Tensor };
        return [sg.conv2d(x, k, { padding: 1 }), sg.conv2d(x, k, { stride: 2 }), slope.x, slope.k];
      },
      noise([6, 5, 33, 31], 6).tanh(),
      noise([7, 5, 3, 3], 7).tanh(),
    ),
  "a network with its gradient": () =>
    prepared(
      (w, v, x) => {
        const loss = (p: { w: Tensor; v: Tensor }): Tensor => matmul(matmul(x, p.w).tanh(), p.v).square().mean();
        const slope = grad(loss)({ w, v }) as { w: Tensor; v: Tensor };
        return [loss({ w, v }), slope.w, slope.v];
      },
      noise([200, 150], 8).mul(0.1),
      noise([150, 90], 9).mul(0.1),
      noise([190, 200], 10).tanh(),
    ),
  "a loop whose steps are shared": () =>
    prepared(
      (x, w) => {
        const [h, ys] = scan(
          (h: Tensor, row: Tensor) => {
            const next = matmul(h, w).add(row).tanh();
            return [next, next.sum(0)];
          },
          x.at(0),
          x,
        );
        return [h as Tensor, ys as Tensor];
      },
      noise([9, 170, 140], 11).tanh(),
      noise([140, 140], 12).mul(0.05),
    ),
  "the gradient of such a loop": () =>
    prepared(
      (x, w) => {
        const loss = (w: Tensor): Tensor =>
          (scan((h: Tensor, row: Tensor) => [matmul(h, w).add(row).tanh(), null], x.at(0), x)[0] as Tensor).sum();
        return [grad(loss)(w) as Tensor];
      },
      noise([6, 120, 110], 13).tanh(),
      noise([110, 110], 14).mul(0.05),
    ),
  "loops in loops, with branches of large steps": () =>
    prepared((x) => {
      const [h] = scan(
        (h: Tensor, t: Tensor) => {
          const [inner] = scan((g: Tensor) => [g.mul(1.01).sin(), g.sum()], h, null, { length: 3 });
          const turned = cond(
            t.greater(0),
            (g: Tensor) => matmul(g, g).tanh(),
            (g: Tensor) => g.transpose().mul(0.5),
            inner as Tensor,
          ) as Tensor;
          return [turned, turned.mean()];
        },
        x,
        tensor([1, -1, 1, 1, -1]),
      );
      return [h as Tensor, (h as Tensor).sum(0)];
    }, noise([150, 150], 15).tanh()),
  "a while loop that ends early": () =>
    prepared((x) => {
      const end = sg.whileLoop(
        (s: { x: Tensor; k: Tensor }) => s.x.square().sum().greater(300),
        (s: { x: Tensor; k: Tensor }) => ({ x: s.x.mul(0.7), k: s.k.add(1) }),
        { x, k: sg.zeros([]) },
        { limit: 40 },
      ) as { x: Tensor; k: Tensor };
      return [end.x, end.k];
    }, wide),
  "steps of the host between shared ones": () =>
    prepared((x) => {
      const sorted = x.sin().sort(1);
      const seen = external(({ data }) => Float32Array.from(data, (v) => v * 2), [sorted.sum(1)], { shape: [500] });
      return [sorted.add(seen.expandDims(1)), sorted.cumsum(0).exp().tanh(), sorted.max(0)];
    }, wide),
  "a system of equations between products": () =>
    prepared(
      (a) => {
        const m = matmul(a, a.transpose()).add(sg.eye(120, { dtype: "float64" }).mul(1e6));
        return [sg.solve(m, a), matmul(sg.solve(m, a).transpose(), a)];
      },
      noise([120, 130], 16, "float64"),
    ),
};

describe("the same bits on 1, 2 and 3 threads", () => {
  test.each(Object.entries(programs))("%s", async (_, program) => sameBits(program()));
});

test("a program that calls what only one thread has runs on that one", () => {
  const call = compile((x: Tensor) => [
    sg.Poisson({ rate: x.exp() }).sample(sg.key(1), { sampleShape: [40] }),
    matmul(x, x.transpose()),
  ]) as unknown as (x: Tensor) => Results;
  const [one, ...others] = [1, 2, 3].map((n) => {
    setThreads(n);
    return call(noise([150, 20]).tanh()).map((t) => t.toArray());
  });
  for (const other of others) expect(other).toEqual(one);
});

describe("errors and alarms on several threads", () => {
  const large = noise([400, 400], 20);

  test("an alarm between shared steps: the sentence of the check, and right numbers after it", async () => {
    const call = compile((x: Tensor, scale: Tensor) => {
      const z = sg.Normal({ loc: x, scale }).logProb(matmul(x, x).tanh());
      return [z.sum(1), matmul(z, x)];
    }) as unknown as (x: Tensor, scale: Tensor) => Results;
    const [good, bad] = [tensor(2), tensor(-1)];
    const one = await bytes(await parallel(() => call(large, good), 1));
    for (const n of [2, 3]) {
      await parallel(() => call(large, good), n);
      for (let i = 0; i < 3; i++) {
        expect(message(() => call(large, bad))).toBe("Normal: got scale = -1, expected a positive finite number.");
        expect(await bytes(call(large, good))).toEqual(one);
      }
    }
  });

  test("a black box that throws while workers run", async () => {
    const odd = { throw: false };
    const call = compile((x: Tensor) => {
      const s = external(
        ({ data }) => {
          if (odd.throw) throw new RangeError("the game is over");
          return (data[0] as number) * 2;
        },
        [matmul(x, x).sum()],
        { shape: [] },
      );
      return [matmul(x.add(s.mul(1e-6)), x)];
    }) as unknown as (x: Tensor) => Results;
    const one = await bytes(await parallel(() => call(large), 1));
    for (const n of [2, 3]) {
      await parallel(() => call(large), n);
      for (let i = 0; i < 5; i++) {
        odd.throw = true;
        expect(() => call(large)).toThrow(new RangeError("the game is over"));
        odd.throw = false;
        expect(await bytes(call(large))).toEqual(one);
      }
    }
  });

  test("black boxes that call other compiled functions, the same one, and change the number of threads", async () => {
    const other = compile((x: Tensor) => matmul(x, x).tanh().sum(0)) as (x: Tensor) => Tensor;
    const state = { depth: 0, threads: 0 };
    const outer: (x: Tensor) => Results = compile((x: Tensor) => {
      const box = ({ data }: { data: ArrayLike<number> }): Float32Array => {
        const again = tensor(Float32Array.from(data, Math.tanh), { shape: [400, 400] });
        const sums = other(again).toArray() as number[];
        if (state.threads > 0) setThreads(state.threads);
        if (state.depth > 0) {
          state.depth--;
          const [, nested] = outer(again) as [Tensor, Tensor];
          sums.forEach((s, i) => {
            sums[i] = s + (nested.at(i).item() as number);
          });
        }
        return Float32Array.from(sums);
      };
      const y = matmul(x, x).mul(1e-3);
      const s = external(box as never, [y], { shape: [400], pure: true });
      return [y.tanh().add(s), matmul(y.add(s.mul(1e-5)), x).sum(0)];
    }) as unknown as (x: Tensor) => Results;
    const run = async (n: number, depth: number, threads: number): Promise<string[]> => {
      await parallel(() => outer(large), n);
      Object.assign(state, { depth, threads });
      const out = await bytes(outer(large));
      state.threads = 0;
      return out;
    };
    for (const depth of [0, 2]) {
      const one = await run(1, depth, 0);
      for (const [n, change] of [
        [2, 0],
        [2, 3],
        [3, 1],
      ] as const)
        expect((await run(n, depth, change)).map((b, i) => b === one[i])).toEqual([true, true]);
    }
  });

  test("the number changes between calls of one function", async () => {
    const call = prepared((x) => [matmul(x, x), x.sum(0)], large);
    setThreads(1);
    const one = await bytes(call());
    for (let i = 0; i < 30; i++) {
      setThreads(1 + ((i * 7) % 4));
      for (let k = 0; k < 3; k++) expect((await bytes(call())).every((b, j) => b === one[j])).toBe(true);
    }
  });
});

describe("the workloads of the bench", () => {
  const variants = workloads.flatMap(({ name, variants: list }) =>
    list.map((variant) => [`${name} ${variant.name}`, variant] as const),
  );

  function steps(start: () => { step(): void; numbers(): readonly number[] }, n: number, count: number): number[] {
    setThreads(n);
    const running = start();
    return Array.from({ length: count }, () => {
      running.step();
      return [...running.numbers()];
    }).flat();
  }

  test.each(variants)("%s", (_, variant) => {
    const start = (): ReturnType<typeof variant.start> => variant.start("small");
    const one = steps(start, 1, 6);
    expect(one.some(Number.isFinite)).toBe(true);
    expect(steps(start, 2, 6)).toEqual(one);
  });

  test.runIf(full).each(variants)("%s, full size", (_, variant) => {
    const start = (): ReturnType<typeof variant.start> => variant.start("full");
    const one = steps(start, 1, 4);
    expect(steps(start, 2, 4)).toEqual(one);
    expect(steps(start, 3, 4)).toEqual(one);
  });
});

afterAll(() => setThreads("auto"));
