import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import { type Block, Builder, type Value } from "../../src/kernel/expr/block.js";
import { type Element, interpret } from "../../src/kernel/expr/interpret.js";
import { expressions } from "../../src/kernel/expr/math/index.js";
import { callsOf, costOf, emitMap, type Stream } from "../../src/wasm/map.js";
import { DTYPES, elements, Random, randomBlock, wantedOperations } from "./mapBlocks.js";
import { machine, outputsOf, type Setting } from "./mapRun.js";

const MOST = 44;

/** Runs a stage for every count, against the meaning of its block. */
function agree(
  block: Block,
  inputs: readonly Stream[],
  data: readonly (readonly Element[])[],
  {
    kind = "stream",
    place = 7,
    counts = 41,
    ...setting
  }: Setting & { kind?: "stream" | "slot"; place?: number; counts?: number } = {},
): void {
  const outputs = outputsOf(block, kind);
  const made = machine(block, inputs, outputs, data, setting);
  const at = (i: number): Element[] =>
    interpret(
      block,
      data.map((column, k) => column[inputs[k]!.kind === "scalar" ? 0 : i] as Element),
      place + i,
    );
  const wanted = Array.from({ length: counts - 1 }, (_, i) => at(i));
  for (let count = 0; count < counts; count++) {
    const got = made.run(count, place);
    for (let i = 0; i < count; i++)
      for (let k = 0; k < outputs.length; k++)
        if (!Object.is(got[k]![i], wanted[i]![k]))
          expect.fail(
            `element ${i} of ${count}, output ${k} (${outputs[k]!.dtype}): ${got[k]![i]}, not ${wanted[i]![k]}\n${show(block)}\n` +
              `${data.map((column, j) => column[inputs[j]!.kind === "scalar" ? 0 : i])}`,
          );
  }
}

function show({ ops, outputs }: Block): string {
  const text = ops.map(
    (op, i) => `${i}: ${op.type} ${op.op} ${op.args} ${"value" in op ? op.value : "by" in op ? op.by : ""}`,
  );
  return [...text, `-> ${outputs}`].join("\n");
}

describe("random blocks", () => {
  const seen = new Set<string>();
  const note = ({ ops }: Block): void => {
    for (const op of ops) {
      seen.add(`${op.op} ${op.type}`);
      for (const arg of op.args) seen.add(`${op.op} of ${ops[arg]!.type}`);
      if (op.op === "loop") note(op.body);
    }
  };

  it.each(Array.from({ length: 12 }, (_, seed) => seed))("mean what they say, seed %i", (seed) => {
    const random = new Random(1000 + seed);
    for (let i = 0; i < 12; i++) {
      const block = randomBlock(random, 3 + 3 * i, i % 3 === 2);
      note(block);
      const kinds = ["stream", "slot", "scalar"] as const;
      const inputs = [...DTYPES, ...DTYPES].map(
        (dtype, k): Stream => ({ kind: k < 5 ? random.of(kinds.slice(0, 2)) : random.of(kinds), dtype }),
      );
      const data = inputs.map(({ dtype }) => elements(random, dtype, MOST));
      agree(block, inputs, data, { kind: random.of(["stream", "slot"]), units: random.of([1, 2, 4]) });
    }
  });

  it("had every operation of every type among them", () => {
    const missing = wantedOperations().filter((name) => !seen.has(name));
    expect(missing).toEqual([]);
  });
});

const single: Stream = { kind: "stream", dtype: "float32" };
const double: Stream = { kind: "stream", dtype: "float64" };

/** Numbers of all sizes, and those next to what matters. */
function arguments_(random: Random, bits: 32 | 64): number[] {
  const round = bits === 32 ? Math.fround : (x: number): number => x;
  const special = [
    0,
    -0,
    1,
    -1,
    0.5,
    2,
    NaN,
    Infinity,
    -Infinity,
    1e-45,
    -1e-40,
    1e-310,
    3e38,
    1e300,
    88.7,
    -103.9,
    709.7,
    99.9,
    100.1,
    1.5e6,
    1e9,
  ];
  const near = Array.from({ length: 300 }, () => (random.uniform() - 0.5) * random.of([1, 2, 4, 20, 200]));
  const wide = Array.from({ length: 79 }, () => (random.below(2) ? 1 : -1) * 10 ** ((random.uniform() - 0.5) * 80));
  return [...special, ...near, ...wide].map(round);
}

