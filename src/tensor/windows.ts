import { fail } from "../base/errors.js";
import { range, type Shape, show } from "../base/shape.js";

/** One whole number for all axes of space, or one for each. */
export type PerAxis = number | readonly number[];

/**
 * Zeros (or, under a maximum, nothing) around the axes of space: as many before and behind every axis; or per axis a number, or
 * [before, behind]; "valid" none; "same" as many as make ⌈n / stride⌉ outputs of n inputs, the odd one behind, as in TensorFlow and
 * JAX.
 */
export type Padding = "same" | "valid" | number | readonly (number | readonly [number, number])[];

export interface WindowOptions {
  /** From one place of the window to the next. */
  readonly stride?: PerAxis;
  /** Default "valid". */
  readonly padding?: Padding;
  /** From one element under the window to the next. Default 1. */
  readonly dilation?: PerAxis;
}

/** `count` whole numbers of at least `least`. @throws with what was given */
export function perAxis(where: string, name: string, value: PerAxis, count: number, least: number): number[] {
  const list = typeof value === "number" ? new Array<number>(count).fill(value) : [...value];
  if (list.length === count && list.every((n) => Number.isInteger(n) && n >= least)) return list;
  return fail({
    where,
    got: `${name} ${typeof value === "number" ? value : show(value)}`,
    expected: `a whole number of at least ${least}${count === 1 ? "" : `, or ${count} of them`}`,
  });
}

/** Padding in numbers, [before, behind] per axis; null: "same". */
export function pairsOf(where: string, padding: Padding, count: number): (readonly [number, number])[] | null {
  if (padding === "same") return null;
  if (padding === "valid") return range(count).map(() => [0, 0] as const);
  const list = typeof padding === "number" ? range(count).map(() => padding) : padding;
  const pairs = Array.isArray(list)
    ? list.map((entry) => (typeof entry === "number" ? ([entry, entry] as const) : entry))
    : [];
  const fits = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 0);
  if (pairs.length === count && pairs.every(fits)) return pairs;
  return fail({
    where,
    got: `padding ${JSON.stringify(padding)}`,
    expected: `"same", "valid", a whole number of at least 0, or ${count === 1 ? "an array of one number or pair" : `${count} numbers or pairs`}`,
    ...(count === 1 && Array.isArray(padding) && padding.length === 2 ? { write: `[[${padding.join(", ")}]]` } : {}),
  });
}

/** Where a window may go on each axis. */
export interface Placement {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly low: readonly number[];
  /** How many places there are. */
  readonly size: readonly number[];
}

/**
 * The places of a window over the last axes of `shape`.
 * @throws where options do not fit, and where the window is larger than the padded input
 */
export function placement(
  where: string,
  shape: Shape,
  window: Shape,
  { stride = 1, padding = "valid", dilation = 1 }: WindowOptions,
): Placement {
  const count = window.length;
  const [steps, gaps] = [perAxis(where, "stride", stride, count, 1), perAxis(where, "dilation", dilation, count, 1)];
  const pairs = pairsOf(where, padding, count);
  const places = window.map((taps, k): readonly [number, number] => {
    const axis = shape.length - count + k;
    const [n, step] = [shape[axis] as number, steps[k] as number];
    const width = taps === 0 ? 0 : (gaps[k] as number) * (taps - 1) + 1;
    const [low, high] = pairs === null ? sameAs(n, step, width) : (pairs[k] as readonly [number, number]);
    if (width === 0 || n + low + high < width)
      fail({
        where,
        got: `a window ${width} wide on axis ${axis} of ${show(shape)}, which is ${n + low + high} wide with padding`,
        expected: "at least 1, and no wider than that",
        write: "more padding, a smaller window or dilation",
      });
    return [low, Math.floor((n + low + high - width) / step) + 1];
  });
  return { stride: steps, dilation: gaps, low: places.map(([low]) => low), size: places.map(([, size]) => size) };
}

/** The padding of ⌈n / step⌉ outputs; none of an empty axis. */
function sameAs(n: number, step: number, width: number): readonly [number, number] {
  const total = n === 0 ? 0 : Math.max(0, (Math.ceil(n / step) - 1) * step + width - n);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}
