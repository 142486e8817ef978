import type { DType } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { sameShape, show } from "../base/shape.js";
import type { Body } from "../graph/body.js";
import type { Tensor, Type } from "../graph/tensor.js";
import { currentRuntime, type Prepared, type Runtime } from "../graph/trace.js";
import { elements, empty, type NDArray } from "../kernel/ndarray.js";
import { part, tupleType, tupleValue } from "../primitives/tuple.js";
import { sameIn } from "./same.js";

/** Whether what a derivative needs of each step is kept, computed again from the carry, or chosen by size. */
export type Residuals = "auto" | "save" | "recompute";

export interface ScanParams {
  /** Carries, then the entries of this step, then constants -> next carries, then outputs of this step. */
  readonly body: Body;
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: number;
  /** How many stacked inputs there are. */
  readonly stacked: number;
  /** Types of the final carries and of the stacked outputs; grows with the outputs of the body. */
  readonly parts: Type[];
  /** A bool carry: once it is false everywhere the loop ends; a step after that speaks for the rest. */
  readonly alive: number | null;
  readonly residuals: Residuals;
}

/** Makes a scan node with parts of its own; the rules get it as an argument, because the primitive is built out of them. */
export type MakeScan = (inputs: readonly Tensor[], params: Omit<ScanParams, "parts">) => Tensor;

/** The types of the parts of a new scan. */
export function partsOfScan({ body, carries, length }: Omit<ScanParams, "parts">): Type[] {
  return body.outputs.map((node, k) => (k < carries ? typeOf(node) : stackedType(node, length)));
}

function typeOf({ shape, dtype }: Type): Type {
  return { shape, dtype };
}

export function stackedType({ shape, dtype }: Type, length: number): Type {
  return { shape: [length, ...shape], dtype };
}

/** A node of the body as one more stacked output. @returns its part [length, ...shape] */
export function emit(node: Tensor, inner: Tensor): Tensor {
  const { body, parts, carries, length } = node.params as ScanParams;
  const same = sameIn(body, inner);
  const found = body.outputs.indexOf(same, carries);
  if (found >= 0) return part(node, found);
  body.outputs.push(same);
  parts.push(stackedType(inner, length));
  return part(node, body.outputs.length - 1);
}

export function typeOfScan(inputs: readonly Type[], { body, length, carries, stacked, parts }: ScanParams): Type {
  if (inputs.length !== body.inputs.length)
    fail({ where: "scan", got: `${inputs.length} inputs`, expected: `${body.inputs.length}` });
  inputs.forEach((input, k) => {
    const inner = body.inputs[k] as Tensor;
    const expected = k >= carries && k < carries + stacked ? stackedType(inner, length) : inner;
    fits("scan", input, expected, `input ${k}`);
  });
  if (parts.length !== body.outputs.length)
    fail({ where: "scan", got: `${body.outputs.length} outputs of the step`, expected: `${parts.length}` });
  body.outputs.forEach((output, k) => {
    if (k < carries) fits("scan", output, body.inputs[k] as Tensor, `carry ${k} after the step`);
    else fits("scan", stackedType(output, length), parts[k] as Type, `output ${k}, stacked`);
  });
  return tupleType(parts);
}

/** @throws where a type is not the expected one */
export function fits(where: string, found: Type, expected: Type, as: string): void {
  if (found.dtype === expected.dtype && sameShape(found.shape, expected.shape)) return;
  fail({
    where,
    got: `${found.dtype}${show(found.shape)} as ${as}`,
    expected: `${expected.dtype}${show(expected.shape)}`,
  });
}

/** Row t of axis 0, as a view. */
function row(x: NDArray, t: number): NDArray {
  return {
    data: x.data,
    dtype: x.dtype,
    shape: x.shape.slice(1),
    strides: x.strides.slice(1),
    offset: x.offset + t * (x.strides[0] as number),
  };
}

/** The step as a prepared plan, for the outputs that are wanted. Kept with the params, whose body it is. */
const plans = new WeakMap<ScanParams, { runtime: Runtime; wanted: string; step: Prepared }>();

function planOf(params: ScanParams, wanted: readonly number[]): Prepared {
  const now = currentRuntime();
  const runtime = now.interpreter ?? now;
  const key = wanted.join();
  const known = plans.get(params);
  if (known && known.wanted === key && known.runtime === runtime) return known.step;
  const { body, carries } = params;
  const outputs = [...body.outputs.slice(0, carries), ...wanted.map((k) => body.outputs[k] as Tensor)];
  const step = runtime.prepare(outputs, body.inputs);
  plans.set(params, { runtime, wanted: key, step });
  return step;
}

export function runScan(inputs: readonly NDArray[], params: ScanParams, wanted: ReadonlySet<number>): NDArray {
  const { length, reverse, carries, stacked, parts, alive } = params;
  const kept = [...wanted].filter((k) => k >= carries).sort((a, b) => a - b);
  const step = planOf(params, kept);
  const columns = inputs.slice(carries, carries + stacked);
  const constants = inputs.slice(carries + stacked);
  const out = kept.map((k) => empty((parts[k] as Type).dtype as DType, (parts[k] as Type).shape));
  let carry = inputs.slice(0, carries);
  for (let i = 0; i < length; i++) {
    // Nothing changes from here on. Derivatives still read what a step does that leaves the carry as it is: one speaks for the rest.
    const over = alive !== null && !elements(carry[alive] as NDArray).some((x) => x !== 0);
    if (over && kept.length === 0) break;
    const t = reverse ? length - 1 - i : i;
    const results = step([...carry, ...columns.map((x) => row(x, t)), ...constants]);
    carry = results.slice(0, carries);
    out.forEach((column, j) => {
      const values = elements(results[carries + j] as NDArray);
      const rows = over ? length - i : 1;
      for (let r = 0; r < rows; r++) column.data.set(values, (reverse ? t - r : t + r) * values.length);
    });
    if (over) break;
  }
  const places = new Map(kept.map((k, j) => [k, out[j] as NDArray]));
  return tupleValue(parts.map((_, k) => (k < carries ? (carry[k] as NDArray) : (places.get(k) as NDArray))));
}
