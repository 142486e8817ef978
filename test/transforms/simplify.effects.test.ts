import { describe, expect, test } from "vitest";
import { scanNode } from "../../src/control/scan.js";
import { normalFamily } from "../../src/distributions/normal.js";
import { type SiteParams, sampleNode } from "../../src/expectation/site.js";
import { Body } from "../../src/graph/body.js";
import { constant } from "../../src/graph/leaves.js";
import { type AnyPrimitive, apply, placeholder, type Tensor } from "../../src/graph/tensor.js";
import { callingAtOnce } from "../../src/graph/trace.js";
import * as sg from "../../src/index.js";
import { tensor } from "../../src/index.js";
import { type Demand, validate } from "../../src/primitives/check.js";
import { mul } from "../../src/primitives/contract.js";
import { detach, others, shadow, stopGradient } from "../../src/primitives/control.js";
import { sin } from "../../src/primitives/elementary.js";
import { type ExternalParams, external } from "../../src/primitives/external.js";
import { gather } from "../../src/primitives/indexing.js";
import { alias, broadcastTo, named, neg } from "../../src/primitives/linear.js";
import { equals, where } from "../../src/primitives/pointwise.js";
import { part } from "../../src/primitives/tuple.js";
import { simplify } from "../../src/transforms/simplify/index.js";
import { array, feedsOf, formula, run } from "./simplifying.js";

const on = (primitive: AnyPrimitive, ...inputs: Tensor[]): Tensor => apply(primitive, inputs, null);
const hole = (shape: readonly number[] = [3], label = "x"): Tensor => placeholder({ shape, dtype: "float64" }, label);
const list = (...numbers: number[]): Tensor => tensor(Float64Array.from(numbers));
const of = (value: number, shape: readonly number[]): Tensor => broadcastTo(constant(value, "float64"), shape);
/** How many different nodes stand for these. */
const different = (...nodes: Tensor[]): number => new Set(simplify(nodes)).size;

const site = (loc: Tensor, params?: SiteParams): Tensor =>
  apply(
    sampleNode,
    [loc, of(1, loc.shape)],
    params ?? { name: "z", family: normalFamily, names: ["loc", "scale"], estimator: null },
  );
const box = (x: Tensor, fn: ExternalParams["fn"]): Tensor =>
  apply(external, [x], { fn, name: "f", shape: x.shape, dtype: x.dtype, maps: 0, outer: [], chained: false });
const demand: Demand = { where: "Normal", name: "scale", expected: "a positive number", holds: (x) => x > 0 };
const positive = (x: Tensor, params = demand): Tensor => apply(validate, [x], params);

