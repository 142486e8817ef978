import { promote } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { normalAxis, range, show, sizeOf } from "../base/shape.js";
import type { TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { matmul, times } from "../primitives/contract.js";
import * as linear from "../primitives/linear.js";
import { parse } from "./einsumText.js";
import { noBool, toDType, together } from "./operands.js";

/** Sums of products over named axes, as matrix products of two operands at a time. */

/** A tensor whose axes have names. */
interface Factor {
  readonly x: Tensor;
  readonly names: readonly string[];
}

/**
 * Einstein's summation in NumPy's notation: "ij,jk->ik" multiplies elements with equal letters and sums over the letters that are not
 * behind the arrow. Without an arrow the letters that occur once remain, in the order of the alphabet. A letter twice in one operand is
 * its diagonal; "..." stands for axes that broadcast. Sizes of 1 are repeated. Of several operands those two are multiplied first whose
 * product saves the most memory.
 * @throws with the letter where its sizes differ
 */
export function einsum(spec: string, ...operands: readonly TensorLike[]): Tensor {
  const list = sameType(operands);
  const { inputs, output } = parse(
    spec,
    list.map((x) => x.shape),
  );
  return contract(
    list.map((x, k) => ({ x, names: inputs[k] as readonly string[] })),
    output,
  );
}

function sameType(operands: readonly TensorLike[]): Tensor[] {
  const list = together(...operands).map((x) => noBool(x));
  const dtype = list.reduce((type, x) => promote(type, x.dtype), list[0]?.dtype ?? "float32");
  return list.map((x) => toDType(x, dtype));
}

/** The product of all factors, summed over the names that are not in `output`. */
function contract(factors: readonly Factor[], output: readonly string[]): Tensor {
  const wanted = (rest: readonly Factor[]): Set<string> => new Set([...output, ...rest.flatMap((f) => f.names)]);
  const sizes = new Map(
    factors.flatMap(({ x, names }) => names.map((name, i) => [name, x.shape[i] as number] as const)).sort(bySize),
  );
  const narrow = factors.map((f) => diagonals(withoutOnes(f, sizes)));
  let left = narrow.map((f, i) => summed(f, wanted(narrow.filter((_, k) => k !== i))));
  while (left.length > 1) {
    const [i, j] = cheapest(left, wanted, sizes);
    const rest = left.filter((_, k) => k !== i && k !== j);
    left = [...rest, product(left[i] as Factor, left[j] as Factor, wanted(rest))];
  }
  const { x, names } = left[0] as Factor;
  return linear.permute(
    x,
    output.map((name) => names.indexOf(name)),
  );
}

/** The larger of two sizes of one name comes later, and stays in a map. 0 is no less than 1, which repeats. */
function bySize([, m]: readonly [string, number], [, n]: readonly [string, number]): number {
  return Number(n === 1) - Number(m === 1);
}

/** Drops axes of size 1 whose name has another size elsewhere: they repeat. */
function withoutOnes({ x, names }: Factor, sizes: ReadonlyMap<string, number>): Factor {
  const stays = names.map((name, i) => x.shape[i] === sizes.get(name));
  return {
    x: linear.reshapeTo(
      x,
      x.shape.filter((_, i) => stays[i]),
    ),
    names: names.filter((_, i) => stays[i]),
  };
}

/** Names that occur twice become one, the diagonal: every (n + 1)-th element of the two axes written as one. */
function diagonals({ x, names }: Factor): Factor {
  const second = names.findIndex((name, i) => names.indexOf(name) < i);
  if (second < 0) return { x, names };
  const first = names.indexOf(names[second] as string);
  const others = range(names.length).filter((axis) => axis !== first && axis !== second);
  const n = x.shape[first] as number;
  const shape = others.map((axis) => x.shape[axis] as number);
  const rows = linear.reshapeTo(linear.permute(x, [...others, first, second]), [...shape, n * n]);
  const diagonal = apply(linear.slice, [rows], {
    start: rows.shape.map(() => 0),
    stop: rows.shape,
    step: [...shape.map(() => 1), n + 1],
  });
  return diagonals({ x: diagonal, names: [...others.map((axis) => names[axis] as string), names[first] as string] });
}

/** Sums over the names that nobody wants. */
function summed({ x, names }: Factor, wanted: ReadonlySet<string>): Factor {
  const axes = range(names.length).filter((axis) => !wanted.has(names[axis] as string));
  return { x: linear.sumOver(x, axes), names: names.filter((name) => wanted.has(name)) };
}

/** The pair whose product needs the least more memory than the two do; of several the one with the fewest products of numbers. */
function cheapest(
  list: readonly Factor[],
  wanted: (rest: readonly Factor[]) => ReadonlySet<string>,
  sizes: ReadonlyMap<string, number>,
): [number, number] {
  const sizeOfNames = (names: readonly string[]): number => sizeOf(names.map((name) => sizes.get(name) as number));
  let best: [number, number] = [0, 1];
  let [least, fewest] = [Infinity, Infinity];
  for (let i = 0; i < list.length; i++)
    for (let j = i + 1; j < list.length; j++) {
      const [a, b] = [list[i] as Factor, list[j] as Factor];
      const keep = wanted(list.filter((_, k) => k !== i && k !== j));
      const all = [...new Set([...a.names, ...b.names])];
      const more = sizeOfNames(all.filter((name) => keep.has(name))) - a.x.size - b.x.size;
      const work = sizeOfNames(all);
      if (more > least || (more === least && work >= fewest)) continue;
      [best, least, fewest] = [[i, j], more, work];
    }
  return best;
}

/** Two factors into one: a matrix product over the shared names that nobody wants any more, batched over those that are wanted. */
function product(a: Factor, b: Factor, wanted: ReadonlySet<string>): Factor {
  const shared = a.names.filter((name) => b.names.includes(name));
  const batch = shared.filter((name) => wanted.has(name));
  const inner = shared.filter((name) => !wanted.has(name));
  const rows = a.names.filter((name) => !shared.includes(name));
  const columns = b.names.filter((name) => !shared.includes(name));
  const names = [...batch, ...rows, ...columns];
  const [left, right] = [arranged(a, [...batch, ...rows, ...inner]), arranged(b, [...batch, ...inner, ...columns])];
  const sizes = (x: Tensor, from: number, count: number): number[] => x.shape.slice(from, from + count);
  const [n, m] = [sizes(left, batch.length, rows.length), sizes(right, batch.length + inner.length, columns.length)];
  const lead = sizes(left, 0, batch.length);
  const shape = [...lead, ...n, ...m];
  if (inner.length === 0) {
    const wide = linear.reshapeTo(left, [...lead, ...n, ...m.map(() => 1)]);
    const tall = linear.reshapeTo(right, [...lead, ...n.map(() => 1), ...m]);
    return { x: times(linear.broadcastTo(wide, shape), linear.broadcastTo(tall, shape)), names };
  }
  const k = sizeOf(sizes(right, batch.length, inner.length));
  const flat = lead.length === 0 ? [] : [sizeOf(lead)];
  const x = apply(
    matmul,
    [linear.reshapeTo(left, [...flat, sizeOf(n), k]), linear.reshapeTo(right, [...flat, k, sizeOf(m)])],
    null,
  );
  return { x: linear.reshapeTo(x, shape), names };
}

function arranged({ x, names }: Factor, order: readonly string[]): Tensor {
  return linear.permute(
    x,
    order.map((name) => names.indexOf(name)),
  );
}

/**
 * Sums products over axes of both: the last `axes` of a with the first of b, or the listed ones in pairs. The other axes of a are
 * followed by those of b.
 */
export function tensordot(
  a: TensorLike,
  b: TensorLike,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  const [x, y] = together(a, b) as [Tensor, Tensor];
  const most = Math.min(x.rank, y.rank);
  if (typeof axes === "number" && !(Number.isInteger(axes) && axes >= 0 && axes <= most))
    fail({
      where: "tensordot",
      got: `${axes} axes of ${show(x.shape)} and ${show(y.shape)}`,
      expected: `a whole number in [0, ${most}]`,
    });
  const [left, right] = typeof axes === "number" ? [range(axes).map((i) => x.rank - axes + i), range(axes)] : axes;
  return dotted("tensordot", x, y, left, right);
}

function dotted(where: string, a: Tensor, b: Tensor, first: readonly number[], second: readonly number[]): Tensor {
  const [x, y] = sameType([a, b]) as [Tensor, Tensor];
  const left = first.map((axis) => normalAxis(where, axis, x.rank));
  const right = second.map((axis) => normalAxis(where, axis, y.rank));
  if (left.length !== right.length || [left, right].some((list) => new Set(list).size !== list.length))
    fail({ where, got: `axes ${show(left)} and ${show(right)}`, expected: "as many of both, and each once" });
  const bad = left.findIndex((axis, i) => x.shape[axis] !== y.shape[right[i] as number]);
  if (bad >= 0)
    fail({
      where,
      got: `axis ${left[bad]} of ${show(x.shape)} and axis ${right[bad]} of ${show(y.shape)}`,
      expected: "equal sizes",
    });
  const named = (tensor: Tensor, summedAxes: readonly number[], prefix: string): string[] =>
    range(tensor.rank).map((axis) => (summedAxes.includes(axis) ? `s${summedAxes.indexOf(axis)}` : `${prefix}${axis}`));
  const factors = [
    { x, names: named(x, left, "a") },
    { x: y, names: named(y, right, "b") },
  ];
  return contract(
    factors,
    factors.flatMap(({ names }) => names).filter((name) => !name.startsWith("s")),
  );
}

/** Σ over the last axis of both: a [...a, k], b [...b, k] -> [...a, ...b]; with a scalar the product. */
export function inner(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = together(a, b) as [Tensor, Tensor];
  const last = x.rank === 0 || y.rank === 0 ? [] : [-1];
  return dotted("inner", x, y, last, last);
}

/** Σ of the products of all elements of two tensors of one size. */
export function vdot(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = together(a, b) as [Tensor, Tensor];
  if (x.size !== y.size)
    fail({ where: "vdot", got: `${show(x.shape)} and ${show(y.shape)}`, expected: "as many elements in both" });
  return dotted("vdot", linear.reshapeTo(x, [x.size]), linear.reshapeTo(y, [y.size]), [0], [0]);
}
