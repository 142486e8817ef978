import { fail, listed } from "../base/errors.js";
import { show } from "../base/shape.js";
import type { Flat } from "../base/tree.js";
import { condOf } from "../control/branch.js";
import { condNode } from "../control/cond.js";
import { LoopBuilder } from "../control/inputs.js";
import type { Residuals } from "../control/loop.js";
import { scanNode } from "../control/scan.js";
import { inSegments } from "../control/segments.js";
import { bodyInput, closeBranch, everyNode } from "../graph/body.js";
import { arange, asTensor, type TensorLike } from "../graph/leaves.js";
import { idMark, type Tensor } from "../graph/tensor.js";
import { looping, transforming } from "../graph/trace.js";
import { reshapeTo } from "../primitives/linear.js";
import { part } from "../primitives/tuple.js";
import { beside, type Like, pathName, type TensorTree, tensorsOf } from "../transforms/trees.js";

/** Loops and branches as part of the graph: one traced step, however many are run. */

export interface ScanOptions {
  /** Number of steps, where there are no rows to count. */
  readonly length?: number;
  /** From the last row to the first; outputs stay beside their rows. */
  readonly reverse?: boolean;
  /**
   * What a derivative needs of every step: "save" keeps it, "recompute" runs the steps again from carries kept every √length steps, so
   * that memory grows with √length; "auto" (default) keeps what is not cheap to compute again.
   */
  readonly residuals?: Residuals;
}

/**
 * A loop with a carry: `[carry, y] = step(carry, x, t)` for every row x of `xs` (axis 0 of all its leaves), t = 0, 1, … (uint32).
 * @param step traced once; returns the next carry, of the structure, shapes and dtypes of `init`, and an output or null
 * @param xs a tree of tensors [length, ...], or null
 * @returns the last carry, and the outputs stacked along a new axis 0
 * @throws where rows differ in number, or the carry changes its type
 */