describe.each(expressions)("$name", ({ name, arity, build }) => {
  it.each([32, 64] as const)("is in float%i what the interpreter says", (bits) => {
    const random = new Random(bits);
    const b = new Builder();
    const dtype = bits === 32 ? "float32" : "float64";
    const block = b.block([build(b, ...Array.from({ length: arity }, () => b.input(dtype)))]);
    const data = Array.from({ length: arity }, (_, i) => {
      const list = arguments_(random, bits);
      return i === 0 ? list : list.map(() => random.of(list));
    });
    const stream = bits === 32 ? single : double;
    const made = machine(
      block,
      data.map(() => stream),
      [stream],
      data,
    );
    const [got] = made.run(data[0]!.length);
    data[0]!.forEach((_, i) => {
      const args = data.map((list) => list[i] as number);
      const want = interpret(block, args)[0];
      expect(Object.is(got![i], want), `${name}(${args}): ${got![i]}, not ${want}`).toBe(true);
    });
  });
});

describe("rare cases", () => {
  /** x, but 100·x where x is negative, and −x where it is even more than that. */
  function nested(b: Builder, x: Value): Value {
    const less = (limit: number): Value => b.compare("lt", x, b.like(x, limit));
    const deep = b.rare(less(-10), b.unary("neg", x), b.mul(x, b.like(x, 100)));
    return b.rare(less(0), deep, x);
  }

  it.each(["float32", "float64"] as const)("nest, in %s, wherever they are", (dtype) => {
    const b = new Builder();
    const x = b.input(dtype);
    const block = b.block([nested(b, x), b.add(nested(b, b.sub(x, b.like(x, 1))), x)]);
    for (const units of [1, 2, 4])
      for (let rare = 0; rare < 40; rare++) {
        const data = Array.from({ length: MOST }, (_, i) => (i === rare ? -5 : i === (rare * 7) % 40 ? -20 : i));
        agree(block, [{ kind: "stream", dtype }], [data], { units, counts: 41 });
      }
  });

  it("are computed only where there are some, and never before", () => {
    const b = new Builder();
    const x = b.input("float64");
    const calls: number[] = [];
    const run = (at: number): number => {
      calls.push(at);
      return -at;
    };
    const block = b.block([b.rare(b.compare("gt", x, b.like(x, 1000)), b.call("outside", run, [x], "float64"), x)]);
    const data = Array.from({ length: 40 }, (_, i) => i);
    const quiet = machine(block, [double], [double], [data]);
    expect(quiet.functions).toBe(2);
    expect(quiet.run(39)[0]).toEqual(data.slice(0, 39));
    expect(calls).toEqual([]);
    const loud = machine(block, [double], [double], [data.map((i) => (i === 37 ? 5000 : i))]);
    expect(loud.run(38)[0]![37]).toBe(-5000);
    expect(Math.max(...calls)).toBe(5000);
    // Element 38 is beyond the count.
    expect(calls).not.toContain(38);
  });
});

