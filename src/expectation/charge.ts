import { range, sizeOf } from "../base/shape.js";
import { contains, type Relation } from "../graph/relation/relation.js";
import { apply, leaf, type Tensor } from "../graph/tensor.js";
import { currentRuntime } from "../graph/trace.js";
import { dense, elements, type NDArray } from "../kernel/ndarray.js";
import { box, detach } from "../primitives/control.js";
import { add, equal, logicalAnd, mul, notEqual, sub, toDType, where } from "../tensor/elementwise.js";
import type { Credit } from "./credit/credit.js";
import { kept } from "./credit/plan.js";
import { push } from "./credit/push.js";
import { tensorOps } from "./credit/tensorOps.js";
import { batchOf } from "./site.js";

/** How a cost array is multiplied with the weights of the sites that may influence it, element by element. */
export interface Weight {
  readonly kind: "box" | "density";
  /** log p of a box, the weight itself of a density: [...batch of the site]. */
  readonly by: Tensor;
  /** Axes along which no cost is charged with two elements of the site. */
  readonly aligned: readonly number[];
}

export type Weights = ReadonlyMap<Tensor, Weight>;

/** @param leaf the cost array in the traced program, @param value what became of it */
export function weighted(value: Tensor, leaf: Tensor, credit: Credit, weights: Weights): Tensor {
  let out = value;
  for (const [site, weight] of weights) if (weight.kind === "density") out = times(out, site, weight, leaf, credit);
  const tau = exponent(credit, weights, (site) => credit.relation(site, leaf), credit.flow.shape(leaf));
  return tau === null ? out : mul(out, apply(box, [toDType(tau, value.dtype)], null));
}

/** Σ over scored sites, and over their elements that may influence each element of an array of `shape`, of log p. */
function exponent(
  credit: Credit,
  weights: Weights,
  relation: (site: Tensor) => Relation,
  shape: readonly number[],
): Tensor | null {
  let tau: Tensor | null = null;
  for (const [site, { kind, by }] of weights) {
    if (kind !== "box") continue;
    const pushed = push(by, relation(site), batchOf(credit.flow, site), shape, tensorOps);
    if (pushed === null) continue;
    tau = tau === null ? pushed : add(tau, pushed);
  }
  return tau;
}

/**
 * The exponent of the sites before a site: all that its parameters may read. In a loop these are also its own earlier draws, and a relation
 * that has forgotten the order of steps would count the draw itself, which must stay out: the baseline of a draw may not depend on it.
 */
export function exponentBefore(credit: Credit, weights: Weights, site: Tensor): Tensor | null {
  const batch = batchOf(credit.flow, site);
  const before = exponent(credit, weights, (other) => credit.before(other, site), batch);
  const own = before && ownElements(credit.before(site, site), batch);
  if (before === null || own === null) return before;
  const { by } = weights.get(site) as Weight;
  return sub(before, mul(by, toDType(own, by.dtype)));
}

/** 1 at the elements that `push` counts for themselves; null where there are none. */
function ownElements(relation: Relation, batch: readonly number[]): Tensor | null {
  const used = kept(relation, batch, batch);
  if (used === "bottom") return null;
  const mask = Float32Array.from({ length: sizeOf(batch) }, (_, i) => {
    const index = indexOf(i, batch);
    return contains(used, index, index) ? 1 : 0;
  });
  return mask.includes(1) ? constantOf(mask, batch) : null;
}

function indexOf(i: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
    const n = shape[axis] as number;
    index.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return index;
}

/**
 * The product of a site's densities: one factor per element that some cost mixes (elements on aligned axes meet different costs). Products
 * and not sums of logarithms, so that probabilities of 0 have derivatives. Where a cost is not reached the factor is 1.
 */
function times(value: Tensor, site: Tensor, { by, aligned }: Weight, leaf: Tensor, credit: Credit): Tensor {
  const batch = batchOf(credit.flow, site);
  const shape = credit.flow.shape(leaf);
  const relation = credit.relation(site, leaf);
  if (relation === "bottom") return value;
  const free = range(batch.length).filter((axis) => !aligned.includes(axis));
  const count = sizeOf(free.map((axis) => batch[axis] as number));
  let out = value;
  for (let e = 0; e < count; e++) {
    const mask = count === 1 ? null : maskOf(e, batch, free);
    const reached = push(mask ?? filled(batch, 1), relation, batch, shape, tensorOps);
    if (reached === null) continue;
    const unreached = elements(currentRuntime().run([reached], new Map())[0] as NDArray).map((n) => 1 - n);
    const factor = toDType(
      push(mask ? mul(by, toDType(mask, by.dtype)) : by, relation, batch, shape, tensorOps) as Tensor,
      value.dtype,
    );
    const everywhere = unreached.every((n) => n === 0);
    out = charged(out, everywhere ? factor : add(factor, toDType(constantOf(unreached, reached.shape), value.dtype)));
  }
  return out;
}

/** cost · weight. What never comes costs nothing, be it infinite (−log p of an outcome of probability 0) or undefined. */
function charged(cost: Tensor, weight: Tensor): Tensor {
  const lost = logicalAnd(equal(weight, 0), notEqual(sub(cost, cost), 0));
  return mul(where(apply(detach, [lost], null), 0, cost), weight);
}

/** 1 at the elements whose number along the free axes is e, 0 elsewhere. */
function maskOf(e: number, batch: readonly number[], free: readonly number[]): Tensor {
  const size = sizeOf(batch);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i++) mask[i] = rankAmong(i, batch, free) === e ? 1 : 0;
  return constantOf(mask, batch);
}

function filled(shape: readonly number[], value: number): Tensor {
  return constantOf(new Float32Array(sizeOf(shape)).fill(value), shape);
}

function constantOf(data: ArrayLike<number>, shape: readonly number[]): Tensor {
  return leaf(dense(Float32Array.from(data), "float32", shape));
}

/** The row-major number of element i of `shape` along the axes `free`. */
export function rankAmong(i: number, shape: readonly number[], free: readonly number[]): number {
  let rank = 0;
  let scale = 1;
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis] as number;
    if (free.includes(axis)) {
      rank += (rest % n) * scale;
      scale *= n;
    }
    rest = Math.floor(rest / n);
  }
  return rank;
}
