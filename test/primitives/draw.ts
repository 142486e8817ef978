import { allocate, type DType, isFloat } from "../../src/base/dtype.js";
import { type Shape, sizeOf } from "../../src/base/shape.js";
import { type AnyPrimitive, apply, type LawCase, type LawInput, leaf, type Tensor } from "../../src/graph/tensor.js";
import { dense, elements, type NDArray } from "../../src/kernel/ndarray.js";
import { reference } from "../../src/runtime/reference.js";

/** Numbers for the laws: drawn as a case asks, and read without touching the graph (a real read would drop inputs). */

export type Float = "float32" | "float64";
export type Case = LawCase<unknown>;
export type Dice = () => number;

/** mulberry32: a failing law is one number. */
export function dice(seed: number): Dice {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** How far every draw stays from a kink: 1e-3 of the laws (float32 differences take larger steps), and room for the step. */
const MARGIN = { float64: 2e-3, float32: 2.5e-2 } as const;

export function drawOne({ dtype = "float64", from, kinks = [] }: LawInput, roll: Dice): number {
  if (dtype === "bool") return from && from[0] === from[1] ? from[0] : roll() < 0.5 ? 0 : 1;
  const [low, high] = from ?? (isFloat(dtype) ? [-2, 2] : [0, 3]);
  if (!isFloat(dtype)) return low + Math.floor(roll() * (high - low + 1));
  for (;;) {
    const x = low + roll() * (high - low);
    if (kinks.every((kink) => Math.abs(x - kink) > MARGIN[dtype as Float])) return x;
  }
}

/** The dtype of an input: floats that name none are drawn in the precision of the law. */
export function dtypeOf({ dtype }: LawInput, float: Float): DType {
  return dtype ?? float;
}

/** One tensor as an input asks, with `lead` axes in front. */
export function draw(input: LawInput, float: Float, roll: Dice, lead: Shape = []): NDArray {
  const size = sizeOf(input.shape);
  const dtype = dtypeOf(input, float);
  const data = allocate(dtype, size * sizeOf(lead));
  for (let start = 0; start < data.length; start += size) {
    const order = shuffled(size, roll);
    for (let i = 0; i < size; i++) {
      const [low, high] = input.from ?? [-2, 2];
      const apart = low + ((high - low) * ((order[i] as number) + 0.2 + 0.6 * roll())) / size;
      data[start + i] = input.distinct ? apart : drawOne({ ...input, dtype }, roll);
      if (input.dominant) data[start + i] = (data[start + i] as number) + weight(input, i);
    }
  }
  return dense(data, dtype, [...lead, ...input.shape]);
}

/** What a dominant matrix has more at its element i: on the diagonal three times what a row beside it can add up to, and more from place to place. */
function weight({ shape, from = [-2, 2] }: LawInput, i: number): number {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const [row, column] = [Math.floor(i / columns) % rows, i % columns];
  return row === column ? 3 * (row + 1) * Math.max(rows, columns) * Math.max(...from.map(Math.abs)) : 0;
}

/** Another number for element i of a drawn tensor. */
export function redraw(input: LawInput, like: NDArray, i: number, roll: Dice): number {
  const { dtype, shape } = like;
  if (input.dominant) return draw({ ...input, shape }, dtype as Float, roll).data[i] as number;
  return drawOne({ ...input, shape: [], dtype }, roll);
}

function shuffled(n: number, roll: Dice): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(roll() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

export function drawAll({ inputs }: Case, float: Float, roll: Dice): NDArray[] {
  return inputs.map((input) => draw(input, float, roll));
}

/** A direction, or a cotangent: uniform on [-1, 1]. */
export function direction(like: { shape: Shape; dtype: DType }, roll: Dice): NDArray {
  return draw({ shape: like.shape, from: [-1, 1] }, like.dtype as Float, roll);
}

export function zeros({ shape, dtype }: { shape: Shape; dtype: DType }): NDArray {
  return dense(allocate(dtype, sizeOf(shape)), dtype, shape);
}

/** x + factor · v, in the dtype of x. */
export function shifted(x: NDArray, v: NDArray, factor: number): NDArray {
  const data = allocate(x.dtype, x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (x.data[i] as number) + factor * (v.data[i] as number);
  return dense(data, x.dtype, x.shape);
}

/** The numbers of a node; null stands for a tangent or cotangent that is exactly zero. */
export function numbersOf(node: Tensor | null, size = 0): number[] {
  if (node === null) return new Array<number>(size).fill(0);
  return [...elements(reference.run([node], new Map())[0] as NDArray)];
}

export function applied(primitive: AnyPrimitive, inputs: readonly NDArray[], params: unknown): Tensor {
  return apply(primitive, inputs.map(leaf), params);
}

export function outputOf(primitive: AnyPrimitive, inputs: readonly NDArray[], params: unknown): number[] {
  return numbersOf(applied(primitive, inputs, params));
}

export function dot(a: readonly number[], b: ArrayLike<number>): number {
  return a.reduce((total, x, i) => total + x * (b[i] as number), 0);
}

/** The entry `row` of axis 0. */
export function rowOf(x: NDArray, row: number): NDArray {
  const shape = x.shape.slice(1);
  const size = sizeOf(shape);
  return dense(x.data.slice(row * size, (row + 1) * size), x.dtype, shape);
}

export function subsets(n: number): boolean[][] {
  return Array.from({ length: 2 ** n - 1 }, (_, mask) =>
    Array.from({ length: n }, (_, i) => (((mask + 1) >> i) & 1) === 1),
  );
}
