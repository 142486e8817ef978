import { fail } from "../base/errors.js";
import { normalAxis, range, show } from "../base/shape.js";
import { placeholder, type Tensor } from "../graph/tensor.js";
import { transforming } from "../graph/trace.js";
import { axisToFront, permute } from "../primitives/linear.js";
import { type LikeAll, pathName, tensorsOf } from "./trees.js";
import { batchAll } from "./vmap.js";

export interface VmapOptions {
  /** Per argument the axis that is mapped over (0), or null to share the argument. */
  readonly inAxes?: readonly (number | null)[];
  readonly outAxis?: number;
}

/**
 * f over a new axis: the program is written for one example and runs for all, as fast as if written by hand.
 * @throws where mapped axes differ in size or nothing is mapped
 */
export function vmap<A extends unknown[], T>(
  f: (...args: A) => T,
  { inAxes, outAxis = 0 }: VmapOptions = {},
): (...args: LikeAll<A>) => T {
  return (...args) => {
    const trees = args.map((arg) => tensorsOf("vmap", arg));
    const holes: Tensor[] = [];
    const values: Tensor[] = [];
    const inner = trees.map((tree, k) => {
      const axis = inAxes === undefined ? 0 : (inAxes[k] ?? null);
      if (axis === null) return tree.rebuild(tree.leaves);
      return tree.rebuild(
        tree.leaves.map((x, i) => {
          const front = axisToFront(x, axis);
          const hole = placeholder(
            { shape: front.shape.slice(1), dtype: x.dtype },
            pathName(`argument ${k}`, tree.paths[i] as string),
          );
          holes.push(hole);
          values.push(front);
          return hole;
        }),
      );
    });
    const size = commonSize(values);
    const out = tensorsOf(
      "vmap",
      transforming("vmap", () => f(...(inner as A))),
    );
    const mapped = batchAll(out.leaves, holes, values, size);
    return out.rebuild(mapped.map((x) => (outAxis === 0 ? x : moveFirst(x, normalAxis("vmap", outAxis, x.rank))))) as T;
  };
}

function commonSize(values: readonly Tensor[]): number {
  const [first] = values;
  if (first === undefined)
    fail({ where: "vmap", got: "no mapped argument", expected: "at least one axis to map over" });
  const other = values.find((x) => x.shape[0] !== first.shape[0]);
  if (other)
    fail({
      where: "vmap",
      got: `mapped axes of ${first.shape[0]} and ${other.shape[0]} elements (${show(first.shape)}, ${show(other.shape)})`,
      expected: "one size",
    });
  return first.shape[0] as number;
}

function moveFirst(x: Tensor, at: number): Tensor {
  const rest = range(x.rank - 1).map((i) => i + 1);
  return permute(x, [...rest.slice(0, at), 0, ...rest.slice(at)]);
}
