import { describe, expect, test } from "vitest";
import { scanNode } from "../../src/control/scan.js";
import { Body } from "../../src/graph/body.js";
import { constant } from "../../src/graph/leaves.js";
import { type AnyPrimitive, apply, placeholder, type Tensor } from "../../src/graph/tensor.js";
import { currentRuntime, installRuntime } from "../../src/graph/trace.js";
import { ancestors } from "../../src/graph/walk.js";
import * as sg from "../../src/index.js";
import { tensor } from "../../src/index.js";
import { mul } from "../../src/primitives/contract.js";
import { exp, sin } from "../../src/primitives/elementary.js";
import { add, broadcastTo, neg, sub, sum } from "../../src/primitives/linear.js";
import { equals, maximum } from "../../src/primitives/pointwise.js";
import { part } from "../../src/primitives/tuple.js";
import { reference } from "../../src/runtime/reference.js";
import { gradients } from "../../src/transforms/grad.js";
import { simplify, simplifyGraph } from "../../src/transforms/simplify/index.js";
import { structure } from "../../src/transforms/simplify/keys.js";
import { array, feedsOf, formula, operations, run } from "./simplifying.js";

const on = (primitive: AnyPrimitive, ...inputs: Tensor[]): Tensor => apply(primitive, inputs, null);
const hole = (shape: readonly number[] = [3], label = "x"): Tensor => placeholder({ shape, dtype: "float64" }, label);
const list = (...numbers: number[]): Tensor => tensor(Float64Array.from(numbers));
const of = (value: number, shape: readonly number[]): Tensor => broadcastTo(constant(value, "float64"), shape);
/** How many different nodes stand for these. */
const different = (...nodes: Tensor[]): number => new Set(simplify(nodes)).size;

describe("common subexpressions", () => {
  test("equal operations on equal inputs are one, deep down too", () => {
    const [x, y] = [hole(), hole([3], "y")];
    const deep = (): Tensor => on(exp, on(mul, on(sin, x), y));
    expect(different(deep(), deep())).toBe(1);
    expect(operations(simplify([on(add, deep(), on(sin, deep()))]))).toBe(5);
    expect(different(on(sub, x, y), on(sub, y, x))).toBe(2);
  });

  test("of operations that commute, in both orders", () => {
    const [x, y] = [hole(), hole([3], "y")];
    for (const primitive of [add, mul, maximum, equals])
      expect(different(on(primitive, x, y), on(primitive, y, x))).toBe(1);
  });

  test("parameters count: plain data by what it says, the rest by identity", () => {
    const x = hole([3, 3]);
    const along = (axes: number[]): Tensor => apply(sum, [x], { axes });
    expect([different(along([0]), along([0])), different(along([0]), along([1]))]).toEqual([1, 2]);
    const f = (): number => 0;
    const same: [unknown, unknown][] = [
      [
        { a: 1, b: [2, "c"] },
        { b: [2, "c"], a: 1 },
      ],
      [
        { f, n: Number.NaN },
        { f, n: Number.NaN },
      ],
      [Float32Array.of(1, -0), Float32Array.of(1, -0)],
    ];
    for (const [a, b] of same) expect(structure(a)).toBe(structure(b));
    const apart: [unknown, unknown][] = [
      [{ a: 0 }, { a: -0 }],
      [{ a: 1 }, { a: "1" }],
      [{ a: [1, 2] }, { a: ["1,2"] }],
      [{ a: undefined }, {}],
      [{ a: "x" }, { b: "x" }],
      [[[1], [2]], [[1, 2]]],
      [{ f }, { f: () => 0 }],
      [Float32Array.of(1), Float64Array.of(1)],
      [new Map(), new Map()],
      [new Body([], []), new Body([], [])],
      [{ hole: x }, { hole: hole([3, 3]) }],
      [Symbol("a"), Symbol("a")],
      [1n, 1],
    ];
    for (const [a, b] of apart) expect(structure(a)).not.toBe(structure(b));
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(structure(cycle)).toBe(structure(cycle));
  });

  test("constants are one if no bit differs", () => {
    const x = hole();
    const plus = (...numbers: number[]): Tensor => on(add, x, list(...numbers));
    expect(different(plus(1, 2, Number.NaN), plus(1, 2, Number.NaN))).toBe(1);
    expect(different(plus(0, 2, 3), plus(-0, 2, 3))).toBe(2);
    expect(
      different(constant(0, "float64"), constant(-0, "float64"), constant(0, "float32"), constant(0, "int32")),
    ).toBe(4);
    expect(different(tensor([1, 2]), tensor([1, 2], { shape: [2, 1] }))).toBe(2);
  });
});

