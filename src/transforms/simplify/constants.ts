import { type Shape, sizeOf } from "../../base/shape.js";
import type { Tensor, Type } from "../../graph/tensor.js";
import { broadcast as repeated } from "../../kernel/move.js";
import { dense, elements, isUniform, type NDArray } from "../../kernel/ndarray.js";
import { broadcast } from "../../primitives/linear.js";
import { isElementwise, isFoldable } from "./effects.js";
import type { Build } from "./identity.js";
import type { Call } from "./keys.js";

/** Numbers that are known before anything runs: constants, and scalar constants repeated, which stay a scalar and a shape. */

/** Results of more elements are not kept. */
const LARGEST = 4096;

/** Known numbers of a node, as the interpreter would have them; null where they are not known. */
export function numbersOf(node: Tensor, isVariable: (leaf: Tensor) => boolean): NDArray | null {
  if (node.primitive === null) return isVariable(node) ? null : node.value;
  const [input] = node.inputs;
  if (node.primitive !== broadcast || input === undefined || node.value !== null) return null;
  if (input.size !== 1 || input.primitive !== null || input.value === null || isVariable(input)) return null;
  return repeated(input.value, node.shape);
}

/** The number that all elements are, bit for bit; null where they differ, are many, or there is none. */
export function oneNumber(numbers: NDArray | null): number | null {
  if (numbers === null) return null;
  if (isUniform(numbers)) return numbers.shape.includes(0) ? null : (numbers.data[numbers.offset] as number);
  const x = elements(numbers);
  if (x.length === 0 || x.length > LARGEST) return null;
  for (let i = 1; i < x.length; i++) if (!Object.is(x[i], x[0])) return null;
  return x[0] as number;
}

/**
 * The numbers of an operation on known numbers, by its own kernel: a constant, or a scalar and a shape where all elements are equal.
 * Null where an input is not known, the kernel throws (it will do so when it runs), or the constant would take more memory than its inputs.
 */
export function fold(call: Call, out: Type, build: Build): Tensor | null {
  const inputs = knownInputs(call, out, build);
  if (inputs === null) return null;
  if (isElementwise(call.primitive) && out.shape.length > 0 && inputs.every(isUniform) && !out.shape.includes(0))
    return spread(run(call, inputs.map(scalar), { shape: [], dtype: out.dtype }), out, build);
  const size = sizeOf(out.shape);
  if (size > LARGEST) return null;
  const value = run(call, inputs, out);
  if (value === null) return null;
  if (size > 1 && oneNumber(value) !== null) return spread(value, out, build);
  const stored = inputs.reduce((total, x) => total + (isUniform(x) ? 1 : sizeOf(x.shape)), 0);
  return size <= stored ? build.constant(elements(value).slice(), out) : null;
}

/** The numbers of all inputs, where they are known and the operation may be folded. */
function knownInputs({ primitive, inputs }: Call, out: Type, build: Build): NDArray[] | null {
  if (inputs.length === 0 || out.parts || !isFoldable(primitive)) return null;
  // The form in which a repeated scalar is written.
  if (primitive === broadcast && inputs[0]?.shape.length === 0) return null;
  const known: NDArray[] = [];
  for (const input of inputs) {
    const numbers = build.numbers(input);
    if (numbers === null) return null;
    known.push(numbers);
  }
  return known;
}

function run({ primitive, params }: Call, inputs: readonly NDArray[], out: Type): NDArray | null {
  try {
    return primitive.run(inputs, params, out, new Set());
  } catch {
    return null;
  }
}

function scalar(a: NDArray): NDArray {
  return dense(a.data.slice(a.offset, a.offset + 1), a.dtype, []);
}

/** The first number of `value` in the shape of `out`. */
function spread(value: NDArray | null, { shape, dtype }: Type, build: Build): Tensor | null {
  if (value === null) return null;
  return repeat(build.constant(elements(value).slice(0, 1), { shape: [], dtype }), shape, build);
}

/** A scalar in a shape. */
export function repeat(one: Tensor, shape: Shape, build: Build): Tensor {
  return shape.length === 0 ? one : build.apply(broadcast, [one], { shape });
}
