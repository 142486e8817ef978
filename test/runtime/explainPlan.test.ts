import { afterEach, describe, expect, it } from "vitest";
import { currentRuntime } from "../../src/graph/trace.js";
import {
  compile,
  expectation,
  explainPlan,
  grad,
  matmul,
  Normal,
  type PlanExplanation,
  sample,
  setRuntime,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.js";

afterEach(() => setRuntime("wasm"));

const callsOf = ({ programs }: PlanExplanation): number[] => programs.map(({ totals }) => totals.calls);

describe("explainPlan", () => {
  it("shows the program of a compiled function, and how often it was called", () => {
    setRuntime("wasm");
    const f = compile((x: Tensor, p: { w: Tensor }) => tanh(matmul(x, p.w)).sum());
    const [x, w] = [tensor([[1, 2]]), tensor([[3], [4]])];
    const found = explainPlan(() => {
      f(x, { w });
      f(x, { w });
    });
    expect(callsOf(found)).toEqual([2]);
    // By hand: a product of 1·2·1 terms; x and w are 16 bytes.
    expect(found.text).toMatch(/^Compiled program, called 2 times\n\nplan {7}2 rounds: 1 fused loop, 1 product\n/);
    expect(found.text).toContain("\ninputs     argument 0 float32[1, 2], argument 1.w float32[2, 1]\n");
    expect(found.text).toMatch(
      /\n1 product \[1, 2\] · \[2, 1\] +1 +16 B +4 B +4 +50 ns +1\n {4}argument 0, argument 1\.w → b\d\n/,
    );
    expect(String(found)).toBe(found.text);
    expect(found.programs[0]?.totals).toMatchObject({ steps: 2, host: [] });
    expect(found.programs[0]?.wat).toMatch(/^\(module\n/);
    expect(found.wat).toBe(`;; Compiled program, called 2 times\n${found.programs[0]?.wat}`);
  });

  it("changes no number, and leaves the runtime as it was, also where f throws", () => {
    setRuntime("wasm");
    const before = currentRuntime();
    const f = compile((x: Tensor) => grad((y: Tensor) => tanh(y).sum())(x));
    const x = tensor([0.1, 0.2, 0.3]);
    let inside: unknown;
    explainPlan(() => {
      inside = f(x).toArray();
    });
    expect(f(x).toArray()).toEqual(inside);
    expect(() =>
      explainPlan(() => {
        throw new RangeError("mine");
      }),
    ).toThrow(new RangeError("mine"));
    expect(currentRuntime()).toBe(before);
  });

  it("keeps a runtime that f installs", () => {
    setRuntime("wasm");
    explainPlan(() => setRuntime("reference"));
    expect(currentRuntime().name).toBe("reference");
  });

  it("shows the chunks of an expectation: two of 4 runs, one of 2, and the end of the means", () => {
    setRuntime("wasm");
    const E = expectation(({ loc }: { loc: Tensor }) => sample(Normal({ loc })).square(), { samples: 10, chunk: 4 });
    const found = explainPlan(() => E.valueAndGrad({ loc: 1 }, { key: 0 }));
    expect(callsOf(found)).toEqual([2, 1, 1]);
    expect(found.text).toContain("Compiled program 1 of 3, called 2 times\n");
    expect(found.text).toContain("mean so far float64[]");
  });

  it("counts what the interpreter does", () => {
    setRuntime("wasm");
    const found = explainPlan(() =>
      tanh(tensor([1, 2]))
        .sum()
        .item(),
    );
    expect(found.programs).toEqual([]);
    expect(found.interpreted).toEqual({ graphs: 1, operations: 2 });
    expect(found.text).toBe("Interpreted: 1 graph of 2 operations in all.");
    setRuntime("reference");
    const f = compile((x: Tensor) => x.square());
    expect(explainPlan(() => f(2)).interpreted).toEqual({ graphs: 1, operations: 1 });
    expect(explainPlan(() => 3).text).toBe("Nothing was computed.");
  });

  it("shows a long graph that is read once", () => {
    setRuntime("wasm");
    const x = tensor(new Float32Array(300 * 300).fill(0.5), { shape: [300, 300] });
    let read = 0;
    const found = explainPlan(() => {
      read = matmul(x, x).sum().item();
    });
    expect(callsOf(found)).toEqual([1]);
    expect(found.text).toContain("product [300, 300] · [300, 300]");
    expect(read).toBeCloseTo(300 * 300 * 300 * 0.25, -1);
  });

  it("throws inside a transform, and for a Promise", () => {
    expect(() => compile((x: Tensor) => [x, explainPlan(() => x).text].slice(0, 1))(1)).toThrow(
      "explainPlan: got a call inside a transform, where nothing is computed, expected a call outside; explainPlan(() => g(x)) with g = grad(f), compile(f), ….",
    );
    expect(() => explainPlan(async () => 1)).toThrow(
      "explainPlan: got a Promise from f, expected a function that computes before it returns; explainPlan(() => g(x)).",
    );
  });
});
