import type { AnyPrimitive } from "../../graph/tensor.js";
import * as bits from "../../primitives/bits.js";
import { divide, matmul, mul } from "../../primitives/contract.js";
import { attach, box, detach, limit, shadow, stopGradient } from "../../primitives/control.js";
import * as elementary from "../../primitives/elementary.js";
import * as linear from "../../primitives/linear.js";
import * as pointwise from "../../primitives/pointwise.js";
import * as reduce from "../../primitives/reduce.js";
import * as special from "../../primitives/special.js";

/** What may be done to a node without anybody noticing. What these lists do not know is left as it is. */

function entries(room: object): AnyPrimitive[] {
  return Object.values(room).filter(
    (entry): entry is AnyPrimitive => typeof entry === "object" && entry !== null && "jvp" in entry,
  );
}

/**
 * Primitives that answer whatever the numbers are. The others may throw (a `validate`, an index that is outside) or act on the world
 * (a black box), so nodes over them are never dropped, and keep their order.
 */
const total: ReadonlySet<AnyPrimitive> = new Set([
  ...[linear, elementary, pointwise, special, reduce, bits].flatMap(entries),
  ...[mul, divide, matmul, stopGradient, detach, box, limit, attach, shadow],
]);

export function isTotal(primitive: AnyPrimitive): boolean {
  return total.has(primitive);
}

/**
 * Nodes that are themselves and not only their numbers, so that two with equal inputs stay two.
 *
 * - alias: a variable of a derivative; two of one tensor are two variables.
 * - named: what a name stands for.
 * - sample: a random choice; two sites with equal laws are two draws.
 * - external: a call into the world; the first of a state looks like a pure one, and each call may answer differently.
 * - others: its axis is known by an object, and two programs may use labels that read alike.
 * - box, attach, shadow, limit: where estimators hang their derivatives; rewrites and credit ask for each by itself.
 */
const itself: ReadonlySet<string> = new Set([
  ...["alias", "named", "sample", "external", "others"],
  ...["box", "attach", "shadow", "limit"],
]);

export function isItself({ name }: AnyPrimitive): boolean {
  return itself.has(name);
}

/** Never folded: besides the above, what stops derivatives still says so to the transform that comes next. */
export function isFoldable(primitive: AnyPrimitive): boolean {
  return primitive.needs === "all" && !itself.has(primitive.name) && primitive !== stopGradient && primitive !== detach;
}

/** Element by element one function of numbers: of equal elements it makes equal elements. */
const elementwise: ReadonlySet<AnyPrimitive> = new Set([
  ...[elementary, pointwise, special].flatMap(entries),
  ...[mul, divide, linear.add, linear.sub, linear.neg],
]);

export function isElementwise(primitive: AnyPrimitive): boolean {
  return elementwise.has(primitive);
}