describe("what is itself and not only its numbers", () => {
  test("two random choices stay two, also with one parameter object", () => {
    const x = hole();
    const first = site(x);
    expect(different(first, site(x, first.params as SiteParams))).toBe(2);
  });

  test("random bits of one key are the same numbers", () => {
    const key = placeholder({ shape: [2], dtype: "uint32" }, "key");
    expect(different(sg.jaxBits(key, [2]), sg.jaxBits(key, [2]))).toBe(1);
  });

  test("black boxes are called as often and in the same order as before", () => {
    const calls: string[] = [];
    const noted = (name: string) => (x: { data: ArrayLike<number> }) => {
      calls.push(name);
      return Array.from(x.data, (v) => v + calls.length);
    };
    const x = hole();
    const f = noted("f");
    // The first is rebuilt, because its input is; the second would otherwise keep its lower number and come first.
    const outputs = [box(on(mul, x, of(1, [3])), f), box(x, f), box(on(sin, x), noted("g"))];
    const feeds = feedsOf([x], [array("float64", [3], (i) => i)]);
    const before = run(outputs, feeds);
    expect(calls.splice(0)).toEqual(["f", "f", "g"]);
    expect(run(simplify(outputs), feeds)).toEqual(before);
    expect(calls).toEqual(["f", "f", "g"]);
  });

  test("a black box that was called keeps its value", () => {
    let calls = 0;
    const x = hole([]);
    const made = callingAtOnce(() =>
      sg.external(() => ++calls, [on(mul, list(2), list(1))], { shape: [], dtype: "float64" }),
    );
    const [after] = simplify([on(mul, made, x)]) as [Tensor];
    expect(run([after], feedsOf([x], [array("float64", [], () => 10)]))).toEqual([[10]]);
    expect(calls).toBe(1);
  });

  test("variables, names, baselines and means over others stay apart; stopped gradients are only numbers", () => {
    const x = hole();
    for (const primitive of [alias, shadow]) expect(different(on(primitive, x), on(primitive, x))).toBe(2);
    expect(different(apply(named, [x], { name: "a" }), apply(named, [x], { name: "a" }))).toBe(2);
    // Labels that read alike, of two programs.
    const mean = (): Tensor => apply(others, [x], { axes: [0], name: { label: "runs" } });
    expect(different(mean(), mean())).toBe(2);
    for (const primitive of [stopGradient, detach]) {
      expect(different(on(primitive, x), on(primitive, x))).toBe(1);
      const [inner] = simplify([on(neg, on(primitive, on(neg, x)))]) as [Tensor];
      expect(formula(inner)).toBe(`neg(${primitive.name}(neg(x)))`);
    }
  });

  test("loops are one where their body is, and nothing in it must happen twice", () => {
    const [carry, x] = [hole([]), hole([], "y")];
    const loop = (body: Body): Tensor =>
      scanNode([x], { body, length: 3, reverse: false, carries: 1, stacked: 0, alive: null, residuals: "auto" });
    const body = new Body([carry], [on(sin, carry)]);
    const once = loop(body);
    const twice = apply(once.primitive as AnyPrimitive, [x], once.params);
    expect(different(part(once, 0), part(twice, 0))).toBe(1);
    expect(different(part(once, 0), part(loop(new Body([carry], [on(sin, carry)])), 0))).toBe(2);
    const acting = loop(new Body([carry], [box(carry, ({ data }) => data)]));
    expect(different(part(acting, 0), part(apply(acting.primitive as AnyPrimitive, [x], acting.params), 0))).toBe(2);
  });
});

describe("errors", () => {
  const x = hole();
  const feeds = feedsOf([x], [array("float64", [3], (i) => i - 1)]);
  const message = (outputs: readonly Tensor[]): string => {
    try {
      run(outputs, feeds);
    } catch (error) {
      return (error as Error).message;
    }
    return "none";
  };

  test("a check of constants that holds is gone, one that fails stays and fails when it runs", () => {
    expect(formula(simplify([positive(list(1, 2))])[0] as Tensor)).toBe("1");
    const [bad] = simplify([positive(list(1, -2))]) as [Tensor];
    expect(() => run([bad], new Map())).toThrow("Normal: got scale[1] = -2, expected a positive number.");
    const outside = apply(gather, [list(1, 2, 3), tensor(Int32Array.of(0, 3))], { batch: 0 });
    const [kept] = simplify([outside]) as [Tensor];
    expect(kept).toBe(outside);
    const counting = apply(gather, [x, tensor(Int32Array.of(2, 3))], { batch: 0 });
    expect(message(simplify([counting]))).toBe(message([counting]));
  });

  test("what may throw is not dropped with a branch or a condition", () => {
    const yes = broadcastTo(constant(1, "bool"), [3]);
    const branch = on(where, yes, x, positive(x));
    const condition = on(where, on(equals, positive(x), x), x, x);
    const free = on(where, yes, x, on(sin, x));
    expect(simplify([branch, condition, free]).map(formula)).toEqual([formula(branch), formula(condition), "x"]);
    for (const node of [branch, condition]) {
      expect(message([node])).toMatch("scale[0] = -1");
      expect(message(simplify([node]))).toBe(message([node]));
    }
  });

  test("the first of several errors is still the first", () => {
    const early = positive(on(mul, x, of(1, [3])), { ...demand, name: "early" });
    const outputs = [early, positive(x, { ...demand, name: "late" })];
    expect(message(outputs)).toMatch("early");
    expect(message(simplify(outputs))).toBe(message(outputs));
  });
});