describe("calls", () => {
  it.each(["float32", "float64", "int32", "uint32", "bool"] as const)("happen once per element, of %s", (dtype) => {
    const b = new Builder();
    const x = b.input(dtype);
    const calls: number[] = [];
    const run = (at?: number): number => {
      calls.push(at!);
      return at! * 3;
    };
    const block = b.block([b.call("triple", run, [x], dtype)]);
    const data = elements(new Random(5), dtype, MOST);
    const made = machine(block, [{ kind: "stream", dtype }], outputsOf(block), [data]);
    for (const count of [0, 1, 2, 3, 4, 5, 11]) {
      calls.length = 0;
      const [got] = made.run(count);
      expect(calls).toEqual(data.slice(0, count));
      expect(got).toEqual(data.slice(0, count).map((at) => interpret(block, [at])[0]));
    }
  });

  it("are listed, those of loops and rare sides among them, each once", () => {
    const b = new Builder();
    const x = b.input("float64");
    const f = (): number => 0;
    const [, y] = b.loop([x], [], 3, (inner, [z]) => [
      inner.constant(1, "bool"),
      inner.call("in", f, [z!, z!], "float64"),
    ]);
    const slow = b.call("slow", f, [x], "float64");
    b.call("dead", f, [x], "float64");
    const block = b.block([b.rare(b.compare("lt", x, y!), slow, b.call("fast", f, [b.add(x, x)], "float64")), slow]);
    expect(
      callsOf(block)
        .map(({ name, arity }) => `${name}${arity}`)
        .sort(),
    ).toEqual(["fast1", "in2", "slow1"]);
  });

  it("pass on what the function throws", () => {
    const b = new Builder();
    const block = b.block([
      b.call(
        "bad",
        () => {
          throw new RangeError("no");
        },
        [b.input("float32")],
        "float32",
      ),
    ]);
    const made = machine(block, [single], [single], [[1, 2, 3]]);
    expect(() => made.run(0)).not.toThrow();
    expect(() => made.run(1)).toThrow(RangeError);
  });
});

describe("loops", () => {
  it("count the steps of Collatz's sequence", () => {
    const b = new Builder();
    const n = b.input("int32");
    const [ended, , steps] = b.loop([n, b.constant(0, "int32")], [], 1000, (inner, [at, count]) => {
      const one = inner.constant(1, "int32");
      const odd = inner.compare("eq", inner.binary("and", at!, one), one);
      const up = inner.add(inner.mul(at!, inner.constant(3, "int32")), one);
      const next = inner.select(odd, up, inner.shift("shr", at!, 1));
      return [inner.compare("ne", next, one), next, inner.add(count!, one)];
    });
    const block = b.block([steps!, ended]);
    const data = Array.from({ length: MOST }, (_, i) => i + 2);
    agree(block, [{ kind: "stream", dtype: "int32" }], [data]);
    const collatz = (start: number): number => {
      let [at, count] = [start, 0];
      for (; at !== 1; count++) at = at % 2 ? 3 * at + 1 : at / 2;
      return count;
    };
    const made = machine(block, [{ kind: "stream", dtype: "int32" }], outputsOf(block), [data]);
    expect(made.run(40)[0]).toEqual(data.slice(0, 40).map(collatz));
  });

  it.each(["float32", "float64"] as const)("find square roots by Newton's method in %s", (dtype) => {
    const b = new Builder();
    const x = b.input(dtype);
    const [, root] = b.loop([b.like(x, 20)], [x], 100, (inner, [y], [of]) => {
      const next = inner.mul(inner.add(y!, inner.div(of!, y!)), inner.like(y!, 0.5));
      return [inner.compare("lt", next, y!), next];
    });
    const block = b.block([root!]);
    const data = Array.from({ length: MOST }, (_, i) => i + 1);
    agree(block, [{ kind: "slot", dtype }], [data]);
    const stream: Stream = { kind: "stream", dtype };
    machine(block, [stream], [stream], [data])
      .run(40)[0]!
      .forEach((y, i) => {
        expect(Number(y)).toBeCloseTo(Math.sqrt(i + 1), dtype === "float32" ? 5 : 13);
      });
  });

  it("reject until something fits, with rare cases and the logarithm inside", () => {
    const log = expressions.find(({ name }) => name === "log")!.build;
    const b = new Builder();
    const seed = b.input("uint32");
    const [, , taken, tries] = b.loop(
      [seed, b.constant(0, "float32"), b.constant(0, "int32")],
      [],
      50,
      (inner, [s, , n]) => {
        const next = inner.add(inner.mul(s!, inner.constant(1664525, "uint32")), inner.constant(1013904223, "uint32"));
        const u = inner.mul(inner.convert(inner.shift("shr", next, 8), "float32"), inner.constant(2 ** -24, "float32"));
        const odd = inner.rare(inner.compare("lt", u, inner.like(u, 0.05)), inner.like(u, 0.75), u);
        const e = inner.unary("neg", log(inner, odd));
        const refused = inner.compare("lt", e, inner.like(e, 0.7));
        return [refused, next, e, inner.add(n!, inner.constant(1, "int32"))];
      },
    );
    const block = b.block([taken!, tries!, b.constant(1, "float64")]);
    const random = new Random(3);
    agree(block, [{ kind: "stream", dtype: "uint32" }], [elements(random, "uint32", MOST)]);
  });

  it("do not go round for elements beyond the count", () => {
    const b = new Builder();
    const x = b.input("float64");
    let calls = 0;
    const run = (): number => ++calls;
    const [, y] = b.loop([x], [], 1e6, (inner, [z]) => [
      inner.compare("lt", inner.call("tick", run, [z!], "float64"), inner.constant(0, "float64")),
      inner.add(z!, inner.like(z!, 1)),
    ]);
    const made = machine(b.block([y!]), [double], [double], [[1, 2, 3, 4]]);
    expect(made.run(3)[0]).toEqual([2, 3, 4]);
    expect(calls).toBe(3);
  });
});

