import type { Tensor } from "../graph/tensor.js";
import type { AxisRead } from "../kernel/affine.js";
import type { Builder, Value } from "../kernel/expr/block.js";
import { elements, type NDArray } from "../kernel/ndarray.js";
import { loweringOf } from "./program.js";

/** Where the words of a stream come from: one key for all, and runs that follow each other from `start` on. */
export interface Stream {
  readonly key: Tensor;
  /** A node with one element, or a known number. */
  readonly start: Tensor | number;
}

/**
 * Words that follow each other in one stream are made block by block. @returns null where keys differ between runs, or runs do not follow
 * each other
 */
export function streamOf(node: Tensor): Stream | null {
  const [key, run] = node.inputs as [Tensor, Tensor];
  const root = shown(key, 2);
  const start = firstRun(run);
  return root.size === 2 && start !== null ? { key: root, start } : null;
}

/** Through repetition and other shapes to what is repeated, of so many elements. */
function shown(node: Tensor, size: number): Tensor {
  let at = node;
  while (
    at.size > size &&
    at.value === null &&
    at.primitive !== null &&
    ["same", "view", "reshape"].includes(loweringOf(at).kind)
  )
    at = at.inputs[0] as Tensor;
  return at;
}

function inOrder(node: Tensor): Tensor {
  let at = node;
  while (at.value === null && at.primitive !== null && ["same", "reshape"].includes(loweringOf(at).kind))
    at = at.inputs[0] as Tensor;
  return at;
}

function firstRun(run: Tensor): Tensor | number | null {
  if (run.size === 1) return run;
  const node = inOrder(run);
  const first = countsFrom(node);
  if (first !== null) return first;
  if (node.primitive?.name !== "add") return null;
  const [a, b] = node.inputs as [Tensor, Tensor];
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const)
    if (shown(x, 1).size === 1 && countsFrom(inOrder(y)) === 0) return shown(x, 1);
  return null;
}

/** First numbers of constants that count, by the constant: it is asked for each loop that the stream may belong to. */
const counts = new WeakMap<NDArray, { readonly from: number | null }>();

/** Whether a constant holds successive whole numbers. @returns the first */
function countsFrom({ value, size }: Tensor): number | null {
  if (value === null || size === 0) return null;
  let known = counts.get(value);
  if (!known) {
    known = { from: firstOf(elements(value)) };
    counts.set(value, known);
  }
  return known.from;
}

function firstOf(numbers: ArrayLike<number>): number | null {
  const first = numbers[0] as number;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] !== first + i) return null;
  return first;
}

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const parity = 0x1bd11bda;

/** Both words of a block of Threefry-2x32-20, as kernel/threefry computes them; all values uint32. */
export function threefry(b: Builder, k0: Value, k1: Value, c0: Value, c1: Value): readonly [Value, Value] {
  const k2 = b.binary("xor", b.binary("xor", k0, k1), b.constant(parity, "uint32"));
  const keys = [k0, k1, k2];
  let x = b.add(c0, k0);
  let y = b.add(c1, k1);
  for (let group = 1; group <= 5; group++) {
    for (const by of rotations[(group - 1) % 2] as readonly number[]) {
      x = b.add(x, y);
      y = b.binary("xor", b.shift("rotl", y, by), x);
    }
    x = b.add(x, keys[group % 3] as Value);
    y = b.add(b.add(y, keys[(group + 1) % 3] as Value), b.constant(group, "uint32"));
  }
  return [x, y];
}

/** One word of a derived key [..., 2]. @param read a node of the loop at some of its axes @param half 0 or 1 by the last axis */
export function derivedWord(
  b: Builder,
  node: Tensor,
  domain: number,
  read: (x: Tensor, axes: readonly AxisRead[]) => Value,
  half: Value,
): Value {
  const [key, data] = node.inputs as [Tensor, Tensor];
  const batch = data.shape.map((_, axis): AxisRead => ({ axis, scale: 1, shift: 0 }));
  const word = (shift: number): Value => read(key, [...batch, { axis: null, scale: 0, shift }]);
  const [x, y] = threefry(b, word(0), word(1), read(data, batch), b.constant(domain, "uint32"));
  return b.select(b.compare("eq", half, b.constant(0, "uint32")), x, y);
}
