import { isFloat } from "../../src/base/dtype.js";
import { type AnyPrimitive, smoothness, type Tensor } from "../../src/graph/tensor.js";
import { ancestors } from "../../src/graph/walk.js";
import { elements } from "../../src/kernel/ndarray.js";
import { reference } from "../../src/runtime/reference.js";

/**
 * What a program has decided by its numbers: for every operation that is not smooth, the order of all numbers that go in (and of zero),
 * and the whole numbers they lie between. Two points with equal decisions lie on one smooth piece.
 */
export function decisions(out: Tensor): string {
  const inputs = ancestors([out]).flatMap(({ primitive, inputs: from }) =>
    primitive !== null && from.some((_, k) => smoothness(primitive as AnyPrimitive, k) !== "smooth")
      ? [from.filter(({ dtype }) => isFloat(dtype))]
      : [],
  );
  const values = reference.run(inputs.flat(), new Map());
  let next = 0;
  return inputs
    .map((group) => {
      const numbers = group.flatMap(() => [...elements(values[next++] as (typeof values)[number])]);
      const order = [0, ...numbers].map((_, i) => i);
      const size = (i: number): number => (i === 0 ? 0 : (numbers[i - 1] as number));
      order.sort((i, j) => size(i) - size(j) || i - j);
      return `${order} ${numbers.map((x) => [Math.floor(x), Math.round(x)])}`;
    })
    .join("\n");
}
