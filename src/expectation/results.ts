import type { Tensor } from "../graph/tensor.js";
import type { GradOf } from "../transforms/trees.js";
import type { Estimate } from "./estimate.js";
import type { Trees } from "./program.js";
import type { Spread } from "./spread.js";

/** What calls return. */
export interface ValueAndGrad<P> {
  readonly value: Estimate<Tensor>;
  readonly grad: Estimate<GradOf<P>>;
  readonly biased: boolean;
}

/** An estimate whose error bars are computed when somebody reads them, once. */
export function lazyStderr<T>(
  mean: T,
  compute: () => Spread,
  rebuild: (list: readonly Tensor[]) => T,
  reason: string | null,
): Estimate<T> {
  let found: Spread | null = null;
  const get = (): Spread => {
    found ??= compute();
    return found;
  };
  return {
    mean,
    reason,
    get stderr(): T {
      return rebuild(get().stderrs);
    },
    get dof(): number {
      return get().dof;
    },
  };
}

/** A tree of trees from a flat list of blocks. */
export function nested(tree: Trees[number], list: readonly Tensor[]): unknown {
  const n = tree.leaves.length;
  return tree.rebuild(tree.leaves.map((_, i) => tree.rebuild(list.slice(i * n, (i + 1) * n))));
}
