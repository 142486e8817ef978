import type { DType } from "../base/dtype.js";
import { Body } from "../graph/body.js";
import { constant } from "../graph/leaves.js";
import { apply, type LawCase, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { matmul, times } from "../primitives/contract.js";
import { sin, tanh } from "../primitives/elementary.js";
import { minus, plus, reshapeTo, sliceAxis, sumOver } from "../primitives/linear.js";
import type { CondParams } from "./branch.js";
import { partsOfScan, type ScanParams } from "./loop.js";

/** Instances of the operations that hold graphs, for the laws. */

function bodyOf(types: readonly Type[], f: (...inputs: Tensor[]) => Tensor[]): Body {
  const inputs = types.map((type, k) => placeholder(type, `input ${k}`));
  return new Body(inputs, f(...inputs));
}

const float = (dtype: DType, ...shape: number[]): Type => ({ shape, dtype });

function scanCase(
  types: readonly Type[],
  counts: Pick<ScanParams, "carries" | "stacked" | "length" | "reverse">,
  f: (...inputs: Tensor[]) => Tensor[],
): LawCase<ScanParams> {
  const { carries, stacked, length } = counts;
  const body = bodyOf(types, f);
  const params = { ...counts, body, alive: null, residuals: "auto" as const };
  const inputs = types.map(({ shape, dtype }, k) => ({
    shape: k >= carries && k < carries + stacked ? [length, ...shape] : shape,
    dtype,
  }));
  return { inputs, params: { ...params, parts: partsOfScan(params) } };
}

/** [3] · [3, 3], as a product of matrices. */
function through(h: Tensor, w: Tensor): Tensor {
  return reshapeTo(apply(matmul, [reshapeTo(h, [1, h.size]), w], null), [w.shape[1] as number]);
}

const steps = { carries: 1, stacked: 1, length: 3, reverse: false };

export const scanLaws: readonly LawCase<ScanParams>[] = [
  // A recurrent network; its carry mixes, its rows do not.
  scanCase([float("float64", 2), float("float64", 2), float("float64", 2, 2)], steps, (h, x, w) => {
    const next = apply(tanh, [plus(through(h, w), x)], null);
    return [next, times(next, x)];
  }),
  // Elementwise along a batch axis, from the last row.
  scanCase([float("float32", 2), float("float32", 2)], { ...steps, reverse: true }, (c, x) => [
    plus(times(c, x), apply(sin, [x], null)),
    minus(c, x),
  ]),
  // Two carries that change places, one of them whole numbers; no rows.
  scanCase(
    [float("float64"), float("float64"), float("int32"), float("float64")],
    { carries: 3, stacked: 0, length: 4, reverse: false },
    (a, b, n, k) => [times(b, k), plus(a, b), plus(n, constant(1, "int32")), times(a, a)],
  ),
  // No step at all.
  scanCase([float("float64", 2), float("float64", 2)], { ...steps, length: 0 }, (c, x) => [
    plus(c, x),
    sumOver(c, [0]),
  ]),
];

function condCase(
  types: readonly Type[],
  yes: (...inputs: Tensor[]) => Tensor[],
  no: (...inputs: Tensor[]) => Tensor[],
): LawCase<CondParams> {
  const branches = [bodyOf(types, yes), bodyOf(types, no)] as const;
  const parts = branches[0].outputs.map(({ shape, dtype }) => ({ shape, dtype }));
  return { inputs: [{ shape: [], dtype: "bool" }, ...types], params: { branches, parts } };
}

export const condLaws: readonly LawCase<CondParams>[] = [
  condCase(
    [float("float64", 2), float("float64", 2)],
    (a, b) => [times(a, b), apply(sin, [a], null)],
    (a, b) => [plus(a, b), times(b, times(b, a))],
  ),
  condCase(
    [float("float32", 3)],
    (a) => [sumOver(a, [0])],
    (a) => [reshapeTo(sliceAxis(times(a, a), 0, 1, 2), [])],
  ),
];
