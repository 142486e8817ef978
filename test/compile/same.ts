import { expect } from "vitest";
import { type AnyPrimitive, apply, type LawCase, placeholder, type Tensor } from "../../src/graph/tensor.js";
import { elements, type NDArray } from "../../src/kernel/ndarray.js";
import { partsOf } from "../../src/primitives/tuple.js";
import { dtypeOf, type Float } from "../primitives/draw.js";

/** Comparing what runtimes compute. */

/** Floats to rounding, everything else exactly. */
export function sameNumbers(found: NDArray, expected: NDArray, what: string): void {
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

export function holesOf({ inputs }: LawCase<unknown>, float: Float): Tensor[] {
  return inputs.map((input, i) => placeholder({ shape: input.shape, dtype: dtypeOf(input, float) }, `x${i}`));
}

export function outputsOf(primitive: AnyPrimitive, holes: readonly Tensor[], params: unknown): Tensor[] {
  const node = apply(primitive, holes, params);
  return node.parts ? partsOf(node) : [node];
}
