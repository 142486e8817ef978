import { elements, isUniform, type NDArray } from "../kernel/ndarray.js";
import { everything, type Interval, interval, nowhere } from "./interval.js";
import type { Tensor } from "./tensor.js";
import { ancestors } from "./walk.js";

const known = new WeakMap<Tensor, Interval>();

/** The interval a node's numbers lie in, from the `range` of the primitives above it. A placeholder may be anything. */
export function rangeOf(node: Tensor): Interval {
  for (const above of ancestors([node], (one) => !known.has(one)))
    if (!known.has(above))
      known.set(
        above,
        compute(above, (input) => known.get(input) as Interval),
      );
  return known.get(node) as Interval;
}

/** Where a node's numbers lie is known from elsewhere: an input of a loop's body. */
export function assumeRange(node: Tensor, range: Interval): void {
  known.set(node, range);
}

/** Of an input of a body nothing is known while it is traced: random choices may move it anywhere. */
export function anywhere(hole: Tensor): Tensor {
  known.set(hole, { ...everything, random: true });
  return hole;
}

/** The interval of a node whose inputs lie in these. */
export function rangeFrom(node: Tensor, of: (input: Tensor) => Interval | undefined): Interval {
  return compute(node, (input) => of(input) ?? rangeOf(input));
}

function compute(node: Tensor, of: (input: Tensor) => Interval): Interval {
  if (node.primitive === null) return still(node.value ? ofNumbers(node.value) : everything);
  const inputs = node.inputs.map(of);
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
