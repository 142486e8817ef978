import type { DType } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { callsAtOnce, currentRuntime, lastCall } from "../graph/trace.js";
import { contiguous, type NDArray } from "../kernel/ndarray.js";
import { type ExternalFunction, external as externalPrimitive } from "../primitives/external.js";

export interface ExternalOptions {
  /** Of the result. */
  readonly shape: Shape;
  /** Of the result. Default float32. */
  readonly dtype?: DType;
  /** How many leading axes of inputs and result it maps over element by element: credit then sees through them. Default 0. */
  readonly maps?: number;
  /** For errors and graphs. Default the function's name. */
  readonly name?: string;
  /** Whether equal inputs give equal outputs. If not, a call may be influenced by the calls before it. Default false. */
  readonly pure?: boolean;
}

/**
 * A function of the user's world (a simulator, a game, a table) as a node of the graph: it has values and influence, and no derivative is
 * pretended. `fn` gets the numbers and shape of every input and returns as many numbers as `shape` has, row-major; under many runs it is
 * called once per run. With a state it may be called once per run; more often in a dynamic program, where calls happen in the order of events.
 * @throws where runs would mix their states, and where a derivative is asked through it: sample between the parameters and the black box
 */
export function external(
  fn: ExternalFunction,
  inputs: readonly TensorLike[],
  { shape, dtype = "float32", maps = 0, name, pure = false }: ExternalOptions,
): Tensor {
  const args = inputs.map((x) => asTensor(x));
  const calls = lastCall();
  // A hidden state travels from call to call: the earlier result is an input, read whole.
  const before = pure ? undefined : calls.get(fn);
  const params = {
    fn,
    name: name ?? (fn.name || "external"),
    shape,
    dtype,
    maps,
    outer: [],
    chained: before !== undefined,
  };
  const out = apply(externalPrimitive, before === undefined ? args : [...args, before], params);
  if (!pure) calls.set(fn, out);
  // Called once, now: the value stays with the node when the program is rewritten.
  if (callsAtOnce()) out.value = contiguous(currentRuntime().run([out], new Map())[0] as NDArray);
  return out;
}
