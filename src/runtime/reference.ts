import type { AnyPrimitive, Tensor } from "../graph/tensor.js";
import type { Prepared, Runtime } from "../graph/trace.js";
import { unread } from "../graph/unread.js";
import type { NDArray } from "../kernel/ndarray.js";
import { pick } from "../primitives/tuple.js";

/**
 * The reference interpreter: one kernel after another, rounding to the node's dtype after each. Slow and obviously right; the oracle
 * of every later runtime.
 */
export const reference: Runtime = {
  name: "reference",
  run: (outputs, feeds) => prepare(outputs, [...feeds.keys()])([...feeds.values()]),
  prepare,
};

/** One kernel call: which slots it reads, where its result goes, which slots nobody reads after it. */
interface Step {
  readonly node: Tensor;
  readonly primitive: AnyPrimitive;
  readonly args: readonly number[];
  readonly slot: number;
  readonly wanted: ReadonlySet<number>;
  readonly done: number[];
}

const absent: NDArray = { data: new Float32Array(0), dtype: "float32", shape: [0], strides: [1], offset: 0 };
const nothing: ReadonlySet<number> = new Set();

/** The order of the kernels is found once, so that a loop pays only for the kernels. */
function prepare(outputs: readonly Tensor[], inputs: readonly Tensor[]): Prepared {
  const slots = new Map<Tensor, number>();
  const start: NDArray[] = inputs.map(() => absent);
  const slotOf = (node: Tensor): number => {
    const known = slots.get(node);
    if (known !== undefined) return known;
    slots.set(node, start.length);
    start.push(node.value ?? absent);
    return start.length - 1;
  };
  inputs.forEach((input, i) => {
    // A node with numbers of its own keeps them.
    if (input.value === null) slots.set(input, i);
  });
  const { order, parts } = schedule(outputs, slots);
  // The first slot of a released result is the one constant `absent`.
  const nowhere = start.push(absent) - 1;
  const steps = order.map((node): Step => {
    const primitive = node.primitive as AnyPrimitive;
    const reads = new Set(needed(node));
    const args = node.inputs.map((input) => (reads.has(input) ? slotOf(input) : nowhere));
    return { node, primitive, args, slot: slotOf(node), wanted: parts.get(node) ?? nothing, done: [] };
  });
  const results = outputs.map(slotOf);
  release(steps, new Set(results), inputs.length, start);
  return (values) => execute(steps, results, start, values);
}

/** The last reader of a result lets go of the numbers, or a long chain keeps every step. */
function release(
  steps: readonly Step[],
  results: ReadonlySet<number>,
  inputs: number,
  start: readonly NDArray[],
): void {
  const seen = new Set<number>(results);
  for (let i = steps.length - 1; i >= 0; i--) {
    const { args, slot, done } = steps[i] as Step;
    if (!seen.has(slot)) done.push(slot);
    for (const arg of args) {
      if (seen.has(arg) || arg < inputs || start[arg] !== absent) continue;
      seen.add(arg);
      done.push(arg);
    }
  }
}

function execute(
  steps: readonly Step[],
  results: readonly number[],
  start: readonly NDArray[],
  inputs: readonly NDArray[],
): NDArray[] {
  const values = start.slice();
  for (let i = 0; i < inputs.length; i++) values[i] = inputs[i] as NDArray;
  for (const { node, primitive, args, slot, wanted, done } of steps) {
    values[slot] = primitive.run(
      args.map((arg) => values[arg] as NDArray),
      node.params,
      node,
      wanted,
    );
    for (const free of done) values[free] = absent;
  }
  return results.map((slot) => values[slot] as NDArray);
}

/** The inputs whose numbers a node needs. */
function needed(node: Tensor): readonly Tensor[] {
  const needs = (node.primitive as AnyPrimitive).needs;
  return needs === "all" ? node.inputs : needs.map((i) => node.inputs[i] as Tensor);
}

function schedule(
  outputs: readonly Tensor[],
  inputs: ReadonlyMap<Tensor, number>,
): { order: Tensor[]; parts: Map<Tensor, Set<number>> } {
  const parts = new Map<Tensor, Set<number>>();
  const order: Tensor[] = [];
  const known = (node: Tensor): boolean => node.value !== null || inputs.has(node);
  const stack = outputs.filter((node) => !known(node));
  const seen = new Set(stack);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.primitive === null) unread(node);
    order.push(node);
    if (node.primitive === pick) wantPart(parts, node);
    for (const input of needed(node)) {
      if (seen.has(input) || known(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  order.sort((a, b) => a.id - b.id);
  return { order, parts };
}

/** Of an operation with several results only the parts that somebody takes are wanted. */
function wantPart(parts: Map<Tensor, Set<number>>, { inputs: [whole], params }: Tensor): void {
  const wanted = parts.get(whole as Tensor) ?? new Set();
  parts.set(whole as Tensor, wanted.add((params as { index: number }).index));
}
