import "../../src/tensor/methods.js";
import { describe, expect, test } from "vitest";
import { lower } from "../../src/compile/lower.js";
import { primitives } from "../../src/control/index.js";
import { simplified } from "../../src/control/simplify.js";
import { type AnyPrimitive, apply, type LawCase, placeholder, type Tensor } from "../../src/graph/tensor.js";
import { elements, type NDArray } from "../../src/kernel/ndarray.js";
import { partsOf } from "../../src/primitives/tuple.js";
import { reference } from "../../src/runtime/reference.js";
import { type Case, dice, drawAll, dtypeOf, type Float } from "../primitives/draw.js";
import { PlanRunner } from "./run.js";

/** A plan computes what the reference interpreter computes: every primitive alone, and inside a few graphs around it. */

function sameNumbers(found: NDArray, expected: NDArray, what: string): void {
  expect(found.shape, what).toEqual(expected.shape);
  expect(found.dtype, what).toBe(expected.dtype);
  const [x, y] = [elements(found), elements(expected)];
  const unit = found.dtype === "float32" ? 2 ** -20 : 1e-11;
  for (let i = 0; i < y.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number];
    if (Object.is(a, b) || a === b) continue;
    const whole = found.dtype !== "float32" && found.dtype !== "float64";
    if (whole || !(Math.abs(a - b) <= unit * (Math.abs(b) + 1)))
      expect.fail(`${what}, element ${i}: ${a}, expected ${b}`);
  }
}

function check(outputs: readonly Tensor[], inputs: readonly Tensor[], values: readonly NDArray[], what: string): void {
  const expected = reference.prepare(outputs, inputs)(values);
  const found = new PlanRunner(lower(outputs, inputs)).run(values, outputs);
  found.forEach((value, i) => {
    sameNumbers(value, expected[i] as NDArray, `${what}, output ${i}`);
  });
}

function holesOf({ inputs }: LawCase<unknown>, float: Float): Tensor[] {
  return inputs.map((input, i) => placeholder({ shape: input.shape, dtype: dtypeOf(input, float) }, `x${i}`));
}

function outputsOf(primitive: AnyPrimitive, holes: readonly Tensor[], params: unknown): Tensor[] {
  const node = apply(primitive, holes, params);
  return node.parts ? partsOf(node) : [node];
}

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