describe("constants", () => {
  test("what depends on constants alone is computed with its own kernel", () => {
    const [a, b] = [list(0.1, 0.2), list(0.3, 0.7)];
    const node = on(exp, on(mul, a, b));
    const [after] = simplify([node]) as [Tensor];
    expect([after.primitive, after.inputs]).toEqual([null, []]);
    expect([...(after.value?.data ?? [])]).toEqual(run([node], new Map())[0]);
  });

  test("repeated scalars stay a scalar and a shape, however large", () => {
    const large = on(add, of(2, [1000, 1000]), of(3, [1000, 1000]));
    const [after] = simplify([on(mul, hole([1000, 1000]), large)]) as [Tensor];
    expect(formula(after)).toBe("mul(x, 5)");
    expect(ancestors([after]).map(({ value }) => value?.data.length ?? 0)).toEqual([0, 1, 0, 0].slice(0, 4));
    const equal = on(exp, list(2, 2, 2));
    expect(simplify([equal])[0]?.inputs.map(({ shape }) => shape)).toEqual([[]]);
  });

  test("nothing is folded that takes more memory, or is larger than 4,096 elements", () => {
    const wide = broadcastTo(list(1, 2), [50, 2]);
    const running = sg.cumsum(of(1, [50]), 0);
    const long = on(sin, tensor(Float64Array.from({ length: 4097 }, (_, i) => i)));
    expect(simplify([wide, running, long]).map((node) => node.primitive?.name)).toEqual(["broadcast", "cumsum", "sin"]);
    const just = on(sin, tensor(Float64Array.from({ length: 4096 }, (_, i) => i)));
    expect(simplify([just])[0]?.primitive).toBe(null);
  });

  test("variables of derivatives that come later stay what they are", () => {
    const [w, v] = [list(2, 3), list(2, 3)];
    const loss = apply(sum, [on(mul, w, on(sin, v))], { axes: [0] });
    expect(simplify([loss])[0]?.primitive).toBe(null);
    const [kept] = simplify([loss], { variables: [w, v] }) as [Tensor];
    expect(run(gradients(kept, [w, v]), new Map())).toEqual(run(gradients(loss, [w, v]), new Map()));
    const inner = on(sin, w);
    expect(simplify([on(neg, on(neg, inner))], { variables: [inner] })).toEqual([inner]);
  });
});

describe("the graph", () => {
  test("what no output reaches is left out; the map says what stands for every node", () => {
    const x = hole();
    const ones = on(mul, x, of(1, [3]));
    const { outputs, map } = simplifyGraph([on(sin, ones), x]);
    expect([map.get(ones), outputs[1]]).toEqual([x, x]);
    expect(operations(outputs)).toBe(1);
    const [again] = simplify([on(sin, x)]) as [Tensor];
    expect(again.inputs).toEqual([x]);
  });

  test("of several results the parts that somebody takes", () => {
    const [carry, row, start, rows] = [hole([]), hole([]), hole([], "start"), hole([3], "rows")];
    const body = new Body([carry, row], [on(add, carry, row), on(mul, on(sin, row), of(1, []))]);
    const params = { body, length: 3, reverse: false, carries: 1, stacked: 1, alive: null, residuals: "auto" as const };
    const made = scanNode([on(neg, on(neg, start)), rows], params);
    const outputs = [part(made, 1), part(made, 0), part(made, 1)];
    const feeds = feedsOf([start, rows], [array("float64", [], () => 1), array("float64", [3], (i) => i)]);
    const after = simplify(outputs);
    expect(run(after, feeds)).toEqual(run(outputs, feeds));
    expect(after[0]).toBe(after[2]);
    expect(after[0]?.inputs[0]?.inputs).toEqual([start, rows]);
  });

  test("a chain of 1,000,000 nodes", () => {
    const [x, y] = [hole([]), hole([], "y")];
    let node = x;
    for (let i = 0; i < 500_000; i++) node = on(neg, on(add, node, y));
    const [after] = simplify([node]) as [Tensor];
    // −(−a + y) is −(y − a), so each pair but the first is one subtraction; one negation is left at the end.
    expect(operations([after])).toBe(500_001);
  }, 120_000);
});

test("compile runs the simplified graph, and keeps the one it was given for other transforms", () => {
  const runtime = currentRuntime();
  const kernels: number[] = [];
  installRuntime({
    ...reference,
    run: (outputs, feeds) => {
      kernels.push(operations(outputs));
      return reference.run(outputs, feeds);
    },
    prepare: (outputs, inputs) => {
      kernels.push(operations(outputs));
      return reference.prepare(outputs, inputs);
    },
  });
  try {
    const f = (x: Tensor): Tensor => x.mul(1).sin().mul(x.sin()).sum();
    const compiled = sg.compile(f);
    const x = tensor([0.5, -1]);
    expect(compiled(x).item()).toBe(f(x).item());
    // Reading the argument, the program (sin, mul, sum), reading the result; then the program as it is written.
    expect(kernels.filter((n) => n > 0)).toEqual([3, 6]);
    expect(sg.grad(compiled)(x).toArray()).toEqual(sg.grad(f)(x).toArray());
  } finally {
    installRuntime(runtime);
  }
});