export function scan<C, X, Y>(
  step: (
    carry: TensorTree<C>,
    x: X extends null | undefined ? null : TensorTree<X>,
    t: Tensor,
  ) => readonly [Like<TensorTree<C>>, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): [carry: TensorTree<C>, ys: TensorTree<Y>] {
  const { reverse = false, residuals = "auto" } = options;
  oneOf("scan", "residuals", residuals, ["auto", "save", "recompute"]);
  const start = tensorsOf("scan", init);
  const rows = xs === null || xs === undefined ? null : tensorsOf("scan", xs);
  const length = lengthOf(rows, options.length);
  const traced = traceStep(step as Step, start, rows);
  const builder = new LoopBuilder();
  for (const [k, hole] of traced.carries.entries()) builder.carry(hole, start.leaves[k] as Tensor);
  for (const [k, hole] of traced.rows.entries()) builder.stack(hole, rows?.leaves[k] as Tensor);
  builder.stack(traced.step, arange(length, { dtype: "uint32" }));
  const built = builder.build([...traced.next, ...(traced.out?.leaves ?? [])]);
  const params = { ...built, length, reverse, alive: null, residuals };
  const segmented = residuals === "recompute" && !samples(built.body.outputs);
  const parts = segmented ? inSegments(built.inputs, params) : partsOfNode(built.inputs, params);
  const count = start.leaves.length;
  return [
    start.rebuild(parts.slice(0, count)) as TensorTree<C>,
    (traced.out?.rebuild(parts.slice(count)) ?? null) as TensorTree<Y>,
  ];
}

function partsOfNode(...[inputs, params]: Parameters<typeof scanNode>): Tensor[] {
  const node = scanNode(inputs, params);
  return params.body.outputs.map((_, k) => part(node, k));
}

/** A random choice keeps its place in time: its loop is not cut into segments. */
function samples(outputs: readonly Tensor[]): boolean {
  return everyNode(outputs).some((node) => node.primitive?.name === "sample");
}

type Step = (carry: unknown, x: unknown, t: Tensor) => readonly [unknown, unknown];

function traceStep(step: Step, start: Flat<Tensor>, rows: Flat<Tensor> | null) {
  const hole = (argument: string, { shape, dtype }: Tensor, path: string): Tensor =>
    bodyInput({ shape, dtype }, pathName(argument, path));
  const carries = start.leaves.map((x, k) => hole("carry", x, start.paths[k] as string));
  const inner = (rows?.leaves ?? []).map((x, k) =>
    bodyInput({ shape: x.shape.slice(1), dtype: x.dtype }, pathName("x", rows?.paths[k] as string)),
  );
  const t = bodyInput({ shape: [], dtype: "uint32" }, "step");
  const result = transforming("scan", () =>
    looping("scan", t, () => step(start.rebuild(carries), rows?.rebuild(inner) ?? null, t)),
  );
  if (!Array.isArray(result) || result.length !== 2)
    fail({ where: "scan", got: "a step that does not return two things", expected: "[carry, y], y may be null" });
  const [next, y] = result as [unknown, unknown];
  const out = y === null || y === undefined ? null : tensorsOf("scan", y);
  return {
    carries,
    rows: inner,
    step: t,
    next: beside("scan", "the carry after the step", next, "the carry before it", { ...start, leaves: carries }),
    out,
  };
}

/** @throws where an option has none of the values it may have */
export function oneOf(where: string, option: string, given: unknown, values: readonly string[]): void {
  if (values.includes(given as string)) return;
  fail({ where, got: `${option} ${JSON.stringify(given)}`, expected: listed(values.map((value) => `"${value}"`)) });
}

function lengthOf(rows: Flat<Tensor> | null, given: number | undefined): number {
  if (given !== undefined && !(Number.isInteger(given) && given >= 0))
    fail({ where: "scan", got: `length ${given}`, expected: "a whole number of at least 0" });
  let length = given;
  rows?.leaves.forEach((x, k) => {
    const name = pathName("xs", rows.paths[k] as string);
    if (x.rank === 0)
      fail({
        where: "scan",
        got: `${name} of shape []`,
        expected: "an axis 0 to go along",
        write: "capture it instead",
      });
    if (length !== undefined && x.shape[0] !== length)
      fail({ where: "scan", got: `${name} of shape ${show(x.shape)}`, expected: `${length} rows` });
    length = x.shape[0] as number;
  });
  return length ?? fail({ where: "scan", got: "no rows and no length", expected: "xs with an axis 0, or { length }" });
}

/**
 * One of two graphs, by a condition that is a tensor; only the one that is taken runs. Under `vmap` lanes with different conditions
 * run both, each branch only on operands that it was meant for.
 * @param condition bool []
 * @throws where the branches return different structures, shapes or dtypes
 */
export function cond<A extends unknown[], T>(
  condition: TensorLike,
  yes: (...args: { [K in keyof A]: TensorTree<A[K]> }) => T,
  no: (...args: { [K in keyof A]: TensorTree<A[K]> }) => Like<T>,
  ...args: A
): TensorTree<T> {
  const test = truth("cond", "a condition", condition, instead);
  const trees = args.map((arg) => tensorsOf("cond", arg));
  const values = trees.flatMap((tree) => tree.leaves);
  const first = traceBranch(yes as Branch, trees);
  const second = traceBranch(no as Branch, trees);
  const other = beside("cond", "the second branch's result", second.result, "the first branch's", first.flat);
  const pieces = [
    { ...first, outputs: first.flat.leaves },
    { ...second, outputs: other },
  ].map(({ holes, outputs, from }) => {
    const { body, captured } = closeBranch(holes, outputs, from);
    return {
      operands: new Map(body.inputs.map((hole, k) => [hole, (values[k] ?? captured[k - values.length]) as Tensor])),
      outputs: body.outputs,
    };
  });
  const node = condOf(condNode, test, pieces as [(typeof pieces)[number], (typeof pieces)[number]]);
  return first.flat.rebuild(first.flat.leaves.map((_, k) => part(node, k))) as TensorTree<T>;
}

type Branch = (...args: unknown[]) => unknown;

function traceBranch(f: Branch, trees: readonly Flat<Tensor>[]) {
  const holes: Tensor[] = [];
  const args = trees.map((tree, a) =>
    tree.rebuild(
      tree.leaves.map((x, k) => {
        const hole = bodyInput(x, pathName(`argument ${a}`, tree.paths[k] as string));
        holes.push(hole);
        return hole;
      }),
    ),
  );
  const from = idMark();
  const result = transforming("cond", () => looping("cond", null, () => f(...args)));
  return { holes, result, from, flat: tensorsOf("cond", result) };
}

/** @param what "a condition", @param write what helps with one that does not fit @throws where it is not one bool */
export function truth(where: string, what: string, condition: TensorLike, write?: (t: Tensor) => string): Tensor {
  const t = asTensor(condition, "bool");
  if (t.dtype === "bool" && t.size === 1) return reshapeTo(t, []);
  return fail({ where, got: `${what} ${t.dtype}${show(t.shape)}`, expected: "one bool", write: write?.(t) });
}

function instead({ size }: Tensor): string {
  return size === 1 ? "x.greater(0) or x.notEqual(0)" : "where(mask, a, b) to choose element by element";
}
