import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import { onHost } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { apply, type LawInput, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import * as kernel from "../kernel/linalg/quotient.js";
import { brief, naming, sinkOf, stackOf } from "../kernel/linalg/stack.js";
import { elements, type NDArray } from "../kernel/ndarray.js";
import { times } from "./contract.js";
import { allBatched, broadcastTo, minus, negate, reshapeTo } from "./linear.js";
import { matrices } from "./matrix.js";
import type { Named } from "./solve.js";

export interface GapParams extends Named, kernel.GapRules {
  /** What is equal where the difference is zero. */
  readonly what: "values" | "zero values";
}

const cases: readonly (readonly LawInput[])[] = [
  [{ shape: [3, 2] }, { shape: [3], from: [-2, -1] }, { shape: [2], from: [0.5, 2] }],
  [{ shape: [2, 2, 2] }, { shape: [2, 2], from: [-2, -1] }, { shape: [2, 2], from: [0.5, 2] }],
  [{ shape: [3, 3] }, { shape: [3], from: [-2, -1] }, { shape: [3], from: [0.5, 2] }],
];

/**
 * m[i, j] / (b[j] − a[i]), m [..., p, q], a [..., p], b [..., q]: how fast vectors turn into each other. Where the difference is zero but
 * for rounding there is no quotient, whatever stands above: that a function of all vectors together may have a derivative cannot be seen
 * from here, so it is an error. 0 where nothing is asked: under cotangents that are zero, as of vectors that are not used, and where no
 * tangent moves. @throws at the first other place
 */
export const gapQuotient: Primitive<GapParams> = {
  name: "gapQuotient",
  type: ([m, a, b]) => {
    const { shape, dtype } = matrices("gapQuotient", m as Type);
    const [rows, columns] = [a as Type, b as Type];
    const lead = shape.slice(0, -2);
    const fits =
      sameShape(rows.shape, shape.slice(0, -1)) && sameShape(columns.shape, [...lead, shape.at(-1) as number]);
    if (!fits || rows.dtype !== dtype || columns.dtype !== dtype)
      fail({
        where: "gapQuotient",
        got: [m as Type, rows, columns].map((x) => `${x.dtype}${show(x.shape)}`).join(", "),
        expected: "[..., p, q], [..., p] and [..., q] of one dtype",
      });
    return { shape, dtype };
  },
  run: ([m, a, b], params, out) => {
    const stack = stackOf(m as NDArray);
    const [x, y] = [elements(a as NDArray), elements(b as NDArray)];
    const sink = sinkOf(out.dtype, out.shape);
    const { rows, columns } = stack;
    for (let r = 0; r < stack.count; r++) {
      const [from, to] = [x.subarray(r * rows, (r + 1) * rows), y.subarray(r * columns, (r + 1) * columns)];
      const matrix = stack.at(r);
      const clash = kernel.gapQuotient(matrix, from, to, rows, columns, out.dtype, params);
      if (clash) refuse(params, m as NDArray, r, clash, to);
      sink.put(r, matrix);
    }
    return sink.done();
  },
  needs: "all",
  jvp: ([t, s, u], [, a, b], params, out) => {
    const { shape } = out;
    const down = (x: Tensor): Tensor => broadcastTo(reshapeTo(x, [...x.shape, 1]), shape);
    const along = (x: Tensor): Tensor =>
      broadcastTo(reshapeTo(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) as number]), shape);
    const gap = s && u ? minus(along(u), down(s)) : u ? along(u) : s ? negate(down(s)) : null;
    const moved = gap && times(out, gap);
    const rest = t && moved ? minus(t, moved) : (t ?? (moved && negate(moved)));
    return rest && apply(gapQuotient, [rest, a as Tensor, b as Tensor], params);
  },
  transpose: (ct, _linear, [, a, b], params) => [
    apply(gapQuotient, [ct, a as Tensor, b as Tensor], { ...params, reverse: !params.reverse }),
    null,
    null,
  ],
  linear: [0],
  batch: (inputs, batched, params, size) => apply(gapQuotient, allBatched(inputs, batched, size), params),
  // What is an error hangs on the whole matrix.
  reads: (_params, inputs, out) => inputs.map(({ shape }) => leading(shape, out.shape.length - 2)),
  smooth: "smooth",
  lower: onHost,
  laws: cases.map((inputs, i) => ({ inputs, params: { where: "law", what: "values", pairs: i > 1, reverse: false } })),
};

function refuse(
  { where, what }: GapParams,
  m: NDArray,
  r: number,
  { row, column }: kernel.Clash,
  b: ArrayLike<number>,
): never {
  const value = brief(b[column] as number);
  return fail({
    where,
    what:
      what === "values"
        ? `values ${row} and ${column} of ${naming(m.shape, r)} are equal up to rounding (${value}), and their vectors have no derivative`
        : `value ${column} of ${naming(m.shape, r)} is zero up to rounding, and its vectors have no derivative`,
    write: where.includes("vals")
      ? "take what needs no values (det, solve, matmul), or a matrix whose values differ"
      : "take eigvalsh or svdvals where the values are enough, or a matrix whose values differ",
  });
}
