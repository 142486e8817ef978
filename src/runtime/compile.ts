import { fail } from "../base/errors.js";
import { compareGraphs, type TracedGraph } from "../graph/compare.js";
import { leaf, placeholder, type Tensor } from "../graph/tensor.js";
import { insideTransform, transforming } from "../graph/trace.js";
import { substitute } from "../graph/walk.js";
import type { NDArray } from "../kernel/ndarray.js";
import { type CallType, callType, numbersLike } from "../transforms/callType.js";
import { type LikeAll, pathName, tensorsOf } from "../transforms/trees.js";
import { Computation } from "./computation.js";
import { readAll } from "./read.js";
import { Resident } from "./resident.js";

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
export function compile<A extends unknown[], T>(
  f: (...args: A) => T,
  options: CompileOptions = {},
): (...args: LikeAll<A>) => T {
  return compiled("compile", f, options);
}

export interface CompileOptions {
  /**
   * Numbers of arguments whose tensors the caller needs no more after a call, such as the state of a training step that returns the next
   * one. Large results of compiled programs stay where they were computed until they are read; those that are given back this way make
   * room for the next ones at once. Reading one afterwards throws, unless it was read before. Default: none.
   */
  readonly donate?: readonly number[];
}

/** As `compile`, with what it is called in errors. */
export function compiled<A extends unknown[], T>(
  where: string,
  f: (...args: A) => T,
  { donate = [] }: CompileOptions = {},
): (...args: LikeAll<A>) => T {
  checkDonated(where, donate);
  const cache = new Map<string, Trace>();
  let last: Trace | null = null;
  return (...args) => {
    if (last !== null && last.type.trees.length === args.length && !isPowerOfTwo(last.calls) && !insideTransform()) {
      const values = numbersLike(last.type, args);
      if (values !== null) {
        last.calls++;
        return last.rebuild(compute(last, values, donate)) as T;
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
    return trace.rebuild(insideTransform() ? inline(trace, leaves) : compute(trace, readAll(leaves), donate)) as T;
  };
}

function checkDonated(where: string, donate: readonly number[]): void {
  if (Array.isArray(donate) && donate.every((k) => Number.isInteger(k) && k >= 0)) return;
  fail({
    where,
    got: `donate: ${JSON.stringify(donate) ?? "nothing"}`,
    expected: "the numbers of arguments, from 0 on",
    write: "donate: [0]",
  });
}

function compute({ computation, type }: Trace, values: readonly NDArray[], donate: readonly number[]): Tensor[] {
  const results = computation.run(values).map(leaf);
  for (const k of donate) {
    const [from, to] = type.ranges[k] ?? [0, 0];
    for (let i = from; i < to; i++) release(values[i] as NDArray);
  }
  return results;
}

/** Numbers that nobody needs any more. */
function release(value: NDArray): void {
  if (value instanceof Resident) value.release();
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
