import { describe, expect, test } from "vitest";
import { checkGraph } from "../../src/graph/check.js";
import { type AnyPrimitive, placeholder, Tensor } from "../../src/graph/tensor.js";
import { grad, hessian, ones, sigmoid, tensor, vmap } from "../../src/index.js";
import * as linear from "../../src/primitives/linear.js";

const two = { shape: [2], dtype: "float32" } as const;

/** The message with ids cut, which depend on what was built before. */
function complaint(outputs: readonly Tensor[], grammar?: Parameters<typeof checkGraph>[1]): string | null {
  try {
    checkGraph(outputs, grammar);
  } catch (error) {
    return (error as Error).message.replace(/%\d+/g, "%");
  }
  return null;
}

describe("legal graphs", () => {
  test("pass, also after every transform", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const f = (w: Tensor): Tensor => sigmoid(w.matmul(x)).sum(0).square().mean();
    expect(
      complaint([f(x), grad(f)(x), hessian(f)(x) as Tensor, vmap((row: Tensor) => row.mul(row).sum())(x)]),
    ).toBeNull();
  });

  test("a leaf that was read is a constant", () => {
    const y = ones([3]).mul(2);
    y.toArray();
    expect(y.inputs).toEqual([]);
    expect(complaint([y.add(1)])).toBeNull();
  });

  test("a chain of 100,000 nodes is not walked by recursion", () => {
    let y = tensor(0);
    const one = tensor(1);
    for (let i = 0; i < 100_000; i++) y = linear.plus(y, one);
    expect(complaint([y])).toBeNull();
  });
});

describe("illegal graphs are a sentence", () => {
  const a = placeholder(two, "a");
  const b = linear.plus(a, a);

  test("an output that is not there", () => {
    expect(complaint([undefined as unknown as Tensor])).toBe("graph: got undefined as output 0, expected a node.");
  });

  test("an input that is not there", () => {
    const broken = new Tensor(two, { primitive: linear.neg, inputs: [undefined as unknown as Tensor], params: null });
    expect(complaint([linear.negate(broken)])).toBe(
      "graph: got undefined as input 0 of % = neg float32[2], expected a node.",
    );
  });

  test("an id that does not grow", () => {
    const late = placeholder(two, "late");
    const early = linear.plus(a, a);
    early.inputs = [a, new Tensor(two, { label: "later" })];
    expect(complaint([early, late])).toBe(
      'graph: got % = add float32[2] with the later input % = placeholder "later" float32[2], expected ids that grow along edges.',
    );
  });

  test("a type that its primitive does not infer", () => {
    const wrong = new Tensor({ shape: [3], dtype: "float32" }, { primitive: linear.add, inputs: [a, b], params: null });
    expect(complaint([wrong], { stage: "after vmap" })).toBe(
      "graph after vmap: got % = add float32[3], expected float32[2], which its primitive infers.",
    );
  });

  test("inputs that do not fit", () => {
    const wide = placeholder({ shape: [3], dtype: "float32" }, "wide");
    const wrong = new Tensor(two, { primitive: linear.add, inputs: [a, wide], params: null });
    expect(complaint([wrong])).toBe(
      "graph: % = add float32[2] does not fit its inputs: add: got float32[2] and float32[3], expected equal types.",
    );
  });

  test("a leaf without anything", () => {
    expect(complaint([new Tensor(two, {})])).toBe(
      "graph: got % = leaf float32[2] without numbers and without a label, expected a constant or a placeholder.",
    );
  });

  test("inputs without a primitive", () => {
    expect(complaint([new Tensor(two, { inputs: [a], label: "odd" })])).toBe(
      'graph: got % = placeholder "odd" float32[2] with 1 inputs and no primitive, expected a leaf without inputs.',
    );
  });

  test("numbers of another type", () => {
    const { value } = tensor([1, 2, 3]);
    expect(complaint([new Tensor(two, { value: value as NonNullable<Tensor["value"]> })])).toBe(
      "graph: got % = leaf float32[2] with numbers float32[3], expected numbers of its own type.",
    );
  });

  test("a primitive that the stage forbids", () => {
    const sample: AnyPrimitive = { ...linear.alias, name: "sample" };
    const site = new Tensor(two, { primitive: sample, inputs: [a], params: null });
    expect(complaint([linear.negate(site)])).toBeNull();
    expect(complaint([linear.negate(site)], { stage: "after rewriting", forbidden: ["sample"] })).toBe(
      "graph after rewriting: got % = sample float32[2], expected no sample here.",
    );
  });

  test("a placeholder that is no argument", () => {
    expect(complaint([b], { placeholders: [a] })).toBeNull();
    expect(complaint([b], { placeholders: [] })).toBe(
      'graph: got % = placeholder "a" float32[2], expected no placeholder but the arguments of the trace.',
    );
  });
});
