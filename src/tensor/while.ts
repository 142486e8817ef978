import { fail } from "../base/errors.js";
import { LoopBuilder } from "../control/inputs.js";
import { scanNode } from "../control/scan.js";
import { bodyInput } from "../graph/body.js";
import { arange, constant, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { looping, transforming } from "../graph/trace.js";
import { type Settled, settled } from "../primitives/check.js";
import { part } from "../primitives/tuple.js";
import { beside, type Like, pathName, type TensorTree, tensorsOf } from "../transforms/trees.js";
import { cond, oneOf, truth } from "./loops.js";

export interface WhileOptions {
  /** The most steps there may be. */
  readonly limit: number;
  /** What happens when the test still holds after `limit` steps. Default "throw". */
  readonly onLimit?: "throw" | "stop";
}

/**
 * Repeats `step` while `test` holds, at most `limit` times: a scan that ends early, so every transform works on it. A derivative in
 * reverse keeps room for `limit` steps.
 * @param step gets the state and the number of the step (uint32 []), and returns the next state, of the same structure, shapes and dtypes
 * @returns the first state for which the test is false
 * @throws when it is read, where the test still holds after `limit` steps
 */
export function whileLoop<C>(
  test: (state: TensorTree<C>) => TensorLike,
  step: (state: TensorTree<C>, t: Tensor) => Like<TensorTree<C>>,
  init: C,
  { limit, onLimit = "throw" }: WhileOptions = {} as WhileOptions,
): TensorTree<C> {
  if (!(Number.isInteger(limit) && limit >= 0))
    fail({ where: "whileLoop", got: `limit ${limit}`, expected: "a whole number of at least 0" });
  oneOf("whileLoop", "onLimit", onLimit, ["throw", "stop"]);
  const holds = (leaves: readonly Tensor[]): Tensor =>
    truth(
      "whileLoop",
      "a test",
      looping("whileLoop", null, () => test(start.rebuild(leaves) as TensorTree<C>)),
    );
  const start = tensorsOf("whileLoop", init);
  const alive = bodyInput({ shape: [], dtype: "bool" }, "alive");
  const t = bodyInput({ shape: [], dtype: "uint32" }, "step");
  const state = start.leaves.map(({ shape, dtype }, k) =>
    bodyInput({ shape, dtype }, pathName("state", start.paths[k] as string)),
  );
  const next = transforming("whileLoop", () => {
    const here = start.rebuild(state) as TensorTree<C>;
    const go = (): Tensor[] => {
      const after = looping("whileLoop", t, () => step(here, t));
      const leaves = beside("whileLoop", "the state after the step", after, "the state before it", {
        ...start,
        leaves: state,
      });
      return [holds(leaves), ...leaves];
    };
    return cond(alive, go, () => [constant(0, "bool"), ...state] as never) as Tensor[];
  });
  const builder = new LoopBuilder();
  builder.carry(alive, holds(start.leaves));
  for (const [k, hole] of state.entries()) builder.carry(hole, start.leaves[k] as Tensor);
  builder.stack(t, arange(limit, { dtype: "uint32" }));
  const { inputs, ...built } = builder.build(next);
  const node = scanNode(inputs, { ...built, length: limit, reverse: false, alive: 0, residuals: "auto" });
  const still = part(node, 0);
  const out = state.map((_, k) => {
    const leaf = part(node, k + 1);
    return onLimit === "stop" ? leaf : apply(settled, [leaf, still], stillTrue(limit));
  });
  return start.rebuild(out) as TensorTree<C>;
}

function stillTrue(limit: number): Settled {
  return {
    where: "whileLoop",
    got: `the test still true after ${limit} steps`,
    expected: "a test that becomes false",
    write: 'a larger limit, or onLimit: "stop" to take the last state',
  };
}
