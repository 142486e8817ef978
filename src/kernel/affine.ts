import { type Shape, sizeOf, stridesOf } from "../base/shape.js";

/**
 * Which element of an array the element of a loop reads: index a of the array is offset[a] + Σ coefficients[a][d] · (index d of the
 * loop). Broadcasts, transposes, slices and most reshapes compose to such maps, so that none of them moves a number.
 */
export interface AffineMap {
  readonly offset: readonly number[];
  readonly coefficients: readonly (readonly number[])[];
}

export function identityMap(shape: Shape): AffineMap {
  return {
    offset: shape.map(() => 0),
    coefficients: shape.map((_, a) => shape.map((__, d) => (a === d ? 1 : 0))),
  };
}

/** For each axis of the array another axis of the map, and what to do with its index: first times `scale`, then plus `shift`. */
export interface AxisRead {
  /** null: the index is `shift`. */
  readonly axis: number | null;
  readonly scale: number;
  readonly shift: number;
}

/** @param rank how many axes the loop has */
export function readAxes(map: AffineMap, axes: readonly AxisRead[], rank: number): AffineMap {
  return {
    offset: axes.map(({ axis, scale, shift }) =>
      axis === null ? shift : scale * (map.offset[axis] as number) + shift,
    ),
    coefficients: axes.map(({ axis, scale }) =>
      axis === null
        ? new Array<number>(rank).fill(0)
        : (map.coefficients[axis] as readonly number[]).map((c) => scale * c),
    ),
  };
}

function zeros(domain: Shape): number[] {
  return domain.map(() => 0);
}

/** The element of a row-major array that the map reads, as a single number: the map of its flat index. */
export function flatten(map: AffineMap, shape: Shape, domain: Shape): { offset: number; strides: number[] } {
  const own = stridesOf(shape);
  const strides = zeros(domain);
  let offset = 0;
  shape.forEach((_, a) => {
    const stride = own[a] as number;
    offset += stride * (map.offset[a] as number);
    (map.coefficients[a] as readonly number[]).forEach((c, d) => {
      strides[d] = (strides[d] as number) + c * stride;
    });
  });
  domain.forEach((n, d) => {
    if (n === 1) strides[d] = 0;
  });
  return { offset, strides };
}

/** Whether the map reads the elements of an array in the very order of the loop. */
export function isFlat(map: AffineMap, shape: Shape, domain: Shape): boolean {
  const { offset, strides } = flatten(map, shape, domain);
  const own = stridesOf(domain);
  return offset === 0 && sizeOf(shape) === sizeOf(domain) && domain.every((n, d) => n === 1 || strides[d] === own[d]);
}

/** Which axis of the loop would have to be cut, and into rows of what length, for a reshape to be such a map. */
export class NeedsSplit {
  readonly axis: number;
  readonly inner: number;
  constructor(axis: number, inner: number) {
    this.axis = axis;
    this.inner = inner;
  }
}

/**
 * The map into the input of a reshape, from that into its output.
 * @returns null where no such map exists; a split of the loop that would make one
 */
export function throughReshape(
  map: AffineMap,
  input: Shape,
  output: Shape,
  domain: Shape,
): AffineMap | NeedsSplit | null {
  const { offset, strides } = flatten(map, output, domain);
  return unflatten(offset, strides, input, domain);
}

/** Takes a flat index apart into those of a row-major array, axis after axis from the last. */
function unflatten(
  offset: number,
  strides: readonly number[],
  shape: Shape,
  domain: Shape,
): AffineMap | NeedsSplit | null {
  const coefficients: number[][] = shape.map(() => zeros(domain));
  const start = new Array<number>(shape.length).fill(0);
  const own = stridesOf(shape);
  const room = shape.map((n) => n - 1);
  // The offset first: what is left in each axis limits what the loop may add.
  let rest = offset;
  for (let a = 0; a < shape.length; a++) {
    const stride = own[a] as number;
    start[a] = stride === 0 ? 0 : Math.floor(rest / stride);
    rest -= (start[a] as number) * stride;
    room[a] = (room[a] as number) - (start[a] as number);
  }
  for (let d = 0; d < domain.length; d++) {
    const stride = strides[d] as number;
    const count = domain[d] as number;
    if (stride === 0 || count === 1) continue;
    if (stride < 0) return null;
    const a = own.findIndex((s, i) => shape[i] !== 1 && s <= stride && s > 0);
    if (a < 0 || stride % (own[a] as number) !== 0) return null;
    const step = stride / (own[a] as number);
    const used = step * (count - 1);
    if (used > (room[a] as number)) return splitOf(d, count, step, shape[a] as number);
    room[a] = (room[a] as number) - used;
    (coefficients[a] as number[])[d] = step;
  }
  return { offset: start, coefficients };
}

/** The loop's axis runs over more than one axis of the array: cut where the inner one ends. */
function splitOf(d: number, count: number, step: number, length: number): NeedsSplit | null {
  if (length % step !== 0) return null;
  const inner = length / step;
  return inner > 1 && inner < count && count % inner === 0 ? new NeedsSplit(d, inner) : null;
}

/** The same map for a loop one of whose axes is cut in two. */
export function splitMap(map: AffineMap, { axis, inner }: NeedsSplit): AffineMap {
  return {
    offset: map.offset,
    coefficients: map.coefficients.map((row) => [
      ...row.slice(0, axis),
      (row[axis] as number) * inner,
      ...row.slice(axis),
    ]),
  };
}

export function splitShape(domain: Shape, { axis, inner }: NeedsSplit): number[] {
  return [...domain.slice(0, axis), (domain[axis] as number) / inner, inner, ...domain.slice(axis + 1)];
}
