import type { Tensor } from "../graph/tensor.js";
import { elements, type NDArray } from "../kernel/ndarray.js";
import { reshapeTo } from "../primitives/linear.js";
import { add, square, sub, toDType } from "../tensor/elementwise.js";
import { mean, sum } from "../tensor/reducing.js";
import { slice } from "../tensor/shaping.js";
import { addRows, type Blocks } from "./estimate.js";

/** Up to so many numbers are handed out as they are: cheaper than more steps of a program, and nobody may ask for their spread. */
const FEW = 256;

/**
 * What is computed of blocks [rows, ...shape] so that their mean and spread can be told: of few numbers they themselves, of many their
 * mean and the sum of the squared distances from it, in float64. Everything is counted from the first block, so that large means
 * do not cancel and equal blocks have no spread at all.
 */
export function tallied(blocks: Tensor): Tensor[] {
  if (tallySize(blocks.size) === 1) return [blocks];
  const wide = toDType(blocks, "float64");
  const first = slice(wide, 0, 1);
  const distance = sub(wide, first);
  const centre = mean(distance, 0);
  return [add(reshapeTo(first, centre.shape), centre), sum(square(sub(distance, centre)), 0)];
}

/** How many results `tallied` gives of this many numbers. */
export function tallySize(size: number): 1 | 2 {
  return size <= FEW ? 1 : 2;
}

/** Adds the numbers of `tallied`, of `rows` blocks that stand for `weight` runs each. */
export function addTallied(into: Blocks, arrays: readonly NDArray[], rows: number, weight: number): void {
  const [all, squares] = arrays as [NDArray, NDArray | undefined];
  if (squares === undefined) addRows(into, all, weight);
  else into.merge(elements(all), elements(squares), rows, weight);
}
