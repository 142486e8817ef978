import { describe, expect, test } from "vitest";
import { toDot } from "../../src/graph/dot.js";
import { printGraph } from "../../src/graph/print.js";
import { type AnyPrimitive, apply, placeholder, type Tensor } from "../../src/graph/tensor.js";
import { cumsum, matmul, named, oneHot, slice, tensor, where } from "../../src/index.js";
import * as linear from "../../src/primitives/linear.js";

const x = placeholder({ shape: [64, 3], dtype: "float32" }, "x");
const weights = tensor([
  [1, 2.123456789],
  [3, 4],
  [5, 6],
]);
const hidden = named(matmul(x, weights).mul(0.5), "h");
const loss = hidden.square().sum(1).mean();

describe("printGraph", () => {
  test("one node a line, placeholders and named nodes by name, constants short", () => {
    expect(printGraph([loss])).toBe(`x = placeholder float32[64, 3]
%1 = constant [1, 2.12346, 3, 4, … 6] float32[3, 2]
%2 = matmul(x, %1) float32[64, 2]
%3 = mul(%2, 0.5) float32[64, 2]
h = named(%3) float32[64, 2]
%4 = mul(h, h) float32[64, 2]
%5 = sum(%4, axes=[1]) float32[64]
%6 = sum(%5, axes=[0]) float32[]
%7 = mul(%6, 0.015625) float32[]
return %7`);
  });

  test("names that are given come first", () => {
    expect(printGraph([hidden], { names: new Map([[weights, "W"]]) })).toBe(`x = placeholder float32[64, 3]
W = constant [1, 2.12346, 3, 4, … 6] float32[3, 2]
%1 = matmul(x, W) float32[64, 2]
%2 = mul(%1, 0.5) float32[64, 2]
h = named(%2) float32[64, 2]
return h`);
  });

  test("equal names are told apart", () => {
    expect(printGraph([named(named(tensor([1]), "a"), "a")])).toBe(`%1 = constant [1] float32[1]
a = named(%1) float32[1]
a#2 = named(a) float32[1]
return a#2`);
  });

  test("parameters, other dtypes, a scalar that is the result", () => {
    const a = placeholder({ shape: [4], dtype: "float64" }, "a");
    const mask = tensor([true, false, true, true]);
    const out = where(mask, cumsum(a, 0, { reverse: true }), slice(a, 0, 4));
    expect(printGraph([out, tensor(3)])).toBe(`a = placeholder float64[4]
%1 = constant [true, false, true, true] bool[4]
%2 = cumsum(a, axis=0, reverse=true) float64[4]
%3 = slice(a, start=[0], stop=[4], step=[1]) float64[4]
%4 = where(%1, %2, %3) float64[4]
%5 = constant 3 float32[]
return %4, %5`);
  });

  test("numbers that are known are shown on request", () => {
    const a = named(tensor([1, 2, 3]).mul(2), "a");
    const b = a.add(0.25);
    a.toArray();
    expect(printGraph([b], { values: true })).toBe(`%1 = constant [2, 4, 6] float32[3]
%2 = add(%1, 0.25) float32[3]
return %2`);
  });
});

/** `[label, shape]` of every node. */
function drawn(dot: string): [string, string][] {
  return [...dot.matchAll(/^ {2}n\d+ \[label="(.*?)", shape="(.*?)"/gm)].map(([, label, shape]) => [
    label as string,
    shape as string,
  ]);
}

describe("toDot", () => {
  const site: AnyPrimitive = { ...linear.alias, name: "sample" };
  const a = apply(site, [hidden], { name: "a" } as unknown as null);

  test("random choices are ellipses, deterministic nodes boxes, leaves plain", () => {
    expect(drawn(toDot([a.mul(2).sum()]))).toEqual([
      ["x\\nfloat32[64, 3]", "plain"],
      ["[1, 2.12346, 3, 4, … 6]\\nfloat32[3, 2]", "plain"],
      ["matmul\\nfloat32[64, 2]", "box"],
      ["0.5", "plain"],
      ["mul\\nfloat32[64, 2]", "box"],
      ["h\\nfloat32[64, 2]", "box"],
      ["a\\nfloat32[64, 2]", "ellipse"],
      ["2", "plain"],
      ["mul\\nfloat32[64, 2]", "box"],
      ["sum axes=[0, 1]\\nfloat32[]", "box"],
    ]);
  });

  test("the whole text", () => {
    expect(
      toDot([linear.negate(placeholder({ shape: [], dtype: "float32" }, 'the "x"'))], { direction: "LR" }),
    ).toBe(`digraph {
  rankdir=LR;
  node [fontname="Helvetica"];
  n0 [label="the \\"x\\"\\nfloat32[]", shape="plain"];
  n1 [label="neg\\nfloat32[]", shape="box", peripheries=2];
  n0 -> n1;
}`);
  });

  test("higher floors decorate", () => {
    const describe = (node: Tensor) => (node === a ? { label: "a ~ Bernoulli", shape: "diamond", fill: "gold" } : null);
    expect(toDot([a.sum()], { describe })).toContain(
      '[label="a ~ Bernoulli", shape="diamond", style="filled", fillcolor="gold"]',
    );
  });

  test("above the limit chains of unnamed elementwise and shape operations are one box", () => {
    const long = a.exp().neg().sin().cos().tanh().reshape([128]).sigmoid().sum();
    expect(drawn(toDot([long])).length).toBe(15);
    const short = drawn(toDot([long], { limit: 5 }));
    expect(short.map(([label]) => label)).toContain("exp → neg → sin → … 2 more → reshape → sigmoid\\nfloat32[128]");
    expect(short.map(([label]) => label.split("\\n")[0])).toEqual(
      expect.arrayContaining(["matmul", "h", "a", "sum axes=[0]"]),
    );
    expect(short.length).toBe(9);
  });

  test("nodes with several users, described nodes and nodes that mix are not collapsed", () => {
    const start = placeholder({ shape: [4], dtype: "float32" }, "s");
    const shared = start.exp();
    const told = shared.neg();
    const out = told.cumsum().tanh().add(shared);
    const labels = (options: Parameters<typeof toDot>[1]): string[] =>
      drawn(toDot([out], options)).map(([label]) => label.split("\\n")[0] as string);
    expect(labels({ limit: 0 })).toEqual(["s", "exp", "neg", "cumsum axis=0, reverse=false", "tanh → add"]);
    expect(labels({ limit: 0, describe: (node) => (node === told ? {} : null) })).toEqual(labels({ limit: 0 }));
    expect(labels({ limit: 0, names: new Map([[out, "out"]]) })).toEqual([
      "s",
      "exp",
      "neg",
      "cumsum axis=0, reverse=false",
      "tanh",
      "out",
    ]);
  });

  test("every edge joins nodes that are there", () => {
    const dot = toDot([oneHot(placeholder({ shape: [3], dtype: "int32" }, "i"), 4).mul(loss)], { limit: 2 });
    const ids = new Set([...dot.matchAll(/^ {2}(n\d+) \[/gm)].map(([, id]) => id));
    const edges = [...dot.matchAll(/^ {2}(n\d+) -> (n\d+);/gm)];
    expect(edges.length).toBeGreaterThan(5);
    for (const [, from, to] of edges)
      expect([ids.has(from as string), ids.has(to as string), from === to]).toEqual([true, true, false]);
  });
});
