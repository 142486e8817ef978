import { afterEach, describe, expect, test } from "vitest";
import {
  compile,
  cond,
  expectation,
  grad,
  Normal,
  sample,
  scan,
  setThreads,
  type Tensor,
  tensor,
} from "../../src/index.js";

/** What is equal in structure is compiled once; what is not, is not taken for it. */

afterEach(() => setThreads("auto"));

/** The sizes of the modules that `body` makes. */
function modules(body: () => void): number[] {
  const sizes: number[] = [];
  const { Module } = WebAssembly;
  WebAssembly.Module = new Proxy(Module, {
    construct: (of, [bytes]: [BufferSource]) => {
      sizes.push(bytes.byteLength);
      return new of(bytes);
    },
  });
  try {
    body();
  } finally {
    WebAssembly.Module = Module;
  }
  return sizes;
}

const number = (x: unknown): number => (x as Tensor).item();
const ones = (n: number): Tensor => tensor(new Float32Array(n).fill(1));
const ramp = (n: number): Tensor => tensor(Float32Array.from({ length: n }, (_, i) => i));
let fresh = 0;
/** A number that no other program of this file has as a constant. */
const unique = (): number => 1000 + ++fresh;

describe("one module", () => {
  test("for a program that is called, traced again and checked", () => {
    const k = unique();
    const f = compile((x: Tensor) => x.mul(k).sum());
    expect(modules(() => Array.from({ length: 20 }, () => f(ones(5)).item())).length).toBe(1);
  });

  test("for functions that build the same graph, whatever they are called and in whatever order", () => {
    const k = unique();
    const made = modules(() => {
      const f = compile((x: Tensor, y: Tensor) => [x.mul(k), y.exp()]);
      const g = compile((first: Tensor, second: Tensor) => {
        const unused = second.sin();
        const later = second.exp();
        expect(unused.shape).toEqual([5]);
        return [first.mul(k), later];
      });
      expect(f(ones(5), ones(5)).map((t) => (t as Tensor).at(0).item())).toEqual([k, Math.fround(Math.E)]);
      expect(g(ones(5), ones(5)).map((t) => (t as Tensor).at(0).item())).toEqual([k, Math.fround(Math.E)]);
    });
    expect(made.length).toBe(1);
  });

  test("for an expectation built anew, at every key", () => {
    const k = unique();
    const make = (): number => {
      const E = expectation((p: { m: Tensor }) => sample(Normal({ loc: p.m, scale: 1 }), { name: "z" }).mul(k), {
        samples: 10,
      });
      return number(E.valueAndGrad({ m: tensor(1) }, { key: fresh++ }).value.mean);
    };
    make();
    expect(modules(() => void [make(), make(), make()]).length).toBe(0);
  });
});

describe("a module of its own", () => {
  const cases: readonly [string, (k: number) => (x: Tensor) => Tensor, (k: number) => (x: Tensor) => Tensor][] = [
    ["another constant", (k) => (x) => x.mul(k), (k) => (x) => x.mul(k + 0.25)],
    ["-0 for 0", (k) => (x) => x.mul(k).mul(0), (k) => (x) => x.mul(k).mul(-0)],
    ["another axis", (k) => (x) => x.mul(k).reshape([2, 2]).sum(0), (k) => (x) => x.mul(k).reshape([2, 2]).sum(1)],
    ["another order of operands", (k) => (x) => x.mul(k).sub(x), (k) => (x) => x.sub(x.mul(k))],
    [
      "another dtype on the way",
      (k) => (x) => x.mul(k).toDType("int32").toDType("float32"),
      (k) => (x) => x.mul(k).toDType("uint32").toDType("float32"),
    ],
    [
      "another number of steps",
      (k) => (x) => scan((c: Tensor) => [c.mul(k), null], x, null, { length: 2 })[0] as Tensor,
      (k) => (x) => scan((c: Tensor) => [c.mul(k), null], x, null, { length: 3 })[0] as Tensor,
    ],
    [
      "branches that changed places",
      (k) => (x) =>
        cond(
          x.sum().greater(0),
          (a: Tensor) => a.mul(k),
          (a: Tensor) => a.add(k),
          x,
        ) as Tensor,
      (k) => (x) =>
        cond(
          x.sum().greater(0),
          (a: Tensor) => a.add(k),
          (a: Tensor) => a.mul(k),
          x,
        ) as Tensor,
    ],
    [
      "a constant inside a body",
      (k) => (x) => scan((c: Tensor) => [c.mul(k), null], x, null, { length: 2 })[0] as Tensor,
      (k) => (x) => scan((c: Tensor) => [c.mul(k + 0.5), null], x, null, { length: 2 })[0] as Tensor,
    ],
    [
      "a large constant, though it has the same numbers",
      (k) => (x) => x.at(0).add(ramp(200).mul(k)),
      (k) => (x) => x.at(0).add(ramp(200).mul(k)),
    ],
  ];

  test.each(cases)("for %s", (_, first, second) => {
    const k = unique();
    const x = tensor([1, 2, 3, 4]);
    const outs: unknown[] = [];
    const made = modules(() => {
      for (const f of [first, second]) outs.push(compile(f(k))(x).toArray());
    });
    expect(made.length).toBe(2);
    expect(outs).toEqual([first, second].map((f) => f(k)(x).toArray()));
  });

  test("for other shapes and dtypes, once each", () => {
    const k = unique();
    const f = compile((x: Tensor) => x.mul(k));
    const made = modules(() => {
      for (let i = 0; i < 3; i++) for (const n of [3, 4, 5]) f(ones(n));
      f(ones(3).toDType("float64"));
    });
    expect(made.length).toBe(4);
  });

  test("for other numbers of threads, where they matter, once each", () => {
    const k = unique();
    const f = compile((x: Tensor) => x.mul(k).sin().sum());
    const [small, large] = [ones(5), ones(400_000)];
    const sums = new Set<number>();
    const made = modules(() => {
      for (const n of [1, 2, 1, 2, 3, 3]) {
        setThreads(n);
        sums.add(f(large).item());
      }
    });
    // The pool of workers has a module of signals, too.
    expect(made.filter((size) => size > 2000).length).toBe(3);
    expect(sums.size).toBe(1);
    const few = modules(() => {
      for (const n of [1, 2, 1, 3]) {
        setThreads(n);
        f(small).item();
      }
    });
    expect(few.length).toBe(1);
  });
});

describe("loops", () => {
  const sizesAt = (length: number, k: number): number[] =>
    modules(() => {
      const loss = (w: Tensor): Tensor =>
        (scan((c: Tensor, x: Tensor) => [c.mul(w).add(x).tanh().mul(k), c.sum()], w, ones(length))[0] as Tensor).sum();
      const out = compile((w: Tensor) => [loss(w), grad(loss)(w) as Tensor])(tensor([0.1, 0.2, 0.3]));
      expect(Number.isFinite(out[0]?.item())).toBe(true);
    });

  test("of 1000 steps are as much code as loops of 10", () => {
    const k = unique();
    const [ten, thousand] = [sizesAt(10, k), sizesAt(1000, k)] as [number[], number[]];
    expect([ten.length, thousand.length]).toEqual([1, 1]);
    expect(Math.abs((thousand[0] as number) - (ten[0] as number))).toBeLessThan(0.05 * (ten[0] as number));
  });
});
