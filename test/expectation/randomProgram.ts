import { sizeOf } from "../../src/base/shape.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  argmax,
  Bernoulli,
  broadcastTo,
  concat,
  cumsum,
  exp,
  expandDims,
  flip,
  logsumexp,
  matmul,
  max,
  mean,
  pad,
  reshape,
  sample,
  sin,
  slice,
  softmax,
  stopGradient,
  sum,
  take,
  tanh,
  transpose,
  where,
} from "../../src/index.js";
import { t64 } from "./exact.js";
import { Dice } from "./relation.support.js";

/** Random programs with one or two sites of at most six bits together: chains of operations over a growing pool of nodes. */

const siteShapes: readonly (readonly number[])[] = [[], [2], [3], [4], [2, 2], [2, 3], [3, 2], [6], [1, 3], [5]];
const bitsInAll = 6;
const largest = 36;

type Operation = (x: Tensor, dice: Dice, pool: readonly Tensor[]) => Tensor | null;

export const number = (dice: Dice): number => (dice.below(41) - 20) / 13;

export function numbers(dice: Dice, shape: readonly number[]): Tensor {
  return t64(Array.from({ length: Math.max(1, sizeOf(shape)) }, () => number(dice))).reshape(shape);
}

const axisOf = (x: Tensor, dice: Dice): number | null => (x.rank === 0 ? null : dice.below(x.rank));

/** An operation along one axis of the input. */
const along =
  (f: (x: Tensor, axis: number, dice: Dice) => Tensor): Operation =>
  (x, dice) => {
    const axis = axisOf(x, dice);
    return axis === null ? null : f(x, axis, dice);
  };

function anotherShape(x: Tensor, dice: Dice): readonly number[] {
  const found = [[x.size]];
  for (let a = 1; a <= x.size; a++) if (x.size % a === 0) found.push([a, x.size / a]);
  return dice.pick(found);
}

/** Another node of the pool with the shape of x. */
function partner(x: Tensor, dice: Dice, pool: readonly Tensor[]): Tensor {
  return dice.pick(pool.filter((y) => String(y.shape) === String(x.shape)));
}

const float = (x: Tensor): Tensor => x.toDType("float64");

const operations: readonly Operation[] = [
  (x, dice) => reshape(x, anotherShape(x, dice)),
  (x) => transpose(x),
  along((x, axis, dice) => cumsum(x, axis, { reverse: dice.flip() })),
  along((x, axis) => flip(x, axis)),
  along((x, axis, dice) => {
    const start = dice.below(x.shape[axis] as number);
    return slice(x, start, dice.between(start + 1, x.shape[axis] as number), { axis, step: dice.between(1, 2) });
  }),
  along((x, axis, dice) =>
    pad(
      x,
      x.shape.map((_, i) => (i === axis ? [dice.below(2), dice.below(2)] : [0, 0])),
    ),
  ),
  (x, dice, pool) => (x.rank === 0 ? null : concat([x, partner(x, dice, pool)], dice.below(x.rank))),
  along((x, axis, dice) => (dice.flip() ? sum : mean)(x, { axis, keepDims: dice.flip() })),
  (x, dice) => {
    const axis = dice.below(x.rank + 1);
    return broadcastTo(expandDims(x, axis), [...x.shape.slice(0, axis), 2, ...x.shape.slice(axis)]);
  },
  (x) => x.square(),
  (x) => tanh(x),
  (x) => sin(x),
  (x) => exp(tanh(x)),
  (x, dice) => float(x.greater(number(dice))),
  (x) => stopGradient(x),
  (x, dice, pool) => where(x.greater(number(dice)), partner(x, dice, pool), numbers(dice, x.shape)),
  along((x, axis, dice) => take(x, [0, dice.below(x.shape[axis] as number)], axis)),
  along((x, axis, dice) =>
    take(
      x,
      max(x.greater(number(dice)))
        .toDType("int32")
        .mul((x.shape[axis] as number) - 1),
      axis,
    ),
  ),
  (x, dice) => (x.rank === 0 ? null : matmul(x, numbers(dice, [x.shape[x.rank - 1] as number, 2]))),
  along((x, axis) => softmax(x, axis)),
  along((x, axis) => max(x, axis)),
  along((x, axis) => float(argmax(x, axis))),
  along((x, axis) => logsumexp(x, axis)),
  (x, dice, pool) => x.add(partner(x, dice, pool).mul(number(dice))),
  (x, dice, pool) => x.sub(partner(x, dice, pool)),
  (x, dice, pool) => x.mul(partner(x, dice, pool)),
  (x, dice) => x.mul(numbers(dice, x.shape)),
  (x, dice) => x.add(numbers(dice, x.shape)),
  along((x, axis, dice) =>
    x.mul(
      numbers(
        dice,
        x.shape.map((n, i) => (i === axis ? n : 1)),
      ),
    ),
  ),
];

export function grow(pool: Tensor[], dice: Dice, steps: number): void {
  for (let k = 0; k < steps; k++) {
    // The newest node often, so that chains are long.
    const x = dice.flip() ? (pool[pool.length - 1] as Tensor) : dice.pick(pool);
    const y = dice.pick(operations)(x, dice, pool);
    if (y !== null && y.size <= largest && y.size > 0) pool.push(y);
  }
}

export function term(pool: readonly Tensor[], dice: Dice): Tensor {
  const x = dice.flip() ? (pool[pool.length - 1] as Tensor) : dice.pick(pool);
  switch (dice.below(5)) {
    case 0:
      return sum(x.mul(numbers(dice, x.shape)));
    case 1:
      return mean(x.sub(number(dice)).square());
    case 2:
      return mean(x).square();
    case 3:
      return sum(x.mul(partner(x, dice, pool)));
    default:
      return sum(x).mul(number(dice));
  }
}

export interface RandomProgram {
  readonly f: (params: never) => Tensor;
  readonly params: { readonly theta: Tensor; readonly phi: Tensor };
}

export function randomProgram(seed: number): RandomProgram {
  const dice = new Dice(seed);
  const shape = dice.pick(siteShapes);
  const params = { theta: numbers(dice, shape), phi: t64(number(dice)) };
  const body = dice.below(2 ** 30);
  const f = ({ theta, phi }: RandomProgram["params"]): Tensor => {
    const inner = new Dice(body);
    const a = sample(Bernoulli({ logits: theta }), { name: "a" });
    const pool: Tensor[] = inner.flip() ? [a] : [a, theta.mul(phi), a.add(theta)];
    grow(pool, inner, inner.between(1, 4));
    const logits = pool.filter((x) => x.size <= bitsInAll - a.size);
    if (logits.length > 0 && inner.below(3) > 0) {
      pool.push(sample(Bernoulli({ logits: inner.pick(logits).mul(0.7).add(phi) }), { name: "b" }));
      grow(pool, inner, inner.between(1, 4));
    }
    let loss = term(pool, inner);
    for (let k = inner.below(3); k > 0; k--) loss = loss.add(term(pool, inner));
    return loss;
  };
  return { f: f as RandomProgram["f"], params };
}
