import { fail } from "../base/errors.js";
import { compareGraphs, type TracedGraph } from "../graph/compare.js";
import { leaf, placeholder, type Tensor } from "../graph/tensor.js";
import { insideTransform, transforming } from "../graph/trace.js";
import { substitute } from "../graph/walk.js";
import { type CallType, callType, numbersLike } from "../transforms/callType.js";
import { type LikeAll, pathName, tensorsOf } from "../transforms/trees.js";
import { Computation } from "./computation.js";
import { readAll } from "./read.js";

/** One traced program: its arguments as placeholders, its results as nodes. */
export interface Trace extends TracedGraph {
  readonly type: CallType;
  readonly computation: Computation;
  readonly rebuild: (leaves: readonly unknown[]) => unknown;
  calls: number;
}

/**
 * f with its graph traced once per structure, shapes and dtypes of the arguments. Called with numbers it computes and returns
 * numbers; inside another transform it becomes part of that graph. f must be pure: what it captures is frozen in the trace. The
 * second call and every power of two after it trace again and compare.
 * @throws where a captured constant has changed (with its two values), or f reads a placeholder
 */
export function compile<A extends unknown[], T>(f: (...args: A) => T): (...args: LikeAll<A>) => T {
  return compiled("compile", f);
}

/** As `compile`, with what it is called in errors. */
export function compiled<A extends unknown[], T>(where: string, f: (...args: A) => T): (...args: LikeAll<A>) => T {
  const cache = new Map<string, Trace>();
  let last: Trace | null = null;
  return (...args) => {
    if (last !== null && last.type.trees.length === args.length && !isPowerOfTwo(last.calls) && !insideTransform()) {
      const values = numbersLike(last.type, args);
      if (values !== null) {
        last.calls++;
        return last.rebuild(last.computation.run(values).map(leaf)) as T;
      }
    }
    const trees = args.map((arg) => tensorsOf(where, arg));
    const leaves = trees.flatMap((tree) => tree.leaves);
    const signature = signatureOf(trees);
    let trace = cache.get(signature);
    if (trace === undefined) {
      trace = traceOf(where, f, trees);
      cache.set(signature, trace);
    } else if (isPowerOfTwo(trace.calls)) checkFrozen(where, trace, traceOf(where, f, trees));
    trace.calls++;
    last = trace;
    return trace.rebuild(
      insideTransform() ? inline(trace, leaves) : trace.computation.run(readAll(leaves)).map(leaf),
    ) as T;
  };
}

/** Structures, dtypes and shapes in words. */
export function signatureOf(trees: readonly ReturnType<typeof tensorsOf>[]): string {
  return trees.map((tree) => `${tree.structure}:${tree.leaves.map((x) => `${x.dtype}${x.shape}`).join(";")}`).join("|");
}

export function isPowerOfTwo(n: number): boolean {
  return n > 0 && (n & (n - 1)) === 0;
}

function traceOf<A extends unknown[], T>(
  where: string,
  f: (...args: A) => T,
  trees: readonly ReturnType<typeof tensorsOf>[],
): Trace {
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
    where,
    transforming(where, () => f(...(args as A))),
  );
  const computation = new Computation(out.leaves, holes);
  return { holes, outputs: out.leaves, type: callType(trees), computation, rebuild: out.rebuild, calls: 0 };
}

/** The graph with the arguments in place of the placeholders. */
export function inline(trace: Trace, leaves: readonly Tensor[]): Tensor[] {
  return substitute(trace.outputs, new Map(trace.holes.map((hole, i) => [hole, leaves[i] as Tensor]))).outputs;
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
