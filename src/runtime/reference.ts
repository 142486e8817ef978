import { fail } from "../base/errors.js";
import type { AnyPrimitive, Tensor } from "../graph/tensor.js";
import type { Runtime } from "../graph/trace.js";
import type { NDArray } from "../kernel/ndarray.js";
import { pick } from "../primitives/tuple.js";

/**
 * The reference interpreter: one kernel after another, rounding to the node's dtype after each. Slow and obviously right; the oracle
 * of every later runtime.
 */
export const reference: Runtime = { name: "reference", run };

/** The inputs whose numbers a node needs. */
function needed(node: Tensor): readonly Tensor[] {
  const needs = (node.primitive as AnyPrimitive).needs;
  return needs === "all" ? node.inputs : needs.map((i) => node.inputs[i] as Tensor);
}

function run(outputs: readonly Tensor[], feeds: ReadonlyMap<Tensor, NDArray>): NDArray[] {
  const values = new Map<Tensor, NDArray>();
  const known = (node: Tensor): NDArray | null => node.value ?? feeds.get(node) ?? null;
  const { order, uses, parts } = schedule(outputs, known);
  const wanted = new Set(outputs);
  const numbersOf = (node: Tensor): NDArray => known(node) ?? (values.get(node) as NDArray);
  for (const node of order) {
    const ins = needed(node);
    const primitive = node.primitive as AnyPrimitive;
    const args =
      primitive.needs === "all"
        ? ins.map(numbersOf)
        : node.inputs.map((input) => (ins.includes(input) ? numbersOf(input) : absent));
    values.set(node, primitive.run(args, node.params, node, parts.get(node) ?? nothing));
    for (const input of ins) {
      const left = (uses.get(input) as number) - 1;
      uses.set(input, left);
      // The last reader has run: let go of the numbers, or a long chain keeps every step.
      if (left === 0 && !wanted.has(input)) values.delete(input);
    }
  }
  return outputs.map(numbersOf);
}

const absent: NDArray = { data: new Float32Array(0), dtype: "float32", shape: [0], strides: [1], offset: 0 };

function schedule(
  outputs: readonly Tensor[],
  known: (node: Tensor) => NDArray | null,
): { order: Tensor[]; uses: Map<Tensor, number>; parts: Map<Tensor, Set<number>> } {
  const parts = new Map<Tensor, Set<number>>();
  const uses = new Map<Tensor, number>();
  const order: Tensor[] = [];
  const stack = outputs.filter((node) => known(node) === null);
  const seen = new Set(stack);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.primitive === null) unread(node);
    order.push(node);
    if (node.primitive === pick) wantPart(parts, node);
    for (const input of needed(node)) {
      uses.set(input, (uses.get(input) ?? 0) + 1);
      if (seen.has(input) || known(input) !== null) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  order.sort((a, b) => a.id - b.id);
  return { order, uses, parts };
}

const nothing: ReadonlySet<number> = new Set();

/** Of an operation with several results only the parts that somebody takes are wanted. */
function wantPart(parts: Map<Tensor, Set<number>>, { inputs: [whole], params }: Tensor): void {
  const wanted = parts.get(whole as Tensor) ?? new Set();
  parts.set(whole as Tensor, wanted.add((params as { index: number }).index));
}

function unread(node: Tensor): never {
  return fail({
    where: "read",
    what: `"${node.label}" is a placeholder: inside compile, vmap and expectation there are no numbers yet`,
    write:
      "where(mask, a, b) instead of an if, expectation(f, { dynamic: true }) for a program that branches on its samples, or read the result after the call",
  });
}
