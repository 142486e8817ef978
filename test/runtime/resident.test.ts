import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test } from "vitest";
import { compile, external, grad, setRuntime, type Tensor, tensor, valueAndGrad, vmap } from "../../src/index.js";
import { memory } from "../../src/wasm/memory.js";
import { message } from "./message.js";

/** Large results stay in the engine's memory until they are read: whatever happens to them there, they are the numbers they were. */

const n = 5000;
const MIB = 2 ** 20;
const ramp = (from: number, size: number = n): Tensor =>
  tensor(Float32Array.from({ length: size }, (_, i) => (from + i) % 1000));
const first = (t: Tensor): number => (t.toArray() as number[])[0] as number;
const last = (t: Tensor): number => (t.toArray() as number[]).at(-1) as number;
const plus = (by: number): ((x: Tensor) => Tensor) => compile((x: Tensor) => x.add(by));
const gone =
  "compile: got a tensor float32[5000] that was donated to a compiled step, expected a tensor that still has its numbers; " +
  "read it before the call, use what the call returned, or take its argument out of donate.";

afterEach(() => setRuntime("wasm"));

/** Bytes of the engine's memory in use once nothing is left to collect. */
async function inUse(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return memory().inUse;
}

describe("a result", () => {
  test("is the same after later calls of its program", () => {
    const f = plus(1);
    const results = Array.from({ length: 20 }, (_, i) => f(ramp(i)));
    expect(results.map(first)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const chained = Array.from({ length: 20 }, (_, i) => f(f(ramp(i))));
    expect(chained.map(first)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  });

  test("that was read may be changed by its reader", async () => {
    const y = plus(1)(ramp(0));
    (await y.data()).fill(7);
    expect(first(y)).toBe(1);
    expect(first(plus(1)(y))).toBe(2);
  });

  test.each<[string, (x: Tensor) => Tensor, unknown]>([
    ["slice", (x) => x.slice(1, 3), [2, 3]],
    ["a slice backwards", (x) => x.flip(0).slice(0, 1), [1000]],
    ["an element", (x) => x.at(3), 4],
    ["transpose", (x) => x.reshape([2, 2500]).transpose().slice(1, 2), [[2, 502]]],
    ["broadcast", (x) => x.expandDims(0).broadcastTo([2, n]).slice(0, 1, { axis: 1 }), [[1], [1]]],
    ["sum", (x) => x.sum(), 2_502_500],
    ["sort", (x) => x.sort().slice(-1), [1000]],
    ["cumsum", (x) => x.cumsum().slice(2, 3), [6]],
  ])("is an operand of what is not compiled: %s", (_, f, expected) => {
    const y = plus(1)(ramp(0));
    expect(f(y).toArray()).toEqual(expected);
    const z = plus(1)(ramp(0));
    setRuntime("reference");
    expect(f(z).toArray()).toEqual(expected);
  });

  test("can be read on the reference, and computed with there", () => {
    const f = plus(1);
    const y = f(ramp(0));
    setRuntime("reference");
    expect([first(f(y)), first(y), first(y.mul(3))]).toEqual([2, 1, 3]);
  });

  test("that is an argument, or twice the same, or a view of another", () => {
    const f = compile((x: Tensor) => {
      const y = x.mul(2);
      return [x, y, y, y.reshape([50, 100]), y.slice(10), x.flip(0), y.toDType("float64")];
    });
    const x = plus(0)(ramp(5));
    const [a, b, c, d, e, g, h] = f(x) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    f(plus(1)(ramp(6)));
    expect([a, b, c, e, g, h].map(first)).toEqual([5, 10, 10, 30, 4, 10]);
    expect([d.shape, d.at(0).at(0).item(), last(a)]).toEqual([[50, 100], 10, 4]);
  });
});

describe("donating", () => {
  const step = compile((x: Tensor) => x.add(1), { donate: [0] });

  test("what was not read: reading it throws, in a graph too; what was read stays", () => {
    const [x, y] = [plus(0)(ramp(0)), plus(0)(ramp(0))];
    expect(first(y)).toBe(0);
    const lazy = x.mul(2);
    const next = [step(x), step(y)];
    for (const read of [() => x.toArray(), () => lazy.toArray(), () => plus(1)(x), () => step(x), () => x.sum().item()])
      expect(message(read)).toBe(gone);
    expect([first(y), first(y.mul(2)), first(step(y)), ...next.map(first)]).toEqual([0, 0, 1, 1, 1]);
  });

  test("what came from outside, and what is small, leaves it as it is", () => {
    const x = ramp(3);
    const small = plus(0)(tensor([1, 2]));
    expect([first(step(x)), first(step(x)), first(x), first(step(small)), first(small)]).toEqual([4, 4, 3, 2, 1]);
  });

  test("the same tensor twice, or also as another argument, or under two names of a tree", () => {
    const both = compile((a: Tensor, b: Tensor) => a.add(b), { donate: [0, 1] });
    const one = compile((a: Tensor, b: Tensor) => a.add(b), { donate: [0] });
    const tree = compile((p: { a: Tensor; b: Tensor }) => p.a.add(p.b), { donate: [0] });
    for (const f of [both, one, (a: Tensor, b: Tensor) => tree({ a, b })]) {
      const x = plus(0)(ramp(4));
      expect(first(f(x, x))).toBe(8);
      expect(message(() => x.toArray())).toBe(gone);
    }
  });

  test("with results that are the argument, or arguments that change places", () => {
    const same = compile((x: Tensor) => [x, x.add(1)], { donate: [0] });
    const swap = compile((p: { a: Tensor; b: Tensor }) => ({ a: p.b, b: p.a.add(10) }), { donate: [0] });
    const [x, y] = same(plus(0)(ramp(1))) as [Tensor, Tensor];
    let p = { a: plus(0)(ramp(1)), b: plus(0)(ramp(2)) };
    for (let i = 0; i < 5; i++) p = swap(p) as typeof p;
    expect([first(x), first(y), first(p.a), first(p.b)]).toEqual([1, 2, 22, 31]);
  });

  test("an argument that the program does not read", () => {
    const f = compile((_: Tensor, y: Tensor) => y.add(1), { donate: [0] });
    const x = plus(0)(ramp(1));
    expect(first(f(x, ramp(2)))).toBe(3);
    expect(message(() => x.toArray())).toBe(gone);
  });

  test("nothing where the program throws", () => {
    const f = compile(
      (x: Tensor) =>
        external(
          () => {
            throw new Error("no");
          },
          [x],
          { shape: [n] },
        ),
      { donate: [0] },
    );
    const x = plus(0)(ramp(1));
    expect(message(() => f(x))).toBe("no");
    expect(first(x)).toBe(1);
  });

  test("inside grad, valueAndGrad and vmap, where a compiled function is part of the graph", () => {
    const f = compile((x: Tensor) => x.square().sum(), { donate: [0] });
    const x = plus(0)(ramp(1));
    const slope = grad(f)(x) as Tensor;
    const { value, grad: again } = valueAndGrad(f)(x);
    const mapped = vmap(f)(plus(0)(ramp(1)).reshape([5, 1000]));
    const total = value.item();
    expect([first(slope), first(again as Tensor), mapped.shape]).toEqual([2, 2, [5]]);
    expect(mapped.sum().item()).toBeCloseTo(total, -4);
    expect(first(x)).toBe(1);
  });

  test("from one program to another and back", () => {
    const [up, twice] = [
      compile((x: Tensor) => x.add(1), { donate: [0] }),
      compile((x: Tensor) => [x.mul(2), x.sum()] as const, { donate: [0] }),
    ];
    let x = plus(0)(ramp(0));
    for (let i = 0; i < 8; i++) [x] = twice(up(x)) as [Tensor, Tensor];
    // x -> 2 (x + 1), eight times: 256 x + 510.
    expect([first(x), (x.toArray() as number[])[1]]).toEqual([510, 766]);
  });

  test("bad numbers of arguments are refused", () => {
    for (const [donate, got] of [
      [[-1], "[-1]"],
      [[0.5], "[0.5]"],
      [1, "1"],
    ] as const)
      expect(message(() => compile((x: Tensor) => x, { donate: donate as unknown as number[] }))).toBe(
        `compile: got donate: ${got}, expected the numbers of arguments, from 0 on; donate: [0].`,
      );
  });
});

describe("memory", () => {
  const million = 2 ** 20;

  test("more than 256 MiB of unread results: the oldest move out, and all are right", async () => {
    const f = plus(1);
    const before = await inUse();
    const x = ramp(0, million);
    const results = Array.from({ length: 80 }, (_, i) => f(x.add(i)));
    expect(memory().inUse - before).toBeLessThan(270 * MIB);
    results.forEach((y, i) => {
      expect([y.at(0).item(), y.at(-1).item()]).toEqual([i + 1, ((million - 1) % 1000) + i + 1]);
    });
  });

  test("a loop in one job, with or without donating, holds what it needs and no more", () => {
    const [keep, give] = [plus(1), compile((x: Tensor) => x.add(2), { donate: [0] })];
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let [x, y] = [ramp(0, million), ramp(0, million)];
    for (let i = 0; i < 300; i++) {
      x = keep(x);
      y = give(y);
      y = give(y.toDType("float32"));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect([x.at(0).item(), y.at(0).item()]).toEqual([300, 1200]);
    // 1200 MiB of results went by. Copies of the oldest wait for the collector.
    expect(most).toBeLessThan(600 * MIB);
  });

  test("fresh arguments in one job are not kept", () => {
    const f = compile((x: Tensor) => x.sum());
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let i = 0; i < 200; i++) {
      expect(f(tensor(new Float32Array(million))).item()).toBe(0);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(400 * MIB);
  });

  test("is given back when nobody has the results or the programs any more", async () => {
    const before = await inUse();
    const x = ramp(0, 200_000);
    const make = (k: number): void => {
      // A constant of its own, so that no two are one program.
      const f = compile((x: Tensor) => [x.add(k), x.mul(k).cumsum()]);
      const [y, z] = f(x) as [Tensor, Tensor];
      expect([y.at(0).item(), z.at(0).item()]).toEqual([k, 0]);
    };
    for (let k = 0; k < 150; k++) make(k + 0.5);
    // 64 programs are kept, of 3 MB at most each; 150 of them have had results of 1.6 MB and arguments of 0.8 MB.
    expect((await inUse()) - before).toBeLessThan(200e6);
  });
});

describe("black boxes that compute", () => {
  const big = 2 ** 20;

  test("results that move out, or are donated, while a program reads them", () => {
    const inner = plus(1);
    const give = compile((x: Tensor) => x.mul(0), { donate: [0] });
    const x = plus(0)(ramp(0, big));
    const box = (): Float32Array => {
      const kept: Tensor[] = [];
      for (let i = 0; i < 80; i++) kept.push(inner(tensor(new Float32Array(big).fill(-1e6))));
      kept.push(give(x));
      kept.push(inner(tensor(new Float32Array(big).fill(-1e6))));
      return new Float32Array(1);
    };
    const outer = compile((x: Tensor) => {
      const s = external(box, [x.at(0)], { shape: [1] });
      return x.add(s).cumsum().at(1000);
    });
    expect(outer(x).item()).toBe(499_500);
  });

  test("the same program inside itself, and others", () => {
    const depth = { now: 0 };
    const f: (x: Tensor) => Tensor = compile((x: Tensor) => {
      const box = ({ data }: { data: ArrayLike<number> }): Float32Array => {
        if (depth.now++ >= 3) return Float32Array.from(data, (v) => v);
        return new Float32Array(f(tensor(Float32Array.from(data, (v) => v + 1))).toArray() as number[]);
      };
      return external(box as never, [x.mul(2)], { shape: [n], pure: true }).add(0.5);
    });
    const [y] = f(ramp(0)).toArray() as number[];
    // In: 0 → 0; 1 → 2; 3 → 6; 7 → 14. Out: 14.5, 15, 15.5, 16.
    expect(y).toBe(16);
  });
});
