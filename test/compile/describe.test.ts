import "../../src/tensor/methods.js";
import { describe, expect, it } from "vitest";
import type { About } from "../../src/compile/about.js";
import { bytesText, lineWidth, timeText, withPrefix } from "../../src/compile/columns.js";
import { describePlan } from "../../src/compile/describe.js";
import { lower } from "../../src/compile/lower.js";
import type { Group, Plan } from "../../src/compile/plan.js";
import { workOfRounds, workOfStep } from "../../src/compile/work.js";
import { placeholder, type Tensor } from "../../src/graph/tensor.js";
import { cond, exp, matmul, qr, scan, sum, tanh } from "../../src/index.js";

const hole = (label: string, shape: readonly number[]): Tensor => placeholder({ shape, dtype: "float32" }, label);

function textOf(outputs: readonly Tensor[], inputs: readonly Tensor[], about: About = {}): string {
  return describePlan(lower(outputs, inputs), { inputs, outputs, ...about });
}

describe("describePlan", () => {
  it("says what a small program is made of", () => {
    const [x, w, b] = [hole("x", [3, 4]), hole("params.w", [4, 2]), hole("params.b", [2])];
    const y = matmul(x, w).add(b);
    // By hand: 2·3·4·2 = 48 operations in the product; 6 sums, 6 squares and 6 more sums of squares. x, w: 80 B; the product: 24 B.
    expect(textOf([y, sum(y.square())], [x, w, b])).toBe(`plan       2 rounds: 1 fused loop, 1 product
arena      768 B, shared by 6 buffers of 140 B, each padded to 64 B
moved      112 B read, 52 B written
flop       66, 73 % in products and convolutions

inputs     x float32[3, 4], params.w float32[4, 2], params.b float32[2]
between    b3 float32[6]
results    result 0 float32[3, 2], result 1 float32[]

step                                                                                elements   op    read written   flop
1 product [3, 4] · [4, 2]                                                                  6         80 B    24 B     48
    x, params.w → b3
2 fused [3, 2], all reduced                                                                6    2    32 B    28 B     18
    params.b by [0, 1], b3 → result 0, result 1 (sum)

fused          one loop: what passes between its operations stays in the nearest cache, strip by strip
op             operations on each element, its random words and reductions aside
x by [2, 0]    x is read, or written, with these strides; along axes with 0 it is repeated
read, written  bytes of different numbers
flop           operations on numbers; 2·m·n·k for a product [m, k] · [k, n]; random words are not counted`);
  });

  it("shows times, and which steps threads share, where it is told", () => {
    const x = hole("x", [4096]);
    const text = textOf([tanh(x), sum(x)], [x], {
      elsewhere: new Set([0]),
      threads: 3,
      timeOf: (step) => (step.kind === "group" && step.stages.some(({ kind }) => kind === "reduce") ? 3e6 : 1500),
      isShared: (step) => step.kind === "group" && step.stages.some(({ kind }) => kind === "reduce"),
    });
    expect(text).toContain("; 1 more of 16.4 kB come and go by address\n");
    expect(text).toContain("inputs     x float32[4096] (by address)\n");
    expect(text).toContain(
      "time       about 3 ms on one thread, 100 % of it in steps that 3 threads share; most in 1 (100 %)\n",
    );
    expect(text).toMatch(/fused \[4096\], all reduced, strips of \d+ .* 3 ms {7}3\n/);
    expect(textOf([sum(x)], [x], { timeOf: () => 10, isShared: () => false })).toContain(
      "time       about 10 ns on one thread, too short to be shared by threads; most in 1 (100 %)\n",
    );
    expect(textOf([sum(x)], [x], { timeOf: () => 1e9, isShared: () => true })).toContain(
      "time       about 1 s on one thread, 100 % of it in steps that threads could share; there is one; most in 1 (100 %)\n",
    );
  });

  it("indents loops, and counts all rows on their own line", () => {
    const xs = hole("xs", [50, 8]);
    const step = (carry: Tensor, row: Tensor): [Tensor, Tensor] => {
      const next = tanh(carry.add(row));
      return [next, next];
    };
    const start = hole("start", [8]);
    const [last, rows] = scan(step, start, xs) as [Tensor, Tensor];
    const plan = lower([last, rows], [start, xs]);
    const text = describePlan(plan, { inputs: [start, xs], outputs: [last, rows] });
    const loop = /\n(\d+\w?) for t0 = 0 … 49 .* (\S+ k?B) +(\S+ k?B) +(\S+ k)\n((?: {2}.*\n)*)/.exec(text);
    expect(loop).not.toBeNull();
    const found = plan.rounds.flat().find((each) => each.kind === "loop");
    if (found?.kind !== "loop") throw new Error("no loop");
    const row = workOfRounds(found.rounds);
    expect(workOfStep(found)).toEqual({ read: 50 * row.read, written: 50 * row.written, flops: 50 * row.flops });
    expect(loop?.[2]).toBe(bytesText(50 * row.read));
    const body = `${loop?.[5]}`.trimEnd().split("\n");
    expect(body.every((line) => line.startsWith(`  ${loop?.[1]}.`) || line.startsWith("      "))).toBe(true);
    expect(loop?.[5]).toContain("xs[t0]");
    expect(text).toContain("\nfor            its own line counts all rows,");
    const [back] = scan(step, start, xs, { reverse: true }) as [Tensor, Tensor];
    expect(textOf([back], [start, xs])).toContain(" for t0 = 49 … 0 ");
  });

  it("shows both sides of a branch, and counts the larger", () => {
    const x = hole("x", [100]);
    const flag = placeholder({ shape: [], dtype: "bool" }, "flag");
    const out = cond(
      flag,
      (v: Tensor) => exp(v).mul(v),
      (v: Tensor) => v,
      x,
    ) as Tensor;
    const text = textOf([out], [flag, x]);
    expect(text).toMatch(/\n1 if flag .*\n( {2}1\.1.*\n {6}.*\n)+ {2}else\n( {2}1\.1.*\n {6}.*\n?)+/);
  });

  it("says what is left to the host, and why", () => {
    const a = hole("a", [4, 3]);
    const n = placeholder({ shape: [2, 2], dtype: "int32" }, "n");
    const text = textOf([...qr(a), matmul(n, n)], [a, n]);
    expect(text).toContain("\nhost       ");
    expect(text).toContain("qr: no compiled form");
    expect(text).toContain("matmul: there is no compiled product of int32");
    expect(text).toMatch(/\n1[ab] host qr float32\[4, 3\], float32\[3, 3\] +48 B +84 B\n {4}a → result 0, result 1\n/);
    expect(text).toContain(
      "\nhost           computed by the library's JavaScript, between parts of the compiled code\n",
    );
  });

  it("is made of lines that fit, with numbers under one another", () => {
    const params = Array.from({ length: 12 }, (_, i) =>
      hole(`argument 0.optimizer.averages[${i}].hidden.weights`, [40, 50]),
    );
    const total = params.reduce((a: Tensor, b) => a.add(b.square()));
    const lines = textOf([total, ...params.map((p) => exp(p))], params, { timeOf: () => 1234 }).split("\n");
    expect(lines.filter((line) => line.length > lineWidth)).toEqual([]);
    const steps = lines.filter((line) => /^\d+\w? /.test(line) && line.includes("fused"));
    expect(steps.length).toBeGreaterThan(0);
    expect(new Set(steps.map((line) => line.length))).toEqual(new Set([lineWidth]));
    expect(lines.find((line) => line.startsWith("step"))).toHaveLength(lineWidth);
  });

  it("has something to say of nothing, of inputs that are results, and of constants", () => {
    const x = hole("x", [2]);
    const text = textOf([x], [x], { timeOf: () => 1 });
    expect(text).toContain("plan       0 rounds: nothing to compute\n");
    expect(text).toContain("\nresults    result 0 = x\n");
  });
});

