import type { PushOps } from "../../src/expectation/credit/push.js";
import type { Digit, Link, ReadLink } from "../../src/graph/reads.js";
import * as reads from "../../src/graph/reads.js";

/** Brute force for relation.test.ts: index sets, random links, and operations whose true reads are computed element by element. */

export type Index = readonly number[];
export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  return shape.reduce((n, size) => n * size, 1);
}

export function unravel(flat: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    index[axis] = flat % size;
    flat = Math.floor(flat / size);
  }
  return index;
}

export function ravel(index: Index, shape: Shape): number {
  return shape.reduce((flat, size, axis) => flat * size + (index[axis] as number), 0);
}

export function indices(shape: Shape): number[][] {
  return Array.from({ length: sizeOf(shape) }, (_, flat) => unravel(flat, shape));
}

/** mulberry32, so that a failing case is one number. */
export class Dice {
  private state: number;
  constructor(seed: number) {
    this.state = seed | 0;
  }
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }
  between(lo: number, hi: number): number {
    return lo + this.below(hi - lo + 1);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
  flip(): boolean {
    return this.below(2) === 1;
  }
  shape(rank: number, sizes: readonly number[]): number[] {
    return Array.from({ length: rank }, () => this.pick(sizes));
  }
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, k) => k + 1).filter((d) => n % d === 0);
}

function randomDigit(dice: Dice, shape: Shape): Digit {
  const axis = dice.below(shape.length);
  const size = shape[axis] as number;
  if (dice.flip()) return { axis, div: 1, mod: size };
  const div = dice.pick(divisors(size));
  return { axis, div, mod: dice.pick(divisors(size / div)) };
}

/** Any conjunction of well-formed links, exact ones often. */
export function randomLinks(dice: Dice, siteShape: Shape, nodeShape: Shape): Link[] {
  if (siteShape.length === 0) return [];
  return Array.from({ length: dice.below(4) }, () => {
    const site = randomDigit(dice, siteShape);
    let node = nodeShape.length === 0 || dice.below(5) === 0 ? null : randomDigit(dice, nodeShape);
    if (node === null) {
      const lo = dice.below(site.mod);
      return { site, node, step: 0, lo: dice.flip() ? lo : -Infinity, hi: dice.flip() ? lo + dice.below(3) : Infinity };
    }
    if (dice.flip()) {
      const same = nodeShape.flatMap((size, axis) =>
        size % site.mod === 0 ? [{ axis, div: size / site.mod, mod: site.mod }] : [],
      );
      if (same.length > 0 && dice.below(4) > 0) node = dice.pick(same);
      return { site, node, step: 1, lo: 0, hi: 0 };
    }
    const step = dice.pick([1, 1, 1, -1, 2, 3, -2]);
    const lo = dice.between(-4, 4);
    return {
      site,
      node,
      step,
      lo: dice.below(3) === 0 ? -Infinity : lo,
      hi: dice.below(3) === 0 ? Infinity : lo + dice.below(3),
    };
  });
}

export function asReads(links: readonly Link[]): ReadLink[] {
  return links.map(({ site, node, step, lo, hi }) => ({ in: site, out: node, step, lo, hi }));
}

/** An operation of one input: what it declares, and what each output element truly reads. */
export interface Op {
  readonly name: string;
  readonly out: Shape;
  readonly reads: readonly ReadLink[];
  readonly truth: (o: Index) => Index[];
}

type Make = (dice: Dice, shape: Shape) => Op | null;

function replaced(index: Index, axis: number, value: number): number[] {
  return index.map((i, k) => (k === axis ? value : i));
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, k) => k);
}

const slice: Make = (dice, shape) => {
  const steps = shape.map(() => dice.pick([1, 1, 2]));
  const starts = shape.map((size) => dice.below(size));
  const out = shape.map((size, k) => dice.between(1, Math.ceil((size - (starts[k] as number)) / (steps[k] as number))));
  const truth = (o: Index) => [o.map((i, k) => (starts[k] as number) + (steps[k] as number) * i)];
  return { name: "slice", out, reads: reads.affine(shape, out, steps, starts), truth };
};

const flip: Make = (dice, shape) => {
  const steps = shape.map(() => dice.pick([1, -1]));
  const starts = shape.map((size, k) => (steps[k] === -1 ? size - 1 : 0));
  const truth = (o: Index) => [o.map((i, k) => (starts[k] as number) + (steps[k] as number) * i)];
  return { name: "flip", out: shape, reads: reads.affine(shape, shape, steps, starts), truth };
};

const reshape: Make = (dice, shape) => {
  let rest = sizeOf(shape);
  const out: number[] = [];
  for (let k = dice.below(3); k > 0; k--) {
    const size = dice.pick(divisors(rest));
    out.push(size);
    rest /= size;
  }
  out.splice(dice.below(out.length + 1), 0, rest);
  return { name: "reshape", out, reads: reads.refine(shape, out), truth: (o) => [unravel(ravel(o, out), shape)] };
};

