import type { Digit, Link } from "../../graph/reads.js";
import { clipped, isWhole } from "../../graph/relation/link.js";
import type { Relation } from "../../graph/relation/relation.js";
import { type Component, methodOf, type PushPlan, planPush } from "./plan.js";

type Shape = readonly number[];

/** The linear operations that `push` is made of. All of them have a transpose, so reverse mode runs them backwards. */
export interface PushOps<T> {
  shapeOf(x: T): Shape;
  reshape(x: T, shape: Shape): T;
  transpose(x: T, perm: readonly number[]): T;
  add(a: T, b: T): T;
  sum(x: T, axis: number, keepDims: true): T;
  slice(x: T, axis: number, start: number, end: number): T;
  /** With zeros. */
  pad(x: T, axis: number, before: number, after: number): T;
  flip(x: T, axis: number): T;
  cumsum(x: T, axis: number, reverse: boolean): T;
  /** y[… n …] = Σ_s matrix[n · sites + s] · x[… s …] along `axis`; matrix [nodes × sites] in row-major order. */
  contract(x: T, axis: number, matrix: Float64Array): T;
}

/**
 * The sum over {s : (s, n) ∈ R} of l[s], for every element n of a node: the exponent of its box. Where R has more links than
 * can be used at once it is the sum over `kept(R)`, which contains R. Its transpose turns a running sum of log-probabilities
 * into reward-to-go. @param l [siteShape] @returns the node's rank, each axis of the node's size or 1; null without a path
 */
export function push<T>(l: T, r: Relation, siteShape: Shape, nodeShape: Shape, ops: PushOps<T>): T | null {
  const plan = planPush(r, siteShape, nodeShape);
  if (plan === null) return null;
  const shape = ops.shapeOf(l);
  if (shape.length !== siteShape.length || shape.some((size, axis) => size !== siteShape[axis])) {
    throw new RangeError(
      `push: got an array of shape [${shape.join(", ")}] for a site of shape [${siteShape.join(", ")}]`,
    );
  }
  const { x, links } = exposed(cut(l, plan, siteShape, ops), plan, ops);
  return arranged(
    links.reduce((y, link, axis) => sumLink(y, axis, link, ops), x),
    links,
    plan,
    ops,
  );
}

/** Leaves out what the bounds exclude: zeros where the axis is still needed, and a shorter axis where it is summed anyway. */
function cut<T>(l: T, plan: PushPlan, siteShape: Shape, ops: PushOps<T>): T {
  const isSummed = ({ site }: Link) =>
    isWhole(site, siteShape) && (plan.site[site.axis] as readonly Component[]).every(({ link }) => link === null);
  const masks = plan.bounds.filter((bound) => !isSummed(bound));
  const shorter = plan.bounds.filter(isSummed);
  return [...masks, ...shorter].reduce((x, bound) => {
    const { axis, div, mod } = bound.site;
    const { lo, hi } = clipped(bound);
    if (isSummed(bound)) return ops.slice(x, axis, lo, hi + 1);
    const size = siteShape[axis] as number;
    const inner = [...siteShape.slice(0, axis), size / (div * mod), mod, div, ...siteShape.slice(axis + 1)];
    const inside = ops.slice(reshaped(x, inner, ops), axis + 1, lo, hi + 1);
    return reshaped(ops.pad(inside, axis + 1, lo, mod - 1 - hi), siteShape, ops);
  }, l);
}

/** Sums what has no link, so that the axes left are the linked digits of the site, in its order. */
function exposed<T>(l: T, plan: PushPlan, ops: PushOps<T>): { x: T; links: Link[] } {
  const isFree = (digits: readonly Component[]) => digits.every(({ link }) => link === null);
  let x = plan.site.reduce((y, digits, axis) => (isFree(digits) ? summed(y, axis, ops) : y), l);
  const linked = plan.site.filter((digits) => !isFree(digits)).flat();
  x = reshaped(
    x,
    linked.map(({ digit }) => digit.mod),
    ops,
  );
  x = linked.reduce((y, { link }, axis) => (link === null ? summed(y, axis, ops) : y), x);
  const links = linked.map(({ link }) => link).filter((link) => link !== null);
  return {
    x: reshaped(
      x,
      links.map((link) => link.site.mod),
      ops,
    ),
    links,
  };
}

