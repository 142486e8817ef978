import "../../src/tensor/methods.js";
import { describe, expect, test } from "vitest";
import { SamplegradError } from "../../src/base/errors.js";
import { primitives } from "../../src/control/index.js";
import type { AnyPrimitive, LawInput } from "../../src/graph/tensor.js";
import { type Case, dice, drawAll, dtypeOf, type Float, outputOf } from "./draw.js";
import { derivativeLaw, type Law, pullbackLaw, secondLaw, transposeLaw } from "./lawbook.js";
import { views } from "./parts.js";
import { batchLaw, nestedBatchLaw, readsLaw, typeLaw } from "./structure.js";

/** Every primitive × every law × every case. The list is the test: a new primitive is tested by existing. */

const laws: readonly { readonly name: string; readonly law: Law; readonly seeds: number }[] = [
  { name: "jvp is the derivative", law: derivativeLaw, seeds: 4 },
  { name: "⟨Jv,w⟩ = ⟨v,Jᵀw⟩", law: pullbackLaw, seeds: 2 },
  { name: "transpose rule", law: transposeLaw, seeds: 2 },
  { name: "second derivative", law: secondLaw, seeds: 2 },
  { name: "batch = loop", law: batchLaw, seeds: 1 },
  { name: "batch of batch", law: nestedBatchLaw, seeds: 1 },
  { name: "reads", law: readsLaw, seeds: 4 },
  { name: "types", law: typeLaw, seeds: 1 },
];

function complaintsOf(law: Law, primitive: AnyPrimitive, seeds: number): string[] {
  const tries = (list: readonly Case[], what: string, float: Float, times: number): string[] =>
    list.flatMap((lawCase, i) =>
      Array.from({ length: times }, (_, seed) => law(primitive, lawCase, float, 1000 * i + seed)).flatMap(
        (complaint, seed) => (complaint === null ? [] : [`${what} ${i}, ${float}, seed ${seed}: ${complaint}`]),
      ),
    );
  const [cases, shapes] = [primitive.laws, variants(primitive)];
  return [
    ...tries(cases, "case", "float64", seeds),
    ...tries(cases, "case", "float32", seeds),
    ...tries(shapes, "shape", "float64", 1),
  ];
}

/** Scalars, and sizes 0 and 1 on every axis, where all inputs have one shape and the primitive takes them. */
function variants(primitive: AnyPrimitive): Case[] {
  return (primitive.laws as readonly Case[]).flatMap(({ inputs, params }) => {
    const [{ shape }] = inputs as [LawInput];
    if (inputs.some((input) => String(input.shape) !== String(shape))) return [];
    const shapes = [[], ...shape.flatMap((_, axis) => [0, 1].map((n) => shape.map((m, i) => (i === axis ? n : m))))];
    const cases = shapes.map((other) => ({ params, inputs: inputs.map((input) => ({ ...input, shape: other })) }));
    return cases.filter((lawCase) => accepts(primitive, lawCase));
  });
}

function accepts(primitive: AnyPrimitive, lawCase: Case): boolean {
  try {
    return outputOf(primitive, drawAll(lawCase, "float64", dice(0)), lawCase.params).length >= 0;
  } catch (error) {
    if (error instanceof SamplegradError) return false;
    throw error;
  }
}

test("every primitive has a case, a name of its own, and rules that are functions", () => {
  expect(primitives.length).toBeGreaterThan(60);
  expect(primitives.filter(({ laws: cases }) => cases.length === 0).map(({ name }) => name)).toEqual([]);
  const names = primitives.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe.each(primitives.flatMap(views).map((primitive) => [primitive.name, primitive] as const))(
  "%s",
  (_name, primitive) => {
    test.each(laws)("$name", ({ law, seeds }) => {
      expect(complaintsOf(law, primitive, seeds)).toEqual([]);
    });

    test("cases draw what they say", () => {
      for (const { inputs, params } of primitive.laws as readonly Case[]) {
        const types = inputs.map((input) => ({ shape: input.shape, dtype: dtypeOf(input, "float64") }));
        expect(() => primitive.type(types, params)).not.toThrow();
      }
    });
  },
);
