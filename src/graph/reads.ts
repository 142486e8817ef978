/**
 * Which elements of an input an output element may read.
 *
 * Every primitive declares `reads(params, inShapes, outShape)`: one entry per input. An entry is a list of links, all of
 * which hold for every pair (i, o) such that some value of the other inputs makes out[o] change with in[i]. It speaks of
 * values, not of derivatives: a comparison, a rounding, a `stopGradient` still read their input. `[]` says "may read
 * everything" and is always allowed; `null` says "reads the shape only". Too few links cost variance, one link too many is a
 * bias, so every helper here leaves out what it is not sure of.
 *
 * The helpers return the entry of one input, whose shape comes first.
 */

/** The number floor(i[axis] / div) mod mod of an index i. The whole axis is `{ div: 1, mod: size }`; div · mod divides size. */
export interface Digit {
  readonly axis: number;
  readonly div: number;
  readonly mod: number;
}

/** digit_in(i) − step · digit_out(o) ∈ [lo, hi]. With `out: null` it bounds the input index alone, and step is 0. */
export interface ReadLink {
  readonly in: Digit;
  readonly out: Digit | null;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
}

/** A link from a site (a random choice) to a node: digit_site(s) − step · digit_node(n) ∈ [lo, hi]; see `ReadLink`. */
export interface Link {
  readonly site: Digit;
  readonly node: Digit | null;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
}

/** What one input entry looks like: links, or `null` for "reads only the shape". */
export type ReadEntry = readonly ReadLink[] | null;

/** One entry per input of a primitive. */
export type Reads = readonly ReadEntry[];

type Shape = readonly number[];

/** The digit that is a whole axis of `shape`. */
export function whole(shape: Shape, axis: number): Digit {
  const size = shape[axis];
  if (size === undefined) throw new RangeError(`reads: axis ${axis} is not an axis of [${shape.join(", ")}]`);
  return { axis, div: 1, mod: size };
}

/** in[axis] − step · out[outAxis] ∈ [lo, hi], for whole axes: the window of a convolution, and every helper's brick. */
export function linked(
  inShape: Shape,
  axis: number,
  outShape: Shape,
  outAxis: number,
  step: number,
  lo: number,
  hi: number,
): ReadLink {
  return { in: whole(inShape, axis), out: whole(outShape, outAxis), step, lo, hi };
}

/** in[axis] ∈ [lo, hi], whatever the output index: a constant index into an axis that disappears. */
export function bounded(inShape: Shape, axis: number, lo: number, hi: number): ReadLink {
  return { in: whole(inShape, axis), out: null, step: 0, lo, hi };
}

/**
 * The pairs [input axis, output axis] that carry the same index: the letters of an einsum operand that are in the output, the
 * batch axes of a matmul, a solve, a sample. An axis of size 1 says nothing.
 */
export function letters(inShape: Shape, pairs: readonly (readonly [number, number])[]): readonly ReadLink[] {
  return pairs
    .filter(([axis]) => whole(inShape, axis).mod !== 1)
    .map(([axis, outAxis]) => exact(whole(inShape, axis), { ...whole(inShape, axis), axis: outAxis }));
}

/** Elementwise: input and output have one shape. */
export function pointwise(shape: Shape): readonly ReadLink[] {
  return leading(shape, shape.length);
}

/** Broadcasting, shapes aligned on the right: a new axis and an axis of size 1 that is repeated have no link. */
export function spread(inShape: Shape, outShape: Shape): readonly ReadLink[] {
  const shift = outShape.length - inShape.length;
  return letters(
    inShape,
    axesOf(inShape, (axis) => axis + shift),
  );
}

/** Transpose: output axis k is input axis `order[k]`. */
export function moved(inShape: Shape, order: readonly number[]): readonly ReadLink[] {
  return letters(
    inShape,
    order.map((axis, k) => [axis, k] as const),
  );
}

/** Only the first `count` axes are the same: the batch axes of a sample, a log-probability, a batched solve; all of a one-hot. */
export function leading(inShape: Shape, count: number): readonly ReadLink[] {
  return letters(
    inShape,
    axesOf(inShape.slice(0, count), (axis) => axis),
  );
}

/**
 * Everything but `axes` is exact. A reduction drops them; with `keepDims` they stay in place, of whatever size (sort, top-k,
 * softmax, FFT, Cholesky, take along an axis).
 */
export function kept(inShape: Shape, axes: readonly number[], keepDims = false): readonly ReadLink[] {
  const others = inShape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  return letters(
    inShape,
    others.map((axis, k) => [axis, keepDims ? axis : k] as const),
  );
}

/**
 * in[k] = steps[k] · out[k] + starts[k] on every axis.
 * Slice: stride, start. Flip: −1, N − 1. Pad: 1, −before. Concatenate and dynamicUpdateSlice: 1, −(place of this input).
 */
