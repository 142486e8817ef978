import { Body } from "../graph/body.js";
import { isTensor, type Tensor } from "../graph/tensor.js";
import { elements, type NDArray } from "../kernel/ndarray.js";

/** Constants of so many elements count by their numbers, larger ones by being the same. */
const byContent = 64;

const ids = new WeakMap<object, number>();
let next = 0;

/** A number for an object that no other has. */
function idOf(x: object): number {
  const known = ids.get(x);
  if (known !== undefined) return known;
  ids.set(x, next);
  return next++;
}

/**
 * A graph in words: equal words mean that one plan serves both. Functions and large constants are named by identity, so that words
 * mean nothing in another process.
 */
export function structureOf(outputs: readonly Tensor[], inputs: readonly Tensor[]): string {
  const words: string[] = [];
  graph(outputs, inputs, words);
  return words.join(" ");
}

function graph(outputs: readonly Tensor[], inputs: readonly Tensor[], words: string[]): void {
  const numbers = new Map<Tensor, number>();
  inputs.forEach((x) => {
    if (!numbers.has(x)) numbers.set(x, numbers.size);
    words.push(`i${numbers.get(x)}${x.dtype}${x.shape}${x.value === null ? "" : `=${constant(x.value)}`}`);
  });
  // A walk in the order of the outputs: node ids differ from trace to trace.
  const stack: Tensor[] = [...outputs].reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Tensor;
    const missing = numbers.has(node) || node.value !== null ? [] : node.inputs.filter((x) => !numbers.has(x));
    if (missing.length > 0) {
      for (let i = missing.length - 1; i >= 0; i--) stack.push(missing[i] as Tensor);
      continue;
    }
    stack.pop();
    if (numbers.has(node)) continue;
    numbers.set(node, numbers.size);
    words.push(`${node.dtype}[${node.shape}]`);
    if (node.value !== null) words.push(constant(node.value));
    else if (node.primitive === null) words.push(`?${idOf(node)}`);
    else {
      words.push(`${node.primitive.name}#${idOf(node.primitive)}(${node.inputs.map((x) => numbers.get(x))})`);
      describe(node.params, words);
    }
  }
  words.push(`>${outputs.map((x) => numbers.get(x))}`);
}

function constant(value: NDArray): string {
  const size = value.shape.reduce((n, m) => n * m, 1);
  if (size > byContent) return `@${idOf(value)}`;
  return `${value.dtype}{${[...elements(value)].map((x) => (Object.is(x, -0) ? "-0" : x))}}`;
}

function describe(x: unknown, words: string[]): void {
  if (typeof x === "function") words.push(`f${idOf(x)}`);
  else if (typeof x !== "object" || x === null)
    words.push(typeof x === "string" ? JSON.stringify(x) : Object.is(x, -0) ? "-0" : String(x));
  else if (x instanceof Body) {
    words.push("{");
    graph(x.outputs, x.inputs, words);
    words.push("}");
  } else if (Array.isArray(x)) {
    words.push("[");
    for (const each of x) describe(each, words);
    words.push("]");
  } else if (!isTensor(x) && Object.getPrototypeOf(x) === Object.prototype) {
    words.push("(");
    for (const [key, each] of Object.entries(x)) {
      words.push(key);
      describe(each, words);
    }
    words.push(")");
  } else words.push(`@${idOf(x)}`);
}
