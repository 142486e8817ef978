import type { DType } from "../base/dtype.js";
import { fail } from "../base/errors.js";
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
  /** What the calls share that influence each other, any object: calls with different states do not. Default the world: one for all. */
  readonly state?: object;
}

/** The state of black boxes that name none. */
const world = {};

/**
 * A function of the user's world (a simulator, a game, a table) as a node of the graph: it has values and influence, and no derivative is
 * pretended. `fn` gets the numbers and shape of every input and returns as many numbers as `shape` has, row-major; under many runs it is
 * called once per run. What is not pure may be called once per run; more often in a dynamic program, where calls happen in the order of events.
 * @throws where it is called pure and has a state, where runs would mix their states, and where a derivative is asked through it: sample between the parameters and the black box
 */
export function external(
  fn: ExternalFunction,
  inputs: readonly TensorLike[],
  { shape, dtype = "float32", maps = 0, name, pure = false, state = world }: ExternalOptions,
): Tensor {
  if (pure && state !== world)
    fail({
      where: `external "${name ?? (fn.name || "external")}"`,
      got: "pure: true and a state",
      expected: "one of them",
    });
  const args = inputs.map((x) => asTensor(x));
  const calls = lastCall();
  // A hidden state travels from call to call: the earlier result is an input, read whole.
  const before = pure ? undefined : calls.get(state);
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
  if (!pure) calls.set(state, out);
  // Called once, now: the value stays with the node when the program is rewritten.
  if (callsAtOnce()) out.value = contiguous(currentRuntime().run([out], new Map())[0] as NDArray);
  return out;
}