export function affine(
  inShape: Shape,
  outShape: Shape,
  steps: readonly number[],
  starts: readonly number[],
): readonly ReadLink[] {
  return inShape.map((_, k) => {
    const start = starts[k] ?? 0;
    return linked(inShape, k, outShape, k, steps[k] ?? 1, start, start);
  });
}

/**
 * Pad: out[before + (interior + 1) · i] = in[i] on every axis. Interior padding divides the output index, which a link cannot
 * say; what remains of it is the range of in − out.
 */
export function padded(
  inShape: Shape,
  outShape: Shape,
  before: readonly number[],
  interior: readonly number[],
): readonly ReadLink[] {
  return inShape.map((size, k) => {
    const [shift, gap] = [before[k] ?? 0, interior[k] ?? 0];
    return linked(inShape, k, outShape, k, 1, -shift - gap * Math.max(size - 1, 0), -shift);
  });
}

/** A running operation (cumsum, cumprod, cummax, a scan) reads in ≤ out on its axis; run from the back, in ≥ out. */
export function causal(shape: Shape, axis: number, reverse = false): readonly ReadLink[] {
  const [lo, hi] = reverse ? [0, Infinity] : [-Infinity, 0];
  return [...kept(shape, [axis], true), linked(shape, axis, shape, axis, 1, lo, hi)];
}

/** `causal` from the back. */
export function anticausal(shape: Shape, axis: number): readonly ReadLink[] {
  return causal(shape, axis, true);
}

/**
 * Reshape (row-major), squeeze, expandDims. The linear index floor(x / a) mod (b / a) is a digit of an input axis and of an
 * output axis wherever a and b divide the suffix products of both; where the cuts cross there is no link.
 * [6] → [2, 3] splits, [2, 3] → [6] merges, [2, 3] → [3, 2] links nothing.
 */
export function refine(inShape: Shape, outShape: Shape): readonly ReadLink[] {
  const links: ReadLink[] = [];
  const outCuts = suffixCuts(outShape);
  suffixCuts(inShape).forEach(([inLow, inHigh], axis) => {
    outCuts.forEach(([outLow, outHigh], outAxis) => {
      if (inHigh === 0 || outHigh === 0) return; // no elements, nothing to say
      const low = (inLow / gcd(inLow, outLow)) * outLow;
      const high = gcd(inHigh, outHigh);
      if (high <= low || high % low !== 0) return;
      const mod = high / low;
      links.push({
        in: { axis, div: low / inLow, mod },
        out: { axis: outAxis, div: low / outLow, mod },
        step: 1,
        lo: 0,
        hi: 0,
      });
    });
  });
  return links;
}

/** Repeat each element of `axis` `times` times in place (nearest upsampling): in = floor(out / times). */
export function repeated(inShape: Shape, axis: number, times: number): readonly ReadLink[] {
  return [...kept(inShape, [axis], true), exact(whole(inShape, axis), { ...whole(inShape, axis), div: times })];
}

/** Repeat the whole of `axis` (tile): in = out mod N. */
export function tiled(inShape: Shape, axis: number): readonly ReadLink[] {
  return [...kept(inShape, [axis], true), exact(whole(inShape, axis), whole(inShape, axis))];
}

/**
 * Gather: operand [...b, N, ...rest] at indices [...b, m] gives [...b, m, ...rest], with `batch` axes b. The gathered axis
 * mixes: any row may be taken to any place. @returns the entries of operand and indices
 */
export function gathered(operand: Shape, indices: Shape, batch: number): Reads {
  return [kept(operand, [batch], true), pointwise(indices)];
}

/**
 * Scatter: updates [...b, m, ...rest] set or added at indices [...b, m] into [...b, N, ...rest]; which update arrives where, and
 * which of several wins, is up to all the indices. An operand that is scattered into is `pointwise`.
 * @returns the entries of updates and indices
 */
export function scattered(updates: Shape, indices: Shape, batch: number): Reads {
  return [kept(updates, [batch], true), leading(indices, batch)];
}

/** A vector (the last axis) placed on the diagonal of the last two axes: both are linked to it. */
export function diagonal(inShape: Shape): readonly ReadLink[] {
  const last = inShape.length - 1;
  return [...pointwise(inShape), ...letters(inShape, [[last, last + 1]])];
}

/** digit_in(i) = digit_out(o). */
function exact(from: Digit, out: Digit): ReadLink {
  return { in: from, out, step: 1, lo: 0, hi: 0 };
}

function axesOf(shape: Shape, out: (axis: number) => number): (readonly [number, number])[] {
  return shape.map((_, axis) => [axis, out(axis)] as const);
}

/** For every axis the range [low, high] of suffix products that it spans in the linear index. */
function suffixCuts(shape: Shape): readonly (readonly [number, number])[] {
  let high = shape.reduce((product, size) => product * size, 1);
  return shape.map((size) => {
    const low = size === 0 ? 0 : high / size;
    const cut = [low, high] as const;
    high = low;
    return cut;
  });
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
