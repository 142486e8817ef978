import { type Shape, sizeOf, stridesOf } from "../base/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { type AffineMap, identityMap, NeedsSplit, splitMap, splitShape, throughReshape } from "../kernel/affine.js";
import { elements } from "../kernel/ndarray.js";
import { brokenChecks } from "./checks.js";
import { lowerBranch, lowerLoop } from "./control.js";
import { expand } from "./expand.js";
import { Fused, MustStore } from "./fused.js";
import { type Schedule, schedule } from "./levels.js";
import { isSoft, walkOf } from "./nodes.js";
import { operandOf } from "./operand.js";
import type { Layout, Place, Rounds, Step } from "./plan.js";
import { type Around, loweringOf, neededInputs, type Program, type Scheduled } from "./program.js";

/** Where a node should be written, if it is computed at all. */
export type Destinations = ReadonlyMap<Tensor, Place>;

const nowhere: Destinations = new Map();

/** One graph, of a program or of a body in it, as rounds of steps. */
export class Level implements Around {
  readonly program: Program;
  private readonly given: ReadonlyMap<Tensor, Place>;
  private places = new Map<Tensor, Place>();
  private found: Schedule | null = null;
  private steps: Scheduled[] = [];

  /** @param given where what is known before lies */
  constructor(program: Program, given: ReadonlyMap<Tensor, Place>) {
    this.program = program;
    this.given = given;
  }

  /** Computes the outputs. @returns where they lie, and the rounds */
  lower(asked: readonly Tensor[], goals: Destinations = nowhere): { places: Place[]; rounds: Rounds } {
    const forced = new Set<Tensor>();
    const mark = this.program.mark();
    const isGiven = (node: Tensor): boolean => this.given.has(node);
    const outputs = expand(asked, isGiven);
    const to: Destinations = new Map(
      asked.flatMap((node, k) => {
        const place = goals.get(node);
        return place === undefined ? [] : [[outputs[k] as Tensor, place]];
      }),
    );
    const flags = brokenChecks(outputs, isGiven);
    for (;;) {
      try {
        this.places = new Map();
        this.steps = [];
        this.found = schedule([...outputs, ...flags], new Set(this.given.keys()), forced);
        this.build(this.found, to);
        for (const flag of flags) this.add(Number.POSITIVE_INFINITY, { kind: "alarm", flag: this.place(flag) });
        return { places: outputs.map((node) => this.place(node)), rounds: this.inRounds() };
      } catch (reason) {
        if (!(reason instanceof MustStore) || forced.has(reason.node)) throw reason;
        forced.add(reason.node);
        this.program.reset(mark);
      }
    }
  }

  /** Where a node lies. */
  place(node: Tensor): Place {
    const known = this.given.get(node) ?? this.places.get(node);
    if (known !== undefined) return known;
    if (node.value !== null) return this.program.constant(node, elements(node.value));
    throw new Error(`compile: ${node.primitive?.name ?? node.label} has no place`);
  }

  /** Adds steps; a fraction of a round orders what belongs together. */
  add(round: number, step: Step): void {
    this.steps.push({ round, step });
  }

  inner(
    given: ReadonlyMap<Tensor, Place>,
    outputs: readonly Tensor[],
    to: Destinations,
  ): { places: Place[]; rounds: Rounds } {
    return new Level(this.program, given).lower(outputs, to);
  }

  setPlace(node: Tensor, place: Place): void {
    this.places.set(node, place);
  }

  private inRounds(): Rounds {
    const rounds = new Map<number, Step[]>();
    for (const { round, step } of this.steps) {
      const steps = rounds.get(round);
      if (steps) steps.push(step);
      else rounds.set(round, [step]);
    }
    return [...rounds].sort(([a], [b]) => a - b).map(([, steps]) => steps);
  }

