import { allocate, type DType, isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { normalAxis, range, show } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { leaf, type Tensor } from "../graph/tensor.js";
import { dense } from "../kernel/ndarray.js";
import * as linear from "../primitives/linear.js";
import { toDType } from "./elementwise.js";
import { matmul } from "./reducing.js";
import { slice, take } from "./shaping.js";
import { type PerAxis, perAxis } from "./windows.js";

/** Repeating, and space at another resolution. All of it is linear. */

/** Each slice of `axis` `times` times in a row: [a, b] twice is [a, a, b, b] (NumPy's repeat; PyTorch calls `tile` repeat). */
export function repeat(x: TensorLike, times: number, axis = 0): Tensor {
  const a = asTensor(x);
  const at = normalAxis("repeat", axis, a.rank);
  const [n, [count]] = [a.shape[at] as number, perAxis("repeat", "times", times, 1, 0) as [number]];
  const [before, after] = [a.shape.slice(0, at), a.shape.slice(at + 1)];
  const each = linear.broadcastTo(linear.reshapeTo(a, [...before, n, 1, ...after]), [...before, n, count, ...after]);
  return linear.reshapeTo(each, [...before, n * count, ...after]);
}

/**
 * The whole tensor over and over: [a, b] twice is [a, b, a, b]. One number of times per axis, counted from the last; a single number is
 * for the last axis; more numbers than axes put new axes in front (NumPy's tile).
 */
export function tile(x: TensorLike, reps: PerAxis): Tensor {
  const a = asTensor(x);
  const given = typeof reps === "number" ? [reps] : reps;
  const rank = Math.max(given.length, a.rank);
  const times = [...new Array<number>(rank - given.length).fill(1), ...perAxis("tile", "reps", reps, given.length, 0)];
  const shape = [...new Array<number>(rank - a.rank).fill(1), ...a.shape];
  // [m, n] -> [1, m, 1, n] -> [s, m, t, n] -> [s · m, t · n]
  const apart = linear.reshapeTo(
    a,
    shape.flatMap((n) => [1, n]),
  );
  const spread = linear.broadcastTo(
    apart,
    shape.flatMap((n, axis) => [times[axis] as number, n]),
  );
  return linear.reshapeTo(
    spread,
    shape.map((n, axis) => n * (times[axis] as number)),
  );
}

export interface ResizeOptions {
  /**
   * "nearest": the element whose cell holds the centre of the new one. "linear", under two axes also called "bilinear": between the
   * two neighbours on each axis. Default "nearest".
   */
  readonly mode?: "nearest" | "linear" | "bilinear";
  /**
   * Of linear modes, where the new places lie. False: cells of one width, so that both ends of space stay where they are, and beyond
   * the outer centres the outer element goes on. True: the centres of the corner elements stay where they are. Default false.
   */
  readonly alignCorners?: boolean;
}

/**
 * Space with other numbers of places: x [...rows, ...space] -> [...rows, ...size], as many numbers in `size` as axes of space. A single
 * number is for both axes of images [n, c, height, width]. No smoothing before shrinking: `avgPool2d` does that.
 *
 * "nearest" takes place ⌊(p + ½) · n / size⌋, as JAX, Pillow and PyTorch's "nearest-exact" do (PyTorch's "nearest" rounds ⌊p · n / size⌋;
 * growing by whole factors both are one). "linear" is a product with an interpolation matrix per axis; the conventions of alignCorners
 * are PyTorch's.
 * @throws where sizes, ranks and modes do not fit
 */
export function resize(x: TensorLike, size: PerAxis, options: ResizeOptions = {}): Tensor {
  const a = asTensor(x);
  return resample("resize", a, perSpace("resize", "size", a, size, options), options);
}

/**
 * Space `factor` times as fine: whole numbers, one per axis of space, or one for both axes of images [n, c, height, width]; see `resize`.
 * @throws where factors, ranks and modes do not fit
 */
export function upsample(x: TensorLike, factor: PerAxis, options: ResizeOptions = {}): Tensor {
  const a = asTensor(x);
  const factors = perSpace("upsample", "factor", a, factor, options);
  const sizes = factors.map((times, k) => times * (a.shape[a.rank - factors.length + k] as number));
  return resample("upsample", a, sizes, options);
}

/** One number for each of the last axes. A single one says how many only of [n, c, height, width], or of a bilinear mode. */
function perSpace(where: string, name: string, a: Tensor, given: PerAxis, { mode }: ResizeOptions): number[] {
  if (typeof given === "number" && a.rank !== 4 && mode !== "bilinear")
    fail({
      where,
      got: `${name} ${given} for ${show(a.shape)}`,
      expected: "one number for each axis of space",
      write: `[${given}] for the last axis, [${given}, ${given}] for the last two`,
    });
  const count = typeof given === "number" ? 2 : given.length;
  if (count < 1 || count > a.rank)
    fail({
      where,
      got: `${name} ${typeof given === "number" ? given : show(given)} for ${show(a.shape)}`,
      expected: "one number for each of the last axes",
    });
  return perAxis(where, name, given, count, 1);
}

function resample(
  where: string,
  a: Tensor,
  sizes: readonly number[],
  { mode = "nearest", alignCorners = false }: ResizeOptions,
): Tensor {
  const count = sizes.length;
  if (!["nearest", "linear", "bilinear"].includes(mode) || (mode === "bilinear" && count !== 2))
    fail({
      where,
      got: `mode ${JSON.stringify(mode)} over ${count} ${count === 1 ? "axis" : "axes"}`,
      expected: '"nearest", "linear", or over two axes "bilinear"',
    });
  if (mode === "nearest" && alignCorners)
    fail({ where, got: 'alignCorners with mode "nearest"', expected: 'mode "linear" or "bilinear"' });
  const empty = sizes.findIndex((_, k) => a.shape[a.rank - count + k] === 0);
  if (empty >= 0)
    fail({
      where,
      got: `${show(a.shape)}, empty on axis ${a.rank - count + empty}`,
      expected: "at least one element to take from",
    });
  const x = mode === "nearest" || isFloat(a.dtype) ? a : toDType(a, "float32");
  return sizes.reduce((out, size, k) => {
    const axis = a.rank - count + k;
    if (out.shape[axis] === size) return out;
    return mode === "nearest" ? nearest(out, axis, size) : interpolated(out, axis, size, alignCorners);
  }, x);
}

/** Whole factors are a repetition or a slice, whose access is known element by element; between them there is a table. */
function nearest(x: Tensor, axis: number, size: number): Tensor {
  const n = x.shape[axis] as number;
  if (size % n === 0) return repeat(x, size / n, axis);
  if (n % size === 0) return slice(x, Math.floor(n / size / 2), n, { axis, step: n / size });
  const places = Int32Array.from(range(size), (p) => Math.floor(((2 * p + 1) * n) / (2 * size)));
  return take(x, places, axis);
}

function interpolated(x: Tensor, axis: number, size: number, alignCorners: boolean): Tensor {
  const last = x.rank - 1;
  const order = range(x.rank).map((i) => (i === axis ? last : i === last ? axis : i));
  const weights = interpolation(x.shape[axis] as number, size, alignCorners, x.dtype);
  return linear.permute(matmul(linear.permute(x, order), weights), order);
}

/** The matrix [n, size] of linear interpolation; its columns add up to 1. */
function interpolation(n: number, size: number, alignCorners: boolean, dtype: DType): Tensor {
  const data = allocate(dtype, n * size);
  for (let p = 0; p < size; p++) {
    const at = alignCorners ? (size === 1 ? 0 : (p * (n - 1)) / (size - 1)) : ((p + 0.5) * n) / size - 0.5;
    const inside = Math.min(Math.max(at, 0), n - 1);
    const first = Math.min(Math.floor(inside), Math.max(n - 2, 0));
    const part = inside - first;
    data[first * size + p] = 1 - part;
    if (part > 0) data[(first + 1) * size + p] = part;
  }
  return leaf(dense(data, dtype, [n, size]));
}
