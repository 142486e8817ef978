import { type Access, accessOf } from "../graph/access.js";
import { type Body, bodiesOf, isConstant } from "../graph/body.js";
import { bounded, linked, pointwise, type ReadEntry, type ReadLink, type Reads } from "../graph/reads.js";
import { smoothnessAt } from "../graph/smooth.js";
import type { Smoothness, Tensor } from "../graph/tensor.js";
import { ancestors } from "../graph/walk.js";
import type { CondParams } from "./branch.js";
import type { ScanParams } from "./loop.js";

/**
 * A graph as it flows, loops opened: the nodes of a scan's body are nodes like others with one more axis in front, time; the carry of a
 * step is read from the step before it. What an analysis sees is then one graph with cycles, and one rule for all nodes (CREDIT, section
 * 4): inputs, what is read of them, how smooth.
 */
export class Flow {
  private readonly opened = new Set<Tensor>();
  private readonly holes = new Map<Tensor, Hole>();
  private readonly homes = new Map<Tensor, Tensor>();
  private readonly depths = new Map<Tensor, readonly number[]>();
  private readonly known = new Map<Tensor, Access>();

  constructor(outputs: readonly Tensor[]) {
    const claimed = new Set<Body>();
    const stack: { outputs: readonly Tensor[]; home: Tensor | null; times: readonly number[] }[] = [
      { outputs, home: null, times: [] },
    ];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { home, times } = next;
      for (const node of ancestors(next.outputs)) {
        if (isConstant(node)) continue;
        if (home !== null) this.homes.set(node, home);
        this.depths.set(node, times);
        const bodies = bodiesOf(node);
        // A body that two loops share cannot be told apart: the second loop stays closed.
        if (bodies.length === 0 || bodies.some((body) => claimed.has(body))) continue;
        this.opened.add(node);
        const inner = isScan(node) ? [...times, (node.params as ScanParams).length] : times;
        bodies.forEach((body) => {
          claimed.add(body);
          body.inputs.forEach((hole, index) => {
            this.holes.set(hole, { loop: node, index });
            this.homes.set(hole, node);
            this.depths.set(hole, inner);
          });
          stack.push({ outputs: body.outputs, home: node, times: inner });
        });
      }
    }
  }

  get hasLoops(): boolean {
    return this.opened.size > 0;
  }

  /** The loop or branch that a node is in; null outside. */
  home(node: Tensor): Tensor | null {
    return this.homes.get(node) ?? null;
  }

  /** Lengths of the loops around a node, the outermost first. */
  times(node: Tensor): readonly number[] {
    return this.depths.get(node) ?? [];
  }

  /** The shape of all steps together. */
  shape(node: Tensor): readonly number[] {
    const times = this.times(node);
    return times.length === 0 ? node.shape : [...times, ...node.shape];
  }

  /** Where a placeholder of a body gets its value from. */
  hole(node: Tensor): Hole | undefined {
    return this.holes.get(node);
  }

  /** The loop whose result a node is a part of, if it is open; with the number of the part. */
  result(node: Tensor): { loop: Tensor; index: number } | null {
    const [loop] = node.inputs;
    if (!loop?.parts || node.parts) return null;
    return this.opened.has(loop) ? { loop, index: (node.params as { readonly index: number }).index } : null;
  }

  /** What a node is beside an ordinary operation: an input of a body, or a result of one. */
  role(node: Tensor): Role {
    const hole = this.holes.get(node);
    if (hole) {
      if (!isScan(hole.loop)) return "operand";
      const { carries, stacked } = hole.loop.params as ScanParams;
      return hole.index < carries ? "carry" : hole.index < carries + stacked ? "row" : "constant";
    }
    const result = this.result(node);
    if (result === null) return node.inputs[0]?.parts && !node.parts ? "part" : "plain";
    if (!isScan(result.loop)) return "choice";
    return result.index < (result.loop.params as ScanParams).carries ? "final" : "stacked";
  }

  access(node: Tensor): Access {
    const known = this.known.get(node);
    if (known) return known;
    const found = this.find(node);
    this.known.set(node, found);
    return found;
  }

  private find(node: Tensor): Access {
    const hole = this.holes.get(node);
    if (hole) return this.intoBody(node, hole);
    const result = this.result(node);
    if (result) return this.outOfBody(node, result.loop, result.index);
    const { inputs, reads } = accessOf(node);
    const d = this.times(node).length;
    if (d === 0) return { inputs, reads };
    return { inputs, reads: inputs.map((input, k) => this.inTime(node, input, reads[k] ?? null)) };
  }

  /** What a node reads within its step, of all steps. */
  private inTime(node: Tensor, input: Tensor, entry: ReadEntry): ReadEntry {
    if (entry === null) return null;
    const times = this.times(node);
    const shape = this.shape(input);
    if (this.times(input).length !== times.length) return [];
    const shifted = entry.map(
      (link): ReadLink => ({
        ...link,
        in: { ...link.in, axis: link.in.axis + times.length },
        out: link.out && { ...link.out, axis: link.out.axis + times.length },
      }),
    );
    return [...times.map((_, axis) => linked(shape, axis, this.shape(node), axis, 1, 0, 0)), ...shifted];
  }

  private intoBody(node: Tensor, { loop, index }: Hole): Access {
    if (!isScan(loop)) {
      const input = loop.inputs[index + 1] as Tensor;
      return { inputs: [input], reads: [pointwise(this.shape(input))] };
    }
    const { carries, stacked, body, reverse } = loop.params as ScanParams;
    const input = loop.inputs[index] as Tensor;
    if (index >= carries && index < carries + stacked) return { inputs: [input], reads: [pointwise(this.shape(node))] };
    const once = this.spreadOverTime(input, node);
    if (index >= carries) return { inputs: [input], reads: [once] };
    const before = body.outputs[index] as Tensor;
    return { inputs: [before, input], reads: [this.shifted(node, reverse ? 1 : -1), once] };
  }

  /** A number that is there for every step: no link to time. */
  private spreadOverTime(input: Tensor, node: Tensor): readonly ReadLink[] {
    const [from, to] = [this.shape(input), this.shape(node)];
    const time = this.times(node).length - 1;
    return from.map((_, axis) => linked(from, axis, to, axis < time ? axis : axis + 1, 1, 0, 0));
  }

  /** The carry before a step is the one after the step before. */
  private shifted(node: Tensor, by: number): readonly ReadLink[] {
    const shape = this.shape(node);
    const time = this.times(node).length - 1;
    return shape.map((_, axis) => linked(shape, axis, shape, axis, 1, axis === time ? by : 0, axis === time ? by : 0));
  }

  private outOfBody(node: Tensor, loop: Tensor, index: number): Access {
    const shape = this.shape(node);
    if (!isScan(loop)) {
      const { branches } = loop.params as CondParams;
      const condition = loop.inputs[0] as Tensor;
      const outs = branches.map(({ outputs }) => outputs[index] as Tensor);
      return {
        inputs: [...outs, condition],
        reads: [pointwise(shape), pointwise(shape), this.conditionReads(condition, node)],
      };
    }
    const { carries, body, alive, length, reverse } = loop.params as ScanParams;
    const out = body.outputs[index] as Tensor;
    if (index >= carries) return { inputs: [out], reads: [pointwise(shape)] };
    const all = this.shape(out);
    const time = this.times(out).length - 1;
    const kept = shape.map((_, axis) => linked(all, axis < time ? axis : axis + 1, shape, axis, 1, 0, 0));
    const last = reverse ? 0 : length - 1;
    const first = loop.inputs[index] as Tensor;
    if (alive !== null) return { inputs: [out, first], reads: [kept, pointwise(shape)] };
    return length === 0
      ? { inputs: [first], reads: [pointwise(shape)] }
      : { inputs: [out], reads: [[...kept, bounded(all, time, last, last)]] };
  }

  /** The condition of a branch reaches everything of its step. */
  private conditionReads(condition: Tensor, node: Tensor): readonly ReadLink[] {
    const shape = this.shape(condition);
    return shape.map((_, axis) => linked(shape, axis, this.shape(node), axis, 1, 0, 0));
  }

  /** How often a composition through input k of `access(node)` may be differentiated. */
  smoothness(node: Tensor, k: number): Smoothness {
    if (this.holes.has(node)) return "smooth";
    const result = this.result(node);
    if (result) return !isScan(result.loop) && k === 2 ? "jump" : "smooth";
    const [loop] = node.inputs;
    if (loop?.parts && !node.parts) return bodiesOf(loop).length > 0 ? "jump" : smoothnessAt(loop, k);
    return node.primitive === null ? "smooth" : smoothnessAt(node, k);
  }

  /** Every node that the outputs depend on, in an order in which only carries look ahead. */
  ancestors(outputs: readonly Tensor[], enter: (node: Tensor) => boolean = () => true): Tensor[] {
    if (!this.hasLoops) return ancestors(outputs, enter);
    const seen = new Set<Tensor>(outputs);
    const stack = [...outputs];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (!enter(node)) continue;
      for (const input of this.access(node).inputs) {
        if (seen.has(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
    return [...seen].sort((a, b) => a.id - b.id);
  }

  /** The nodes on ways from `sources` to `outputs`, sources included. */
  between(sources: readonly Tensor[], outputs: readonly Tensor[]): Tensor[] {
    const nodes = this.ancestors(outputs);
    const reached = new Set<Tensor>(sources);
    this.settle(nodes, (node) => {
      if (reached.has(node) || !this.access(node).inputs.some((input) => reached.has(input))) return false;
      reached.add(node);
      return true;
    });
    return nodes.filter((node) => reached.has(node));
  }

  /** Visits nodes in order, again and again until no visit changes anything; once where there is no loop. */
  settle(nodes: readonly Tensor[], visit: (node: Tensor) => boolean): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of nodes) if (visit(node)) changed = true;
      if (!this.hasLoops) return;
    }
  }
}

