import { describe, expect, test } from "vitest";
import { primitives } from "../../src/primitives/index.js";
import { type Case, dtypeOf, type Float } from "./draw.js";
import { derivativeLaw, type Law, pullbackLaw, secondLaw, transposeLaw } from "./lawbook.js";
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

function complaintsOf(law: Law, primitive: (typeof primitives)[number], seeds: number): string[] {
  const floats: Float[] = ["float64", "float32"];
  return primitive.laws.flatMap((lawCase: Case, i) =>
    floats.flatMap((float) =>
      Array.from({ length: seeds }, (_, seed) => law(primitive, lawCase, float, 1000 * i + seed)).flatMap((complaint, seed) =>
        complaint === null ? [] : [`case ${i}, ${float}, seed ${seed}: ${complaint}`],
      ),
    ),
  );
}

test("every primitive has a case, a name of its own, and rules that are functions", () => {
  expect(primitives.length).toBeGreaterThan(60);
  expect(primitives.filter(({ laws: cases }) => cases.length === 0).map(({ name }) => name)).toEqual([]);
  const names = primitives.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe.each(primitives.map((primitive) => [primitive.name, primitive] as const))("%s", (_name, primitive) => {
  test.each(laws)("$name", ({ law, seeds }) => {
    expect(complaintsOf(law, primitive, seeds)).toEqual([]);
  });

  test("cases draw what they say", () => {
    for (const { inputs, params } of primitive.laws as readonly Case[]) {
      const types = inputs.map((input) => ({ shape: input.shape, dtype: dtypeOf(input, "float64") }));
      expect(() => primitive.type(types, params)).not.toThrow();
    }
  });
});
