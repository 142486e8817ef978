import { elements, isUniform, type NDArray } from "../kernel/ndarray.js";
import { everything, type Interval, interval, nowhere } from "./interval.js";
import type { Tensor } from "./tensor.js";
import { ancestors } from "./walk.js";

const known = new WeakMap<Tensor, Interval>();

/** The interval a node's numbers lie in, from the `range` of the primitives above it. A placeholder may be anything. */
export function rangeOf(node: Tensor): Interval {
  for (const above of ancestors([node], (one) => !known.has(one)))
    if (!known.has(above)) known.set(above, compute(above));
  return known.get(node) as Interval;
}

function compute(node: Tensor): Interval {
  if (node.primitive === null) return still(node.value ? ofNumbers(node.value) : everything);
  const inputs = node.inputs.map((input) => known.get(input) as Interval);
  const out =
    node.primitive.range?.(inputs, node.params, node) ?? (node.dtype === "bool" ? interval(0, 1) : everything);
  // A rule may hand on an input as it is, so only the inputs and the rule of a random draw know.
  const random = out.random === true || inputs.some((input) => input.random);
  return random ? { ...out, random } : still(out);
}

/** What no random choice moves does not meet 0: it is there or it is not. */
function still(r: Interval): Interval {
  return { ...r, zero: false, random: false };
}

const most = 2 ** 16;

function ofNumbers(value: NDArray): Interval {
  const uniform = isUniform(value);
  const size = value.shape.reduce((a, b) => a * b, 1);
  if (!uniform && size > most) return everything;
  const numbers = uniform && size > 0 ? [value.data[value.offset] as number] : elements(value);
  let [lo, hi] = [Infinity, -Infinity];
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i] as number;
    if (x < lo) lo = x;
    if (x > hi) hi = x;
  }
  return lo <= hi ? interval(lo, hi) : nowhere;
}