describe("fast numerics", () => {
  it("fuse products with sums where the engine can, and only then", () => {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
    const b = new Builder();
    const [x, y, z] = [b.input("float32"), b.input("float32"), b.input("float32")];
    const block = b.block([b.add(b.mul(x, y), z), b.sub(z, b.mul(x, b.add(y, y))), b.sub(b.mul(y, y), z)]);
    const random = new Random(9);
    const draw = (): number[] => Array.from({ length: 40 }, () => Math.fround(random.uniform() - 0.5));
    const data = [draw(), draw(), draw()];
    const streams = [single, single, single];
    const fast = machine(block, streams, streams, data, { numerics: "fast", relaxed: true }).run(39);
    // The float64 product of two float32 is exact.
    const wanted = (i: number): number[] => {
      const [u, v, w] = data.map((column) => column[i]!) as [number, number, number];
      return [Math.fround(u * v + w), Math.fround(w - 2 * u * v), Math.fround(Math.fround(v * v) - w)];
    };
    for (let i = 0; i < 39; i++) expect(fast.map((column) => column[i])).toEqual(wanted(i));
    const differ = fast[0]!.filter(
      (at, i) =>
        at !==
        interpret(
          block,
          data.map((column) => column[i]!),
        )[0],
    );
    expect(differ.length).toBeGreaterThan(0);
    agree(
      block,
      streams,
      data.map((column) => [...column, 0, 0]),
      { numerics: "fast", relaxed: false },
    );
    agree(
      block,
      streams,
      data.map((column) => [...column, 0, 0]),
      { numerics: "exact", relaxed: true },
    );
  });
});

describe("what a map refuses", () => {
  const emitted = (block: Block, inputs: readonly Stream[], outputs: readonly Stream[]) => () =>
    emitMap(block, inputs, outputs, {
      numerics: "exact",
      relaxed: false,
      calls: () => ({ index: 0 }),
      add: () => ({ index: 0 }),
    });

  it("names the types where they differ", () => {
    const b = new Builder();
    const block = b.block([b.input("float32")]);
    expect(emitted(block, [double], [single])).toThrow(
      "a map from (float32) to (float32) is given (float64) to (float32)",
    );
    expect(emitted(block, [single], [])).toThrow("is given (float32) to ()");
  });

  it("names what vectors lack", () => {
    const b = new Builder();
    const x = b.input("float32");
    expect(emitted(b.block([b.binary("and", x, x)]), [single], [single])).toThrow("no and of float32");
  });
});

describe("costOf", () => {
  it("counts vectors, without rare sides and dead operations", () => {
    const b = new Builder();
    const [x, y] = [b.input("float32"), b.input("float64")];
    b.mul(x, x);
    const rare = b.rare(b.compare("lt", x, b.like(x, 0)), b.unary("sqrt", b.add(x, x)), x);
    expect(costOf(b.block([rare]))).toBe(2);
    expect(costOf(b.block([b.mul(y, y)]))).toBe(2);
  });
});
