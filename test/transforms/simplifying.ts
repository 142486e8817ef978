import { allocate, type DType } from "../../src/base/dtype.js";
import { type Shape, sizeOf } from "../../src/base/shape.js";
import { placeholder, Tensor, type Type } from "../../src/graph/tensor.js";
import { ancestors } from "../../src/graph/walk.js";
import { dense, elements, type NDArray } from "../../src/kernel/ndarray.js";
import { reference } from "../../src/runtime/reference.js";

/** What the tests of `simplify` share: numbers at which careless identities fail, and graphs as formulas. */

const both = (list: readonly number[]): number[] => list.flatMap((x) => [x, -x]);
const floats = [
  ...both([0, 1, 0.5, 2, 3, 1 / 3, 1 + 2 ** -52, 2 ** -52, Number.POSITIVE_INFINITY, Number.MAX_VALUE]),
  // Subnormal numbers, the largest of them, and the smallest that is none, in both precisions.
  ...both([5e-324, 2 ** -1022 - 5e-324, 2 ** -1022, 2 ** -149, 2 ** -126 - 2 ** -149, 2 ** -126]),
  ...both([(2 - 2 ** -23) * 2 ** 127, 2 ** 24 + 1, 1 + 2 ** -23]),
  Number.NaN,
];
const whole = [0, 1, -1, 2, 7, -7, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32 - 1, 2 ** 24 + 1, 123456789];

/** Every kind of number of a dtype, and some random bits. */
export function specials(dtype: DType): number[] {
  if (dtype === "bool") return [0, 1];
  const list = dtype === "float32" || dtype === "float64" ? floats : whole;
  return [...list, ...randomBits(dtype, 8)];
}

function randomBits(dtype: DType, count: number): number[] {
  const words = new Uint32Array(2 * count);
  let state = 0x9e3779b9;
  for (let i = 0; i < words.length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    words[i] = state;
  }
  if (dtype === "float64") return [...new Float64Array(words.buffer)];
  return dtype === "float32" ? [...new Float32Array(words.buffer, 0, count)] : [...words.subarray(0, count)];
}

export function array(dtype: DType, shape: Shape, number: (i: number) => number): NDArray {
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = number(i);
  return dense(data, dtype, shape);
}

/** Numbers for `count` operands of a dtype that meet in all pairs: arrays [n²]. */
export function pairs(dtype: DType, count: number): NDArray[] {
  const list = specials(dtype);
  const n = list.length;
  return Array.from({ length: count }, (_, k) =>
    array(dtype, [n * n], (i) => list[k % 2 === 0 ? i % n : Math.floor(i / n)] as number),
  );
}

export function holesFor(arrays: readonly NDArray[], label = "x"): Tensor[] {
  return arrays.map((a, k) => placeholder(a, `${label}${k}`));
}

export type Feeds = ReadonlyMap<Tensor, NDArray>;

export function feedsOf(holes: readonly Tensor[], arrays: readonly NDArray[]): Feeds {
  return new Map(holes.map((hole, k) => [hole, arrays[k] as NDArray]));
}

/** The numbers of nodes; null is a tangent that is exactly zero. */
export function run(outputs: readonly (Tensor | null)[], feeds: Feeds): number[][] {
  const nodes = outputs.filter((node): node is Tensor => node !== null);
  const values = reference.run(nodes, feeds).map((x) => [...elements(x)]);
  return outputs.map((node) => (node === null ? [] : (values[nodes.indexOf(node)] as number[])));
}

/** The first element in which two lists differ in a bit (payloads of NaN apart); null where there is none. */
export function firstDifference(before: readonly number[][], after: readonly number[][]): string | null {
  for (const [k, list] of before.entries()) {
    const other = after[k] ?? [];
    if (list.length !== other.length) return `output ${k}: ${list.length} and ${other.length} numbers`;
    const at = list.findIndex((x, i) => !Object.is(x, other[i]));
    if (at >= 0) return `output ${k}[${at}]: ${shown(list[at])} and ${shown(other[at])}`;
  }
  return null;
}

function shown(x: number | undefined): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** Kernels that a graph runs. */
export function operations(outputs: readonly Tensor[]): number {
  return ancestors(outputs).filter((node) => node.primitive !== null).length;
}

/** `sub(x0, neg(x1))`: a small graph as one line; constants are their first number. */
export function formula(node: Tensor): string {
  if (node.label !== null) return node.label;
  if (node.value !== null) return shown(elements(node.value)[0]);
  const [input] = node.inputs;
  if (node.primitive?.name === "broadcast" && input?.value) return formula(input);
  const given = node.params as Record<string, unknown> | null;
  const params = Object.entries(given ?? {}).map(
    ([key, value]) => `${key}=${Array.isArray(value) ? `[${value}]` : value}`,
  );
  return `${node.primitive?.name}(${[...node.inputs.map(formula), ...params].join(", ")})`;
}

export function like(type: Type, value: NDArray): Tensor {
  return new Tensor(type, { value });
}
