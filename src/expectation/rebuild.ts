import { type CondParams, condOf, type Piece } from "../control/branch.js";
import { condNode } from "../control/cond.js";
import { isScan } from "../control/flow.js";
import { LoopBuilder } from "../control/inputs.js";
import type { ScanParams } from "../control/loop.js";
import { scanNode } from "../control/scan.js";
import type { Contribution } from "../estimators/estimator.js";
import { type Body, capturedBy } from "../graph/body.js";
import { apply, idMark, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { again, ancestors } from "../graph/walk.js";
import { limit } from "../primitives/control.js";
import { broadcastTo, onesLike, zerosLike } from "../primitives/linear.js";
import { part } from "../primitives/tuple.js";
import type { Plan } from "./choose.js";
import type { Program } from "./program.js";
import { batchShapeOfSite } from "./site.js";

/**
 * The graph with something else in place of its random choices. A loop that holds one is built again around its new body; what is needed
 * outside of what happens inside (a weight, a cost) comes out as one more result, with time as its first axis.
 */
export interface Rebuilt {
  /** From nodes of the program to nodes of the new graph; those of bodies to nodes of bodies. */
  readonly map: Map<Tensor, Tensor>;
  readonly contributions: Map<Tensor, Contribution>;
  /** Weights, with the axes of the loops around their sites in front: log p of a box, the ratio of a density. */
  readonly weights: Map<Tensor, Tensor>;
  /** What was asked to be seen of the insides of loops, of all steps. */
  readonly lifted: Map<Tensor, Tensor>;
}

/** Values that come from outside, by site: of the shape of all steps. */
export type Supplied = ReadonlyMap<Tensor, Tensor>;

export interface Rebuilding {
  readonly program: Program;
  readonly plan: Plan;
  /** What a site becomes over its new inputs. */
  readonly contribute: (
    site: Tensor,
    inputs: readonly Tensor[],
    supplied: (all: Supplied) => Tensor | null,
  ) => Contribution;
  /** Tables that sites in loops get their row of. */
  readonly supplies: readonly Supplied[];
  /** Nodes inside loops to be seen outside. */
  readonly visible: ReadonlySet<Tensor>;
}

export function rebuild(outputs: readonly Tensor[], how: Rebuilding): Rebuilt {
  const state: Rebuilt = { map: new Map(), contributions: new Map(), weights: new Map(), lifted: new Map() };
  new Rebuilder(how, state).level(outputs, how.supplies);
  return state;
}

/** The inputs of a node in the new graph; where a derivative would be lost it is let in no further than it is right. */
export function guardedInputs(node: Tensor, become: (input: Tensor) => Tensor, plan: Plan): Tensor[] {
  return node.inputs.map((input, k) => guardedInput(node, k, become(input), plan));
}

export function guardedInput(node: Tensor, k: number, x: Tensor, plan: Plan): Tensor {
  const why = plan.gaps.get(node)?.get(k);
  return why ? apply(limit, [x, x], why) : x;
}

class Rebuilder {
  private readonly how: Rebuilding;
  private readonly state: Rebuilt;
  /** Loops with something inside that changes or is to be seen. */
  private readonly open = new Set<Tensor>();

  constructor(how: Rebuilding, state: Rebuilt) {
    this.how = how;
    this.state = state;
    const { flow } = how.program;
    for (const node of [...how.plan.choices.keys(), ...how.plan.gaps.keys(), ...how.visible])
      for (let loop = flow.home(node); loop !== null && !this.open.has(loop); loop = flow.home(loop))
        this.open.add(loop);
  }

  /** One graph, not looking into its loops but where something changes. */
  level(outputs: readonly Tensor[], supplies: readonly Supplied[]): void {
    const { plan, contribute } = this.how;
    const { map, contributions, weights } = this.state;
    const become = (input: Tensor): Tensor => map.get(input) ?? input;
    for (const node of ancestors(outputs)) {
      const ins = guardedInputs(node, become, plan);
      if (plan.choices.has(node)) {
        const made = contribute(node, ins, (all) => supplies[this.how.supplies.indexOf(all)]?.get(node) ?? null);
        contributions.set(node, made);
        map.set(node, made.value);
        if (made.weight) weights.set(node, broadcastTo(rawOf(made), batchShapeOfSite(node)));
      } else if (this.open.has(node))
        map.set(node, isScan(node) ? this.scan(node, ins, supplies) : this.cond(node, ins, supplies));
      else if (ins.some((input, i) => input !== node.inputs[i])) map.set(node, rebuiltWith(node, ins));
    }
  }

  /** What of the inside of a body (and of loops in it) is to come out: weights of its sites and visible nodes. */
  private inside(loop: Tensor, { inputs, outputs }: Body): Emission[] {
    const { map, weights, lifted, contributions } = this.state;
    const here = new Set([...inputs, ...ancestors(outputs)]);
    const out: Emission[] = [];
    for (const [site, raw] of weights) {
      if (!here.has(this.placeIn(loop, site) as Tensor)) continue;
      const fill = contributions.get(site)?.weight?.kind === "density" ? 1 : 0;
      out.push({ into: weights, key: site, node: raw, fill });
    }
    for (const node of this.how.visible) {
      const place = this.placeIn(loop, node);
      if (place === null || !here.has(place)) continue;
      const value = place === node ? (map.get(node) ?? node) : lifted.get(node);
      if (value) out.push({ into: lifted, key: node, node: value, fill: 0 });
    }
    return out;
  }

  /** The node itself where it is directly in the loop, the inner loop that holds it, or null. */
  private placeIn(loop: Tensor, node: Tensor): Tensor | null {
    const { flow } = this.how.program;
    let at = node;
    for (let home = flow.home(at); home !== null; home = flow.home(at)) {
      if (home === loop) return at;
      at = home;
    }
    return null;
  }

  private scan(node: Tensor, ins: readonly Tensor[], supplies: readonly Supplied[]): Tensor {
    const { body, carries, stacked, length, reverse, alive, residuals } = node.params as ScanParams;
    const builder = new LoopBuilder();
    body.inputs.forEach((hole, k) => {
      const value = ins[k] as Tensor;
      if (k < carries) builder.carry(hole, value);
      else if (k < carries + stacked) builder.stack(hole, value);
      else builder.constant(hole, value);
    });
    const rows = supplies.map((all) =>
      this.enter(node, all, (value) => {
        const hole = placeholder({ shape: value.shape.slice(1), dtype: value.dtype }, "supplied");
        builder.stack(hole, value);
        return hole;
      }),
    );
    this.level(body.outputs, rows);
    const emitted = this.inside(node, body);
    const outputs = body.outputs.map((out) => this.state.map.get(out) ?? out);
    const { inputs, ...built } = builder.build([...outputs, ...emitted.map((each) => each.node)]);
    const made = scanNode(inputs, { ...built, length, reverse, alive, residuals });
    for (const [i, { into, key }] of emitted.entries()) into.set(key, part(made, outputs.length + i));
    return made;
  }

  private cond(node: Tensor, ins: readonly Tensor[], supplies: readonly Supplied[]): Tensor {
    const { branches } = node.params as CondParams;
    const sides = branches.map((body) => {
      const from = idMark();
      const rows = supplies.map((all) => this.enter(node, all, (value) => value));
      this.level(body.outputs, rows);
      const emitted = this.inside(node, body);
      return { body, from, emitted, outputs: body.outputs.map((out) => this.state.map.get(out) ?? out) };
    });
    const pieces = sides.map(({ body, from, outputs }, b): Piece => {
      const all = sides.flatMap(({ emitted }, other) =>
        emitted.map((each) => (other === b ? each.node : filled(each.node, each.fill))),
      );
      const own = new Set(ancestors(body.outputs));
      const done = [...outputs, ...all];
      const operands = new Map(body.inputs.map((hole, k) => [hole, ins[k + 1] as Tensor]));
      for (const outer of capturedBy(body.inputs, done, (x) => own.has(x) || x.id >= from)) operands.set(outer, outer);
      return { operands, outputs: done };
    });
    const made = condOf(condNode, ins[0] as Tensor, pieces as [Piece, Piece]);
    let place = (branches[0] as (typeof branches)[number]).outputs.length;
    for (const { emitted } of sides) for (const { into, key } of emitted) into.set(key, part(made, place++));
    return made;
  }

  /** The supplied values of the sites within a loop, as they are inside it. */
  private enter(loop: Tensor, all: Supplied, step: (value: Tensor) => Tensor): Supplied {
    const { flow } = this.how.program;
    const out = new Map<Tensor, Tensor>();
    for (const [site, value] of all)
      for (let home = flow.home(site); home !== null; home = flow.home(home))
        if (home === loop) out.set(site, step(value));
    return out;
  }
}

interface Emission {
  readonly into: Map<Tensor, Tensor>;
  readonly key: Tensor;
  readonly node: Tensor;
  /** Its value where its branch is not taken. */
  readonly fill: 0 | 1;
}

function filled(type: Type, fill: 0 | 1): Tensor {
  return fill === 1 ? onesLike(type) : zerosLike(type);
}

function rawOf({ weight }: Contribution): Tensor {
  const known = weight as NonNullable<Contribution["weight"]>;
  return known.kind === "box" ? known.log : known.ratio;
}

/** The node over new inputs. In a dynamic program it may have its number, which holds: the draws are the same. */
function rebuiltWith(node: Tensor, ins: readonly Tensor[]): Tensor {
  const out = again(node, ins);
  out.value = node.value;
  return out;
}
