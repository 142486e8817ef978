import { show } from "../../base/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { elements, type NDArray } from "../../kernel/ndarray.js";
import { readAll } from "../../runtime/read.js";

/** Numbers for people: four significant digits, small arrays in full, large ones as a summary. */

/** 0.972, -3.1, 1.2e-7, NaN */
export function short(x: number, digits = 4): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "-∞";
  const size = Math.abs(x);
  if (x !== 0 && (size >= 1e6 || size < 1e-4)) return String(Number(x.toExponential(digits - 1)));
  return String(Number(x.toPrecision(digits)));
}

/** Up to this many elements are written out. */
export const fullSize = 12;

/** `[0.66, 0.5743]`, or for large arrays `0.0012 ± 0.98, min -3.2, max 3.1` over the elements. */
export function inNumbers(t: Tensor, digits = 4): string {
  const flat = flatOf(t);
  return flat.length <= fullSize ? nested(flat, t.shape, digits, 0, 0, flat.length) : summary(flat);
}

export function flatOf(t: Tensor): ArrayLike<number> {
  return elements(readAll([t])[0] as NDArray);
}

function nested(
  flat: ArrayLike<number>,
  shape: readonly number[],
  digits: number,
  axis: number,
  from: number,
  size: number,
): string {
  if (axis === shape.length) return short(flat[from] as number, digits);
  const n = shape[axis] as number;
  const step = n === 0 ? 0 : size / n;
  const parts = Array.from({ length: n }, (_, i) => nested(flat, shape, digits, axis + 1, from + i * step, step));
  return `[${parts.join(", ")}]`;
}

/** Mean ± standard deviation of the elements, and their range. */
export function summary(flat: ArrayLike<number>): string {
  let [mean, square, low, high] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < flat.length; i++) {
    const x = flat[i] as number;
    const delta = x - mean;
    mean += delta / (i + 1);
    square += delta * (x - mean);
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const sd = Math.sqrt(square / flat.length);
  return `${short(mean)} ± ${short(sd)} over the elements, min ${short(low)}, max ${short(high)}`;
}

/** `float32[2, 3]` */
export function typeName({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${dtype}${show(shape)}`;
}

export interface Column {
  readonly head: string;
  /** Numbers stand on the right. */
  readonly right?: boolean;
}

/** A table of text: a head, a rule, one line a row; columns two spaces apart. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ head }, i) => Math.max(width(head), ...rows.map((row) => width(row[i] as string))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const gap = " ".repeat((widths[i] as number) - width(cell));
        return columns[i]?.right ? gap + cell : cell + gap;
      })
      .join("  ")
      .trimEnd();
  return [line(columns.map(({ head }) => head)), widths.map((n) => "─".repeat(n)).join("  "), ...rows.map(line)].join(
    "\n",
  );
}

function width(text: string): number {
  return [...text].length;
}

export function indented(text: string, by = 2): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : " ".repeat(by) + line))
    .join("\n");
}
