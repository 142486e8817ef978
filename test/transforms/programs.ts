import fc from "fast-check";
import type { Tensor } from "../../src/index.js";
import * as sg from "../../src/index.js";

/**
 * Random smooth programs of two arguments x [2, 3] and y [3]: a list of steps, each an operation on earlier results. Every step is
 * legal for whatever it meets, so that any list is a program and a failing one shrinks.
 */
export interface Step {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const small = fc.nat({ max: 999 });
export const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({ op: small, a: small, b: small, c: small }), {
  minLength: 1,
  maxLength: 7,
});

type Make = (x: Tensor, y: Tensor, c: number) => Tensor;

/** An axis of x, of rank at least 1. */
const axisOf = (x: Tensor, c: number): number => c % x.rank;
const ranked = (x: Tensor): Tensor => (x.rank === 0 ? x.reshape([1]) : x);
const matrix = (x: Tensor): Tensor => (x.rank === 2 ? x : x.reshape([1, x.size]));
const small2 = (x: Tensor): Tensor => (x.size <= 12 ? x : x.reshape([x.size]).slice(0, 12));

/** Both with one shape where NumPy lets them, else their sums. */
function together(x: Tensor, y: Tensor, f: (a: Tensor, b: Tensor) => Tensor): Tensor {
  try {
    return f(x, y);
  } catch {
    return f(x, y.sum());
  }
}

const pointwise: readonly Make[] = [
  (x) => x.sin(),
  (x) => x.tanh(),
  (x) => x.sigmoid(),
  (x) => x.softplus(),
  (x) => x.tanh().exp(),
  (x) => x.square().add(0.5).log(),
  (x) => x.square().add(1).sqrt(),
  (x) => x.neg().erf(),
  (x) => sg.named(x.cos(), "inner").mul(x),
  (x) => sg.pow(x.square().add(0.5), 1.5),
  (x, y) => together(x, y, sg.add),
  (x, y) => together(x, y, sg.sub),
  (x, y) => together(x.tanh(), y.tanh(), sg.mul),
  (x, y) => together(x, y.square().add(1), sg.div),
  (x, y) => together(x, y, sg.logaddexp),
  (x, y, c) => together(x, y, (a, b) => sg.where(sg.greater(a.sin(), (c % 7) / 5 - 0.617), a, b)),
];

const shaping: readonly Make[] = [
  (x) => x.transpose(),
  (x) => x.reshape([x.size]),
  (x, _y, c) => x.expandDims(c % (x.rank + 1)),
  (x, _y, c) => ranked(x).flip(axisOf(ranked(x), c)),
  (x, _y, c) =>
    ranked(x).slice(0, Math.max(1, (ranked(x).shape[axisOf(ranked(x), c)] as number) - 1), {
      axis: axisOf(ranked(x), c),
    }),
  (x, _y, c) => ranked(x).pad(ranked(x).shape.map((_, i) => (i === axisOf(ranked(x), c) ? [1, 0] : [0, 1]))),
  (x, _y, c) => ranked(x).cumsum(axisOf(ranked(x), c), { reverse: c % 2 === 0 }),
  (x, _y, c) => sg.concat([ranked(x), ranked(x).sin()], axisOf(ranked(x), c)),
  (x, _y, c) =>
    ranked(x).take([0, ((ranked(x).shape[axisOf(ranked(x), c)] as number) - 1) % 3, 0], axisOf(ranked(x), c)),
  (x) => sg.stack([x, x.cos()], -1),
];

const reducing: readonly Make[] = [
  (x, _y, c) => ranked(x).sum(axisOf(ranked(x), c)),
  (x, _y, c) => ranked(x).mean({ axis: axisOf(ranked(x), c), keepDims: true }),
  (x, _y, c) => ranked(x).logsumexp(axisOf(ranked(x), c)),
  (x, _y, c) => ranked(x).softmax(axisOf(ranked(x), c)),
  (x) => sg.norm(x.square().add(1)),
  (x, _y, c) => ranked(x).variance({ axis: axisOf(ranked(x), c) }),
  (x, y) =>
    sg.matmul(
      matrix(x),
      matrix(y)
        .reshape([matrix(y).size])
        .sum()
        .broadcastTo([matrix(x).shape[1] as number, 2]),
    ),
  (x) => sg.matmul(matrix(x), matrix(x).transpose()).tanh(),
  (x) => sg.matmul(matrix(x).transpose(), matrix(x)).mul(0.3),
];

const operations = [...pointwise, ...pointwise, ...shaping, ...reducing];

/** The last result of the steps, of any shape. */
export function program(list: readonly Step[], x: Tensor, y: Tensor): Tensor {
  const pool = [x, y];
  for (const { op, a, b, c } of list) {
    const make = operations[op % operations.length] as Make;
    // The newest result is the likeliest operand, so that programs get deep.
    const operand = a % 3 === 0 ? pool[b % pool.length] : pool[pool.length - 1];
    pool.push(small2(make(operand as Tensor, pool[b % pool.length] as Tensor, c)).tanh());
  }
  return pool[pool.length - 1] as Tensor;
}

/** The same as one number, with every element weighted differently. */
export function lossOf(list: readonly Step[], x: Tensor, y: Tensor): Tensor {
  const out = program(list, x, y);
  const weights = sg.arange(out.size, { dtype: "float64" }).mul(0.37).add(1).sin().reshape(out.shape);
  return out.mul(weights.toDType(out.dtype)).sum();
}

export const numbers = (t: Tensor): number[] => [t.toArray()].flat(9) as number[];