const transpose: Make = (dice, shape) => {
  const order = range(shape.length).sort(() => dice.below(3) - 1);
  const out = order.map((axis) => shape[axis] as number);
  const truth = (o: Index) => [shape.map((_, axis) => o[order.indexOf(axis)] as number)];
  return { name: "transpose", out, reads: reads.moved(shape, order), truth };
};

const reduce: Make = (dice, shape) => {
  const axes = range(shape.length).filter(() => dice.below(3) === 0);
  const keepDims = dice.flip();
  const out = keepDims
    ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : shape.filter((_, axis) => !axes.includes(axis));
  const truth = (o: Index) => {
    const queue = [...o];
    const fixed = shape.map((_, axis) => {
      if (!axes.includes(axis)) return queue.shift() as number;
      if (keepDims) queue.shift();
      return -1;
    });
    return indices(shape).filter((i) => i.every((x, axis) => fixed[axis] === -1 || fixed[axis] === x));
  };
  return { name: "reduce", out, reads: reads.kept(shape, axes, keepDims), truth };
};

const sort: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const axis = dice.below(shape.length);
  const truth = (o: Index) => range(shape[axis] as number).map((i) => replaced(o, axis, i));
  return { name: "sort", out: shape, reads: reads.kept(shape, [axis], true), truth };
};

const broadcast: Make = (dice, shape) => {
  const front = dice.shape(dice.below(2), [1, 2, 3]);
  const out = [...front, ...shape.map((size) => (size === 1 ? dice.between(1, 3) : size))];
  const truth = (o: Index) => [shape.map((size, k) => (size === 1 ? 0 : (o[k + front.length] as number)))];
  return { name: "broadcast", out, reads: reads.spread(shape, out), truth };
};

const cumsum: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const axis = dice.below(shape.length);
  const reverse = dice.flip();
  const truth = (o: Index) =>
    range(shape[axis] as number)
      .filter((i) => (reverse ? i >= (o[axis] as number) : i <= (o[axis] as number)))
      .map((i) => replaced(o, axis, i));
  return { name: reverse ? "reverse cumsum" : "cumsum", out: shape, reads: reads.causal(shape, axis, reverse), truth };
};

const pad: Make = (dice, shape) => {
  const before = shape.map(() => dice.below(3));
  const interior = shape.map(() => (dice.below(4) === 0 ? 1 : 0));
  const out = shape.map(
    (size, k) => (before[k] as number) + size + (size - 1) * (interior[k] as number) + dice.below(2),
  );
  const truth = (o: Index) => {
    const at = o.map((x, k) => (x - (before[k] as number)) / ((interior[k] as number) + 1));
    return at.every((x, k) => Number.isInteger(x) && x >= 0 && x < (shape[k] as number)) ? [at] : [];
  };
  return { name: "pad", out, reads: reads.padded(shape, out, before, interior), truth };
};

const window: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const axis = dice.below(shape.length);
  const [stride, width, dilation, before] = [dice.between(1, 2), dice.between(1, 3), dice.between(1, 2), dice.below(2)];
  const out = replaced(shape, axis, dice.between(1, 4));
  const truth = (o: Index) =>
    range(width)
      .map((k) => stride * (o[axis] as number) - before + k * dilation)
      .filter((i) => i >= 0 && i < (shape[axis] as number))
      .map((i) => replaced(o, axis, i));
  const space = reads.linked(shape, axis, out, axis, stride, -before, (width - 1) * dilation - before);
  return { name: "window", out, reads: [...reads.kept(shape, [axis], true), space], truth };
};

const gather: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const batch = dice.below(shape.length);
  const places = range(dice.between(1, 3)).map(() => dice.below(shape[batch] as number));
  const out = replaced(shape, batch, places.length);
  const index = [...shape.slice(0, batch), places.length];
  const truth = (o: Index) => [replaced(o, batch, places[o[batch] as number] as number)];
  return { name: "gather", out, reads: reads.gathered(shape, index, batch)[0] as ReadLink[], truth };
};

const indexed: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const batch = dice.below(shape.length);
  const inner = dice.shape(dice.below(2), [2, 3]);
  const index = shape.slice(0, batch + 1);
  const out = [...index, ...inner];
  const truth = (o: Index) => [[...o.slice(0, batch + 1)]];
  if (index.length !== shape.length) return null;
  return {
    name: "indices of gather",
    out,
    reads: reads.gathered([...index, ...inner], index, batch)[1] as ReadLink[],
    truth,
  };
};

