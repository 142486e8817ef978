import { fail } from "./errors.js";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis]);
}

export function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The shape both broadcast to by NumPy's rule. @throws a sentence with both shapes and the axis, counted from the end. */
export function broadcastShapes(where: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let back = 1; back <= rank; back++) {
    const m = back <= a.length ? (a[a.length - back] as number) : 1;
    const n = back <= b.length ? (b[b.length - back] as number) : 1;
    if (m !== n && m !== 1 && n !== 1) {
      fail({
        where,
        got: `shapes ${show(a)} and ${show(b)}, which differ on axis -${back} (${m} and ${n})`,
        expected: "equal sizes or 1 on every axis",
        write: "reshape one of them, or insert an axis of size 1",
      });
    }
    out[rank - back] = m === 1 ? n : m;
  }
  return out;
}

/** Axes counted from the end become ordinary, and are sorted; undefined means all. @throws on a bad or repeated axis. */
export function normalAxes(where: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  const out = list.map((axis) => normalAxis(where, axis, rank)).sort((a, b) => a - b);
  if (new Set(out).size !== out.length) fail({ where, got: `axes ${show(list)}`, expected: "each axis once" });
  return out;
}

export function normalAxis(where: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    fail({
      where,
      got: `axis ${axis} of a tensor of rank ${rank}`,
      expected: rank === 0 ? "no axis" : `an axis in [${-rank}, ${rank - 1}]`,
    });
  }
  return normal;
}

export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
