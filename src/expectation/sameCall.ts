import { isTensor } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";
import type { KeyLike } from "../random/key.js";
import { type CallType, numbersLike } from "../transforms/callType.js";
import type { Bound, Evaluator } from "./evaluator.js";
import type { CallOptions } from "./options.js";

/**
 * A call that is like the one before: the same types of arguments, no recorded values. Null where anything is otherwise, or wrong: the
 * long way then finds out and says so.
 */
export function boundLike(
  { type, ev }: { readonly type: CallType; readonly ev: Evaluator },
  args: readonly unknown[],
): Bound | null {
  const how = args[args.length - 1];
  if (args.length !== type.trees.length + 1 || typeof how !== "object" || how === null) return null;
  for (const name in how) if (name !== "key" && name !== "signal" && name !== "onProgress") return null;
  const { key: seed, signal, onProgress } = how as CallOptions;
  const key = seed === undefined && !ev.core.draws ? keyNumbers(0) : keyNumbers(seed);
  if (key === null) return null;
  const inputs = numbersLike(type, args);
  if (inputs === null) return null;
  inputs.push(key);
  return { inputs, given: none, signal, onProgress };
}

const none: readonly NDArray[] = [];
const [shape, strides] = [[2], [1]];

/** As `asKey`; null for what is no key, or not known yet. */
function keyNumbers(key: KeyLike | undefined): NDArray | null {
  if (typeof key === "number") {
    if (!Number.isSafeInteger(key)) return null;
    const data = new Uint32Array(2);
    // Two's complement, as of a bigint: the remainder is taken modulo 2³², the quotient is rounded down.
    data[0] = Math.floor(key / 2 ** 32);
    data[1] = key;
    return { data, dtype: "uint32", shape, strides, offset: 0 };
  }
  const fits = isTensor(key) && key.dtype === "uint32" && key.shape.length === 1 && key.shape[0] === 2;
  return fits ? key.value : null;
}
