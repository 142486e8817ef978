import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import { asTensor, constant, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { concat } from "../primitives/concat.js";
import { perAxis } from "../primitives/fit.js";
import * as linear from "../primitives/linear.js";

export interface PadOptions {
  /** What the new places hold: a number, the nearest element, or the mirror image about the end, which is not repeated itself. */
  readonly mode?: "constant" | "edge" | "reflect";
  /** The number of "constant". Default 0. */
  readonly value?: number;
}

type Width = readonly [number, number];

/**
 * Places before and after, per axis.
 * @throws where an empty axis has no edge, or a mirror image would be longer than what it mirrors
 */
export function pad(
  x: TensorLike,
  widths: readonly Width[],
  { mode = "constant", value = 0 }: PadOptions = {},
): Tensor {
  const a = asTensor(x);
  if (widths.length !== a.rank)
    fail({ where: "pad", got: `${widths.length} pairs`, expected: `${a.rank}, one per axis of ${show(a.shape)}` });
  const [low, high] = [widths.map((w) => w[0]), widths.map((w) => w[1])];
  perAxis("pad", a.shape, low, high);
  if (mode === "constant" && value === 0) return apply(linear.pad, [a], { low, high, interior: low.map(() => 0) });
  return widths.reduce((out, width, axis) => {
    if (width[0] + width[1] === 0) return out;
    const [before, after] =
      mode === "constant"
        ? width.map((n) => repeated(constant(value, a.dtype), out, axis, n))
        : mode === "edge"
          ? edges(out, axis, width)
          : images(out, axis, width);
    return apply(concat, [before as Tensor, out, after as Tensor], { axis });
  }, a);
}

/** `a` has size 1 on the axis, or is a scalar: `n` of it, of the shape of `like` elsewhere. */
function repeated(a: Tensor, like: Tensor, axis: number, n: number): Tensor {
  return linear.broadcastTo(
    a,
    like.shape.map((m, i) => (i === axis ? n : m)),
  );
}

function edges(a: Tensor, axis: number, [before, after]: Width): Tensor[] {
  const n = a.shape[axis] as number;
  if (n === 0)
    fail({ where: "pad", got: `mode "edge" on the empty axis ${axis} of ${show(a.shape)}`, expected: "an element" });
  const [first, last] = [linear.sliceAxis(a, axis, 0, 1), linear.sliceAxis(a, axis, n - 1, n)];
  return [repeated(first, a, axis, before), repeated(last, a, axis, after)];
}

function images(a: Tensor, axis: number, [before, after]: Width): Tensor[] {
  const n = a.shape[axis] as number;
  if (Math.max(before, after) > n - 1)
    fail({
      where: "pad",
      got: `mode "reflect" with ${Math.max(before, after)} places on axis ${axis} of ${show(a.shape)}`,
      expected: `at most ${Math.max(n - 1, 0)}, what there is beside the end`,
    });
  const mirrored = (start: number, stop: number): Tensor =>
    apply(linear.flip, [linear.sliceAxis(a, axis, start, stop)], { axes: [axis] });
  return [mirrored(1, before + 1), mirrored(n - 1 - after, n - 1)];
}
