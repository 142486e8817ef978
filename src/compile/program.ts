import type { DType } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import { sizeOf } from "../base/shape.js";
import { asIs, onHost } from "../graph/lowering.js";
import type { AnyPrimitive, Tensor } from "../graph/tensor.js";
import { isUniform } from "../kernel/ndarray.js";
import type { Buffer, Place, Rounds, Step } from "./plan.js";

/** What the levels of one program share: its buffers and loop counters. */
export class Program {
  readonly buffers: Buffer[] = [];
  cells = 0;
  private readonly constants = new Map<unknown, Place>();

  buffer(dtype: DType, size: number, constant: ArrayLike<number> | null = null): Place {
    this.buffers.push({ dtype, size, constant });
    return at(this.buffers.length - 1);
  }

  /** Where things stand, to come back to with `reset`. */
  mark(): { readonly buffers: number; readonly cells: number } {
    return { buffers: this.buffers.length, cells: this.cells };
  }

  reset({ buffers, cells }: { readonly buffers: number; readonly cells: number }): void {
    this.buffers.length = buffers;
    this.cells = cells;
    for (const [value, place] of this.constants) if (place.buffer >= buffers) this.constants.delete(value);
  }

  /** The buffer of a constant; equal nodes share one. */
  constant(node: Tensor, numbers: ArrayLike<number>): Place {
    const known = this.constants.get(node.value);
    if (known !== undefined) return known;
    const place = this.buffer(node.dtype, node.size, numbers);
    this.constants.set(node.value, place);
    return place;
  }
}

export function at(buffer: number, offset = 0): Place {
  return { buffer, offset, rows: [] };
}

/** A step, and the round of its level in which it may run: all steps of a round are independent of each other. */
export interface Scheduled {
  readonly round: number;
  readonly step: Step;
}

/** A number that is the same everywhere, where it is known; null otherwise. */
export function knownNumber(node: Tensor): number | null {
  if (node.value === null || node.size === 0 || !isUniform(node.value)) return null;
  return node.value.data[node.value.offset] as number;
}

/** What a node becomes. A check that can say whether it holds passes numbers on; a reduction of axes of one element is another shape. */
export function loweringOf(node: Tensor): AnyPrimitive["lower"] {
  const { lower } = node.primitive as AnyPrimitive;
  if (lower.kind === "check") return brokenIn(node) === null ? onHost : asIs;
  // Those with others to become have become them.
  if (lower.kind === "compose") return onHost;
  if (lower.kind === "reduce" && node.size > 0 && node.inputs[0]?.size === node.size) return reshaped;
  return lower;
}

const known = new WeakMap<Tensor, Tensor | null>();

/** Of a check: where it is broken, element by element; null if only its kernel can tell, or the node is none. */
export function brokenIn(node: Tensor): Tensor | null {
  const { lower } = node.primitive as AnyPrimitive;
  if (lower.kind !== "check") return null;
  const found = known.get(node);
  if (found !== undefined) return found;
  const broken = lower.broken(node);
  known.set(node, broken);
  return broken;
}

const reshaped: AnyPrimitive["lower"] = { kind: "reshape" };

/** Inputs whose numbers a node needs. */
export function neededInputs(node: Tensor): readonly Tensor[] {
  const { needs } = node.primitive as AnyPrimitive;
  return needs === "all" ? node.inputs : needs.map((i) => node.inputs[i] as Tensor);
}

/** Shapes that differ in axes of length 1 alone have the same elements in the same order. */
export function sameOrder(a: Shape, b: Shape): boolean {
  if (sizeOf(a) === 0) return sizeOf(b) === 0;
  const [x, y] = [a.filter((n) => n !== 1), b.filter((n) => n !== 1)];
  return x.length === y.length && x.every((n, i) => n === y[i]);
}

/** What loops and branches ask of the level they stand in. */
export interface Around {
  readonly program: Program;
  place(node: Tensor): Place;
  setPlace(node: Tensor, place: Place): void;
  /** Fractions of a round order what belongs together. */
  add(round: number, step: Step): void;
  /** A graph in it: computes the outputs, straight into a place where one is named. */
  inner(
    given: ReadonlyMap<Tensor, Place>,
    outputs: readonly Tensor[],
    to: ReadonlyMap<Tensor, Place>,
  ): { readonly places: readonly Place[]; readonly rounds: Rounds };
}