  private build({ order, stored, round, loop }: Schedule, to: Destinations): void {
    const parts = partsOf(order);
    for (const node of order) {
      if (!stored.has(node) || node.parts || loweringOf(node).kind === "part") continue;
      this.places.set(node, to.get(node) ?? this.program.buffer(node.dtype, node.size));
    }
    const loops = new Map<string, Tensor[]>();
    for (const node of order) {
      const key = loop.get(node);
      if (key !== undefined && stored.has(node)) push(loops, key, node);
      else if (stored.has(node)) this.single(node, round.get(node) as number, stored, parts.get(node) ?? new Map());
    }
    for (const nodes of loops.values()) this.fuse(nodes, round.get(nodes[0] as Tensor) as number);
  }

  private single(
    node: Tensor,
    round: number,
    stored: ReadonlySet<Tensor>,
    parts: ReadonlyMap<number, readonly Tensor[]>,
  ): void {
    const lower = loweringOf(node);
    if (lower.kind === "part") return;
    if (lower.kind === "matmul" && (node.dtype === "float32" || node.dtype === "float64"))
      this.product(node, node.dtype, round, stored);
    else if (lower.kind === "conv" && convolves(node)) this.convolve(node, round);
    else if (lower.kind === "concat") this.concat(node, round, lower.axis(node.params));
    else if (lower.kind === "loop") lowerLoop(this, node, round, parts);
    else if (lower.kind === "branch") lowerBranch(this, node, round, parts);
    else this.host(node, round, parts);
  }

  private product(node: Tensor, dtype: "float32" | "float64", round: number, stored: ReadonlySet<Tensor>): void {
    const operands = node.inputs.map((input) => {
      const operand = operandOf(input, stored, (x) => this.place(x));
      if (operand === null) throw new MustStore(input);
      return operand;
    });
    const [a, b] = operands as [(typeof operands)[number], (typeof operands)[number]];
    const rank = node.rank;
    const [m, n] = [node.shape[rank - 2] as number, node.shape[rank - 1] as number];
    const k = node.inputs[0]?.shape[rank - 1] as number;
    const batch = sizeOf(node.shape.slice(0, -2));
    this.add(round, { kind: "matmul", dtype, m, n, k, a, b, c: this.place(node), batch });
  }

  private convolve(node: Tensor, round: number): void {
    const lower = loweringOf(node);
    if (lower.kind !== "conv") return;
    const [input, kernel] = node.inputs as [Tensor, Tensor];
    this.add(round, {
      kind: "conv",
      dtype: node.dtype as "float32" | "float64",
      input: this.place(input),
      kernel: this.place(kernel),
      output: this.place(node),
      spec: lower.spec(node.params, input.shape, kernel.shape),
    });
  }

  /** Each input is computed straight into its part of the whole. */
  private concat(node: Tensor, round: number, axis: number): void {
    const strides = stridesOf(node.shape);
    const whole = this.place(node);
    let from = 0;
    for (const input of node.inputs) {
      const place = { ...whole, offset: whole.offset + from * (strides[axis] as number) };
      from += input.shape[axis] as number;
      if (input.size === 0) continue;
      this.split(input.shape, { kind: "flat" }, new Set(), round, (fused, domain, mapOf) => {
        const flat = mapOf(identityMap(input.shape));
        fused.scatter(
          input,
          flat,
          place,
          domain.map((_, d) => strideAlong(flat, strides, d)),
        );
      });
    }
  }

  private host(node: Tensor, round: number, parts: ReadonlyMap<number, readonly Tensor[]>): void {
    const needed = new Set(neededInputs(node));
    const inputs = node.inputs.map((input) => (needed.has(input) ? this.place(input) : null));
    const outputs = node.parts
      ? node.parts.map((type, k) => {
          const takers = parts.get(k);
          if (takers === undefined) return null;
          const place = this.program.buffer(type.dtype, sizeOf(type.shape));
          for (const taker of takers) this.places.set(taker, place);
          return place;
        })
      : [this.place(node)];
    this.add(round, {
      kind: "host",
      primitive: node.primitive as NonNullable<Tensor["primitive"]>,
      node,
      params: node.params,
      inputs,
      wanted: new Set(parts.keys()),
      outputs,
    });
  }

