import type { Tensor } from "../graph/tensor.js";
import { bytesOf } from "./arena.js";
import { containsBits, inOrder, isSoft, keepsOrder, walkOf, weightOf } from "./nodes.js";
import { knownNumber, loweringOf, neededInputs } from "./program.js";

/** Operations per element above which a node is computed once and stored rather than again in each loop that uses it. */
const worthStoring = 12;
/** For each soft node the loops that compute or read it. */
function usesOf(
  order: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  given: ReadonlySet<Tensor>,
  loop: ReadonlyMap<Tensor, string>,
): ReadonlyMap<Tensor, Use> {
  const uses = new Map<Tensor, Use>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Tensor;
    const own: Use =
      stored.has(node) || !isSoft(node)
        ? { places: new Set([loop.get(node) ?? `${node.id}`]), largest: loopSize(node) }
        : (uses.get(node) as Use);
    const same = (!isSoft(node) && loweringOf(node).kind !== "reduce") || keepsOrder(node) || walksInOrder(node);
    for (const input of neededInputs(node)) {
      if (!isSoft(input) || given.has(input)) continue;
      const use = uses.get(input) ?? { places: new Set<string>(), largest: 0 };
      uses.set(input, use);
      for (const place of own.places) use.places.add(same ? place : `${place}~${node.id}`);
      use.largest = Math.max(use.largest, own.largest);
    }
  }
  return uses;
}

/** Soft nodes that would be computed again and again, and cost more than reading them back. */
export function worthIt(
  order: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  given: ReadonlySet<Tensor>,
  loop: ReadonlyMap<Tensor, string>,
  patient: boolean,
): Tensor[] {
  const uses = usesOf(order, stored, given, loop);
  const weight = totals(order, (node) => stored.has(node));
  const candidates = new Set(order.filter((node) => wanted(node, uses.get(node), stored, weight)));
  return lastOf(order, candidates, patient);
}

function wanted(
  node: Tensor,
  use: Use | undefined,
  stored: ReadonlySet<Tensor>,
  weight: ReadonlyMap<Tensor, number>,
): boolean {
  if (!isSoft(node) || stored.has(node) || use === undefined) return false;
  const { places, largest } = use;
  const elsewhere = [...places].some((place) => place.includes("~"));
  const w = weight.get(node) as number;
  if (containsBits(node) && (elsewhere || places.size > 1)) return true;
  if (places.size > 1 && w > worthStoring) return true;
  return elsewhere && largest > 2 * node.size && w > 3;
}

/**
 * Candidates that no other candidate is computed from: once they are stored, the loops that computed the others may be one. In a deep
 * graph only those are left out that nothing but candidates uses.
 */
function lastOf(order: readonly Tensor[], candidates: ReadonlySet<Tensor>, patient: boolean): Tensor[] {
  const last = new Set(candidates);
  const leads = new Set<Tensor>();
  const used = new Set<Tensor>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Tensor;
    const on = leads.has(node) || candidates.has(node);
    for (const input of neededInputs(node)) {
      if (on) leads.add(input);
      if (!candidates.has(node)) used.add(input);
    }
  }
  for (const node of candidates) if (patient ? leads.has(node) : !used.has(node)) last.delete(node);
  return [...last].map((node) => smaller(node, candidates));
}

/** Instead of a wider copy of another candidate, that one. */
function smaller(node: Tensor, candidates: ReadonlySet<Tensor>): Tensor {
  let at = node;
  for (;;) {
    const [input] = at.inputs;
    if (input === undefined || at.primitive?.name !== "cast" || !candidates.has(input)) return at;
    if (bytesOf(input.dtype) > bytesOf(at.dtype)) return at;
    at = input;
  }
}

/** Of those stored because it seemed worth it: what one loop alone reads, its own, and what is cheap after all. */
export function needless(
  order: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  given: ReadonlySet<Tensor>,
  loop: ReadonlyMap<Tensor, string>,
  chosen: ReadonlySet<Tensor>,
): Tensor[] {
  const uses = usesOf(order, stored, given, loop);
  const idle = new Set<Tensor>();
  totals(order, (node, total) => {
    if (!stored.has(node)) return false;
    if (!chosen.has(node)) return true;
    const { places } = uses.get(node) as Use;
    const alone = places.size === 1 && places.has(loop.get(node) as string);
    const elsewhere = [...places].some((place) => place.includes("~"));
    if (alone || (!elsewhere && !containsBits(node) && total <= worthStoring)) idle.add(node);
    return !idle.has(node);
  });
  return [...idle];
}

interface Use {
  /** The loops that compute it, and through which views. */
  readonly places: Set<string>;
  /** Elements of the largest. */
  largest: number;
}

function loopSize(node: Tensor): number {
  return loweringOf(node).kind === "reduce" ? (node.inputs[0] as Tensor).size : node.size;
}

function walksInOrder(node: Tensor): boolean {
  return loweringOf(node).kind === "reduce" && inOrder(walkOf(node), node.inputs[0] as Tensor);
}

/** Operations per element of each node with what is computed for it on the way. @param isFree which nodes are at hand, in order */
function totals(order: readonly Tensor[], isFree: (node: Tensor, total: number) => boolean): Map<Tensor, number> {
  const total = new Map<Tensor, number>();
  const free = new Set<Tensor>();
  for (const node of order) {
    const own = isSoft(node) ? weightOf(node) : 0;
    const below = neededInputs(node).reduce(
      (sum, x) => sum + (free.has(x) || knownNumber(x) !== null ? 0 : (total.get(x) ?? 0)),
      0,
    );
    const sum = Math.min(own + below, 1e6);
    total.set(node, sum);
    if (isFree(node, sum)) free.add(node);
  }
  return total;
}
