import type { Tensor } from "../../src/graph/tensor.js";
import * as library from "../../src/index.js";
import { logicalAnd, logicalNot, stack, tensor, where, zeros } from "../../src/index.js";
import { tensorsOf } from "../../src/transforms/trees.js";

/**
 * Loops and branches that a test's program is written with: those of the library, or inside `unrolling` host loops of the same meaning,
 * over tensors that have no other loop in them. The oracle runs the latter, so it shares nothing with `scan`, `cond` and their rules.
 */
interface Place {
  /** The steps of the host loops around, the outermost first. */
  readonly steps: readonly number[];
  /** Whether this place is reached at all; null: always. */
  readonly taken: Tensor | null;
}

let place: Place | null = null;

/** Where a site stands; null outside `unrolling`. */
export function here(): Place | null {
  return place;
}

export function unrolling<T>(body: () => T): T {
  return at({ steps: [], taken: null }, body);
}

function at<T>(next: Place, body: () => T): T {
  const before = place;
  place = next;
  try {
    return body();
  } finally {
    place = before;
  }
}

function both(a: Tensor | null, b: Tensor): Tensor {
  return a === null ? b : logicalAnd(a, b);
}

/** The same operation on the leaves of trees of one structure. */
function merged(trees: readonly unknown[], f: (leaves: readonly Tensor[]) => Tensor): unknown {
  const flat = trees.map((tree) => tensorsOf("test", tree));
  const [first] = flat as [(typeof flat)[number]];
  return first.rebuild(first.leaves.map((_, k) => f(flat.map(({ leaves }) => leaves[k] as Tensor))));
}

type AnyStep = (carry: unknown, x: unknown, t: Tensor) => readonly [unknown, unknown];

function unrolledScan(
  step: AnyStep,
  init: unknown,
  xs: unknown,
  options: library.ScanOptions = {},
): [unknown, unknown] {
  const { steps, taken } = place as Place;
  const rows = xs === null ? null : tensorsOf("test", xs);
  const length = options.length ?? ((rows as NonNullable<typeof rows>).leaves[0] as Tensor).shape[0] ?? 0;
  const ys: unknown[] = [];
  let carry: unknown = merged([init], ([x]) => x as Tensor);
  for (let i = 0; i < length; i++) {
    const t = options.reverse ? length - 1 - i : i;
    const x = rows?.rebuild(rows.leaves.map((leaf) => leaf.at(t))) ?? null;
    const go = (): readonly [unknown, unknown] => step(carry, x, tensor(t, { dtype: "uint32" }));
    const [next, y] = at({ steps: [...steps, t], taken }, go);
    carry = merged([carry, next], ([old, fresh]) => asLike(fresh as Tensor, old as Tensor));
    ys[t] = y;
  }
  return [carry, ys[0] === null || length === 0 ? null : merged(ys, (leaves) => stack(leaves))];
}

const asLike = (x: Tensor, like: Tensor): Tensor => (x.dtype === like.dtype ? x : x.toDType(like.dtype));

type AnyBranch = (...args: unknown[]) => unknown;

function unrolledCond(condition: unknown, yes: AnyBranch, no: AnyBranch, ...args: unknown[]): unknown {
  const { steps, taken } = place as Place;
  const test = tensorsOf("test", condition).leaves[0] as Tensor;
  const operands = args.map((arg) => merged([arg], ([x]) => x as Tensor));
  const first = at({ steps, taken: both(taken, test) }, () => yes(...operands));
  const second = at({ steps, taken: both(taken, logicalNot(test)) }, () => no(...operands));
  return merged([first, second], ([a, b]) => where(test, a as Tensor, b as Tensor));
}

function unrolledWhile(
  test: (state: unknown) => unknown,
  step: (state: unknown, t: Tensor) => unknown,
  init: unknown,
  { limit }: library.WhileOptions,
): unknown {
  const { steps, taken } = place as Place;
  const holds = (state: unknown): Tensor => tensorsOf("test", test(state)).leaves[0] as Tensor;
  let state: unknown = merged([init], ([x]) => x as Tensor);
  let alive = holds(state);
  for (let t = 0; t < limit; t++) {
    const going = { steps: [...steps, t], taken: both(taken, alive) };
    const next = at(going, () => step(state, tensor(t, { dtype: "uint32" })));
    state = merged([state, next], ([old, fresh]) => where(alive, fresh as Tensor, old as Tensor));
    alive = logicalAnd(alive, holds(state));
  }
  return state;
}

// biome-ignore lint/suspicious/noExplicitAny: carries and rows of any structure
type Any = any;
type Step = (carry: Any, x: Any, t: Tensor) => readonly [Any, Any];

export function scan(step: Step, init: Any, xs: Any, options: library.ScanOptions = {}): [Any, Any] {
  return place ? unrolledScan(step, init, xs, options) : library.scan<Any, Any, Any>(step, init, xs, options);
}

export function cond(test: Tensor, yes: (...args: Any[]) => Any, no: (...args: Any[]) => Any, ...args: Any[]): Any {
  return place ? unrolledCond(test, yes, no, ...args) : library.cond<Any[], Any>(test, yes, no, ...args);
}

export function whileLoop(
  test: (state: Any) => Tensor,
  step: (state: Any, t: Tensor) => Any,
  init: Any,
  options: library.WhileOptions,
): Any {
  return place ? unrolledWhile(test, step, init, options) : library.whileLoop<Any>(test, step, init, options);
}

/** The value and the log-probability of a site at this place: what never comes has the value 0 and counts as certain. */
export function drawnAt(
  all: Tensor,
  logProb: (x: Tensor) => Tensor,
  { steps, taken }: Place,
): { readonly value: Tensor; readonly log: Tensor } {
  const value = steps.reduce((x, t) => x.at(t), all);
  const log = logProb(value).sum();
  if (taken === null) return { value, log };
  const never = zeros([], { dtype: log.dtype });
  const isZero = logicalNot(value.notEqual(0).toDType("int32").sum().greater(0));
  return { value, log: where(taken, log, where(isZero, never, Number.NEGATIVE_INFINITY)) };
}
