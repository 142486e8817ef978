import { type Body, bodyInput, closeLoop } from "../graph/body.js";
import type { Tensor } from "../graph/tensor.js";
import { ancestors, substitute } from "../graph/walk.js";

export interface Built {
  readonly body: Body;
  /** What the loop gets: first carries, stacked inputs, constants. */
  readonly inputs: readonly Tensor[];
  readonly carries: number;
  readonly stacked: number;
}

/**
 * The body of a new loop, cut out of a graph: which of its nodes are the carries and the stacked inputs, what stands outside for its
 * constants, and what the loop gets for each. Stacked inputs that the outputs do not use are left out, and what depends on constants
 * alone is computed once, outside.
 */
export class LoopBuilder {
  private readonly carries = new Map<Tensor, Tensor>();
  private readonly stacked = new Map<Tensor, Tensor>();
  private readonly constants = new Map<Tensor, Tensor>();

  /** `first` is what the carry starts with. */
  carry(node: Tensor, first: Tensor): void {
    this.carries.set(node, first);
  }

  /** `rows` has one row a step: [length, ...node.shape]. */
  stack(node: Tensor, rows: Tensor): void {
    this.stacked.set(node, rows);
  }

  constant(node: Tensor, outside: Tensor): void {
    this.constants.set(node, outside);
  }

  build(outputs: readonly Tensor[]): Built {
    const fresh = (node: Tensor): Tensor => bodyInput(node, node.label ?? node.primitive?.name ?? "kept");
    const carries = new Map([...this.carries.keys()].map((node) => [node, fresh(node)]));
    const stacked = new Map([...this.stacked.keys()].map((node) => [node, fresh(node)]));
    const done = substitute(outputs, new Map([...this.constants, ...stacked, ...carries])).outputs;
    const reached = new Set(ancestors(done));
    const used = [...stacked].filter(([, hole]) => reached.has(hole));
    const holes = [...carries.values(), ...used.map(([, hole]) => hole)];
    const { body, captured } = closeLoop(holes, done, new Set(this.constants.values()));
    return {
      body,
      inputs: [...this.carries.values(), ...used.map(([node]) => this.stacked.get(node) as Tensor), ...captured],
      carries: carries.size,
      stacked: used.length,
    };
  }
}
