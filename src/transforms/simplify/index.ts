import type { TypedArray } from "../../base/dtype.js";
import { type AnyPrimitive, leaf, type Primitive, Tensor, type Type } from "../../graph/tensor.js";
import { ancestors } from "../../graph/walk.js";
import { dense, type NDArray } from "../../kernel/ndarray.js";
import { broadcast } from "../../primitives/linear.js";
import { arithmetic } from "./arithmetic.js";
import { choices } from "./choices.js";
import { fold, numbersOf, oneNumber } from "./constants.js";
import { isTotal } from "./effects.js";
import type { Build, Identity } from "./identity.js";
import { type Call, Constants, Expressions, mayMerge } from "./keys.js";
import { moving } from "./moving.js";

/** Every identity, each exact bit for bit. The tests walk this list. */
export const identities: readonly Identity[] = [...arithmetic, ...choices, ...moving];

const identitiesOf = new Map<AnyPrimitive, Identity[]>();
for (const identity of identities)
  for (const primitive of identity.of) identitiesOf.set(primitive, [...(identitiesOf.get(primitive) ?? []), identity]);

export interface SimplifyOptions {
  /** Nodes that stay what they are, though they may be constants: the variables of derivatives that come later. */
  readonly variables?: readonly Tensor[];
}

/**
 * The same outputs from fewer operations: common subexpressions are computed once, what depends on constants alone is computed now,
 * and identities that hold bit for bit are applied. Every number the interpreter finds is the same before and after, and so are the errors
 * it throws and the calls of black boxes, with their order. Derivatives are the same functions (where subexpressions meet, cotangents are
 * added before they are handed on, and round differently). What is not reached from the outputs is left out; bodies of loops stay as
 * they are. Nothing is added by simplifying twice.
 */
export function simplify(outputs: readonly Tensor[], options: SimplifyOptions = {}): Tensor[] {
  return simplifyGraph(outputs, options).outputs;
}

/** As `simplify`, with what stands for every node of the graph. */
export function simplifyGraph(
  outputs: readonly Tensor[],
  { variables = [] }: SimplifyOptions = {},
): { outputs: Tensor[]; map: Map<Tensor, Tensor> } {
  const run = new Simplification(new Set(variables));
  const map = new Map<Tensor, Tensor>();
  for (const node of ancestors(outputs)) {
    const inputs = node.inputs.map((input) => map.get(input) as Tensor);
    map.set(node, run.visit(node, inputs));
  }
  return { outputs: outputs.map((node) => map.get(node) as Tensor), map };
}

/** One pass, leaves first: the inputs of a node are simple when it is visited. */
class Simplification implements Build {
  private readonly known = new Expressions();
  private readonly constants = new Constants();
  private readonly droppable = new Set<Tensor>();
  private readonly single = new Map<Tensor, number | null>();
  private readonly variables: ReadonlySet<Tensor>;
  /** Whether a node that may throw or act has been rebuilt: those after it then are too, so that they keep their order. */
  private rebuilt = false;

  constructor(variables: ReadonlySet<Tensor>) {
    this.variables = variables;
  }

  /** What stands for `node`, whose inputs are now `inputs`. */
  visit(node: Tensor, inputs: readonly Tensor[]): Tensor {
    const { primitive, params } = node;
    if (this.variables.has(node)) return node;
    if (primitive === null) return this.leaf(node);
    if (node.value === null) return this.settle({ primitive, inputs, params }, node, node);
    // Computed already: an identity must not lose the numbers, nor a black box be called again.
    const same = unchanged(node, inputs) ? node : new Tensor(node, { primitive, inputs, params, value: node.value });
    this.droppable.add(same);
    return same;
  }

  private leaf(node: Tensor): Tensor {
    const shared = node.value === null ? node : this.constants.shared(node);
    this.droppable.add(shared);
    return shared;
  }

  /** The simplest node for an operation; `original` if it is one already and stays. */
  private settle(call: Call, out: Type, original: Tensor | null): Tensor {
    for (const identity of identitiesOf.get(call.primitive) ?? []) {
      const better = identity.rewrite(call, out, this);
      if (better) return better;
    }
    return fold(call, out, this) ?? this.merged(call, out, original);
  }

  private merged(call: Call, out: Type, original: Tensor | null): Tensor {
    const make = (): Tensor => this.place(call, out, original);
    return mayMerge(call, original) ? this.known.shared(call, make) : make();
  }

  private place(call: Call, out: Type, original: Tensor | null): Tensor {
    const total = isTotal(call.primitive);
    const stays = original !== null && unchanged(original, call.inputs) && (total || !this.rebuilt);
    const node = stays ? original : new Tensor(out, call);
    if (!total && !stays) this.rebuilt = true;
    if (total && call.inputs.every((input) => this.droppable.has(input))) this.droppable.add(node);
    return node;
  }

  apply<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor {
    return this.settle({ primitive, inputs, params }, primitive.type(inputs, params), null);
  }

  constant(data: TypedArray, { dtype, shape }: Type): Tensor {
    return this.leaf(leaf(dense(data, dtype, shape)));
  }

  numbers(node: Tensor): NDArray | null {
    return numbersOf(node, (constant) => this.variables.has(constant));
  }

  number(node: Tensor): number | null {
    if (node.primitive !== null && node.primitive !== broadcast) return null;
    const known = this.single.get(node);
    if (known !== undefined) return known;
    const found = oneNumber(this.numbers(node));
    this.single.set(node, found);
    return found;
  }

  canBeDropped(node: Tensor): boolean {
    return this.droppable.has(node);
  }
}

function unchanged({ inputs }: Tensor, now: readonly Tensor[]): boolean {
  return inputs.every((input, i) => input === now[i]);
}
