import { sizeOf } from "../../src/base/shape.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { Bernoulli, broadcastTo, reshape, sample, slice, stack, sum, tanh } from "../../src/index.js";
import { t64 } from "./exact.js";
import { grow, number, numbers, type RandomProgram, term } from "./randomProgram.js";
import { Dice } from "./relation.support.js";
import { cond, scan } from "./unrolled.js";

/**
 * Random programs with a scan: chains of operations over a growing pool of nodes, outside and in the body, over its carry, its row and its
 * step; sites outside, in the body, in a branch, in a scan within it. A body is built from its own seed, for it is run again at every step.
 */
const bitsInAll = 8;
const shapes: readonly (readonly number[])[] = [[], [], [2], [2], [3], [2, 2]];

/** How many bits are left; every site takes its share once, however often its body is traced. */
interface Budget {
  bits: number;
  sites: number;
}

/** Where the program is: how often a body here runs, and how deep it is in loops. */
interface Scope {
  readonly steps: number;
  readonly depth: number;
  readonly prefix: string;
}

type Shape = readonly number[];

/** Some node of the pool in the wanted shape. */
function shaped(pool: readonly Tensor[], shape: Shape, dice: Dice): Tensor {
  const size = sizeOf(shape);
  const x = dice.flip() ? (pool[pool.length - 1] as Tensor) : dice.pick(pool);
  if (x.size === size) return reshape(x, shape);
  if (x.size > size) return reshape(slice(reshape(x, [x.size]), 0, size), shape);
  return x.size === 1
    ? broadcastTo(
        reshape(
          x,
          shape.map(() => 1),
        ),
        shape,
      )
    : numbers(dice, shape).mul(sum(x));
}

/** A random part of a program, decided once; what it builds depends on nothing but the shapes in its pool. */
type Part = (pool: Tensor[], dice: Dice) => void;

function sitePart(dice: Dice, budget: Budget, { steps, prefix }: Scope): Part {
  const fits = shapes.filter((shape) => sizeOf(shape) * Math.max(1, steps) <= budget.bits);
  if (fits.length === 0) return () => {};
  const shape = dice.pick(fits);
  budget.bits -= sizeOf(shape) * Math.max(1, steps);
  budget.sites--;
  const name = `${prefix}${budget.sites}`;
  const [scale, shift] = [number(dice), number(dice)];
  return (pool, inner) => {
    const logits = shaped(pool, shape, inner)
      .mul(0.7 * scale)
      .add(shift);
    pool.push(sample(Bernoulli({ logits: tanh(logits).mul(1.5) }), { name }));
  };
}

function branchPart(dice: Dice, budget: Budget, scope: Scope): Part {
  const sites = [dice.flip(), dice.flip()].map((has, b) =>
    has && budget.sites > 0 && budget.bits > 0
      ? sitePart(dice, budget, { ...scope, prefix: `${scope.prefix}${"yn"[b]}` })
      : null,
  );
  const shape = dice.pick([[], [2]]);
  const limit = number(dice) / 2;
  const seeds = [dice.below(2 ** 30), dice.below(2 ** 30)];
  return (pool, inner) => {
    const operand = shaped(pool, shape, inner);
    const captured = inner.pick(pool);
    const side =
      (b: 0 | 1) =>
      (x: Tensor): Tensor => {
        const own = new Dice(seeds[b] as number);
        const within = [captured, x];
        sites[b]?.(within, own);
        grow(within, own, own.between(0, 2));
        return shaped(within, shape, own);
      };
    pool.push(cond(sum(inner.pick(pool)).greater(limit), side(0), side(1), operand) as Tensor);
  };
}

function scanPart(dice: Dice, budget: Budget, scope: Scope): Part {
  const length = scope.depth === 0 ? dice.pick([1, 2, 2, 3, 3, 4]) : 2;
  const own = { steps: scope.steps * length, depth: scope.depth + 1, prefix: scope.depth === 0 ? "s" : "i" };
  const carry = dice.pick(shapes.slice(0, 5));
  const row = dice.below(3) === 0 ? null : dice.pick([[], [], [2]]);
  const parts: Part[] = [growth];
  if (budget.sites > 0) parts.push(sitePart(dice, budget, own), growth);
  if (dice.below(3) === 0) parts.push(branchPart(dice, budget, own), growth);
  if (scope.depth === 0 && dice.below(3) === 0) parts.push(scanPart(dice, budget, own), growth);
  if (budget.sites > 0 && dice.below(3) === 0) parts.push(sitePart(dice, budget, own), growth);
  const options = { length, reverse: dice.below(4) === 0 };
  const [seed, kind, gather] = [dice.below(2 ** 30), dice.below(4), dice.below(3) === 0];
  return (pool, inner) => {
    const start = shaped(pool, carry, inner);
    const rows = row === null ? null : shaped(pool, [length, ...row], inner);
    const table = inner.pick(pool);
    const total = inner.flip() ? sum(inner.pick(pool)) : t64(0);
    const step = ([c, sumSoFar]: readonly [Tensor, Tensor], x: Tensor | null, t: Tensor) => {
      const die = new Dice(seed);
      const within = [c, ...(x === null ? [] : [x])];
      if (die.flip()) within.push(t.toDType("float64").mul(0.3));
      if (die.flip()) within.push(table);
      if (gather && table.rank > 0) within.push(table.at(0).mul(t.toDType("float64").add(1)));
      for (const part of parts) part(within, die);
      const fresh = shaped(within, carry, die);
      // A new state, an accumulator, a mixture of both, or a delay line.
      const next = [tanh(fresh), c.add(fresh), c.mul(0.5).add(tanh(fresh)), fresh][kind] as Tensor;
      const cost = sum(shaped(within, die.pick([[], [2]]), die));
      const y = within[within.length - 1 - die.below(Math.min(3, within.length))] as Tensor;
      return [[next, die.flip() ? sumSoFar.add(cost) : cost.sub(sumSoFar.mul(0.5))], y] as const;
    };
    const [[last, sums], ys] = scan(step as never, [start, total] as never, rows as never, options) as unknown as [
      [Tensor, Tensor],
      Tensor,
    ];
    pool.push(...[last, ys, sums].sort(() => (inner.flip() ? 1 : -1)));
  };
}

const growth: Part = (pool, dice) => grow(pool, dice, dice.between(0, 3));

export function randomLoops(seed: number): RandomProgram {
  const dice = new Dice(seed);
  const params = { theta: numbers(dice, dice.pick([[2], [3], [2, 2]])), phi: t64(number(dice)) };
  const budget = { bits: bitsInAll, sites: dice.between(1, 2) };
  const parts: Part[] = [];
  if (dice.below(3) === 0)
    parts.push(sitePart(dice, { bits: 2, sites: 1 }, { steps: 1, depth: 0, prefix: "o" }), growth);
  if (parts.length > 0) budget.bits -= 2;
  parts.push(scanPart(dice, budget, { steps: 1, depth: 0, prefix: "" }), growth);
  const body = dice.below(2 ** 30);
  const f = ({ theta, phi }: RandomProgram["params"]): Tensor => {
    const inner = new Dice(body);
    const pool = [stack([phi, phi.mul(2)]), theta, theta.mul(phi)];
    for (const part of parts) part(pool, inner);
    let loss = term(pool, inner);
    for (let k = inner.below(3); k > 0; k--) loss = loss.add(term(pool, inner));
    return loss;
  };
  return { f: f as RandomProgram["f"], params };
}