/** carry, row, constant: inputs of a scan's body; operand: of a branch; final, stacked: results of a scan; choice: of a cond; part: of a tuple. */
export type Role = "plain" | "part" | "carry" | "row" | "constant" | "operand" | "final" | "stacked" | "choice";

/** A placeholder of a body: input `index` of the loop (of a branch: operand `index`). */
export interface Hole {
  readonly loop: Tensor;
  readonly index: number;
}

export function isScan(node: Tensor): boolean {
  return node.primitive?.name === "scan";
}

/** A final carry as the first one and the sum of what `length` steps add. */
export interface Accumulated {
  readonly first: Tensor;
  readonly terms: Tensor;
  readonly negative: boolean;
  readonly length: number;
}

/** The final carry that only adds up, `carry + δ`: then it is the first carry and the sum of all δ. */
export function accumulated(flow: Flow, node: Tensor): Accumulated | null {
  const result = flow.result(node);
  if (!result || !isScan(result.loop)) return null;
  const { loop, index } = result;
  const { carries, body, alive, length } = loop.params as ScanParams;
  if (index >= carries || alive !== null || length === 0) return null;
  const { primitive, inputs } = body.outputs[index] as Tensor;
  const carry = body.inputs[index];
  const negative = primitive?.name === "sub";
  if (primitive?.name !== "add" && !negative) return null;
  const [a, b] = inputs as [Tensor, Tensor];
  const first = loop.inputs[index] as Tensor;
  if (a === carry && b !== carry) return { first, terms: b, negative, length };
  return b === carry && a !== carry && !negative ? { first, terms: a, negative, length } : null;
}

/** What an accumulated carry reads of the terms of all steps. */
export function accumulatedReads(flow: Flow, node: Tensor, terms: Tensor): Reads {
  const [all, shape] = [flow.shape(terms), flow.shape(node)];
  const time = flow.times(terms).length - 1;
  return [pointwise(shape), shape.map((_, axis) => linked(all, axis < time ? axis : axis + 1, shape, axis, 1, 0, 0))];
}