  private fuse(nodes: readonly Tensor[], round: number): void {
    const [first] = nodes as [Tensor, ...Tensor[]];
    if (emptied(first)) {
      this.fillSums(nodes, round);
      return;
    }
    const reduction = nodes.find((node) => loweringOf(node).kind === "reduce");
    const walk = reduction && walkOf(reduction);
    const input = reduction?.inputs[0];
    const domain = walk && input ? walk.axes.map((axis) => input.shape[axis] as number) : first.shape;
    const members = new Set(nodes.filter(isSoft));
    this.split(domain, walk?.layout ?? { kind: "flat" }, members, round, (fused, _domain, mapOf) => {
      for (const node of nodes) {
        const lower = loweringOf(node);
        if (lower.kind !== "reduce") fused.store(node, mapOf(ordered(domain, node.shape)), this.place(node));
        else {
          const [x] = node.inputs as [Tensor];
          fused.reduce(x, mapOf(walked(domain, walkOf(node).axes, x.shape)), lower.op, this.place(node));
        }
      }
    });
  }

  /** Of nothing: sums are 0, and nothing else has elements. */
  private fillSums(nodes: readonly Tensor[], round: number): void {
    for (const node of nodes) {
      if (node.size === 0) continue;
      this.split(node.shape, { kind: "flat" }, new Set(), round, (fused) => {
        fused.fill(0, node.dtype, this.place(node));
      });
    }
  }

  /** Builds a loop over a domain, cutting axes of it until everything in it can be read. */
  private split(
    shape: Shape,
    layout: Layout,
    members: ReadonlySet<Tensor>,
    round: number,
    fill: (fused: Fused, domain: Shape, mapOf: (map: AffineMap) => AffineMap) => void,
  ): void {
    const cuts: NeedsSplit[] = [];
    let domain = shape;
    for (;;) {
      const fused = new Fused(domain, layout, members, {
        program: this.program,
        placeOf: (node) => this.given.get(node) ?? this.places.get(node) ?? null,
      });
      try {
        fill(fused, domain, (map) => cuts.reduce(splitMap, map));
        this.add(round, fused.finish());
        return;
      } catch (reason) {
        if (!(reason instanceof NeedsSplit)) throw reason;
        cuts.push(reason);
        domain = splitShape(domain, reason);
      }
    }
  }
}

function push(lists: Map<string, Tensor[]>, key: string, node: Tensor): void {
  const list = lists.get(key);
  if (list) list.push(node);
  else lists.set(key, [node]);
}

/** For each operation with several results which parts of it are taken, and by what nodes. */
function partsOf(order: readonly Tensor[]): ReadonlyMap<Tensor, Map<number, Tensor[]>> {
  const parts = new Map<Tensor, Map<number, Tensor[]>>();
  for (const node of order) {
    const lower = loweringOf(node);
    if (lower.kind !== "part") continue;
    const [whole] = node.inputs as [Tensor];
    const of = parts.get(whole) ?? new Map<number, Tensor[]>();
    parts.set(whole, of);
    const index = lower.index(node.params);
    of.set(index, [...(of.get(index) ?? []), node]);
  }
  return parts;
}

function convolves({ dtype, rank }: Tensor): boolean {
  return (dtype === "float32" || dtype === "float64") && rank <= 5;
}

/** A node whose elements come in the order of the domain. */
function ordered(domain: Shape, shape: Shape): AffineMap {
  const map = throughReshape(identityMap(domain), shape, domain, domain);
  if (map === null || map instanceof NeedsSplit) throw new Error("compile: a node is in a loop of another order");
  return map;
}

/** The input of a reduction, walked axis by axis in another order. */
function walked(domain: Shape, axes: readonly number[], shape: Shape): AffineMap {
  const own = axes.map((axis) => shape[axis] as number);
  const inner = ordered(domain, own);
  return {
    offset: shape.map(() => 0),
    coefficients: shape.map((_, axis) => inner.coefficients[axes.indexOf(axis)] as readonly number[]),
  };
}

function strideAlong(map: AffineMap, strides: readonly number[], d: number): number {
  return map.coefficients.reduce((sum, row, a) => sum + (row[d] as number) * (strides[a] as number), 0);
}

/** Whether a node, or what it reduces, has no elements. */
function emptied(node: Tensor): boolean {
  return node.size === 0 || (loweringOf(node).kind === "reduce" && node.inputs[0]?.size === 0);
}