describe("work of a step", () => {
  /** Addresses that gathers of a group touch, one element after another. */
  function touched({ shape, stages }: Group): number {
    let count = 0;
    for (const stage of stages) {
      if (stage.kind !== "gather") continue;
      const seen = new Set<number>();
      const size = shape.reduce((a, b) => a * b, 1);
      for (let i = 0; i < size; i++) {
        let [rest, at, there] = [i, 0, true];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          const index = rest % (shape[axis] as number);
          rest = Math.floor(rest / (shape[axis] as number));
          at += index * (stage.from.strides[axis] as number);
          const cut = stage.inside?.find((limits) => limits.axis === axis);
          if (cut) there &&= index >= cut.low && index < cut.high && (index - cut.low) % cut.step === 0;
        }
        if (there) seen.add(at);
      }
      count += seen.size;
    }
    return count;
  }

  const groupsOf = (plan: Plan): Group[] => plan.rounds.flat().flatMap((step) => (step.kind === "group" ? [step] : []));

  it("reads each number of a view once", () => {
    const [x, row] = [hole("x", [6, 5]), hole("row", [5])];
    const graphs: readonly (readonly Tensor[])[] = [
      [x.transpose().add(1)],
      [x.mul(row)],
      [x.add(row).sum(0)],
      [exp(row.pad([[2, 3]]))],
    ];
    for (const outputs of graphs) {
      const groups = groupsOf(lower(outputs, [x, row]));
      const gathers = groups.filter(({ stages }) => stages.some(({ kind }) => kind === "gather"));
      expect(gathers.length).toBeGreaterThan(0);
      for (const group of gathers) {
        const streams = group.stages
          .flatMap((s) => (s.kind === "map" ? s.inputs : []))
          .filter((s) => s.kind === "stream");
        const size = group.shape.reduce((a, b) => a * b, 1);
        const places = new Set(streams.map((s) => (s.kind === "stream" ? s.place.buffer : -1)));
        expect(workOfStep(group).read).toBe(4 * (touched(group) + places.size * size));
      }
    }
  });

  it("of products and convolutions is counted by their definition", () => {
    const [a, b] = [hole("a", [5, 3, 4]), hole("b", [4, 2])];
    const [product] = lower([matmul(a, b)], [a, b]).rounds.flat();
    if (product === undefined) throw new Error("no step");
    expect(workOfStep(product)).toEqual({ read: 4 * (60 + 8), written: 4 * 30, flops: 2 * 5 * 3 * 2 * 4 });
  });
});

describe("numbers for people", () => {
  it("have three digits and a prefix", () => {
    expect([0, 7, 999, 999.9, 1000, 12_345, 999_900, 1e9, 2.5e16].map((x) => withPrefix(x))).toEqual([
      "0",
      "7",
      "999",
      "1 k",
      "1 k",
      "12.3 k",
      "1 M",
      "1 G",
      "25 P",
    ]);
    expect([0, 36, 1024, 5.39e6].map(bytesText)).toEqual(["0 B", "36 B", "1.02 kB", "5.39 MB"]);
    expect([2, 84.4, 999.9, 3600, 14e6, 2.34e9, 5e13].map(timeText)).toEqual([
      "2 ns",
      "84 ns",
      "1 µs",
      "3.6 µs",
      "14 ms",
      "2.3 s",
      "50000 s",
    ]);
  });
});