/** The linked digits in the node's order, the others of size 1; a node axis of which only some digits are linked is filled. */
function arranged<T>(y: T, links: readonly Link[], plan: PushPlan, ops: PushOps<T>): T {
  const digits = plan.node.flat();
  const order = digits.filter(({ link }) => link !== null).map(({ link }) => links.indexOf(link as Link));
  let x = order.every((axis, k) => axis === k) ? y : ops.transpose(y, order);
  x = reshaped(
    x,
    digits.map(({ digit, link }) => (link === null ? 1 : digit.mod)),
    ops,
  );
  const isPartial = (axis: number) => (plan.node[axis] as readonly Component[]).some(({ link }) => link !== null);
  digits.forEach(({ digit, link }, k) => {
    if (link === null && isPartial(digit.axis)) x = ops.contract(x, k, new Float64Array(digit.mod).fill(1));
  });
  const sizes = plan.node.map((parts, axis) => (isPartial(axis) ? parts.reduce((n, p) => n * p.digit.mod, 1) : 1));
  return reshaped(x, sizes, ops);
}

/** Along one axis, y[n] = Σ x[s] over lo ≤ s − step·n ≤ hi. */
function sumLink<T>(x: T, axis: number, link: Link, ops: PushOps<T>): T {
  if (methodOf(link) === "matrix") return ops.contract(x, axis, matrixOf(link));
  const nodes = (link.node as Digit).mod;
  if (link.step < 0) {
    // With n' = N − 1 − n the step is positive, and the result is reversed.
    const turn = link.step * (nodes - 1);
    const turned = { ...link, step: -link.step, lo: link.lo + turn, hi: link.hi + turn };
    return ops.flip(sumForward(x, axis, turned, nodes, ops), axis);
  }
  return sumForward(x, axis, link, nodes, ops);
}

function sumForward<T>(x: T, axis: number, link: Link, nodes: number, ops: PushOps<T>): T {
  const { lo, hi } = clipped(link);
  const { step } = link;
  const sites = link.site.mod;
  switch (methodOf(link)) {
    case "before": {
      // Behind the last site element the running sum stays what it is: zeros are appended before it is taken.
      const missing = Math.max(0, step * (nodes - 1) + hi + 1 - sites);
      return pick(ops.cumsum(padded(x, axis, 0, missing, ops), axis, false), axis, step, hi, nodes, ops);
    }
    case "after": {
      const missing = Math.max(0, -lo);
      return pick(ops.cumsum(padded(x, axis, missing, 0, ops), axis, true), axis, step, lo + missing, nodes, ops);
    }
    default: {
      let total = pick(x, axis, step, lo, nodes, ops);
      for (let at = lo + 1; at <= hi; at++) total = ops.add(total, pick(x, axis, step, at, nodes, ops));
      return total;
    }
  }
}

/** y[n] = x[step·n + at] for n < nodes, 0 outside x. */
function pick<T>(x: T, axis: number, step: number, at: number, nodes: number, ops: PushOps<T>): T {
  const size = ops.shapeOf(x)[axis] as number;
  const length = step * nodes;
  const [first, end] = [Math.max(0, at), Math.min(size, at + length)];
  let y = first === 0 && end === size ? x : ops.slice(x, axis, first, end);
  y = padded(y, axis, first - at, at + length - end, ops);
  if (step === 1) return y;
  const shape = ops.shapeOf(y);
  const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const columns = ops.reshape(y, [...outer, nodes, step, ...inner]);
  return ops.reshape(ops.slice(columns, axis + 1, 0, 1), [...outer, nodes, ...inner]);
}

function matrixOf(link: Link): Float64Array {
  const [sites, nodes] = [link.site.mod, (link.node as Digit).mod];
  const { lo, hi } = clipped(link);
  const matrix = new Float64Array(nodes * sites);
  for (let n = 0; n < nodes; n++) {
    const [first, last] = [Math.max(0, lo + link.step * n), Math.min(sites - 1, hi + link.step * n)];
    if (first <= last) matrix.fill(1, n * sites + first, n * sites + last + 1);
  }
  return matrix;
}

function padded<T>(x: T, axis: number, before: number, after: number, ops: PushOps<T>): T {
  return before === 0 && after === 0 ? x : ops.pad(x, axis, before, after);
}

function summed<T>(x: T, axis: number, ops: PushOps<T>): T {
  return ops.shapeOf(x)[axis] === 1 ? x : ops.sum(x, axis, true);
}

function reshaped<T>(x: T, shape: Shape, ops: PushOps<T>): T {
  const now = ops.shapeOf(x);
  return now.length === shape.length && now.every((size, axis) => size === shape[axis]) ? x : ops.reshape(x, shape);
}
