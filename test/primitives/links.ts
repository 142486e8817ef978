import { type Shape, sizeOf } from "../../src/base/shape.js";
import { accessOf } from "../../src/graph/access.js";
import type { Digit, ReadEntry } from "../../src/graph/reads.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { between } from "../../src/graph/walk.js";

/** What access declarations mean, element by element: the oracle that the perturbation law compares with. */

export function unravel(flat: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    index[axis] = flat % size;
    flat = Math.floor(flat / size);
  }
  return index;
}

function digit({ axis, div, mod }: Digit, index: readonly number[]): number {
  return Math.floor((index[axis] as number) / div) % mod;
}

/** Whether an entry of `reads` lets the output element at index o read the input element at index i. */
export function linksAllow(entry: ReadEntry, i: readonly number[], o: readonly number[]): boolean {
  if (entry === null) return false;
  return entry.every((link) => {
    const distance = digit(link.in, i) - (link.out === null ? 0 : link.step * digit(link.out, o));
    return distance >= link.lo && distance <= link.hi;
  });
}

/** For every input element of a node, the output elements that may read it; `allowed[i]` is a set of flat output indices. */
export function allowedBy(entry: ReadEntry, inShape: Shape, outShape: Shape): Set<number>[] {
  const outs = Array.from({ length: sizeOf(outShape) }, (_, flat) => unravel(flat, outShape));
  return Array.from({ length: sizeOf(inShape) }, (_, flat) => {
    const i = unravel(flat, inShape);
    return new Set(outs.flatMap((o, at) => (linksAllow(entry, i, o) ? [at] : [])));
  });
}

/** Composed along the graph: for every element of `source`, the elements of `output` that it may reach. */
export function reach(source: Tensor, output: Tensor): Set<number>[] {
  const start = Array.from({ length: source.size }, (_, i) => new Set([i]));
  const known = new Map<Tensor, Set<number>[]>([[source, start]]);
  for (const node of between([source], [output])) {
    if (known.has(node) || node.primitive === null) continue;
    const { inputs, reads: entries } = accessOf(node);
    const total = start.map(() => new Set<number>());
    inputs.forEach((input, k) => {
      const before = known.get(input);
      if (before === undefined) return;
      const step = allowedBy(entries[k] as ReadEntry, input.shape, node.shape);
      before.forEach((reached, s) => {
        for (const i of reached) for (const o of step[i] as Set<number>) (total[s] as Set<number>).add(o);
      });
    });
    known.set(node, total);
  }
  return known.get(output) ?? start.map(() => new Set<number>());
}
