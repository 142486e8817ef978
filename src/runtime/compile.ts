import { fail } from "../base/errors.js";
import { simplified } from "../control/simplify.js";
import { compareGraphs, type TracedGraph } from "../graph/compare.js";
import { leaf, placeholder, type Tensor } from "../graph/tensor.js";
import { currentRuntime, insideTransform, transforming } from "../graph/trace.js";
import { substitute } from "../graph/walk.js";
import { contiguous, type NDArray } from "../kernel/ndarray.js";
import { type LikeAll, pathName, tensorsOf } from "../transforms/trees.js";
import { readAll } from "./read.js";

/** One traced program: its arguments as placeholders, its results as nodes. */
export interface Trace {
  readonly holes: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly rebuild: (leaves: readonly unknown[]) => unknown;
  calls: number;
  /** The results as they are computed, from the first time on; other transforms and later traces see `outputs`. */
  simple: readonly Tensor[] | null;
}

/**
 * f with its graph traced once per structure, shapes and dtypes of the arguments. Called with numbers it computes and returns
 * numbers; inside another transform it becomes part of that graph. f must be pure: what it captures is frozen in the trace. The
 * second call and every power of two after it trace again and compare.
 * @throws where a captured constant has changed (with its two values), or f reads a placeholder
 */
export function compile<A extends unknown[], T>(f: (...args: A) => T): (...args: LikeAll<A>) => T {
  const cache = new Map<string, Trace>();
  return (...args) => {
    const trees = args.map((arg) => tensorsOf("compile", arg));
    const leaves = trees.flatMap((tree) => tree.leaves);
    const signature = trees
      .map((tree) => `${tree.structure}:${tree.leaves.map((x) => `${x.dtype}${x.shape}`).join(";")}`)
      .join("|");
    let trace = cache.get(signature);
    if (trace === undefined) {
      trace = traceOf(f, trees);
      cache.set(signature, trace);
    } else if (isPowerOfTwo(trace.calls)) checkFrozen("compile", trace, traceOf(f, trees));
    trace.calls++;
    return trace.rebuild(insideTransform() ? inline(trace, leaves) : execute(trace, leaves)) as T;
  };
}

export function isPowerOfTwo(n: number): boolean {
  return n > 0 && (n & (n - 1)) === 0;
}

function traceOf<A extends unknown[], T>(f: (...args: A) => T, trees: readonly ReturnType<typeof tensorsOf>[]): Trace {
  const holes: Tensor[] = [];
  const args = trees.map((tree, k) =>
    tree.rebuild(
      tree.leaves.map((x, i) => {
        const hole = placeholder(x, pathName(`argument ${k}`, tree.paths[i] as string));
        holes.push(hole);
        return hole;
      }),
    ),
  );
  const out = tensorsOf(
    "compile",
    transforming("compile", () => f(...(args as A))),
  );
  return { holes, outputs: out.leaves, rebuild: out.rebuild, calls: 0, simple: null };
}

/** The graph with the arguments in place of the placeholders. */
export function inline(trace: Trace, leaves: readonly Tensor[]): Tensor[] {
  return substitute(trace.outputs, new Map(trace.holes.map((hole, i) => [hole, leaves[i] as Tensor]))).outputs;
}

function execute(trace: Trace, leaves: readonly Tensor[]): Tensor[] {
  const values = readAll(leaves);
  const feeds = new Map<Tensor, NDArray>(trace.holes.map((hole, i) => [hole, values[i] as NDArray]));
  trace.simple ??= simplified(trace.outputs);
  return currentRuntime()
    .run(trace.simple, feeds)
    .map((value) => leaf(contiguous(value)));
}

/** @throws where two traces of one program differ: something outside its arguments has changed. */
export function checkFrozen(where: string, before: TracedGraph, after: TracedGraph): void {
  const difference = compareGraphs(before, after);
  if (difference === null) return;
  fail({
    where,
    what: difference,
    write: "pass what changes in data (an argument), where it is a leaf and not a constant",
  });
}
