import { describe, test } from "vitest";
import { primitives } from "../../src/control/index.js";
import { simplified } from "../../src/control/simplify.js";
import type { Tensor } from "../../src/graph/tensor.js";
import type { NDArray } from "../../src/kernel/ndarray.js";
import { reference } from "../../src/runtime/reference.js";
import { type Case, dice, drawAll } from "../primitives/draw.js";
import { holesOf, outputsOf, sameNumbers } from "./same.js";

export type Computes = (
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  values: readonly NDArray[],
) => readonly NDArray[];

/** Tests that every primitive, alone and inside a few graphs around it, gives the numbers of the reference interpreter. */
export function everyPrimitive(compute: Computes): void {
  const check = (
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    values: readonly NDArray[],
    what: string,
  ): void => {
    const expected = reference.prepare(outputs, inputs)(values);
    compute(outputs, inputs, values).forEach((value, i) => {
      sameNumbers(value, expected[i] as NDArray, `${what}, output ${i}`);
    });
  };
  describe.each(["float64", "float32"] as const)("%s", (float) => {
    test.each(primitives.filter(({ laws }) => laws.length > 0).map((p) => [p.name, p] as const))(
      "%s",
      (name, primitive) => {
        (primitive.laws as readonly Case[]).forEach((lawCase, i) => {
          const holes = holesOf(lawCase, float);
          const values = drawAll(lawCase, float, dice(i));
          const outputs = outputsOf(primitive, holes, lawCase.params);
          check(outputs, holes, values, `${name} case ${i}`);
          check(simplified(outputs), holes, values, `${name} case ${i}, simplified`);
        });
      },
    );
  });
}
