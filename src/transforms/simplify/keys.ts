import { isTypedArray, type TypedArray } from "../../base/dtype.js";
import { bodiesOf, everyNode } from "../../graph/body.js";
import type { AnyPrimitive, Tensor } from "../../graph/tensor.js";
import { elements, type NDArray } from "../../kernel/ndarray.js";
import { mul } from "../../primitives/contract.js";
import { add } from "../../primitives/linear.js";
import { and, equals, maximum, minimum, notEquals, or } from "../../primitives/pointwise.js";
import { isItself } from "./effects.js";

/** Keys of common subexpressions: two nodes with equal keys have equal numbers, bit for bit, and equal derivatives. */

/** f(a, b) = f(b, a) in every bit, but for the payload of a NaN, which nothing can see. */
const commutative: ReadonlySet<AnyPrimitive> = new Set([add, mul, maximum, minimum, equals, notEquals, and, or]);

/** An operation before it is a node. */
export interface Call {
  readonly primitive: AnyPrimitive;
  readonly inputs: readonly Tensor[];
  readonly params: unknown;
}

const numbered = new WeakMap<object, number>();
let objects = 0;

/** A number for an object, the same as long as it lives. */
function identity(object: object): number {
  const known = numbered.get(object);
  if (known !== undefined) return known;
  numbered.set(object, objects);
  return objects++;
}

/** Whether an operation is only its numbers, so that one node may stand for all that are equal. */
export function mayMerge({ primitive }: Call, original: Tensor | null): boolean {
  return !isItself(primitive) && !(original?.parts && holdsSuch(original));
}

/** Whether a loop or a branch holds a node that must not be merged: then each run of it counts. */
function holdsSuch(node: Tensor): boolean {
  const outputs = bodiesOf(node).flatMap((body) => body.outputs);
  return everyNode(outputs).some(({ primitive }) => primitive !== null && isItself(primitive));
}

/** Operations by what they do to what: hash-consing. A bucket is what has one hash, mostly one node. */
export class Expressions {
  private readonly buckets = new Map<number, Tensor | Tensor[]>();

  /** The node that stands for this operation: a known one, or else the one that is made. */
  shared(call: Call, make: () => Tensor): Tensor {
    const hash = hashOf(call);
    const bucket = this.buckets.get(hash);
    if (bucket === undefined) {
      const made = make();
      this.buckets.set(hash, made);
      return made;
    }
    const nodes = Array.isArray(bucket) ? bucket : [bucket];
    const found = nodes.find((node) => sameCall(node as Call, call));
    if (found) return found;
    const made = make();
    this.buckets.set(hash, [...nodes, made]);
    return made;
  }
}

function hashOf({ primitive, inputs, params }: Call): number {
  let h = Math.imul(identity(primitive) ^ 0x811c9dc5, 0x01000193);
  // Alike for both orders of two operands.
  if (commutative.has(primitive)) h ^= scattered((inputs[0] as Tensor).id) + scattered((inputs[1] as Tensor).id);
  else for (const input of inputs) h = Math.imul(h, 0x01000193) ^ scattered(input.id);
  if (params === null) return h & 0x3fffffff;
  const text = structure(params);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h & 0x3fffffff;
}

/** Neighbouring ids far apart. */
function scattered(id: number): number {
  const h = Math.imul(id ^ (id >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

function sameCall(a: Call, b: Call): boolean {
  if (a.primitive !== b.primitive || a.inputs.length !== b.inputs.length) return false;
  const inOrder = a.inputs.every((input, i) => input === b.inputs[i]);
  const swapped = commutative.has(a.primitive) && a.inputs[0] === b.inputs[1] && a.inputs[1] === b.inputs[0];
  return (inOrder || swapped) && (a.params === b.params || structure(a.params) === structure(b.params));
}

/** Nesting beyond this is compared by identity, which also ends cycles. */
const DEEPEST = 8;
const LONGEST = 1024;

/**
 * Parameters as text. Plain data is compared by what it says (−0 and 0 differ, the order of fields does not matter); functions, tensors,
 * bodies of loops and all other instances of classes by identity.
 */
export function structure(value: unknown, depth = 0): string {
  switch (typeof value) {
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "boolean":
    case "undefined":
      return String(value);
    case "symbol":
      // Equal to none, itself included: not every engine can tell symbols apart by a WeakMap, and parameters hold none.
      return `symbol ${objects++}`;
    default:
      return value === null ? "null" : ofObject(value as object, depth);
  }
}

function ofObject(value: object, depth: number): string {
  if (depth < DEEPEST && Array.isArray(value) && value.length <= LONGEST)
    return `[${value.map((entry) => structure(entry, depth + 1)).join()}]`;
  if (isTypedArray(value) && value.length <= LONGEST)
    return `${value.constructor.name}[${Array.from(value as ArrayLike<number>, (x) => structure(x)).join()}]`;
  const prototype = Object.getPrototypeOf(value);
  if (depth >= DEEPEST || typeof value === "function" || (prototype !== Object.prototype && prototype !== null))
    return `#${identity(value)}`;
  const fields = Object.keys(value).sort();
  return `{${fields.map((field) => `${JSON.stringify(field)}:${structure((value as Record<string, unknown>)[field], depth + 1)}`).join()}}`;
}

/** Constants of more elements are not compared: it would cost more than the memory is worth. */
const LARGEST = 4096;

/** Constants that are equal in every bit (the payload of NaN apart), as one. */
export class Constants {
  private readonly buckets = new Map<string, Tensor[]>();

  /** The first of those that are equal to this leaf. */
  shared(leaf: Tensor): Tensor {
    if (leaf.size > LARGEST) return leaf;
    const numbers = elements(leaf.value as NDArray);
    const key = `${leaf.dtype}[${leaf.shape.join()}]${hash(numbers)}`;
    const bucket = this.buckets.get(key);
    if (bucket === undefined) {
      this.buckets.set(key, [leaf]);
      return leaf;
    }
    const found = bucket.find((other) => sameNumbers(elements(other.value as NDArray), numbers));
    if (found) return found;
    bucket.push(leaf);
    return leaf;
  }
}

/** FNV-1a over the numbers, in two halves. */
function hash(x: TypedArray): number {
  if (x.length === 1) return Object.is(x[0], -0) ? Number.MIN_VALUE : (x[0] as number);
  let h = 0x811c9dc5;
  for (let i = 0; i < x.length; i++) {
    const value = x[i] as number;
    h = Math.imul(h ^ (value | 0), 0x01000193);
    h = Math.imul(h ^ ((value * 65536) | 0), 0x01000193);
  }
  return h >>> 0;
}

function sameNumbers(x: TypedArray, y: TypedArray): boolean {
  for (let i = 0; i < x.length; i++) if (!Object.is(x[i], y[i])) return false;
  return true;
}