const scatter: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const batch = dice.below(shape.length);
  const size = dice.between(1, 3);
  const places = range(shape[batch] as number).map(() => dice.below(size));
  const out = replaced(shape, batch, size);
  const truth = (o: Index) => places.flatMap((place, i) => (place === o[batch] ? [replaced(o, batch, i)] : []));
  return {
    name: "scatter",
    out,
    reads: reads.scattered(shape, shape.slice(0, batch + 1), batch)[0] as ReadLink[],
    truth,
  };
};

const repeat: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const [axis, times] = [dice.below(shape.length), dice.between(1, 3)];
  const out = replaced(shape, axis, (shape[axis] as number) * times);
  const truth = (o: Index) => [replaced(o, axis, Math.floor((o[axis] as number) / times))];
  return { name: "repeat", out, reads: reads.repeated(shape, axis, times), truth };
};

const tile: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const [axis, times] = [dice.below(shape.length), dice.between(1, 3)];
  const out = replaced(shape, axis, (shape[axis] as number) * times);
  const truth = (o: Index) => [replaced(o, axis, (o[axis] as number) % (shape[axis] as number))];
  return { name: "tile", out, reads: reads.tiled(shape, axis), truth };
};

const diagonal: Make = (_dice, shape) => {
  if (shape.length === 0) return null;
  const last = shape.length - 1;
  const truth = (o: Index) => (o[last] === o[last + 1] ? [o.slice(0, last + 1)] : []);
  return { name: "diagonal", out: [...shape, shape[last] as number], reads: reads.diagonal(shape), truth };
};

const constantIndex: Make = (dice, shape) => {
  if (shape.length === 0) return null;
  const axis = dice.below(shape.length);
  const at = dice.below(shape[axis] as number);
  const out = shape.filter((_, k) => k !== axis);
  const truth = (o: Index) => [[...o.slice(0, axis), at, ...o.slice(axis)]];
  return {
    name: "constant index",
    out,
    reads: [...reads.kept(shape, [axis]), reads.bounded(shape, axis, at, at)],
    truth,
  };
};

export const catalogue: readonly Make[] = [
  ...[slice, flip, reshape, reshape, transpose, reduce, sort, broadcast, cumsum, pad, window, gather, indexed, scatter],
  ...[repeat, tile, diagonal, constantIndex],
];

/** PushOps over plain arrays. */
export interface Plain {
  readonly shape: Shape;
  readonly data: readonly number[];
}

function build(shape: Shape, at: (index: Index) => number): Plain {
  return { shape, data: indices(shape).map(at) };
}

export function read({ shape, data }: Plain, index: Index): number {
  return index.every((i, k) => i >= 0 && i < (shape[k] as number)) ? (data[ravel(index, shape)] as number) : 0;
}

function along(x: Plain, axis: number, size: number, at: (line: (i: number) => number, o: number) => number): Plain {
  return build(replaced(x.shape, axis, size), (o) => at((i) => read(x, replaced(o, axis, i)), o[axis] as number));
}

export const plain: PushOps<Plain> = {
  shapeOf: (x) => x.shape,
  reshape: (x, shape) => {
    if (sizeOf(shape) !== x.data.length) throw new Error(`reshape [${x.shape}] to [${shape}]`);
    return { shape, data: x.data };
  },
  transpose: (x, perm) =>
    build(
      perm.map((axis) => x.shape[axis] as number),
      (o) =>
        read(
          x,
          x.shape.map((_, axis) => o[perm.indexOf(axis)] as number),
        ),
    ),
  add: (a, b) => build(a.shape, (o) => read(a, o) + read(b, o)),
  sum: (x, axis) => along(x, axis, 1, (line) => total(range(x.shape[axis] as number).map(line))),
  slice: (x, axis, start, end) => {
    if (start < 0 || start > end || end > (x.shape[axis] as number))
      throw new Error(`slice ${start}:${end} of [${x.shape}]`);
    return along(x, axis, end - start, (line, o) => line(start + o));
  },
  pad: (x, axis, before, after) => {
    if (before < 0 || after < 0) throw new Error(`pad by ${before}, ${after}`);
    return along(x, axis, before + (x.shape[axis] as number) + after, (line, o) => line(o - before));
  },
  flip: (x, axis) => along(x, axis, x.shape[axis] as number, (line, o) => line((x.shape[axis] as number) - 1 - o)),
  cumsum: (x, axis, reverse) => {
    const size = x.shape[axis] as number;
    return along(x, axis, size, (line, o) =>
      total(
        range(size)
          .filter((i) => (reverse ? i >= o : i <= o))
          .map(line),
      ),
    );
  },
  contract: (x, axis, matrix) => {
    const sites = x.shape[axis] as number;
    return along(x, axis, matrix.length / sites, (line, o) =>
      total(range(sites).map((s) => (matrix[o * sites + s] as number) * line(s))),
    );
  },
};

function total(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0);
}
